"""The real `cdk`: in each situation the exit code **and** what a person reads.

Rows are those of reference cdk-synthesis, section 5. Without the guard's own measures the command
line ends with 0 in most of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk_aspects.synthesis import Run, run_with_cdk

SYNTH = ("synth", "--quiet")
OPEN = "error  public-access  everyone can decrypt with key"

BLOCKED = [
    # situation, arguments, what must be printed
    ("in_stack", SYNTH, f"{OPEN} OpenKey"),
    ("in_stage", SYNTH, f"{OPEN} OpenKey"),
    ("in_nested_stack", SYNTH, f"{OPEN} Keys/OpenKey"),
    ("in_unselected_stack", (*SYNTH, "Billing"), OPEN),
    ("acknowledged", SYNTH, OPEN),
    ("in_stack", (*SYNTH, "--ignore-errors"), OPEN),
    ("in_stack", ("ls",), OPEN),
    ("aspect_on_stage", SYNTH, OPEN),
    ("aspect_on_stack", SYNTH, OPEN),
    ("two_apps_with_one_aspect", SYNTH, OPEN),
    ("other_working_directory", SYNTH, OPEN),
    ("acknowledged_in_stage_without_exit", SYNTH, OPEN),
    ("fault", SYNTH, "error  internal-error  kms-access itself failed"),
    ("guarded_after_synth", SYNTH, "error  not-evaluated  kms-access was set up but never asked"),
    ("missing_rules_file", SYNTH, "error  access-rules  no-such-rules.yaml: "),
    ("broken_rules_file", SYNTH, "error  access-rules  access-rules.yaml:3:14: "),
]


@pytest.mark.parametrize(
    ("situation", "arguments", "printed"),
    BLOCKED,
    ids=[" ".join((situation, *arguments)) for situation, arguments, _ in BLOCKED],
)
def test_blocks_and_says_why(
    cdk_command: str, tmp_path: Path, situation: str, arguments: tuple[str, ...], printed: str
) -> None:
    run = run_with_cdk(cdk_command, situation, tmp_path, *arguments)
    assert run.exit_code == 1, run.printed
    assert run.printed.count(printed) == 1
    assert "jsii" not in run.printed
    assert "Traceback" not in run.printed


def test_a_finding_names_the_line_of_the_app(cdk_command: str, tmp_path: Path) -> None:
    run = run_with_cdk(cdk_command, "in_stage", tmp_path, *SYNTH)
    assert "apps.py:" in run.printed


def test_a_clean_app_passes_without_a_word(cdk_command: str, tmp_path: Path) -> None:
    run = run_with_cdk(cdk_command, "clean", tmp_path, *SYNTH)
    assert run == Run(0, run.printed)
    assert "error" not in run.printed


class TestLookups:
    """The command line runs the app again once it has looked up what was missing."""

    def test_first_pass_leaves_the_lookups_to_the_command_line(
        self, cdk_command: str, tmp_path: Path
    ) -> None:
        run = run_with_cdk(cdk_command, "lookup", tmp_path, *SYNTH)
        assert run.exit_code == 1
        assert "context lookups are missing" in run.printed
        assert "Subprocess exited" not in run.printed
        assert "public-access" not in run.printed

    def test_second_pass_blocks(self, cdk_command: str, tmp_path: Path) -> None:
        (tmp_path / "cdk.context.json").write_text(
            '{"key-provider:account=111122223333:aliasName=alias/existing:region=eu-west-1":'
            ' {"keyId": "0d1e2f3a-0000-4000-8000-000000000000"}}'
        )
        run = run_with_cdk(cdk_command, "lookup", tmp_path, *SYNTH)
        assert run.exit_code == 1
        assert run.printed.count(OPEN) == 1
        assert "lookups are missing" not in run.printed
