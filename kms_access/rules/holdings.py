"""Who holds which power over a key: every access of the map, looked at once for all checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.evaluator import Access
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.actions import expand_capability
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same

PUT_KEY_POLICY = "kms:PutKeyPolicy"
CREATE_GRANT = "kms:CreateGrant"
USE = expand_capability("use")
DELETION = expand_capability("delete")
LIFECYCLE = DELETION | {
    PUT_KEY_POLICY,
    "kms:EnableKey",
    "kms:DisableKey",
    "kms:CancelKeyDeletion",
    "kms:ImportKeyMaterial",
    "kms:ReplicateKey",
    "kms:UpdatePrimaryRegion",
}
"""The actions that decide over a key's policy and over its life (K111, K149)."""
_POWERS = LIFECYCLE | {CREATE_GRANT}
_NAMED = (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Holding:
    """What one subject can do with one key: the accesses that count, sorted by action."""

    subject: Subject
    key: Key
    accesses: tuple[Access, ...]

    def of(self, actions: frozenset[str]) -> tuple[Access, ...]:
        """The accesses to these actions."""
        return tuple(access for access in self.accesses if access.action in actions)


@dataclass(frozen=True, slots=True)
class Holdings:
    """The holdings that checks ask for; a subject can be in several.

    `powers` have a power over the key; `outside` are other accounts with their identities, and
    organizations; `services` are services that a policy or grant names. `managers` holds, by the
    identity of the key, every access to PutKeyPolicy that is not denied.
    """

    powers: tuple[Holding, ...]
    outside: tuple[Holding, ...]
    services: tuple[Holding, ...]
    managers: Mapping[str, tuple[Access, ...]]


def counts_as_access(access: Access) -> bool:
    """Whether a rule that forbids access must react: also to another account's own decisions."""
    return counts(access.state, access.subject, access.key)


def counts(state: AccessState, subject: Subject, key: Key) -> bool:
    """Whether a state is access of the subject, or that of another account if it likes."""
    if state.is_access:
        return True
    return subject.account != key.account and state is AccessState.DELEGATED


def holdings_of(facts: AccessMap) -> Holdings:
    """The holdings in the order of the map, from one pass over its accesses."""
    powers: list[Holding] = []
    outside: list[Holding] = []
    services: list[Holding] = []
    managers: dict[str, list[Access]] = defaultdict(list)
    for subject, key, accesses in grouped(facts):
        actions = {access.action for access in accesses}
        if PUT_KEY_POLICY in actions:
            managers[key.origin.identity] += (a for a in accesses if a.action == PUT_KEY_POLICY)
        has_power = not actions.isdisjoint(_POWERS)
        is_service = subject.kind is SubjectKind.SERVICE
        outside_too = subject.kind is SubjectKind.ORGANIZATION or is_outside(subject, key)
        if not (has_power or is_service or outside_too):
            continue
        holding = Holding(subject, key, tuple(a for a in accesses if counts_as_access(a)))
        if holding.of(_POWERS):
            powers.append(holding)
        if is_service:
            services.append(holding)
        elif holding.accesses and outside_too:
            outside.append(holding)
    held = {key: tuple(accesses) for key, accesses in managers.items()}
    return Holdings(tuple(powers), tuple(outside), tuple(services), held)


def grouped(facts: AccessMap) -> Iterator[tuple[Subject, Key, list[Access]]]:
    """Every access that is not denied, those of one subject to one key together."""
    for _, cell in groupby(facts.accesses(), key=lambda a: (id(a.subject), id(a.key))):
        accesses = list(cell)
        yield accesses[0].subject, accesses[0].key, accesses


def is_outside(subject: Subject, key: Key) -> bool:
    """Whether a subject is surely an identity of another account, or another account."""
    if subject.kind not in (*_NAMED, SubjectKind.ACCOUNT) or subject.account == key.account:
        return False
    return same(subject.account, key.account).truth is Truth.FALSE
