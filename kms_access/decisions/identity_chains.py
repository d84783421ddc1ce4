"""Chains of identities that somebody can act as, the surest and then shortest to each (K160)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

from kms_access.decisions.detour import SURE, DetourKind, Link, Means
from kms_access.decisions.impersonation import Impersonations
from kms_access.decisions.role_assumption import RoleAssumptions
from kms_access.decisions.subjects import Subject, identity_of

_Place: TypeAlias = tuple[str, DetourKind | None]
"""An identity, and by what kind of link beside assumed roles it was reached."""

_Order: TypeAlias = tuple[int, int, tuple[str, ...]]
"""Weakness, length, and the labels of the identities."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The start and the identities that it acts as, one after the other.

    `prefixes` are the chains to the identities between, shortest first. `way` is the kind of the
    link that is no assumed role; there is at most one.
    """

    start: Subject
    links: tuple[Link, ...]
    means: Means
    prefixes: tuple[Chain, ...] = ()
    way: DetourKind | None = None

    @property
    def last(self) -> Subject:
        """The identity at the end."""
        return self.links[-1].target if self.links else self.start

    @property
    def last_but_one(self) -> Subject:
        """The identity before it."""
        return self.links[-2].target if len(self.links) > 1 else self.start

    @property
    def kinds(self) -> tuple[DetourKind, ...]:
        """The kinds of the links."""
        return tuple(link.kind for link in self.links)

    @property
    def through(self) -> tuple[str, ...]:
        """The labels of the identities after the start."""
        return tuple(link.target.label for link in self.links)

    @property
    def goes_on(self) -> bool:
        """Whether steps other than assumed roles may follow: only assumed roles led here."""
        return self.way is None

    def then(self, link: Link) -> Chain:
        """The chain with one more link."""
        before = (*self.prefixes, self) if self.links else ()
        means, way = self.means.then(link.means), self.way_with(link)
        return Chain(self.start, (*self.links, link), means, before, way)

    def way_with(self, link: Link) -> DetourKind | None:
        """The `way` of the chain with one more link."""
        return self.way if link.kind is DetourKind.ASSUMED_ROLE else link.kind


class Chains:
    """Finds the chains of a subject; links are asked for once for each identity."""

    def __init__(self, assumptions: RoleAssumptions, impersonations: Impersonations) -> None:
        self._assumptions = assumptions
        self._impersonations = impersonations
        self._roles: dict[str, tuple[Link, ...]] = {}
        self._others: dict[str, tuple[Link, ...]] = {}
        self._chains: dict[str, tuple[Chain, ...]] = {}
        self._chains_of_roles: dict[str, tuple[Chain, ...]] = {}

    def of(self, subject: Subject) -> tuple[Chain, ...]:
        """The chains that begin with the subject: first the empty one, then one to each identity.

        An identity has a chain of assumed roles, and one for each other kind of link that leads
        to it.
        """
        if subject.identity not in self._chains:
            self._chains[subject.identity] = tuple(self._search(subject, roles_only=False))
        return self._chains[subject.identity]

    def of_roles(self, subject: Subject) -> tuple[Chain, ...]:
        """Those of `of` that consist of assumed roles alone; the others do not influence them."""
        if subject.identity in self._chains:
            return tuple(chain for chain in self._chains[subject.identity] if chain.goes_on)
        if subject.identity not in self._chains_of_roles:
            found = tuple(self._search(subject, roles_only=True))
            self._chains_of_roles[subject.identity] = found
        return self._chains_of_roles[subject.identity]

    def empty(self, subject: Subject) -> Chain:
        """The chain of the subject with itself alone, which is the first of `of`."""
        return Chain(subject, (), SURE)

    def acts_as_others(self, subject: Subject) -> bool:
        """Whether the subject may act as anybody by another way than taking or passing a role."""
        return any(link.kind is DetourKind.IMPERSONATION for link in self._others_of(subject))

    def leads_on(self, subject: Subject) -> bool:
        """Whether the subject may act as anybody else."""
        return bool(self._roles_of(subject) or self._others_of(subject))

    def has_roles(self, subject: Subject) -> bool:
        """Whether the subject may take any role."""
        return bool(self._roles_of(subject))

    def _search(self, start: Subject, *, roles_only: bool) -> Iterator[Chain]:
        """Surest first, then shortest, then by name; of two chains to one place the better."""
        reached: set[_Place] = set()
        weaknesses: dict[str, int] = {}
        best: dict[_Place, _Order] = {}
        numbers = count()
        pending: list[tuple[int, int, tuple[str, ...], int, Chain]] = []
        heapq.heappush(pending, (0, 0, (), next(numbers), Chain(start, (), SURE)))
        while pending:
            *_, chain = heapq.heappop(pending)
            place = (identity_of(chain.last), chain.way)
            if place in reached or self._is_idle(chain, weaknesses):
                continue
            reached.add(place)
            weaknesses.setdefault(place[0], chain.means.weakness)
            yield chain
            met = {identity_of(start), *(identity_of(link.target) for link in chain.links)}
            weakness, length = chain.means.weakness, len(chain.links) + 1
            for link in self._links(chain, roles_only=roles_only):
                target = (identity_of(link.target), chain.way_with(link))
                before = best.get(target)
                # Nearly always the weakness and the length decide.
                rank = (max(weakness, link.means.weakness), length)
                if target[0] in met or (before is not None and before[:2] < rank):
                    continue
                order = (*rank, (*chain.through, link.target.label))
                if before is None or order < before:
                    best[target] = order
                    heapq.heappush(pending, (*order, next(numbers), chain.then(link)))

    def _is_idle(self, chain: Chain, weaknesses: dict[str, int]) -> bool:
        """Whether a role that follows another step was reached as surely before."""
        if chain.goes_on or chain.links[-1].kind is not DetourKind.ASSUMED_ROLE:
            return False
        before = weaknesses.get(identity_of(chain.last))
        return before is not None and before <= chain.means.weakness

    def _links(self, chain: Chain, *, roles_only: bool) -> Iterator[Link]:
        yield from self._roles_of(chain.last)
        if chain.goes_on and not roles_only:
            yield from self._others_of(chain.last)

    def _roles_of(self, subject: Subject) -> tuple[Link, ...]:
        if subject.identity not in self._roles:
            self._roles[subject.identity] = tuple(self._assumptions.links(subject))
        return self._roles[subject.identity]

    def _others_of(self, subject: Subject) -> tuple[Link, ...]:
        if subject.identity not in self._others:
            self._others[subject.identity] = tuple(self._impersonations.links(subject))
        return self._others[subject.identity]
