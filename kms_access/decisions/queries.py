"""Questions to an access map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.evaluator import Access
from kms_access.decisions.multi_region import is_related
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject
from kms_access.inventory.actions import (
    CAPABILITIES,
    KEY_USAGES,
    closest_action,
    expand_capability,
    find_action,
)
from kms_access.inventory.model import Key
from kms_access.policies.answers import Reason, Truth
from kms_access.policies.principals import PrincipalKind

_PUBLIC_KEY = "kms:GetPublicKey"
_WITH_THE_PUBLIC_KEY: Mapping[str, str] = {
    "ENCRYPT_DECRYPT": "encrypt",
    "ENCAPSULATE_DECAPSULATE": "encrypt",
    "SIGN_VERIFY": "verify",
}
"""The capability that the public key gives outside KMS, by key usage (K122)."""

_READING = expand_capability("decrypt") | expand_capability("derive")
_OF_MULTI_REGION_KEYS = "AWSServiceRoleForKeyManagementServiceMultiRegionKeys"


def can(facts: AccessMap, subject: Subject, action: str, key: Key) -> Access:
    """Whether a subject can do one action, `kms:Decrypt`, with a key, and how."""
    return facts.evaluator.access(subject, key, action)


def who_can(facts: AccessMap, what: str, key: Key) -> tuple[Access, ...]:
    """Every access to a key that is not denied, for an action or a capability such as `use`.

    Reading the public key counts as the capability that it gives outside KMS (K122). Sorted by
    subject and action. Raises ValueError, with what is accepted, for any other word.
    """
    actions = actions_meant(what)
    if _is_possible_with_the_public_key(what, key):
        actions |= {_PUBLIC_KEY}
    return tuple(_accesses(facts, actions, key))


def _is_possible_with_the_public_key(what: str, key: Key) -> bool:
    given = set(_WITH_THE_PUBLIC_KEY.values())
    if key.usage in KEY_USAGES:
        given = {c for usage, c in _WITH_THE_PUBLIC_KEY.items() if usage == key.usage}
    return bool(given) and what in {*given, "use"}


def _accesses(facts: AccessMap, actions: frozenset[str], key: Key) -> Iterator[Access]:
    for subject in facts.subjects:
        if _keeps_replicas_in_step(subject):
            continue
        for action, state in facts.states(subject, key).items():
            if action in actions and not state.is_denied:
                yield Access(subject, key, action, state, facts.evaluator)


def _keeps_replicas_in_step(subject: Subject) -> bool:
    """Whether it is the service-linked role by which KMS itself synchronizes keys (K169)."""
    return all(
        caller.principal.kind is PrincipalKind.ROLE
        and caller.principal.name == _OF_MULTI_REGION_KEYS
        for caller in subject.callers
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """An access that opens what a key protects.

    It is to the key itself or to a related one. `reasons` say why it may not be related.
    """

    access: Access
    reasons: tuple[Reason, ...] = ()

    @property
    def state(self) -> AccessState:
        """The state of the access; undecided at best where the key may not be related."""
        state = self.access.state
        least = AccessState.UNDECIDED
        return least if self.reasons and state.rank < least.rank else state


def who_can_read_data(facts: AccessMap, key: Key) -> tuple[Reading, ...]:
    """Every access, that is not denied, by which somebody reads what the key protects.

    Ciphertext of one multi-Region key opens with any related one (K166): the answers are those of
    all keys of the set, by key, subject and action.
    """
    return tuple(
        Reading(access, relation.reasons)
        for other in facts.keys
        if (relation := is_related(key, other)).truth is not Truth.FALSE
        for access in _accesses(facts, _READING, other)
    )


def what_can(facts: AccessMap, subject: Subject) -> tuple[Access, ...]:
    """Every access of a subject that is not denied, by key and action."""
    return tuple(facts.accesses_of(subject))


def actions_meant(what: str) -> frozenset[str]:
    """The actions of a capability, or the action of that name in any case (K19).

    Raises ValueError, with what is accepted, for any other word.
    """
    if what in (*CAPABILITIES, "use"):
        return expand_capability(what)
    info = find_action(what)
    if info is not None:
        return frozenset({info.name})
    close = closest_action(what)
    hint = f', did you mean "{close}"?' if close else f", capabilities are {_listed_capabilities()}"
    raise ValueError(f'unknown action or capability "{what}"{hint}')


def _listed_capabilities() -> str:
    return ", ".join((*CAPABILITIES, "use"))
