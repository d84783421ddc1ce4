"""Who can do something with a key, for a person: one line for each way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kms_access.decisions.detour import Detour
from kms_access.decisions.evaluator import Access
from kms_access.decisions.holders import Holders, by_subject
from kms_access.decisions.resolution import AccessState
from kms_access.reports.terminal import safe
from kms_access.reports.text import describe_place
from kms_access.rules.checks.access_facts import describe_reasons, when_open
from kms_access.rules.steps import described_steps

_SHOWN_ACTIONS = 8
_OF_NO_REQUEST = {
    AccessState.UNDECIDED: "undecided",
    AccessState.DELEGATED: "as far as policies elsewhere allow it",
}


def render_holders(holders: Holders) -> str:
    """Those who have the access, then those who can obtain it. Deterministic."""
    question = f"{holders.what} with key {holders.key.label}"
    if not holders:
        return safe(f"nobody can {question}") + "\n"
    blocks = []
    direct = [row for accesses in by_subject(holders.accesses) for row in _rows(accesses)]
    if direct:
        blocks.append([f"can {question}", *_aligned(direct)])
    detours = [_detour_row(detour) for detour in holders.detours]
    if detours:
        blocks.append([f"can obtain {question} by a detour", *_aligned(detours)])
    return "\n\n".join("\n".join(map(safe, block)) for block in blocks) + "\n"


def _rows(accesses: tuple[Access, ...]) -> Iterator[tuple[str, ...]]:
    """One row for each way in which the subject has actions."""
    by_way: dict[str, list[str]] = {}
    for access in accesses:
        by_way.setdefault(_when(access), []).append(access.action)
    subject = accesses[0].subject
    place = f"[{describe_place(subject.origin)}]" if subject.origin is not None else ""
    for way, actions in by_way.items():
        yield subject.label, _words(actions), way, place


def _when(access: Access) -> str:
    if access.state is AccessState.ALLOWED:
        return "always"
    if access.state is AccessState.CONDITIONAL:
        return f"if {access.condition}"
    words = _OF_NO_REQUEST[access.state]
    return f"{words}, {describe_reasons(access.decision.reasons)}"


def _detour_row(detour: Detour) -> tuple[str, ...]:
    way = f"by {described_steps(detour)}"
    when = when_open(detour.reasons)
    if when != "always":
        way += f", {_OF_NO_REQUEST.get(detour.state, 'allowed')} {when}"
    return detour.subject.label, _words(sorted(detour.actions)), way


def _words(actions: Sequence[str]) -> str:
    more = len(actions) - _SHOWN_ACTIONS
    return ", ".join(actions[:_SHOWN_ACTIONS]) + (f" and {more} more" if more > 0 else "")


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    width = max(len(row[0]) for row in rows)
    return [f"  {row[0]:<{width}}  " + "  ".join(part for part in row[1:] if part) for row in rows]
