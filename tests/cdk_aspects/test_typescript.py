"""The TypeScript example: `cdk` synthesizes it, and `kms-access check` judges what it wrote."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kms_access import cli
from tests.cdk_aspects.conftest import PROJECT
from tests.cdk_aspects.synthesis import OFFLINE, run_command

EXAMPLE = PROJECT / "examples" / "typescript_cdk"
CLAIM = "error  team-access  role orders-reports can decrypt with key alias/orders"


@pytest.fixture
def project(cdk_command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example that finds the packages of package.json."""
    if not (PROJECT / "node_modules" / "aws-cdk-lib").exists():
        pytest.skip("aws-cdk-lib for Node is not installed: npm ci")
    project = tmp_path / "app"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("cdk.out"))
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    monkeypatch.chdir(project)
    return project


@pytest.mark.parametrize(("context", "code"), [("broken=false", 0), ("broken=true", 1)])
def test_the_gate_stands_behind_the_synthesis(
    cdk_command: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    context: str,
    code: int,
) -> None:
    run = run_command([cdk_command, "synth", "--quiet", *OFFLINE, "-c", context], project)
    assert run.exit_code == 0, run.printed
    assert cli.main(["check", "--rules", "access-rules.yaml", "cdk.out"]) == code
    said = capsys.readouterr().out
    assert said.count(CLAIM) == code
    assert "1 key" in said
    if code:
        line = re.search(r"Reports \(stack Production-Workers\)  app\.ts:(\d+)", said)
        assert line
        assert "orders-reports" in (EXAMPLE / "app.ts").read_text().splitlines()[int(line[1]) - 1]


def test_the_readme_shows_these_commands() -> None:
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert "$ npx cdk synth --quiet\n" in readme
    assert "$ kms-access check --rules access-rules.yaml cdk.out\n" in readme
