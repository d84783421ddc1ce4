"""The enforcement table: situations by ways to run the app, with the real `cdk`.

Situations are those of section 5 of reference cdk-synthesis. Without the guard's own measures the
command line ends with 0 in most cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from kms_access import cli
from tests.cdk_aspects.conftest import PROJECT
from tests.cdk_aspects.synthesis import run_plainly, run_with_cdk

OPEN = "error  public-access  everyone can decrypt with key"
CRASH = "error  internal-error  kms-access itself failed"
BROKEN_RULES = "access-rules.yaml:3:14: "


@dataclass(frozen=True, slots=True)
class Row:
    """What is printed once, and the codes that `python app.py` and `kms-access check` end with.

    `title` is the row's name in docs/cdk.md. `outside` is what `kms-access check` says where that
    is something else: a crash inside the app does not reach it.
    """

    title: str
    printed: str
    python: int = 1
    check: int = 1
    outside: str = ""


ROWS = {
    "in_stack": Row("in a stack", f"{OPEN} OpenKey"),
    "in_nested_stack": Row("in a nested stack", OPEN),
    "in_stage": Row("in a Stage", f"{OPEN} OpenKey"),
    "across_stacks": Row(
        "by a reference to another stack, where both stacks have equal logical ids",
        "error  team-access  role reader can decrypt with key alias/private",
    ),
    "by_override": Row("by a property override", OPEN),
    "acknowledged": Row("acknowledged by the app", f"{OPEN} OpenKey"),
    "evaluator_crash": Row("the evaluator crashes", CRASH, python=4, outside=OPEN),
    "plugin_crash": Row(
        "the plugin itself crashes",
        "kms-access was asked, but came to no verdict about",
        outside=OPEN,
    ),
    "broken_rules_file": Row(
        "the rules file is broken", f"error  access-rules  {BROKEN_RULES}", python=2, check=2
    ),
}
COLUMNS = {
    "cdk synth": ("synth", "--quiet"),
    "cdk synth --ignore-errors": ("synth", "--quiet", "--ignore-errors"),
    "cdk synth OTHER-STACK": ("synth", "--quiet", "Billing"),
}


@pytest.mark.parametrize("situation", ROWS)
@pytest.mark.parametrize("column", COLUMNS)
def test_cdk(
    cdk_command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    situation: str,
    column: str,
) -> None:
    row = ROWS[situation]
    run = run_with_cdk(cdk_command, situation, tmp_path, *COLUMNS[column])
    assert run.exit_code == 1, run.printed
    assert run.printed.count(row.printed) == 1
    assert "jsii" not in run.printed
    assert "Traceback" not in run.printed

    if column == "cdk synth":
        # It wrote the folder all the same.
        monkeypatch.chdir(tmp_path)
        rules = ["--rules", "access-rules.yaml"] if Path("access-rules.yaml").exists() else []
        assert cli.main(["check", *rules, "cdk.out"]) == row.check
        said = capsys.readouterr()
        if row.check == 2:
            assert BROKEN_RULES in said.err
        elif row.outside:
            assert said.out.count(row.outside) == 1
        else:
            assert said.out in run.printed


@pytest.mark.parametrize("situation", ROWS)
def test_python(tmp_path: Path, situation: str) -> None:
    row = ROWS[situation]
    run = run_plainly(situation, tmp_path)
    assert run.exit_code == row.python, run.printed
    if situation == "plugin_crash":  # the library says it
        assert "Validation plugin 'kms-access' failed: division by zero" in run.printed
        return
    assert run.printed.startswith("error  ")
    assert run.printed.count(row.printed) == 1
    assert "jsii" not in run.printed
    assert "Traceback" not in run.printed


def test_the_documentation_has_this_table() -> None:
    page = (PROJECT / "docs" / "cdk.md").read_text(encoding="utf-8")
    head = " | ".join(f"`{column}`" for column in (*COLUMNS, "python app.py", "kms-access check"))
    assert f"| access that breaks a rule | {head} |\n" in page
    for row in ROWS.values():
        assert f"| {row.title} | 1 | 1 | 1 | {row.python} | {row.check} |\n" in page
