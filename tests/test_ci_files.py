"""The GitHub action, the pre-commit hook and the page about CI, run as far as they run offline."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kms_access import cli
from tests.test_exit_codes import FILES

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
BASH = shutil.which("bash")
GITHUB_BASH = ("--noprofile", "--norc", "-eo", "pipefail")
"""How GitHub runs a step with `shell: bash`."""

needs_bash = pytest.mark.skipif(BASH is None, reason="there is no bash")


def step(name: str) -> Mapping[str, Any]:
    (found,) = (step for step in ACTION["runs"]["steps"] if step["name"] == name)
    return dict(found)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, content in FILES.items():
        Path(name).write_text(content, encoding="utf-8")


def run_check_step(tmp_path: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The step as GitHub runs it, with the defaults of the inputs, and kms-access installed."""
    program = tmp_path / "temp/kms-access/bin/kms-access"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kms_access.cli "$@"\n')
    program.chmod(0o755)
    given = {name: declared.get("default", "") for name, declared in ACTION["inputs"].items()}
    given |= inputs
    check = step("Check who can use the keys")
    environment = {
        variable: given[re.fullmatch(r"\$\{\{ inputs\.(\w+) \}\}", value)[1]]  # type: ignore[index]
        for variable, value in check["env"].items()
    }
    script = tmp_path / "step.sh"
    script.write_text(check["run"], encoding="utf-8")
    assert BASH is not None
    return subprocess.run(
        [BASH, *GITHUB_BASH, str(script)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            **environment,
        },
        capture_output=True,
        text=True,
    )


ACTION_RUNS: dict[str, tuple[dict[str, str], int]] = {
    "proven": ({"paths": "good.json", "rules": "rules.yaml"}, 0),
    "violated": ({"paths": "public.json", "rules": "rules.yaml"}, 1),
    "a bad rules file": ({"paths": "good.json", "rules": "bad.yaml"}, 2),
    "undecided": ({"paths": "unknown.json"}, 3),
    "several paths": ({"paths": "good.json\n\nkeyless.json\n"}, 0),
    "further arguments": ({"paths": "good.json", "arguments": "--format\n\nmarkdown"}, 0),
    "a path like an option": ({"paths": "--help"}, 2),
    "a path with a command": ({"paths": '$(touch pwned)"; touch pwned; "'}, 2),
}


@needs_bash
@pytest.mark.parametrize("name", ACTION_RUNS)
def test_the_action(name: str, tmp_path: Path) -> None:
    inputs, code = ACTION_RUNS[name]
    found = run_check_step(tmp_path, **inputs)
    assert found.returncode == code, found.stderr
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n"
    assert not Path("pwned").exists()
    if code in (0, 1, 3):
        assert json.loads(Path("kms-access.sarif").read_text())["version"] == "2.1.0"
        assert (tmp_path / "summary").read_text() == Path("kms-access.md").read_text()
    else:
        assert found.stderr.startswith("error: ")


@needs_bash
def test_the_action_with_a_baseline(tmp_path: Path) -> None:
    assert cli.main(["map", "--output", "baseline.json", "good.json"]) == 0
    for paths, code in (("good.json", 0), ("wider.json", 1)):
        assert run_check_step(tmp_path, paths=paths, baseline="baseline.json").returncode == code


@needs_bash
def test_the_log_of_the_action_holds_annotations(tmp_path: Path) -> None:
    found = run_check_step(tmp_path, paths="public.json", rules="rules.yaml")
    assert re.search(r"^::error .*title=kms-access public-access", found.stdout, re.M)


def test_no_input_of_the_action_becomes_a_part_of_a_script() -> None:
    for one in ACTION["runs"]["steps"]:
        assert one["shell"] == "bash"
        assert "${{" not in one["run"]
    used = set(re.findall(r"inputs\.(\w+)", json.dumps(ACTION["runs"])))
    assert used == set(ACTION["inputs"])
    assert all(declared["description"] for declared in ACTION["inputs"].values())


