"""`python app.py` without the CDK command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cdk_aspects.synthesis import run_plainly


@pytest.mark.parametrize(
    ("situation", "environment"),
    [
        ("swallowed", {}),
        ("in_stack", {"CDK_APP_MODE": "process"}),
        ("in_stack", {"PYTEST_VERSION": "9"}),
    ],
    ids=["swallowed by the app", "not raised by the library", "started by a test"],
)
def test_blocks_and_speaks_once(
    tmp_path: Path, situation: str, environment: dict[str, str]
) -> None:
    run = run_plainly(situation, tmp_path, **environment)
    assert run.exit_code == 1, run.printed
    assert run.printed.startswith("error  ")
    assert run.printed.count("everyone can decrypt with key") == 1


def test_all_that_is_printed(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """One finding, then the least that the library adds; its own report holds the text too."""
    printed = run_plainly("in_stage", tmp_path, CDK_OUTDIR="cdk.out").printed
    assert re.sub(r"apps\.py:\d+", "apps.py:LINE", printed) == snapshot
    report = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())
    ((violation,),) = (plugin["violations"] for plugin in report["pluginReports"])
    assert "who    everyone" in violation["ruleMetadata"]["report"]


def test_nothing_is_left_in_the_temporary_directory(tmp_path: Path) -> None:
    """Ending the process must not outrun jsii, which unpacks itself into it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    run = run_plainly("in_stack", tmp_path, TMPDIR=str(temporary), CDK_OUTDIR="cdk.out")
    assert run.exit_code == 1
    assert list(temporary.iterdir()) == []
