"""Detours by way of roles that lead to what a key rule does not allow (K160, K161)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from kms_access.decisions.detour import BY_ROLES, Detour
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.rules.holdings import PUT_KEY_POLICY, counts
from kms_access.rules.situation import Situation

__all__ = ["BY_ROLES", "Chain", "counts_as_chain", "role_chains", "unknown_gains"]


@dataclass(frozen=True, slots=True)
class Chain:
    """A detour that begins with a role, and the actions of it that no rule allows."""

    detour: Detour
    forbidden: frozenset[str]


def role_chains(situation: Situation) -> Iterator[Chain]:
    """The chains on keys that a rule is for, by subject and key, shortest and surest first.

    What a role chain gives includes what its role can give itself: only one of the two is told.
    """
    by_pair: dict[tuple[str, str], list[Detour]] = defaultdict(list)
    for detour in situation.detours:
        if _is_judged(situation, detour) and _has_rule(situation, detour.key):
            pair = (detour.subject.identity, detour.key.origin.identity)
            by_pair[pair].append(detour)
    for detours in by_pair.values():
        told: set[tuple[str, ...]] = set()
        for detour in sorted(detours, key=_order):
            is_more = any(kind not in BY_ROLES for kind in detour.kinds)
            if is_more and detour.through in told:
                continue
            forbidden = _forbidden(situation, detour)
            if forbidden:
                told.add(detour.through)
                yield Chain(detour, forbidden)


def _is_judged(situation: Situation, detour: Detour) -> bool:
    # A session is told with its role.
    if detour.subject.session or detour.kinds[0] not in BY_ROLES:
        return False
    return not situation.is_beyond_rules(detour.subject, detour.key) and counts_as_chain(detour)


def counts_as_chain(detour: Detour) -> bool:
    """Whether a rule must react to a detour: also if another account decides about it."""
    return counts(detour.state, detour.subject, detour.key)


def _has_rule(situation: Situation, key: Key) -> bool:
    return any(m.answer.truth is Truth.TRUE for m in situation.rules_for(key))


def _order(detour: Detour) -> tuple[object, ...]:
    return len(detour.kinds), detour.state.rank, detour.through, [k.value for k in detour.kinds]


def _forbidden(situation: Situation, detour: Detour) -> frozenset[str]:
    permissions = situation.permissions_by(detour)
    return frozenset(
        action
        for action in unknown_gains(situation, detour)
        if permissions.answer(action).truth is Truth.FALSE
    )


def unknown_gains(situation: Situation, detour: Detour) -> frozenset[str]:
    """What a detour gives beyond what its subject has, and the known power of who deploys."""
    gained = situation.gained(detour)
    if not _ends_with_deployer(situation, detour):
        return gained
    if any(kind not in BY_ROLES for kind in detour.kinds):
        return frozenset()
    return gained - {PUT_KEY_POLICY}


def _ends_with_deployer(situation: Situation, detour: Detour) -> bool:
    """Whether the last identity creates the key: that it can change the key policy is known."""
    last = detour.through[-1] if detour.through else ""
    return any(situation.is_deployer(subject, detour.key) for subject in situation.labelled(last))
