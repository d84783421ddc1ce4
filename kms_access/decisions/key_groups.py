"""Keys that nothing tells apart for callers whom their policies do not name (design 4.4)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kms_access.decisions.alike import condition_keys
from kms_access.decisions.key_coverage import bits, is_settled, is_unique
from kms_access.decisions.static_facts import key_facts
from kms_access.inventory.model import Grant, Key
from kms_access.policies.answers import Truth
from kms_access.policies.context import KeyState
from kms_access.policies.document import Effect, Statement
from kms_access.policies.overlap import same
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principals import (
    EntryKind,
    Principal,
    PrincipalKind,
    parse_principal,
)
from kms_access.policies.text import Value


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys on which all callers whom no entry names have the same access.

    `delegates_only` is true if such callers get nothing from these keys but what their account
    may delegate: without an Allow on their side they have nothing. `denies` tells whether a Deny
    may reach them.
    """

    mask: int
    delegates_only: bool
    denies: bool


class KeyGroups:
    """The groups of an inventory's keys, and who is named on which key."""

    def __init__(self, keys: Sequence[Key], grants: Mapping[str, Sequence[Grant]]) -> None:
        self._keys = keys
        self._facts = [key_facts(key) for key in keys]
        masks: dict[Hashable, int] = {}
        traits: dict[Hashable, tuple[bool, bool]] = {}
        for index, key in enumerate(keys):
            on_key = grants[key.origin.identity]
            signature = self._signature(index, on_key)
            masks[signature] = masks.get(signature, 0) | 1 << index
            traits[signature] = not on_key and _delegates_only(key), _denies(key)
        self.groups = tuple(KeyGroup(mask, *traits[s]) for s, mask in masks.items())
        self._group_of = {
            place: number for number, group in enumerate(self.groups) for place in bits(group.mask)
        }
        self._named: dict[tuple[Value, Value], int] = {}
        self._named_by_unique: dict[tuple[Value, Value], int] = {}
        self._named_by_pattern: list[tuple[Principal, int]] = []
        self._naming: dict[tuple[Value, Value], int] = {}
        for index, key in enumerate(keys):
            for principal in set(_named_on(key, grants[key.origin.identity])):
                self._note(principal, index)
        self._by_facts: dict[frozenset[str], list[int]] = {}

    def _signature(self, index: int, grants: Sequence[Grant]) -> Hashable:
        key = self._keys[index]
        if len(key.policies) != 1 or key.policies[0].document.unreadable is not None:
            return key.origin.identity
        statements = tuple(_for_the_unnamed(key.policies[0].document.statements))
        return (
            (key.account, key.partition, key.region, key.spec, key.usage),
            statements,
            tuple(self._facts[index].get(name) for s in statements for name in condition_keys(s)),
            frozenset(_for_the_unnamed_of_grants(grants, key)),
        )

    def _note(self, principal: Principal, index: int) -> None:
        name = (principal.account, principal.name)
        known = None
        if is_settled(principal.account):
            if is_settled(principal.name):
                known = self._named
            elif is_unique(principal.name):
                known = self._named_by_unique
        if known is None:
            self._named_by_pattern.append((principal, 1 << index))
        else:
            known[name] = known.get(name, 0) | 1 << index

    def naming(self, caller: Principal) -> int:
        """The keys on which a policy or grant names the caller, or may; remembered."""
        name = (caller.account, caller.name)
        found = self._naming.get(name)
        if found is None:
            found = self._naming[name] = self._find_naming(caller)
        return found

    def _find_naming(self, caller: Principal) -> int:
        name = (caller.account, caller.name)
        mask = self._named.get(name, 0) | self._named_by_unique.get(name, 0)
        others: list[tuple[tuple[Value, Value], int]] = []
        if not (is_settled(caller.account) and is_settled(caller.name)):
            others += self._named.items()
        if not (is_settled(caller.account) and is_unique(caller.name)):
            others += self._named_by_unique.items()
        for (account, other), keys in others:
            if keys & ~mask and _may_be(account, other, caller):
                mask |= keys
        for principal, bit in self._named_by_pattern:
            if bit & ~mask and _may_be(principal.account, principal.name, caller):
                mask |= bit
        return mask

    def group_of(self, place: int) -> int:
        """The number of the group in which the key at a place is."""
        return self._group_of[place]

    def facts_at(self, place: int, names: Iterable[str]) -> frozenset[tuple[str, KeyState | None]]:
        """What the key at a place decides of these condition keys."""
        facts = self._facts[place]
        return frozenset((name, facts.get(name)) for name in names)

    def apart(self, names: frozenset[str]) -> list[int]:
        """The keys in groups that agree in these facts, such as the tags that policies ask for."""
        found = self._by_facts.get(names)
        if found is None:
            masks: dict[tuple[KeyState | None, ...], int] = {}
            for index, facts in enumerate(self._facts):
                values = tuple(facts.get(name) for name in sorted(names))
                masks[values] = masks.get(values, 0) | 1 << index
            found = self._by_facts[names] = list(masks.values())
        return found