@needs_bash
@pytest.mark.parametrize("name", [one["name"] for one in ACTION["runs"]["steps"]])
def test_bash_reads_the_steps(name: str) -> None:
    assert BASH is not None
    found = subprocess.run([BASH, "-n"], input=step(name)["run"], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_the_page_describes_every_input() -> None:
    section = PAGE[PAGE.index("| input |") :]
    assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(ACTION["inputs"])


def hook(*arguments: str) -> int:
    """The hook as pre-commit runs it: entry and arguments, without file names."""
    (found,) = HOOKS
    assert found["pass_filenames"] is False
    program, *fixed = shlex.split(found["entry"])
    assert program == "kms-access"
    return cli.main([*fixed, *arguments])


def test_the_hook_checks_the_rules_file(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("rules.yaml", "access-rules.yaml")
    assert hook() == 0
    assert capsys.readouterr().out == "access-rules.yaml is valid: 1 team, 1 key rule, 0 waivers\n"
    shutil.copy("bad.yaml", "access-rules.yaml")
    assert hook() == 2
    assert capsys.readouterr().err.startswith("error: access-rules.yaml:5:18: ")
    assert hook("rules.yaml") == 0


def test_the_hook_tells_of_waivers_that_are_over(capsys: pytest.CaptureFixture[str]) -> None:
    waiver = """\
waivers:
  - {check: team-access, key: alias/data, principal: user/bob, capabilities: [decrypt],
     reason: moves away, owner: dana@example.com, expires: 2001-02-03}
"""
    Path("access-rules.yaml").write_text(FILES["rules.yaml"] + waiver, encoding="utf-8")
    assert hook() == 0
    assert "expired on 2001-02-03" in capsys.readouterr().err


def test_the_hook_runs_for_rules_files_alone() -> None:
    (found,) = HOOKS
    files = re.compile(found["files"])
    assert [bool(files.search(name)) for name in ("access-rules.yaml", "a/access-rules.yaml")] == [
        True,
        True,
    ]
    assert not files.search("access-rules.yaml.bak")
    assert not files.search("my-access-rules.yaml")


def blocks(language: str) -> dict[str, str]:
    found = re.findall(
        rf'^```{language}(?: title="([^"]+)")?\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE
    )
    return {name or str(number): text for number, (name, text) in enumerate(found)}


def test_the_commands_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    """On a folder with a template in the place of the assembly, in the order of the page."""
    shutil.copy("rules.yaml", "access-rules.yaml")
    shutil.copy("good.json", "cdk.out")
    session = "".join(blocks("console").values())
    gitlab = yaml.safe_load(blocks("yaml")[".gitlab-ci.yml"])["keys"]["script"]
    lines = [*re.findall(r"^\$ (kms-access .+)$", session, re.M), *gitlab[1:]]
    assert len(lines) == 5
    for line in lines:
        assert cli.main(shlex.split(line)[1:]) == 0, line
    capsys.readouterr()
    for name in ("kms-access.sarif", "kms-access.xml", "kms-access.md", "kms-access.html"):
        assert Path(name).stat().st_size > 0


def test_the_files_of_the_page_name_what_is_there() -> None:
    files = {name: yaml.safe_load(text) for name, text in blocks("yaml").items()}
    steps = files[".github/workflows/keys.yml"]["jobs"]["keys"]["steps"]
    (own,) = (one for one in steps if one.get("uses", "").startswith("example/kms-access@"))
    assert set(own["with"]) <= set(ACTION["inputs"])
    (upload,) = (one for one in steps if "upload-sarif" in one.get("uses", ""))
    assert upload["with"]["sarif_file"] == ACTION["inputs"]["sarif"]["default"]
    (comment,) = (one for one in steps if "gh pr comment" in one.get("run", ""))
    assert f"--body-file {ACTION['inputs']['markdown']['default']}" in comment["run"]
    used = files[".pre-commit-config.yaml"]["repos"][0]["hooks"] + [
        one for text in files.values() if isinstance(text, list) for one in text
    ]
    assert {one["id"] for one in used} == {HOOKS[0]["id"]}
