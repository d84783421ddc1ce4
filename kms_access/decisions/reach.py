"""Access by a detour is access: who can obtain what on which key, and how (design 4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.attribute_writes import AttributeWrites
from kms_access.decisions.detour import Detour, DetourKind, Gain, weakness
from kms_access.decisions.escalation import KeyEscalations
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.identity_chains import Chain, Chains
from kms_access.decisions.identity_policy_writes import IdentityPolicyWrites
from kms_access.decisions.impersonation import Impersonations
from kms_access.decisions.key_calls import KeyCalls
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.role_assumption import RoleAssumptions
from kms_access.decisions.static_facts import Organization
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
_MAXIMUM_WRITTEN = 3
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
        self._powers: dict[tuple[str, str], tuple[Gain, ...]] = {}
        self._writers_by_start: dict[str, tuple[Chain, ...]] = {}
        self._chains_by_key: dict[str, Mapping[str, list[Chain]]] = {}

    def of(self, subject: Subject, key: Key) -> tuple[Detour, ...]:
        """The detours of a subject to a key, sorted by kinds; none for a service."""
        own = self._own.states(subject, key)
        sure = frozenset(a for a, state in own.items() if state is AccessState.ALLOWED)
        given: list[frozenset[str]] = []
        found = [
            detour
            for chain in self._leading(subject).get(key.origin.identity, ())
            for whole, gain in self._gains(chain, key, given)
            if (detour := self._detour(whole, gain, key, sure)) is not None
        ]
        return tuple(sorted(found, key=_order))

    def __iter__(self) -> Iterator[Detour]:
        """All detours, by subject, key and kinds."""
        for subject in self.subjects:
            leading = self._leading(subject)
            for key in self.access_map.keys if leading else ():
                yield from self.of(subject, key)

    def _leading(self, subject: Subject) -> Mapping[str, list[Chain]]:
        """The chains of a subject that may lead to a key, by key."""
        if subject.kind is SubjectKind.SERVICE:
            return {}
        if subject.identity not in self._chains_by_key:
            found: dict[str, list[Chain]] = {}
            for chain in self._chains.of(subject):
                for key in self._own.keys_at(self._ends(chain)):
                    found.setdefault(key.origin.identity, []).append(chain)
            self._chains_by_key[subject.identity] = found
        return self._chains_by_key[subject.identity]

    def _ends(self, chain: Chain) -> int:
        """The keys at which something may stand at the end of a chain, as a mask."""
        if chain.links and any(self._written(chain)):
            return self._own.every_key
        ends = self._own.keys(chain.last) if chain.links else 0
        if chain.goes_on:
            ends |= self._escalations.keys(chain.last)
            ends |= self._writes.keys(chain.last)
            ends |= self._attributes.keys(chain.last)
        return ends

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

    def _gains(
        self, chain: Chain, key: Key, given: list[frozenset[str]]
    ) -> Iterator[tuple[Chain, Gain]]:
        """What stands at the end of a chain: access, or a last step to it.

        `given` collects what was given by writing for others: a few such ways are enough, for
        what identity policies give on a key is the same for most identities.
        """
        if chain.links:
            for gain in self._own.gains(chain.last, key):
                yield chain, gain
            if chain.links[-1].kind is DetourKind.ASSUMED_ROLE:
                previous = chain.last_but_one
                for gain in self._attributes.gains_by_session_tags(previous, chain.last, key):
                    yield chain, gain
            if len(given) < _MAXIMUM_WRITTEN:
                for writer in self._written(chain):
                    for whole, gain in self._gains_by_writer(writer, chain, key):
                        given.append(gain.actions)
                        yield whole, gain
        if chain.goes_on:
            for gain in self._powers_of(chain.last, key):
                yield chain, gain

    def _written(self, chain: Chain) -> Iterator[Chain]:
        """The chains to those who may write the permissions of the last identity."""
        for writer in self._writers(chain.start):
            is_other = identity_of(writer.last) != identity_of(chain.last)
            if is_other and self._writes.changes(writer.last, chain.last):
                yield writer

    def _writers(self, subject: Subject) -> tuple[Chain, ...]:
        """The chains of assumed roles to whoever may write permissions, the empty one too."""
        if subject.identity not in self._writers_by_start:
            self._writers_by_start[subject.identity] = tuple(
                chain
                for chain in self._chains.of(subject)
                if chain.goes_on and self._writes.is_writer(chain.last)
            )
        return self._writers_by_start[subject.identity]

    def _gains_by_writer(
        self, writer: Chain, chain: Chain, key: Key
    ) -> Iterator[tuple[Chain, Gain]]:
        """What the writer gives the last identity, beside what it can give itself as surely."""
        whole = _both(writer, chain)
        powers = self._powers_of(writer.last, key)
        own = [g for g in powers if g.kind is DetourKind.IDENTITY_POLICY]
        rewrites = (*own, *(g for g in powers if g.kind is DetourKind.KEY_POLICY))
        if any(g.means.state is AccessState.ALLOWED for g in rewrites):
            # Whoever surely can rewrite its own permissions or the key policy needs nobody else.
            return
        for gain in self._writes.gains(writer.last, chain.last, key):
            obtained = max(whole.means.weakness, gain.means.weakness)
            idle: frozenset[str] = frozenset().union(
                *(
                    g.actions
                    for g in own
                    if max(writer.means.weakness, g.means.weakness) <= obtained
                )
            )
            if gain.actions - idle:
                yield whole, replace(gain, actions=gain.actions - idle)

    def _powers_of(self, subject: Subject, key: Key) -> tuple[Gain, ...]:
        place = (subject.identity, key.origin.identity)
        if place not in self._powers:
            self._powers[place] = (
                *self._escalations.gains(subject, key),
                *self._writes.gains(subject, subject, key),
                *self._attributes.gains(subject, key),
            )
        return self._powers[place]

    def _detour(self, chain: Chain, gain: Gain, key: Key, sure: frozenset[str]) -> Detour | None:
        means = chain.means.then(gain.means)
        actions = gain.actions - sure - self._had_before(chain, gain, key, means.weakness)
        if not actions:
            return None
        kinds = (*chain.kinds, gain.kind) if gain.kind else chain.kinds
        return Detour(
            chain.start,
            key,
            kinds,
            actions,
            means.state,
            means.reasons,
            means.proof,
            chain.through,
            means.formulas if gain.kind else chain.means.formulas,
        )

    def _had_before(self, chain: Chain, gain: Gain, key: Key, obtained: int) -> frozenset[str]:
        """What an identity on the way has as surely: then the rest of the chain is idle."""
        had: set[str] = set()
        is_end = gain.kind is None or not chain.links
        for part in chain.prefixes if is_end else (*chain.prefixes, chain):
            for action in gain.actions:
                state = self._own.states(part.last, key).get(action)
                if state is not None and max(part.means.weakness, weakness(state)) <= obtained:
                    had.add(action)
        return frozenset(had)


def _both(writer: Chain, chain: Chain) -> Chain:
    """The chain that acts as the writer and then as the last identity of the other chain."""
    on_the_way = {identity_of(part.last) for part in chain.prefixes if part.goes_on}
    if not writer.links or identity_of(writer.last) in on_the_way:
        return chain
    return Chain(
        chain.start,
        (*writer.links, *chain.links),
        writer.means.then(chain.means),
        (*writer.prefixes, writer, *chain.prefixes, chain),
        chain.way,
    )


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
    kinds = list(DetourKind)
    steps = tuple(kinds.index(kind) for kind in detour.kinds)
    return steps, detour.through, weakness(detour.state), sorted(detour.actions)
