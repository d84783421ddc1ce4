"""Who has, or can obtain, an access to one key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.detour import Detour, weakness
from kms_access.decisions.evaluator import Access
from kms_access.decisions.queries import actions_meant, who_can
from kms_access.decisions.reach import Reach
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Key


@dataclass(frozen=True, slots=True)
class Holders:
    """Who can do `what` with a key: accesses by subject and action, and detours to more.

    A detour is among them where it gives an action that its subject does not have as surely
    without it.
    """

    what: str
    key: Key
    accesses: tuple[Access, ...]
    detours: tuple[Detour, ...]

    def __bool__(self) -> bool:
        """Whether anybody can, or may be able to."""
        return bool(self.accesses or self.detours)

    @property
    def is_decided(self) -> bool:
        """Whether it is known of everybody."""
        return AccessState.UNDECIDED not in self._states

    @property
    def somebody_surely_can(self) -> bool:
        """Whether somebody can for all requests."""
        return AccessState.ALLOWED in self._states

    @property
    def _states(self) -> set[AccessState]:
        return {a.state for a in self.accesses} | {d.state for d in self.detours}


def holders_of(facts: AccessMap, organization: Organization, what: str, key: Key) -> Holders:
    """Everybody who can do an action, or an action of a capability, with a key.

    Of several detours of one subject the surest and shortest counts for each action.
    `organization` is the one that the access map was made with. Raises ValueError, with what is
    accepted, if `what` is neither.
    """
    wanted = actions_meant(what)
    reach = Reach(facts, organization)
    mapped = {subject.identity for subject in facts.subjects}
    found: list[Detour] = []
    for subject in reach.subjects:
        told: set[str] = set()
        states = facts.states(subject, key) if subject.identity in mapped else {}
        for detour in sorted(reach.of(subject, key), key=_order):
            gives = {a for a in detour.actions & wanted - told if _is_more(detour, states.get(a))}
            if gives:
                found.append(replace(detour, actions=frozenset(gives)))
                told |= gives
    return Holders(what, key, who_can(facts, what, key), tuple(found))


def _is_more(detour: Detour, state: AccessState | None) -> bool:
    return state is None or state.rank > detour.state.rank


def _order(detour: Detour) -> tuple[int, int]:
    return weakness(detour.state), len(detour.kinds)


def by_subject(accesses: tuple[Access, ...]) -> list[tuple[Access, ...]]:
    """The accesses of each subject together."""
    return [tuple(group) for _, group in groupby(accesses, key=lambda a: a.subject.identity)]
