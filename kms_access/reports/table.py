"""The access map as a table: principals down, keys across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.evaluator import Access
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.actions import CAPABILITIES, find_action
from kms_access.inventory.origin import Origin
from kms_access.reports.terminal import safe

_MARKS = {
    AccessState.CONDITIONAL: "if a condition holds",
    AccessState.UNDECIDED: "undecided",
    AccessState.DELEGATED: "if its account allows",
}
_RETIRE = "kms:RetireGrant"


def render_map(facts: AccessMap) -> str:
    """A table of fixed width; each cell says what is allowed, and whether nothing is by a Deny."""
    header = ["", *_told_apart([(key.label, key.origin) for key in facts.keys])]
    labels = _told_apart([(subject.label, subject.origin) for subject in facts.subjects])
    rows = [
        [label, *(describe_cell(facts.cell(subject, key)) for key in facts.keys)]
        for label, subject in zip(labels, facts.subjects, strict=True)
    ]
    if not facts.keys:
        return "no KMS key is in the definitions\n"
    table = [[safe(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def _told_apart(named: Sequence[tuple[str, Origin | None]]) -> list[str]:
    """The labels; those that stand there twice with their stack."""
    count = Counter(label for label, _ in named)
    return [
        f"{label} ({origin.container})" if count[label] > 1 and origin else label
        for label, origin in named
    ]


def describe_cell(cell: Iterable[Access]) -> str:
    """One cell in words: `all actions`, `Encrypt`, `use, view`, `none`, `denied`."""
    accesses = list(cell)
    parts = []
    for state in (AccessState.ALLOWED, *_MARKS):
        actions = [access.action for access in accesses if access.state is state]
        if actions:
            words = describe_actions(actions, [access.action for access in accesses])
            parts.append(f"{words} ({_MARKS[state]})" if state in _MARKS else words)
    if parts:
        denied = any(access.state is AccessState.EXPLICITLY_DENIED for access in accesses)
        return "; ".join(parts) + ("; rest partly denied" if denied else "")
    if all(a.state is AccessState.EXPLICITLY_DENIED for a in accesses if a.action != _RETIRE):
        return "denied"
    if any(access.state is AccessState.EXPLICITLY_DENIED for access in accesses):
        return "none, partly denied"
    return "none"


def describe_actions(actions: Iterable[str], possible: Iterable[str]) -> str:
    """`all actions`, whole capabilities by name, and what remains action by action."""
    left = set(actions)
    everything = set(possible) - {_RETIRE}
    if everything <= left:
        return "all actions"
    words = []
    for capability in CAPABILITIES:
        members = {a for a in everything if _capability(a) == capability}
        if members and members <= left:
            words.append(capability)
            left -= members
        else:
            own = sorted(a for a in left if _capability(a) == capability)
            words += [action.removeprefix("kms:") for action in own]
            left -= set(own)
    return ", ".join(words)


def _capability(action: str) -> str:
    info = find_action(action)
    return info.capability if info else ""
