"""Workflow commands of GitHub Actions: annotations beside the code, and counts in the log.

GitHub shows ten errors and ten warnings of a step and drops the others without a word, so the tenth
says how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kms_access.reports.places import shown_file, shown_origin, uri_of
from kms_access.reports.terminal import safe
from kms_access.reports.text import render_tally
from kms_access.rules.assessment import Assessment
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level

_SHOWN = 10
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class GithubReport:
    """A command for each finding, and the tally."""

    name: str = "github"

    def render(self, assessment: Assessment) -> str:
        """Commands first, errors before warnings; then plain lines."""
        lines: list[str] = []
        for level in (Level.ERROR, Level.WARNING):
            findings = [finding for finding in assessment.findings if finding.level is level]
            lines += _commands(level.value, findings)
        lines += [_plain(line) for line in render_tally(assessment).splitlines()]
        return "\n".join(lines) + "\n"


REPORT = GithubReport()


def _commands(command: str, findings: Sequence[Finding]) -> Iterator[str]:
    shown = findings if len(findings) <= _SHOWN else findings[: _SHOWN - 1]
    for finding in shown:
        properties = [*_position(finding), ("title", f"kms-access {finding.check}")]
        yield _command(command, properties, _message(finding))
    left_out = len(findings) - len(shown)
    if left_out:
        text = f"{left_out} more {command}s are not shown here; the report as text has all of them"
        yield _command(command, [("title", "kms-access")], text)


def _message(finding: Finding) -> str:
    parts = [finding.claim]
    for number, hop in enumerate(finding.proof.hops, 1):
        parts.append(f"{number} {hop.text} [{hop.origin}]")
    parts += [f"{label}: {text}" for label, text in _rest(finding) if text]
    return "\n".join(_shortened(safe(part)) for part in parts)


def _rest(finding: Finding) -> Iterator[tuple[str, str]]:
    for detail in finding.details:
        yield "note", detail
    yield "example", finding.example
    yield "rule", finding.rule
    yield "fix", finding.fix


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _position(finding: Finding) -> Iterator[tuple[str, str]]:
    """The place in the repository; the broken rule's where no other file is known."""
    origin, place = shown_origin(finding), finding.rule_place
    if origin is not None:
        yield "file", shown_file(origin.file)
        if origin.line:
            yield "line", str(origin.line)
        if origin.line and origin.column:
            yield "col", str(origin.column)
    elif place is not None and uri_of(place.file):
        yield "file", shown_file(place.file)
        yield "line", str(place.line)
        yield "col", str(place.column)


def _command(command: str, properties: Sequence[tuple[str, str]], message: str) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties)
    return f"::{command} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """As GitHub's own toolkit escapes a message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe(text)).replace(":", "%3A").replace(",", "%2C")


def _plain(line: str) -> str:
    """A line that the runner cannot take for a command: it also knows `##[command]` anywhere."""
    shown = _shortened(line).replace("##[", "## [")
    return f" {shown}" if shown.lstrip().startswith("::") else shown
