"""Preview and update of a program, with the processes that they need."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .analysis import Analysis
from .deployment import Deployment
from .model import Diagnostic, EngineError, Outcome, RunContext
from .monitor import PARALLEL, MonitorServer
from .pack import PolicyPack
from .processes import ManagedProcess
from .project import Project, load_project
from .state import EMPTY, export_state, import_state

ORGANIZATION = "organization"
PROGRAM_SECONDS = 300.0
# How long a program may take to notice that the engine refuses everything.
STOPPED_SECONDS = 15.0


@dataclass
class Engine:
    """A stack and how to deploy it: previews and updates of the program in a folder.

    `environment` is added to the environment of the program and of the pack, `policy_config` is
    the content of a `--policy-pack-config` file, `state` an earlier `Outcome.state`. Whatever
    stops an operation is told in `Outcome.error`, but what a policy refuses is only told as its
    diagnostic, as the command does it; nothing is raised.
    """

    program: Path
    policy_pack: Path | None = None
    project: str = "small-engine"
    stack: str = "dev"
    config: Mapping[str, str] = field(default_factory=dict)
    policy_config: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, object] | None = None
    shuffle_seed: int = 0
    # What the command prints in addition to the outcome of the last operation.
    pack_label: str = field(default="", init=False, repr=False)
    severities: Mapping[Diagnostic, str] = field(default_factory=dict, init=False, repr=False)
    messages: tuple[str, ...] = field(default=(), init=False, repr=False)

    def preview(self) -> Outcome:
        return self._operate(dry_run=True)

    def up(self, *, skip_preview: bool = False) -> Outcome:
        """Preview and update are two operations with processes of their own."""
        if not skip_preview:
            preview = self.preview()
            if preview.exit_code != 0:
                return preview
        return self._operate(dry_run=False)

    def _operate(self, *, dry_run: bool) -> Outcome:
        self.pack_label, self.severities, self.messages = "", {}, ()
        try:
            project = load_project(Path(self.program), self.stack, self.project)
            config = {**project.config, **self.config}
            context = RunContext(project.name, self.stack, ORGANIZATION, config, dry_run)
            if "pulumi:autonaming" in config:
                raise EngineError('config "pulumi:autonaming" is not supported')
            olds = import_state(self.state)
            with ExitStack() as cleanup:
                pack = self._start_pack(project, context, cleanup)
                analysis = Analysis(context, pack, self.shuffle_seed)
                deployment = Deployment(context, analysis, olds)
                error = self._run_program(project, deployment, cleanup)
                if not error:
                    deployment.finish()
                    error = deployment.error
        except EngineError as stop:
            return Outcome(1, (), str(stop), (), (), (), self.state or EMPTY)
        self.severities = analysis.severities
        if pack is not None:
            self.messages += tuple(pack.messages())
        return Outcome(
            exit_code=1 if error or analysis.has_mandatory else 0,
            diagnostics=tuple(analysis.diagnostics),
            error=error,
            registered=tuple(deployment.registered),
            created=tuple(deployment.created),
            steps=tuple(deployment.steps),
            state=export_state(deployment.resulting_state()),
        )

    def _start_pack(
        self, project: Project, context: RunContext, cleanup: ExitStack
    ) -> PolicyPack | None:
        if self.policy_pack is None:
            return None
        pack = PolicyPack(
            Path(self.policy_pack), project.directory, context, self.policy_config, self.environment
        )
        cleanup.callback(pack.close)
        self.pack_label = f"{pack.name}@v{pack.version} (local: {self.policy_pack})"
        return pack

    def _run_program(self, project: Project, deployment: Deployment, cleanup: ExitStack) -> str:
        """Run the program to its end; the text of what stopped it, or ""."""
        server = MonitorServer(deployment)
        cleanup.callback(server.close)
        process = ManagedProcess(
            f'program "{project.directory}"',
            _program_command(project, deployment.context, server.address),
            project.directory,
            _program_environment(deployment.context, self.environment),
        )
        cleanup.callback(process.close)
        code = _wait(process, deployment)
        self.messages = (*server.engine.messages, *process.output())
        if deployment.stopped.done():
            return deployment.error
        if code == 0:
            return ""
        ended = (
            f"did not end within {PROGRAM_SECONDS:g} seconds"
            if code is None
            else f"failed with exit code {code}"
        )
        reasons = "".join(f"\n{message}" for message in server.engine.errors)
        output = "".join(f"\n  {line}" for line in process.output()[-40:])
        return f"{process.label} {ended}{reasons}{output}"


def _wait(process: ManagedProcess, deployment: Deployment) -> int | None:
    """The program's exit code; a stopped deployment leaves it only a short time to end."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        ended = executor.submit(process.wait, PROGRAM_SECONDS)
        try:
            either: list[Future[Any]] = [ended, deployment.stopped]
            wait(either, PROGRAM_SECONDS, FIRST_COMPLETED)
            if deployment.stopped.done():
                wait([ended], STOPPED_SECONDS)
            in_time = ended.done()
        finally:
            # Also on an interrupt: the executor would otherwise wait for the program.
            process.close()
        return ended.result() if in_time else None


def _program_command(project: Project, context: RunContext, address: str) -> list[str]:
    # "-P" keeps this folder off the import path, so that its modules cannot shadow the program's.
    return [
        *(sys.executable, "-u", "-P", str(Path(__file__).with_name("program_runner.py"))),
        *("--project", context.project, "--stack", context.stack),
        *("--organization", context.organization, "--monitor", address),
        *("--dry-run", "true" if context.dry_run else "false"),
        *("--parallel", str(PARALLEL), "--root", str(project.directory)),
        str(project.entry),
    ]


def _program_environment(context: RunContext, extra: Mapping[str, str]) -> dict[str, str]:
    own = {
        "PULUMI_CONFIG": json.dumps(dict(context.config)),
        "PULUMI_CONFIG_SECRET_KEYS": "[]",
        # Otherwise gRPC asks the proxy of the machine for the loopback address.
        "no_grpc_proxy": "127.0.0.1",
    }
    return {**os.environ, **extra, **own}
