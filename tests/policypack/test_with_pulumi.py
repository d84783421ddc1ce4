"""What only the real `pulumi` command can show: its options, its display, and how it is called."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from tests.small_engine import pulumi_command
from tests.small_engine.pulumi_command import PulumiCommand, need_pulumi

from .pulumi_programs import BROKEN, CLEAN, write_program
from .stacks import PACK, ROOT, RULES_FILE, ended
from .test_scenarios import RULES

ROLE_URN = "urn:pulumi:dev::shop::aws:iam/role:Role::payments-api"


@pytest.fixture
def command(project: Path, tmp_path: Path) -> PulumiCommand:
    need_pulumi()
    (project / RULES_FILE).write_text(RULES)
    return PulumiCommand(project, tmp_path / "own", PACK)


def test_a_user_reads_the_finding_and_gets_a_failing_exit_code(
    command: PulumiCommand, project: Path
) -> None:
    write_program(project, BROKEN)
    ran = command.preview()
    assert ran.exit_code == 1
    block = ran.output[ran.output.index("Policies:") :]
    assert f"❌ kms-access@v0.1.0 (local: {PACK})" in block
    assert "- [mandatory] [severity: high]" in block
    assert "(aws:kms:Key: payments)" in block
    assert "role billing can decrypt with key alias/payments" in block
    assert f"{RULES_FILE}:7 'payments data' lets only payments do this" in block


def test_a_resource_that_the_targets_leave_out_is_not_judged(
    command: PulumiCommand, project: Path
) -> None:
    write_program(project, CLEAN)
    result = ended(command.preview("--target", ROLE_URN))
    assert (result.exit_code, result.blocked) == (0, [])
    assert "is left out of this operation by its targets" in result.output
    # What is left out is called unchanged, although it does not exist.
    assert result.steps == {
        ("create", "aws:iam/role:Role payments-api"),
        ("same", "aws:kms/key:Key payments"),
        ("same", "aws:kms/alias:Alias payments"),
    }


def test_the_rules_of_the_project_are_found_from_any_folder(project: Path, tmp_path: Path) -> None:
    """The pack is not told where the project is; only Linux shows where the command works."""
    need_pulumi()
    if not Path("/proc/self/cwd").exists():
        pytest.skip("only Linux shows the folders of other processes")
    write_program(project, BROKEN)
    (project / RULES_FILE).write_text(RULES)
    elsewhere = {"PWD": str(tmp_path)}
    command = PulumiCommand(project, tmp_path / "own", PACK, environment=elsewhere)
    assert "'payments data' lets only payments do this" in command.preview().output


def test_a_missing_command_is_skipped_with_the_reason_or_fails_where_that_is_forbidden(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(pulumi_command.REQUIRE, raising=False)
    assert shutil.which("pulumi") is None
    with pytest.raises(pytest.skip.Exception, match=r"pulumi, .* not on PATH: .*archive"):
        need_pulumi()
    monkeypatch.setenv(pulumi_command.REQUIRE, "1")
    with pytest.raises(pytest.fail.Exception, match=f"{pulumi_command.REQUIRE} is set, but pulumi"):
        need_pulumi()


def test_the_workflow_installs_the_command_and_forbids_the_skip() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = workflow["jobs"]["test"]["steps"]
    install = next(i for i, step in enumerate(steps) if "pulumi/actions" in step.get("uses", ""))
    run = next(i for i, step in enumerate(steps) if step.get("run") == ".ci/run")
    assert install < run
    assert steps[run]["env"][pulumi_command.REQUIRE] == "1"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
