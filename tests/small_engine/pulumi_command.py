"""The real `pulumi` command, offline: state in a folder, and the stand-in as its AWS provider."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIRE = "KMS_ACCESS_REQUIRE_PULUMI"
# The release archive of Pulumi holds them together; the language host looks for its script beside
# itself.
COMMANDS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")
HOW_TO_INSTALL = (
    "no Python or npm package holds them; unpack Pulumi's release archive "
    "(https://www.pulumi.com/docs/iac/download-install/) into a folder on PATH"
)
SECONDS = 300.0
PROVIDER = """#!{python}
import sys

sys.path.insert(0, {root!r})
from tests.small_engine.plugin import serve

serve()
"""


def need_pulumi() -> None:
    """Skip the test where the command is missing; fail it where `REQUIRE` forbids the skip."""
    missing = [command for command in COMMANDS if shutil.which(command) is None]
    if not missing:
        return
    reason = f"{', '.join(missing)} not on PATH: {HOW_TO_INSTALL}"
    if os.environ.get(REQUIRE, "") not in ("", "0"):
        pytest.fail(f"{REQUIRE} is set, but {reason}", pytrace=False)
    pytest.skip(reason)


@dataclass(frozen=True)
class Ran:
    """One operation of the command: its exit code, what it printed, its events, the state after."""

    exit_code: int
    output: str
    events: Sequence[Mapping[str, Any]]
    state: Mapping[str, Any]

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [event[kind] for event in self.events if kind in event]


class PulumiCommand:
    """A stack `dev` of the real command. Nothing of the user's own Pulumi settings is used."""

    def __init__(
        self,
        program: Path,
        own: Path,
        pack: Path | None = None,
        policy_config: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`own` is a new folder for whatever the command keeps."""
        self._program = program
        self._own = own
        self._runs = 0
        self._environment = {**_environment(program, own), **(environment or {})}
        self._options = [] if pack is None else ["--policy-pack", str(pack)]
        if policy_config is not None:
            file = own / "policy-config.json"
            file.write_text(json.dumps(policy_config))
            self._options += ["--policy-pack-config", str(file)]
        self.call("stack", "init", "dev")

    def preview(self, *arguments: str) -> Ran:
        return self._operate("preview", *arguments)

    def up(self, *arguments: str, skip_preview: bool = False) -> Ran:
        return self._operate("up", "--yes", *(["--skip-preview"] * skip_preview), *arguments)

    def call(self, *arguments: str) -> str:
        """What another command prints, which must succeed."""
        ended = self._run(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def _operate(self, *arguments: str) -> Ran:
        self._runs += 1
        log = self._own / f"events-{self._runs}.json"
        ended = self._run(*arguments, *self._options, "--event-log", str(log))
        # An operation that was refused before it began has no events.
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        state = json.loads(self.call("stack", "export"))
        return Ran(ended.returncode, ended.stdout + ended.stderr, events, state)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self._program,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # An own group, so that its plugins end together with a command that hangs.
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def _environment(program: Path, own: Path) -> dict[str, str]:
    """Everything that the command needs, so that it neither asks nor downloads."""
    tools, state = own / "bin", own / "state"
    tools.mkdir(parents=True)
    state.mkdir()
    provider = tools / "pulumi-resource-aws"
    provider.write_text(PROVIDER.format(python=sys.executable, root=str(ROOT)))
    provider.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    return {
        **kept,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        # The user calls the command in the folder of the project.
        "PWD": str(program),
        "PULUMI_HOME": str(own / "home"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_DEBUG_COMMANDS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_PYTHON_CMD": sys.executable,
        # The pack runs from the checkout whatever is installed, and with it what it imports.
        "PYTHONPATH": str(ROOT),
    }
