"""`python app.py` without the CDK command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk_aspects.synthesis import run_plainly


@pytest.mark.parametrize(
    ("situation", "environment", "exit_code"),
    [
        ("in_stage", {}, 1),
        ("swallowed", {}, 1),
        ("in_stack", {"CDK_APP_MODE": "process"}, 1),
        ("fault", {}, 4),
    ],
    ids=["raised", "swallowed by the app", "not raised", "own failure"],
)
def test_blocks_and_speaks_before_the_trace(
    tmp_path: Path, situation: str, environment: dict[str, str], exit_code: int
) -> None:
    run = run_plainly(situation, tmp_path, **environment)
    assert run.exit_code == exit_code, run.printed
    assert run.printed.startswith("error  ")
    printed_first = run.printed.partition("jsii.errors")[0]
    claim = "everyone can decrypt with key" if exit_code == 1 else "kms-access itself failed"
    assert claim in printed_first


def test_nothing_is_left_in_the_temporary_directory(tmp_path: Path) -> None:
    """Ending the process must not outrun jsii, which unpacks itself into it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    run = run_plainly("in_stack", tmp_path, TMPDIR=str(temporary), CDK_OUTDIR="cdk.out")
    assert run.exit_code == 1
    assert list(temporary.iterdir()) == []
