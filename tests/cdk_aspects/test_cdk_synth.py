"""Where the guard is put, when it is asked, and what else the real `cdk` can be told to do.

Each test looks at the exit code **and** at what a person reads.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk_aspects.synthesis import OFFLINE, Run, run_command, run_with_cdk

SYNTH = ("synth", "--quiet")
OPEN = "error  public-access  everyone can decrypt with key"

NEVER_ASKED = "error  not-evaluated  kms-access was set up but never asked to evaluate"
AFTERWARDS = "error  not-evaluated  written after kms-access evaluated this app:"

BLOCKED = [
    # situation, arguments, what must be printed
    ("attached", SYNTH, OPEN),
    ("plugin_added_by_hand", SYNTH, OPEN),
    ("aspect_on_stage", SYNTH, OPEN),
    ("aspect_on_stage_in_stack", SYNTH, OPEN),
    ("aspect_on_stack", SYNTH, OPEN),
    ("two_apps_with_one_aspect", SYNTH, OPEN),
    ("other_working_directory", SYNTH, OPEN),
    ("acknowledged_in_stage_without_exit", SYNTH, OPEN),
    ("missing_rules_file", SYNTH, "error  access-rules  no-such-rules.yaml: "),
    ("guarded_after_synth", SYNTH, NEVER_ASKED),
    ("guarded_after_synth_of_stage", SYNTH, f'{NEVER_ASKED} "Billing.template.json", stage "Prod"'),
    ("plugin_on_stage_in_stack", SYNTH, NEVER_ASKED),
    ("second_app_without_guard", SYNTH, f'{AFTERWARDS} "Billing.template.json", "Ledger.'),
    ("stage_written_again", SYNTH, f'{AFTERWARDS} stage "Prod"\n'),
    ("template_changed_afterwards", SYNTH, f'{AFTERWARDS} "Ledger.template.json"\n'),
    # Commands that do not read the library's report.
    ("in_stack", ("ls",), OPEN),
    ("in_stack", ("destroy", "--force"), OPEN),
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


def test_a_blocked_app_can_be_destroyed_from_its_folder(cdk_command: str, tmp_path: Path) -> None:
    """As the documentation says. What stops it here is that there are no credentials."""
    run_with_cdk(cdk_command, "in_stack", tmp_path, *SYNTH)
    destroy = [cdk_command, "destroy", "Ledger", "--force", "--app", "cdk.out", *OFFLINE]
    run = run_command(destroy, tmp_path)
    assert "Ledger: destroying" in run.printed
    assert "no credentials have been configured" in run.printed


class TestLookups:
    """The command line runs the app again once it has looked up what was missing."""

    def test_first_pass_leaves_the_lookups_to_the_command_line(
        self, cdk_command: str, tmp_path: Path
    ) -> None:
        run = run_with_cdk(cdk_command, "lookup", tmp_path, *SYNTH, "--no-lookups")
        assert run.exit_code == 1
        assert run.printed.count("context lookups are missing") == 1
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

    def test_second_pass_blocks_after_a_failed_lookup(
        self, cdk_command: str, tmp_path: Path
    ) -> None:
        """The command line alone ends with 0 here, with placeholders in the templates."""
        run = run_with_cdk(cdk_command, "lookup", tmp_path, *SYNTH, "--ignore-errors")
        assert run.exit_code == 1, run.printed
        first, second = run.printed.split("kms-access: a context lookup failed: ")
        assert "context lookups are missing" in first
        assert second.startswith("Need to perform AWS calls for account 111122223333")
        assert second.count(OPEN) == 1
        assert second.count("error  undecided") == 1
