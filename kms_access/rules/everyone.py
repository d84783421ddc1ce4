"""Access that many have by one statement: it is one finding, not one for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.evaluator import Access
from kms_access.decisions.matching import Hit
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.policies.document import Effect
from kms_access.policies.principals import Naming

PUBLIC_ACCESS = "public-access"
"""The check that reports what everyone can do."""

_Statement: TypeAlias = tuple[str, str, int]
_NAMED = (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Shared:
    """What a class of callers can do with one key, and the statements that give it."""

    actions: frozenset[str]
    statements: frozenset[_Statement]


_NOTHING = Shared(frozenset(), frozenset())


class WideAccess:
    """The access of everyone, and of any identity of an account, to the keys of a map."""

    def __init__(self, facts: AccessMap) -> None:
        self._public = _of_kind(facts, SubjectKind.EVERYONE)
        self._inside = _of_kind(facts, SubjectKind.ACCOUNT)

    def is_public(self, access: Access) -> bool:
        """Whether everyone has this access, and the subject by nothing else."""
        public = self._public.get(access.key.origin.identity, _NOTHING)
        return access.action in public.actions and rests_on_everyone(access)

    def follows_from_public(self, access: Access) -> bool:
        """Whether an access comes from nothing but statements that make the key public.

        Such a statement can give more to identities of the key's account than to all others
        (K120).
        """
        public = self._public.get(access.key.origin.identity, _NOTHING)
        if not public.statements or not rests_on_everyone(access):
            return False
        return {_statement_of(hit) for hit in _sufficient(access)} <= public.statements

    def is_shared(self, access: Access) -> bool:
        """Whether an identity has this access only as any identity of its account has it."""
        inside = self._inside.get(access.key.origin.identity, _NOTHING)
        named = access.subject.kind in _NAMED
        return named and access.action in inside.actions and rests_on_everyone(access)


def rests_on_everyone(access: Access) -> bool:
    """Whether an access comes from nothing but statements for everyone."""
    hits = _sufficient(access)
    return bool(hits) and all(hit.naming is Naming.EVERYONE for hit in hits)


def _sufficient(access: Access) -> list[Hit]:
    """The hits of an access without delegation that no identity policy uses (K43)."""
    hits = access.decision.responsible
    uses_delegation = any(hit.naming is None and hit.effect is Effect.ALLOW for hit in hits)
    return [hit for hit in hits if uses_delegation or hit.naming is not Naming.ACCOUNT]


def _of_kind(facts: AccessMap, kind: SubjectKind) -> Mapping[str, Shared]:
    subjects = [subject for subject in facts.subjects if subject.kind is kind]
    return {key.origin.identity: _shared(facts, subjects, key) for key in facts.keys}


def _shared(facts: AccessMap, subjects: Iterable[Subject], key: Key) -> Shared:
    held: list[Access] = []
    for subject in subjects:
        if subject.kind is not SubjectKind.EVERYONE and subject.account != key.account:
            continue
        if any(state.is_access for state in facts.states(subject, key).values()):
            # Asked for the cell, the evaluator decides actions that are alike once.
            cell = facts.evaluator.cell(subject, key)
            held += (access for access in cell if access.state.is_access)
    return Shared(
        frozenset(access.action for access in held),
        frozenset(_statement_of(hit) for access in held for hit in access.decision.responsible),
    )


def _statement_of(hit: Hit) -> _Statement:
    index = hit.statement.index if hit.statement is not None else -1
    return hit.source.origin.identity, hit.source.label, index
