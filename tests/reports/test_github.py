"""Workflow commands, read back as the runner of GitHub Actions reads them."""

from __future__ import annotations

import re

from kms_access.reports.github import REPORT
from kms_access.rules import Assessment
from tests.reports.assessments import hostile, many

COMMAND = re.compile("::([a-z]+)(?: ([^:]*))?::(.*)")


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Every line that is a command: its name, its properties, its message."""
    found = []
    for line in text.splitlines():
        assert line.count("::") == 0 or line.startswith("::")
        match = COMMAND.fullmatch(line)
        if match:
            listed = (pair.split("=", 1) for pair in (match.group(2) or "").split(","))
            properties = {name: unescaped(value) for name, value in listed}
            found.append((match.group(1), properties, unescaped(match.group(3))))
        else:
            assert "##[" not in line
    return found


def unescaped(text: str) -> str:
    for escape, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, sign)
    return text


def test_a_command_for_each_finding(everything: Assessment) -> None:
    found = commands(REPORT.render(everything))
    assert [(name, message.splitlines()[0]) for name, _, message in found] == [
        (finding.level.value, finding.claim) for finding in everything.findings
    ]
    assert found[0][1] == {"file": "app.py", "line": "10", "title": "kms-access team-access"}


def test_names_are_neither_commands_nor_properties(everything: Assessment) -> None:
    attacked = hostile(everything)
    text = REPORT.render(attacked)
    lines = [line for line in text.splitlines() if line.startswith("::")]
    assert len(lines) == len(attacked.findings)
    for line in lines:
        match = re.match("::error ([^:]*)::", line)
        assert match
        names = [pair.split("=")[0] for pair in match.group(1).split(",")]
        assert names == ["file", "line", "title"]
    for line in text.splitlines():
        if not line.startswith("::"):
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
    # A per cent sign of a name is one when it is read back.
    assert "%250A%2525" in lines[0]


def test_what_github_would_drop_is_counted(everything: Assessment) -> None:
    found = commands(REPORT.render(many(everything, 12)))
    for level in ("error", "warning"):
        shown = [message for name, _, message in found if name == level]
        assert len(shown) == 10
        assert (
            shown[-1] == f"3 more {level}s are not shown here; the report as text has all of them"
        )
    assert len(commands(REPORT.render(many(everything, 10)))) == 20
    assert "more" not in REPORT.render(many(everything, 10)).split("keys")[0].replace("moves", "")


def test_the_log_ends_with_the_counts(everything: Assessment) -> None:
    lines = REPORT.render(everything).splitlines()
    assert lines[len(everything.findings)] == "3 keys, 6 principals: 2 findings, 1 undecided"
