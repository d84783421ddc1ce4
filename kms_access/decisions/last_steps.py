"""The last steps of detours: what an identity can give itself or another, worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kms_access.decisions.attribute_writes import AttributeWrites
from kms_access.decisions.detour import DetourKind, Gain
from kms_access.decisions.escalation import KeyEscalations
from kms_access.decisions.identity_chains import Chain, Chains
from kms_access.decisions.identity_policy_writes import IdentityPolicyWrites
from kms_access.decisions.key_coverage import bits
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject, identity_of

_REWRITES = (DetourKind.IDENTITY_POLICY, DetourKind.KEY_POLICY)


class LastSteps:
    """Everything by which the last identity of a chain gets more than it has."""

    def __init__(
        self,
        own: OwnAccess,
        chains: Chains,
        escalations: KeyEscalations,
        writes: IdentityPolicyWrites,
        attributes: AttributeWrites,
    ) -> None:
        self.own = own
        self.chains = chains
        self.attributes = attributes
        self._escalations = escalations
        self._writes = writes
        self._powers: dict[tuple[str, int], tuple[Gain, ...]] = {}
        self._power_keys: dict[str, int] = {}
        self._rewriting: dict[str, int] = {}
        self._writers: dict[str, tuple[Chain, ...]] = {}

    def power_keys(self, subject: Subject) -> int:
        """The keys on which the subject may give itself something, as a mask."""
        found = self._power_keys.get(subject.identity)
        if found is None:
            found = self._escalations.keys(subject) | self._writes.keys(subject)
            found |= self.attributes.keys(subject)
            self._power_keys[subject.identity] = found
        return found

    def leads_on(self, subject: Subject) -> bool:
        """Whether any step leads on from the subject: from most identities none does."""
        return bool(self.power_keys(subject)) or self.chains.leads_on(subject)

    def grant_keys(self, subject: Subject) -> int:
        """The keys on which the subject may create grants, as a mask."""
        return self._escalations.grant_keys(subject)

    def powers(self, subject: Subject, place: int) -> tuple[Gain, ...]:
        """What the subject can give itself on the key at a place."""
        question = (subject.identity, place)
        found = self._powers.get(question)
        if found is None:
            found = self._powers[question] = tuple(self._find_powers(subject, place))
        return found

    def _find_powers(self, subject: Subject, place: int) -> Iterator[Gain]:
        key = self.own.key_at(place)
        if self._is_near(subject) >> place & 1:
            # Without grants on the key nothing but a grant of its own gives RetireGrant (K102).
            yield from self._escalations.gains_by_grant(subject, key)
            return
        yield from self._escalations.gains(subject, key)
        yield from self._writes.gains(subject, subject, key)
        yield from self.attributes.gains(subject, key)

    def _is_near(self, subject: Subject) -> int:
        lacking = self.own.lacking(subject)
        return lacking.nothing | (lacking.nothing_but_retiring & self.own.without_grants)

    def rewriting(self, subject: Subject) -> int:
        """The keys on which the subject surely can rewrite what gives it access, as a mask."""
        found = self._rewriting.get(subject.identity)
        if found is None:
            found = 0
            for place in bits(self.own.every_key & ~self._is_near(subject)):
                if any(
                    gain.kind in _REWRITES and gain.means.state is AccessState.ALLOWED
                    for gain in self.powers(subject, place)
                ):
                    found |= 1 << place
            self._rewriting[subject.identity] = found
        return found

    def changes(self, writer: Subject, target: Subject) -> bool:
        """Whether `writer` may change the permissions of `target`."""
        return self._writes.changes(writer, target)

    def writers(self, subject: Subject) -> tuple[Chain, ...]:
        """The chains of assumed roles to whoever may write permissions, the empty one too."""
        found = self._writers.get(subject.identity)
        if found is None:
            chains = self.chains.of_roles(subject)
            found = tuple(chain for chain in chains if self._writes.is_writer(chain.last))
            self._writers[subject.identity] = found
        return found

    def gains_by_writer(
        self, writer: Chain, chain: Chain, place: int
    ) -> Iterator[tuple[Chain, Gain]]:
        """What the writer gives the last identity, beside what it can give itself as surely.

        Nothing where the writer surely can rewrite its own permissions or the key policy: then it
        needs nobody else.
        """
        if self.rewriting(writer.last) >> place & 1:
            return
        whole = _both(writer, chain)
        key = self.own.key_at(place)
        own = [g for g in self.powers(writer.last, place) if g.kind is DetourKind.IDENTITY_POLICY]
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


def gain_in_state(gains: Iterable[Gain], state: AccessState) -> Gain:
    """The gain whose access has this state; there is one."""
    return next(gain for gain in gains if gain.means.state is state)


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
