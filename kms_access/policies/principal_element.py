"""Whom a Principal or NotPrincipal element names as a whole (K34–K37)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kms_access.policies.answers import Answer, ReasonKind, Truth, any_of, open_answer
from kms_access.policies.name_index import WORTH_AN_INDEX, NameIndex
from kms_access.policies.principals import (
    EntryKind,
    Naming,
    Principal,
    PrincipalEntry,
    PrincipalKind,
)
from kms_access.policies.quick_init import quick_init


@quick_init
@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """A Principal or, with `negated`, a NotPrincipal element."""

    entries: tuple[PrincipalEntry, ...]
    negated: bool = False
    _index: list[NameIndex[PrincipalEntry]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def namings(self, caller: Principal) -> Iterator[tuple[Naming, Answer]]:
        """Each way in which the entries name `caller`; for NotPrincipal see `spares`."""
        for entry in self._entries_for(caller):
            found = entry.names(caller)
            if found is not None:
                yield found

    def _entries_for(self, caller: Principal) -> tuple[PrincipalEntry, ...]:
        """The entries without those of identities that have another name than `caller`."""
        if len(self.entries) < WORTH_AN_INDEX:
            return self.entries
        if not self._index:
            self._index.append(NameIndex(self.entries, _names_of))
        return self._index[0].candidates(caller)

    @property
    def names(self) -> frozenset[str] | None:
        """The names of the callers who are named; None if callers of any name may be."""
        if self.negated:
            return None
        found: set[str] = set()
        for entry in self.entries:
            names = _names_of(entry)
            if names is None:
                return None
            found |= names
        return frozenset(found)

    def lists(self, caller: Principal) -> Answer:
        """Whether any entry names `caller`."""
        return any_of(answer for _, answer in self.namings(caller))

    def spares(self, caller: Principal) -> Answer:
        """Whether a NotPrincipal with Deny leaves `caller` alone: its whole chain listed (K37)."""
        ways = list(self.namings(caller))

        def listed(*namings: Naming) -> Answer:
            return any_of(answer for naming, answer in ways if naming in namings)

        everyone = listed(Naming.EVERYONE, Naming.FEDERATED_PROVIDER)
        account = listed(Naming.ACCOUNT)
        if caller.kind is PrincipalKind.SERVICE:
            return everyone | listed(Naming.SERVICE)
        if caller.kind is PrincipalKind.ROOT:
            return everyone | account
        identity = listed(Naming.USER, Naming.ROLE, Naming.USER_OF_FEDERATED)
        session = listed(Naming.SESSION, Naming.FEDERATED)
        chain = account & identity
        if caller.kind in (PrincipalKind.ROLE, PrincipalKind.FEDERATED_USER):
            chain = chain & session
        partly = identity | session
        if chain.truth is Truth.TRUE or partly.truth is Truth.FALSE:
            return everyone | chain
        return everyone | open_answer(
            ReasonKind.NOT_ESTABLISHED,
            "whether NotPrincipal spares a principal whose chain is listed in part",
            "K37",
        )


def _names_of(entry: PrincipalEntry) -> frozenset[str] | None:
    if entry.kind is not EntryKind.IDENTITY or entry.principal is None:
        return None
    name = entry.principal.name
    return frozenset((name,)) if isinstance(name, str) else None
