"""Findings for a person: one block each, in the layout of section 6 of the design."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_access.inventory.origin import Origin
from kms_access.reports.terminal import safe
from kms_access.rules.assessment import Assessment
from kms_access.rules.findings import Finding

_COLUMN = 62
_LABEL = "  {:<7}"
_SHOWN_ACTIONS = 8


def render(assessment: Assessment) -> str:
    """All findings and a closing tally, ready to be printed. Deterministic, no absolute paths."""
    blocks = [render_finding(finding) for finding in assessment.findings]
    return "\n\n".join([*blocks, render_tally(assessment)]) + "\n"


def render_finding(finding: Finding) -> str:
    """One finding: the claim, who, can, how, rule, fix."""
    lines = [f"{finding.level.value}  {finding.check}  {safe(finding.claim)}"]
    if finding.principal:
        lines.append(_line("who", finding.principal, finding.principal_origin))
    if finding.actions:
        lines.append(_line("can" if finding.proof.hops else "needs", _actions(finding)))
    if finding.key_origin is not None:
        lines.append(_line("key", finding.key, finding.key_origin))
    for number, hop in enumerate(finding.proof.hops, 1):
        text = f"{number} {hop.text}"
        lines.append(_line("how" if number == 1 else "", text, hop.origin))
    for number, detail in enumerate(finding.details):
        lines.append(_line("note" if number == 0 else "", detail))
    if finding.rule:
        lines.append(_line("rule", finding.rule))
    if finding.fix:
        lines.append(_line("fix", finding.fix))
    return "\n".join(lines)


def _actions(finding: Finding) -> str:
    shown = finding.actions[:_SHOWN_ACTIONS]
    more = len(finding.actions) - len(shown)
    text = ", ".join(shown) + (f" and {more} more" if more else "")
    return f"{text:<40} {finding.when}" if finding.when else text


def _line(label: str, text: str, origin: Origin | None = None) -> str:
    line = _LABEL.format(label) + safe(text)
    place = describe_place(origin) if origin is not None else ""
    return f"{line:<{_COLUMN}}  {safe(place)}".rstrip() if place else line


def describe_place(origin: Origin) -> str:
    """Where a definition stands: `Api/Role (stack Billing)  app.py:31`."""
    place = f"{origin.file}:{origin.line}" if origin.file and origin.line else origin.file
    return f"{origin}  {place}" if place else str(origin)


def render_tally(assessment: Assessment) -> str:
    """What was judged, what was found, and what was left out."""
    return "\n".join(_tally(assessment))


def _tally(assessment: Assessment) -> Iterator[str]:
    facts = assessment.access_map
    keys, principals = len(facts.keys), len(facts.subjects)
    undecided = sum(f.check == "undecided" for f in assessment.findings)
    violations = len(assessment.findings) - undecided
    yield (
        f"{_count(keys, 'key')}, {_count(principals, 'principal')}: "
        f"{_count(violations, 'finding')}, {undecided} undecided"
    )
    if not facts.keys:
        yield "no KMS key is in the definitions"
    if assessment.silenced:
        yield f"{_count(assessment.silenced, 'finding')} off by the rules file"
    if assessment.keys_without_rule and assessment.rules.file:
        yield f"no rule for {_listed(assessment.keys_without_rule)}"
    if not assessment.rules.file:
        yield "no rules file: built-in checks only"
    for item in assessment.not_covered:
        yield f"not evaluated: {safe(str(item.origin))}: {safe(item.reason)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(safe(name) for name in names)
