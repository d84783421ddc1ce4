"""Markdown for a comment on a pull request: self-contained, and never longer than one may be.

Everything that a template controls stands in code, escaped: it cannot mention anybody, link
anywhere, or leave its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kms_access.reports.places import shown_file
from kms_access.reports.terminal import Style, safe
from kms_access.reports.text import describe_waiver, render_finding, render_tally
from kms_access.reports.tool import VERSION
from kms_access.rules.assessment import PROVEN, UNDECIDED, Assessment
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level

LONGEST = 60_000
"""In characters. GitHub takes comments of 65,536, GitLab longer ones."""
_WIDTH = 100
_LONGEST_LINE = 500
_LONGEST_CLAIM = 200
_OPEN = 3
"""So many findings are unfolded."""
_RESERVE = 6_000
"""For what stands after the findings."""
_MISSES = 20
"""So many findings may be too long for what is left before no further one is tried."""
_SHOWN_WAIVERS = 10
_HEADINGS = {PROVEN: "nothing blocks", UNDECIDED: "blocked, access cannot be decided"}
_BACKTICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class MarkdownReport:
    """A heading with the verdict, the findings to unfold, and the tally."""

    name: str = "markdown"

    def render(self, assessment: Assessment) -> str:
        """The text, at most `LONGEST` characters."""
        head = f"### kms-access: {_HEADINGS.get(assessment.exit_code, 'blocked')}\n\n"
        head += f"{_counts(assessment)}\n"
        text, shown, misses = head, 0, 0
        for number, finding in enumerate(assessment.findings):
            block = _block(finding, is_open=number < _OPEN and finding.level is Level.ERROR)
            if len(text) + len(block) <= LONGEST - _RESERVE:
                text, shown = text + block, shown + 1
            elif (misses := misses + 1) == _MISSES:
                break
        left_out = len(assessment.findings) - shown
        if left_out:
            text += (
                f"\n**{left_out} more** are left out here; `kms-access check` in a terminal shows "
                "all of them.\n"
            )
        return text + "".join(f"\n{part}\n" for part in _end(assessment))


REPORT = MarkdownReport()


def _counts(assessment: Assessment) -> str:
    errors = [finding for finding in assessment.findings if finding.level is Level.ERROR]
    undecided = sum(finding.check == "undecided" for finding in errors)
    counts = {
        "violated": len(errors) - undecided,
        "undecided": undecided,
        "warnings": len(assessment.findings) - len(errors),
        "waived": len(assessment.waived),
        "known": len(assessment.known),
    }
    words = [
        f"**{number} {word}**" if number else f"0 {word}"
        for word, number in counts.items()
        if number or word in ("violated", "undecided")
    ]
    return ", ".join(words)


def _block(finding: Finding, *, is_open: bool) -> str:
    text = render_finding(replace(finding, claim=""), Style(width=_WIDTH))
    lines = text.split("\n")[1:]
    claim = _inline(_shortened(finding.claim, _LONGEST_CLAIM))
    summary = f"<b>{finding.level.value}</b> {finding.check}: <code>{claim}</code>"
    tag = "<details open>" if is_open else "<details>"
    if len(finding.claim) > _LONGEST_CLAIM:
        lines = [safe(finding.claim), *lines]
    return f"\n{tag}\n<summary>{summary}</summary>\n\n{_code(lines)}\n\n</details>\n"


def _end(assessment: Assessment) -> Iterator[str]:
    if assessment.waived:
        waived = [f"{describe_waiver(w)}: {w.finding.claim}" for w in assessment.waived]
        more = len(waived) - _SHOWN_WAIVERS
        shown = waived[:_SHOWN_WAIVERS] + ([f"and {more} more"] if more > 0 else [])
        yield f"Waived:\n\n{_code([_shortened(safe(line), _LONGEST_CLAIM) for line in shown])}"
    tally = [
        line for line in render_tally(assessment).splitlines() if not line.startswith("waived ")
    ]
    shown = [_shortened(line, _LONGEST_LINE) for line in tally[:_SHOWN_WAIVERS]]
    more = len(tally) - len(shown)
    yield _code([*shown, f"and {more} more lines"] if more > 0 else shown)
    rules = assessment.rules
    by = f"kms-access {VERSION}"
    if rules.file:
        file = _inline(_shortened(safe(shown_file(rules.file)), _LONGEST_CLAIM))
        by += f", rules <code>{file}</code> (digest {rules.digest[:12]})"
    yield f"<sub>{by}</sub>"


def _code(lines: Sequence[str]) -> str:
    """A fenced block that nothing in it can close."""
    text = "\n".join(_shortened(line, _LONGEST_LINE) for line in lines)
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _inline(text: str) -> str:
    """Text inside of `<code>`: every sign that Markdown or HTML could read is a reference."""
    return "".join(
        sign if sign.isalnum() or sign in " -/,()" else f"&#{ord(sign)};" for sign in safe(text)
    )


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