def is_key_fact(name: str) -> bool:
    """Whether a condition key is decided by the key, so that it can tell keys apart."""
    return name.startswith(("aws:resourcetag/", "kms:key", "kms:multiregion", "kms:customer")) or (
        name == "kms:resourcealiases"
    )


_NAMES_NO_OTHER = (
    EntryKind.IDENTITY,
    EntryKind.SERVICE,
    EntryKind.UNREADABLE_SERVICE,
    EntryKind.NOBODY,
    EntryKind.REFUSED,
)


def may_name_the_unnamed(statement: Statement) -> bool:
    """Whether a statement of a key policy may be for a user or role that no entry names."""
    element = statement.principal
    if element is None or element.negated:
        return True
    return any(entry.kind not in _NAMES_NO_OTHER for entry in element.entries)


def _may_be(account: Value, name: Value, caller: Principal) -> bool:
    there = same(account, caller.account) & same(name, caller.name)
    return there.truth is not Truth.FALSE


def _for_the_unnamed(statements: Iterable[Statement]) -> Iterator[Statement]:
    """The statements as they are for a caller whom no entry for an identity names."""
    for statement in statements:
        element = statement.principal
        if statement.inert:
            continue
        if element is None:
            yield replace(statement, index=0, sid="")
            continue
        entries = tuple(e for e in element.entries if e.kind is not EntryKind.IDENTITY)
        if entries or element.negated:
            principal = PrincipalElement(entries, element.negated)
            yield replace(statement, index=0, sid="", principal=principal)


def _for_the_unnamed_of_grants(grants: Iterable[Grant], key: Key) -> Iterator[Hashable]:
    """What grants on a key say of callers whom they do not name: accounts, and who issued them."""
    for grant in grants:
        if same(grant.key_arn, key.arn).truth is not Truth.TRUE:
            yield key.origin.identity
        elif _is_open(grant.grantee) or _is_open(grant.retiring_principal):
            yield grant.label, grant.origin, key.origin.identity
        elif grant.issuing_account is not None:
            yield grant.issuing_account, grant.uncertain


def _is_open(grantee: Value | None) -> bool:
    if grantee is None:
        return False
    principal = parse_principal(grantee)
    return principal is None or principal.kind in (PrincipalKind.ROOT, PrincipalKind.SERVICE)


def _delegates_only(key: Key) -> bool:
    if any(policy.document.unreadable is not None for policy in key.policies):
        return False
    return all(
        statement.principal is not None
        and not statement.principal.negated
        and all(entry.kind is EntryKind.ACCOUNT for entry in statement.principal.entries)
        for policy in key.policies
        for statement in _for_the_unnamed(policy.document.statements)
        if Effect.ALLOW in statement.effects
    )


def _denies(key: Key) -> bool:
    return any(
        Effect.DENY in statement.effects
        for policy in key.policies
        for statement in policy.document.statements
    )


def _named_on(key: Key, grants: Iterable[Grant]) -> Iterator[Principal]:
    for policy in key.policies:
        for statement in policy.document.statements:
            for entry in statement.principal.entries if statement.principal else ():
                if entry.kind is EntryKind.IDENTITY and entry.principal is not None:
                    yield entry.principal
    for grant in grants:
        for grantee in (grant.grantee, grant.retiring_principal):
            principal = parse_principal(grantee) if grantee is not None else None
            if principal is not None and principal.kind is not PrincipalKind.SERVICE:
                yield principal
