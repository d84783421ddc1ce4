"""One cell of the page: what its actions rest on, in its own policies or in those of many keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.matching import Hit
from kms_access.decisions.proof import Hop, Proof
from kms_access.decisions.resolution import AccessState, Resolution
from kms_access.inventory.model import Policy
from kms_access.policies.answers import YES
from kms_access.policies.document import Effect, Statement
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principals import EntryKind, Naming

_WITH_REASONS = (AccessState.UNDECIDED, AccessState.DELEGATED)


@dataclass(frozen=True, slots=True)
class KeyHop:
    """A hop in the key policy of each of several keys: their statement in that place.

    `place` counts those statements of the key policy that can reach a caller whom none names.
    """

    group: int
    place: int
    effect: Effect
    naming: Naming | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Actions of a cell, as a mask, with one state and what it rests on.

    `condition` and `example` are those of `Access`; `reasons` say what keeps the state open.
    """

    state: AccessState
    actions: int
    hops: tuple[Hop | KeyHop, ...]
    condition: str = ""
    example: str = ""
    reasons: tuple[str, ...] = ()


View: TypeAlias = tuple[Evidence, ...]
"""All that a cell shows; actions in none of them are denied by default."""


def evidence_of(mask: int, found: Resolution) -> Evidence:
    """What a resolution rests on."""
    hops = Proof.of(found.decision).hops
    return Evidence(found.state, mask, hops, found.condition, found.example, reasons_of(found))


def merged(parts: Iterable[Evidence]) -> View:
    """The same evidence once, for all its actions."""
    found: dict[Evidence, int] = {}
    for part in parts:
        bare = replace(part, actions=0)
        found[bare] = found.get(bare, 0) | part.actions
    return tuple(replace(bare, actions=mask) for bare, mask in found.items())


def reasons_of(found: Resolution) -> tuple[str, ...]:
    """What keeps an undecided or a delegated answer open."""
    if found.state not in _WITH_REASONS:
        return ()
    return tuple(dict.fromkeys(reason.text for reason in found.decision.reasons))


def hop_of(policy: Policy, effect: Effect, statement: Statement, naming: Naming | None) -> Hop:
    """The hop of one statement."""
    decision = Decision(Verdict.ALLOWED, (Hit(policy, effect, YES, statement, naming),))
    return Proof.of(decision).hops[0]


def for_the_unnamed(policy: Policy) -> list[Statement]:
    """The statements that keys of one group have in common, in their order (see `KeyGroups`)."""
    return [
        statement
        for statement in policy.document.statements
        if not statement.inert and _may_reach_the_unnamed(statement.principal)
    ]


def _may_reach_the_unnamed(element: PrincipalElement | None) -> bool:
    if element is None or element.negated:
        return True
    return any(entry.kind is not EntryKind.IDENTITY for entry in element.entries)


def is_unreadable(policies: Sequence[Policy]) -> bool:
    """Whether a document could not be read as a whole."""
    return any(policy.document.unreadable is not None for policy in policies)
