"""Findings for a person: one block each, in the layout of section 6 of the design."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kms_access.inventory.origin import Origin
from kms_access.reports.terminal import PLAIN, Style, safe
from kms_access.rules.assessment import PROVEN, Assessment
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.waivers import Waived

_COLUMN = 62
_COLUMNS = (_COLUMN, 38)
"""Where places stand on a terminal: in the first column that leaves room for them."""
_LABEL = "  {:<7}"
_MARGIN = len(_LABEL.format(""))
_SHOWN_ACTIONS = 8


@dataclass(frozen=True, slots=True)
class TextReport:
    """The report for a person."""

    name: str = "text"
    style: Style = PLAIN

    def render(self, assessment: Assessment) -> str:
        """Every finding in full, and the tally."""
        return render(assessment, self.style)


REPORT = TextReport()


def render(assessment: Assessment, style: Style = PLAIN) -> str:
    """All findings and a closing tally, ready to be printed. Deterministic, no absolute paths."""
    blocks = [render_finding(finding, style) for finding in assessment.findings]
    return "\n\n".join([*blocks, render_tally(assessment, style)]) + "\n"


def render_finding(finding: Finding, style: Style = PLAIN) -> str:
    """One finding: the claim, who, can, how, rule, fix."""
    lines = [_claim(finding, style)]
    if finding.principal:
        lines.append(_line(style, "who", finding.principal, finding.principal_origin))
    if finding.actions:
        label = "can" if finding.proof.hops else "needs"
        lines.append(_line(style, label, _actions(finding, style)))
    if finding.key_origin is not None:
        lines.append(_line(style, "key", finding.key, finding.key_origin))
    for number, hop in enumerate(finding.proof.hops, 1):
        text = f"{number} {hop.text}"
        lines.append(_line(style, "how" if number == 1 else "", text, hop.origin, hang=2))
    example = (f"for example {finding.example}",) if finding.example else ()
    for number, detail in enumerate((*finding.details, *example)):
        lines.append(_line(style, "note" if number == 0 else "", detail))
    if finding.rule:
        lines.append(_line(style, "rule", finding.rule))
    if finding.fix:
        lines.append(_line(style, "fix", finding.fix))
    return "\n".join(lines)


def _claim(finding: Finding, style: Style) -> str:
    level, check = finding.level.value, finding.check
    kind = "error" if finding.level is Level.ERROR else "warning"
    head = f"{style.paint(kind, level)}  {style.paint('strong', check)}  "
    claim = safe(finding.claim)
    if style.width is None:
        return head + claim
    indent = " " * (len(level) + len(check) + 4)
    first, *others = _wrapped(claim, style.width, len(indent)) or [""]
    if len(indent) + len(first) > style.width:
        first, *others = _wrapped(claim, style.width, _MARGIN) or [""]
        return "\n".join([head.rstrip(), *(" " * _MARGIN + line for line in (first, *others))])
    return "\n".join([head + first, *(indent + line for line in others)])


def _actions(finding: Finding, style: Style) -> str:
    shown = finding.actions[:_SHOWN_ACTIONS]
    more = len(finding.actions) - len(shown)
    text = ", ".join(shown) + (f" and {more} more" if more else "")
    if not finding.when:
        return text
    return f"{text:<40} {finding.when}" if style.width is None else f"{text}  {finding.when}"


def _line(
    style: Style, label: str, text: str, origin: Origin | None = None, *, hang: int = 0
) -> str:
    start = _LABEL.format(label)
    place = safe(describe_place(origin)) if origin is not None else ""
    if style.width is None:
        line = style.paint("faint", start) + safe(text)
        missing = " " * (_COLUMN - len(start) - len(safe(text)))
        return f"{line}{missing}  {style.paint('faint', place)}" if place else line
    first, *others = _wrapped(safe(text), style.width, _MARGIN + hang) or [""]
    lines = [style.paint("faint", start) + first]
    lines += [" " * (_MARGIN + hang) + other for other in others]
    last = _MARGIN + (hang if others else 0) + len(others[-1] if others else first)
    fitting = (c for c in _COLUMNS if last <= c and c + 2 + len(place) <= style.width)
    column = next(fitting, None)
    if place and column is not None:
        lines[-1] += " " * (column - last + 2) + style.paint("faint", place)
    elif place:
        indent = " " * (_MARGIN + hang)
        places = _wrapped(place, style.width, len(indent))
        lines += [indent + style.paint("faint", part) for part in places]
    return "\n".join(lines)


def _wrapped(text: str, width: int, margin: int) -> list[str]:
    """Lines that fit; names and ARNs stay whole, so that they can be copied."""
    room = max(width - margin, 20)
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def describe_place(origin: Origin) -> str:
    """Where a definition stands: `Api/Role (stack Billing)  app.py:31`."""
    place = f"{origin.file}:{origin.line}" if origin.file and origin.line else origin.file
    return f"{origin}  {place}" if place else str(origin)


def render_tally(assessment: Assessment, style: Style = PLAIN) -> str:
    """What was judged, what was found, and what was left out."""
    first, *others = _tally(assessment)
    kind = "good" if assessment.exit_code == PROVEN else "error"
    return "\n".join([style.paint(kind, first), *others])


def _tally(assessment: Assessment) -> Iterator[str]:
    facts = assessment.access_map
    keys, principals = len(facts.keys), len(facts.subjects)
    undecided = sum(f.check == "undecided" for f in assessment.findings)
    violations = len(assessment.findings) - undecided
    yield (
        f"{counted(keys, 'key')}, {counted(principals, 'principal')}: "
        f"{counted(violations, 'finding')}, {undecided} undecided"
    )
    if not facts.keys:
        yield "no KMS key is in the definitions"
    for waived in assessment.waived:
        yield f"waived {safe(describe_waiver(waived))}: {safe(waived.finding.claim)}"
    if assessment.known:
        yield f"{counted(len(assessment.known), 'finding')} known by the baseline"
    if assessment.silenced:
        yield f"{counted(assessment.silenced, 'finding')} off by the rules file"
    if assessment.keys_without_rule and assessment.rules.file:
        yield f"no rule for {_listed(assessment.keys_without_rule)}"
    if not assessment.rules.file:
        yield "no rules file: built-in checks only"
    for item in assessment.not_covered:
        yield f"not evaluated: {safe(str(item.origin))}: {safe(item.reason)}"


def describe_waiver(waived: Waived) -> str:
    """Until when, by whom and where: `until 2027-03-31 by dana@example.com, rules.yaml:40`."""
    waiver = waived.waiver
    return f"until {waiver.expires.isoformat()} by {waiver.owner}, {waiver.place}"


def counted(number: int, noun: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(safe(name) for name in names)
