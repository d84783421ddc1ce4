"""Access by a detour is access: who can obtain what on which key, and how (design 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.attribute_writes import AttributeWrites
from kms_access.decisions.detour import Detour, DetourKind, weakness
from kms_access.decisions.escalation import KeyEscalations
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.identity_chains import Chains
from kms_access.decisions.identity_policy_writes import IdentityPolicyWrites
from kms_access.decisions.impersonation import Impersonations
from kms_access.decisions.key_calls import KeyCalls
from kms_access.decisions.last_steps import LastSteps
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.role_assumption import RoleAssumptions
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subject_search import EVERYTHING, SubjectSearch, Wanted
from kms_access.decisions.subjects import (
    Subject,
    SubjectKind,
    identity_of,
    order_of,
    subject_elsewhere,
    subjects_of_trust,
)
from kms_access.inventory.detour_actions import DETOUR_ACTIONS, ROLE_ASSUMPTIONS
from kms_access.inventory.model import Key
from kms_access.policies.principals import PrincipalKind

__all__ = ["Detour", "DetourKind", "Reach"]

_ACTING = (PrincipalKind.USER, PrincipalKind.ROLE)
_PLACE_OF_KIND = {kind: place for place, kind in enumerate(DetourKind)}
_POWERS = DETOUR_ACTIONS - ROLE_ASSUMPTIONS


class Reach:
    """The detours of an access map, found when they are asked for and then remembered.

    The search is bounded. A chain takes any number of roles, each at most once, and of all chains
    to one role the surest counts, then the shortest. It ends with the access of the last identity
    or with one step more by which this identity gives itself access. A passed role and an
    impersonation stand in a chain at most once, and only the access of the identity and of the
    roles that it may assume follows. Whoever may write the permissions of the last identity, be it
    the start or a role that the start may take, gives it what the key policies delegate. A policy
    that cannot be read, or that lies elsewhere, may let its owner take roles whose trust policy
    leaves that to policies; of no other step it is taken to give the permission. Services make no
    detours: they act for somebody (K161).
    """

    def __init__(self, access_map: AccessMap, organization: Organization) -> None:
        """`organization` is the one that the access map was made with."""
        inventory = access_map.inventory
        self.access_map = access_map
        self._own = OwnAccess(access_map)
        rows = {subject.identity: subject for subject in access_map.subjects}
        for subject in subjects_of_trust(inventory, organization):
            rows.setdefault(subject.identity, subject)
        people = (s for s in rows.values() if s.kind is not SubjectKind.SERVICE)
        self.subjects: tuple[Subject, ...] = tuple(sorted(people, key=order_of))
        targets = list(_targets(self.subjects))
        roles = [t for t in targets if t.callers[0].principal.kind is PrincipalKind.ROLE]
        calls = self._calls = IdentityCalls(inventory, organization)
        keys = KeyCalls(access_map.evaluator, organization)
        assumptions = RoleAssumptions(roles, inventory.identities, calls, self._is_end)
        self._chains = Chains(
            assumptions, Impersonations(targets, assumptions, calls, self._is_of_use)
        )
        self._escalations = KeyEscalations(self._own, keys, calls)
        self._writes = IdentityPolicyWrites(self._own, keys, calls, self.subjects)
        self._attributes = AttributeWrites(inventory, self._own, keys, calls, assumptions)
        self._steps = LastSteps(
            self._own, self._chains, self._escalations, self._writes, self._attributes
        )

    def of(self, subject: Subject, key: Key) -> tuple[Detour, ...]:
        """The detours of a subject to a key, sorted by kinds; none for a service."""
        place = self._own.place(key)
        return tuple(self._found(subject, Wanted(keys=1 << place)).get(place, ()))

    def __iter__(self) -> Iterator[Detour]:
        """All detours, by subject, key and kinds."""
        yield from self.wanted(lambda subject: EVERYTHING)

    def wanted(self, of_subject: Callable[[Subject], Wanted]) -> Iterator[Detour]:
        """At least the detours that are wanted of each subject, by subject, key and kinds."""
        for subject in self.subjects:
            found = self._found(subject, of_subject(subject))
            for place in sorted(found):
                yield from found[place]

    def _found(self, subject: Subject, wanted: Wanted) -> Mapping[int, Sequence[Detour]]:
        """The detours of a subject, by the place of the key."""
        if subject.kind is SubjectKind.SERVICE or not self._steps.leads_on(subject):
            return {}
        found: dict[int, list[Detour]] = {}
        for place, detour in SubjectSearch(subject, wanted, self._steps):
            found.setdefault(place, []).append(detour)
        for detours in found.values():
            if len(detours) > 1:
                detours.sort(key=_order)
        return found

    def _is_end(self, role: Subject) -> bool:
        """Whether a chain may end with the role: it has access, or power over identities."""
        if self._own.keys(role):
            return True
        if any(self._calls.may(role.callers[0], action) for action in _POWERS):
            return True
        return self._writes.is_written_by_another(role)

    def _is_of_use(self, subject: Subject) -> bool:
        """Whether acting as the subject may lead to any key."""
        if self._own.keys(subject) or self._chains.has_roles(subject):
            return True
        return self._writes.is_written_by_another(subject)


def _targets(subjects: Iterable[Subject]) -> Iterator[Subject]:
    """The single users and roles that one may act as, and roles of which a session is named."""
    roles_of_sessions: dict[str, Subject] = {}
    known: set[str] = set()
    for subject in subjects:
        is_named = subject.kind in (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)
        principal = subject.callers[0].principal
        if not is_named or len(subject.callers) != 1 or principal.kind not in _ACTING:
            continue
        if principal.session is None:
            known.add(identity_of(subject))
            yield subject
        elif subject.origin is None:
            role = subject_elsewhere(replace(principal, session=None))
            roles_of_sessions[role.identity] = role
    yield from (role for name, role in roles_of_sessions.items() if name not in known)


def _order(detour: Detour) -> tuple[object, ...]:
    steps = tuple(map(_PLACE_OF_KIND.__getitem__, detour.kinds))
    return steps, detour.through, weakness(detour.state), sorted(detour.actions)
