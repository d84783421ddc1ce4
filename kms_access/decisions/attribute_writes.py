"""Setting the tags or aliases that a condition asks for (K163)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.alias_writes import ALIAS_WRITES, AliasWrites
from kms_access.decisions.attributes import (
    ALIASES,
    KEY_TAG,
    PRINCIPAL_TAG,
    Change,
    TestedAttributes,
    at_will,
)
from kms_access.decisions.detour import (
    DetourKind,
    Gain,
    Means,
    gains_of,
    keep_surest,
    means_of,
    place_of,
    weakness,
)
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.key_calls import KeyCalls
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.role_assumption import RoleAssumptions
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.context import ABSENT
from kms_access.policies.principals import PrincipalKind
from kms_access.policies.wildcards import fold_case

_TAG, _UNTAG, _PASS_TAGS = "kms:TagResource", "kms:UntagResource", "sts:TagSession"
_KEY_WRITES = (_TAG, _UNTAG, *ALIAS_WRITES)
_TAG_IDENTITY = {PrincipalKind.USER: "iam:TagUser", PrincipalKind.ROLE: "iam:TagRole"}


class AttributeWrites:
    """What somebody obtains by setting the attributes that policies ask for."""

    def __init__(
        self,
        inventory: Inventory,
        own: OwnAccess,
        keys: KeyCalls,
        calls: IdentityCalls,
        assumptions: RoleAssumptions,
    ) -> None:
        self._inventory = inventory
        self._own = own
        self._keys = keys
        self._calls = calls
        self._assumptions = assumptions
        self._tested = TestedAttributes()
        self._passes_tags: dict[tuple[str, str], Means | None] = {}
        self._aliases = AliasWrites(inventory, own, calls)

    def keys(self, subject: Subject) -> int:
        """The keys on which that may matter, as a mask."""
        found = 0
        for caller in subject.callers:
            policies = self._policies(caller)
            if self._tested.keys(policies, KEY_TAG) or self._tested.keys(policies, ALIASES):
                found |= self._own.keys(subject, _KEY_WRITES)
            action = _TAG_IDENTITY.get(caller.principal.kind)
            if action is not None and self._calls.may(caller, action):
                found |= self._own.every_key
        return found

    def keys_by_session_tags(self, role: Subject) -> int:
        """The keys on which the tags of a session of the role may matter, as a mask."""
        (caller,) = role.callers
        if self._tested.keys(self._policies(caller), PRINCIPAL_TAG):
            return self._own.every_key
        return self._asking_for_principal_tags

    @cached_property
    def _asking_for_principal_tags(self) -> int:
        """The keys of which the policy asks for tags of the caller."""
        found = 0
        for place, key in enumerate(self._own.keys_at(self._own.every_key)):
            if self._tested.keys(key.policies, PRINCIPAL_TAG):
                found |= 1 << place
        return found

    def gains(self, subject: Subject, key: Key) -> tuple[Gain, ...]:
        """What the subject obtains by setting attributes of the key or of itself."""
        changes = [
            (caller, change)
            for caller in subject.callers
            for change in self._changes(subject, caller, key)
        ]
        return self._gains(subject, key, changes)

    def gains_by_session_tags(self, previous: Subject, role: Subject, key: Key) -> tuple[Gain, ...]:
        """What somebody who takes the role obtains by the tags that it gives its session."""
        (caller,) = role.callers
        tested = self._tested.keys(self._all_policies(caller, key), PRINCIPAL_TAG)
        means = self._passed_tags(previous, role) if tested else None
        if means is None:
            return ()
        text = f"{_PASS_TAGS} lets it choose the tags of its session"
        change = at_will(_then(means, text, place_of(role)), tested, text)
        return self._gains(role, key, [(caller, change)])

    def _passed_tags(self, previous: Subject, role: Subject) -> Means | None:
        place = (previous.identity, role.identity)
        if place not in self._passes_tags:
            self._passes_tags[place] = self._assumptions.passes_tags(previous, role)
        return self._passes_tags[place]

    def _gains(
        self, subject: Subject, key: Key, changes: Sequence[tuple[Caller, Change]]
    ) -> tuple[Gain, ...]:
        if not changes:
            return ()
        found: dict[str, Means] = {}
        states = self._own.states(subject, key)
        missing = [a for a in actions_of(key) if states.get(a) is not AccessState.ALLOWED]
        for caller, change in changes:
            for action, means in self._keys.ask(caller, key, missing, facts=change.facts).items():
                obtained = change.then(means)
                before = states.get(action)
                if before is None or obtained.weakness < weakness(before):
                    keep_surest(found, action, obtained)
        return gains_of(DetourKind.ATTRIBUTE, found)

    def _changes(self, subject: Subject, caller: Caller, key: Key) -> Iterator[Change]:
        # In key policies these keys have no documented effect (K140).
        policies = self._policies(caller)
        yield from self._by_key_tags(subject, key, self._tested.keys(policies, KEY_TAG))
        on_aliases = self._tested.conditions(policies, ALIASES)
        if on_aliases:
            yield from self._aliases.changes(subject, caller, key, on_aliases)
        tested = self._tested.keys(self._all_policies(caller, key), PRINCIPAL_TAG)
        if tested:
            yield from self._by_own_tags(subject, caller, tested)

    def _by_key_tags(self, subject: Subject, key: Key, tested: list[str]) -> Iterator[Change]:
        if not tested:
            return
        tagging = self._own.means(subject, key, _TAG)
        if tagging is not None:
            text = f"{_TAG} lets it set the tags of {key.label}"
            yield at_will(_then(tagging, text, key.origin), tested, text)
        removing = self._own.means(subject, key, _UNTAG)
        present = {KEY_TAG + fold_case(name) for name in key.tags}
        if removing is not None and present.intersection(tested):
            text = f"{_UNTAG} lets it remove tags of {key.label}"
            facts = dict.fromkeys((name for name in tested if name in present), ABSENT)
            yield Change(_then(removing, text, key.origin), {**facts})

    def _by_own_tags(self, subject: Subject, caller: Caller, tested: list[str]) -> Iterator[Change]:
        principal = caller.principal
        action = _TAG_IDENTITY.get(principal.kind)
        if action is None or not self._calls.may(caller, action):
            return
        means = means_of(
            self._calls.ask(caller, action, principal.arn, principal.account, about=subject)
        )
        if means is not None:
            text = f"{action} lets it set its own tags"
            yield at_will(_then(means, text, place_of(subject)), tested, text)

    def _policies(self, caller: Caller) -> tuple[Policy, ...]:
        levels = (*self._inventory.service_control, *self._inventory.resource_control)
        above = (policy for level in levels for policy in level)
        return (*caller.identity, *caller.boundary, *above)

    def _all_policies(self, caller: Caller, key: Key) -> tuple[Policy, ...]:
        return (*self._policies(caller), *key.policies)


def _then(means: Means, text: str, origin: Origin) -> Means:
    return means.then(Means(AccessState.ALLOWED, (), (Hop(text, origin),)))
