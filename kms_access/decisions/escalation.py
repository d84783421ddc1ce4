"""Power over a key that gives more of it: key policy, grants, replicas (K156, K157, K162)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.detour import (
    SURE,
    DetourKind,
    Gain,
    Means,
    gains_of,
    keep_surest,
    listed,
    means_of,
    surest,
)
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.key_calls import KeyCalls
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Caller, Subject, session_arn
from kms_access.inventory.actions import KMS_ACTIONS, expand_capability
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Grant, Key, Policy
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.arns import arn_segments
from kms_access.policies.context import ABSENT, KeyState, Open, Present
from kms_access.policies.parsing import CURRENT_VERSION, parse_policy
from kms_access.policies.principals import PrincipalKind
from kms_access.policies.text import Text, Unknown, Value, concat

_PUT, _GRANT, _REPLICATE = "kms:PutKeyPolicy", "kms:CreateGrant", "kms:ReplicateKey"
_ON_THE_MATERIAL = expand_capability("use") | {"kms:GetPublicKey"}
_GRANTABLE = tuple(a.name for a in KMS_ACTIONS.values() if a.grantable and a.name != _GRANT)
"""What a grant can give beside the right to make grants, which its maker has (K93)."""

_WIDEST_KEY_POLICY = parse_policy(
    {
        "Version": CURRENT_VERSION,
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "kms:*",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:PrincipalArn": "*"}},
        },
    },
    KEY_POLICY,
)
"""The widest key policy, as far as its writer is concerned: no boundary limits it (K76)."""

_ANY_OPERATION = Reason('the request key "kms:GrantOperations"', ReasonKind.REQUEST)
_DIRECT_GRANT: Mapping[str, KeyState] = {
    "kms:grantisforawsresource": Present(("false",)),
    "kms:granteeserviceprincipal": ABSENT,
    "kms:viaservice": ABSENT,
    "aws:viaawsservice": Present(("false",)),
    "aws:calledvia": ABSENT,
    "aws:calledviafirst": ABSENT,
    "aws:calledvialast": ABSENT,
}
"""A call of CreateGrant by a person for a person (K75, K110)."""


class KeyEscalations:
    """What the holder of some actions on a key can obtain by them."""

    def __init__(self, own: OwnAccess, keys: KeyCalls, identities: IdentityCalls) -> None:
        self._own = own
        self._keys = keys
        self._identities = identities

    def keys(self, subject: Subject) -> int:
        """The keys of which the subject holds such an action, as a mask."""
        return self._own.keys(subject, (_PUT, _GRANT, _REPLICATE))

    def grant_keys(self, subject: Subject) -> int:
        """The keys on which the subject may create grants, as a mask."""
        return self._own.keys(subject, (_GRANT,))

    def gains_by_grant(self, subject: Subject, key: Key) -> Iterator[Gain]:
        """What the subject gives itself by grants alone."""
        states = self._own.states(subject, key)
        if _GRANT in states:
            missing = [a for a in actions_of(key) if states.get(a) is not AccessState.ALLOWED]
            yield from self._by_grant(subject, key, missing)

    def gains(self, subject: Subject, key: Key) -> Iterator[Gain]:
        """Everything beyond the sure access of the subject."""
        states = self._own.states(subject, key)
        if states.keys().isdisjoint((_PUT, _GRANT, _REPLICATE)):
            return
        missing = [a for a in actions_of(key) if states.get(a) is not AccessState.ALLOWED]
        if _PUT in states:
            yield from self._by_key_policy(subject, key, missing)
        if _GRANT in states:
            yield from self._by_grant(subject, key, missing)
        if _REPLICATE in states and key.multi_region:
            yield from self._by_replica(subject, key, missing)

    def _by_key_policy(self, subject: Subject, key: Key, missing: list[str]) -> Iterator[Gain]:
        put = self._own.means(subject, key, _PUT)
        if put is None:
            return
        found = self._under_own_policy(subject, key, missing)
        for gain in gains_of(DetourKind.KEY_POLICY, found):
            text = f"{_PUT} lets it write a key policy that gives {listed(gain.actions)}"
            yield replace(gain, means=put.then(_step(text, key), gain.means))

    def _under_own_policy(self, subject: Subject, key: Key, wanted: list[str]) -> dict[str, Means]:
        """What the subject could do if it had written the key policy: no Deny in it forbids."""
        written = Policy("key policy of its own", _WIDEST_KEY_POLICY, key.origin)
        rewritten = replace(key, policies=(written,))
        # No key policy gives RetireGrant (K102).
        givable = [action for action in wanted if action != "kms:RetireGrant"]
        found: list[dict[str, Means]] = []
        for caller in subject.callers:
            if self._keys.is_unlimited(caller):
                return dict.fromkeys(givable, SURE)
            found.append(self._keys.ask(caller, rewritten, givable, grants=False))
        return _surest_of_each(found)

    def _by_grant(self, subject: Subject, key: Key, missing: list[str]) -> Iterator[Gain]:
        grantable = [action for action in missing if action in _GRANTABLE]
        found = _surest_of_each(
            dict(self._granted(caller, key, grantable)) for caller in subject.callers
        )
        for gain in gains_of(DetourKind.GRANT, found):
            text = f"{_GRANT} lets it give itself a grant for {listed(gain.actions)}"
            yield replace(gain, means=gain.means.then(_step(text, key)))

    def _granted(
        self, caller: Caller, key: Key, actions: Collection[str]
    ) -> Iterator[tuple[str, Means]]:
        """The actions for which the caller can make a grant to itself, and then use it."""
        of_any = self._created(caller, key, Open(_ANY_OPERATION))
        if of_any is None:
            return
        used = self._with_grants(caller, key, actions)
        for action in actions:
            created: Means | None = of_any
            if _ANY_OPERATION in of_any.reasons:
                lists = _lists_with(action, key)
                created = surest(self._created(caller, key, operations) for operations in lists)
            gives = used[action]
            if created is not None and gives is not None:
                yield action, created.then(gives)

    def _created(self, caller: Caller, key: Key, operations: KeyState) -> Means | None:
        """Whether CreateGrant can be called for such operations, to the caller itself."""
        for grantee in _own_names(caller):
            facts = {
                **_DIRECT_GRANT,
                "kms:grantoperations": operations,
                "kms:granteeprincipal": Present((grantee,)),
            }
            # What is made through a grant gives no more than that grant itself (K96).
            means = self._keys.ask(caller, key, (_GRANT,), facts=facts, grants=False).get(_GRANT)
            if means is not None:
                return means
        return None

    def _with_grants(
        self, caller: Caller, key: Key, actions: Collection[str]
    ) -> dict[str, Means | None]:
        """What a grant of its own for one of the actions gives the caller, for each of them."""
        if self._keys.is_unlimited(caller, *key.policies):
            return dict.fromkeys(actions, SURE)
        found: dict[str, Means | None] = {}
        for group in self._keys.alike_with_grant(caller, key, actions, _own_grant(caller, key)):
            grant = _own_grant(caller, key, group[0].removeprefix("kms:"))
            means = self._keys.ask(caller, key, group[:1], further_grant=grant).get(group[0])
            found |= dict.fromkeys(group, means)
        return found

    def _by_replica(self, subject: Subject, key: Key, missing: list[str]) -> Iterator[Gain]:
        replicate = self._own.means(subject, key, _REPLICATE)
        create = surest(self._creates_key(caller) for caller in subject.callers)
        if replicate is None or create is None:
            return
        wanted = [action for action in missing if action in _ON_THE_MATERIAL]
        found = self._under_own_policy(subject, _replica_of(key), wanted)
        for gain in gains_of(DetourKind.REPLICA, found):
            text = f"{_REPLICATE} lets it make a replica on which it has {listed(gain.actions)}"
            yield replace(gain, means=replicate.then(create, _step(text, key), gain.means))

    def _creates_key(self, caller: Caller) -> Means | None:
        """The second permission of ReplicateKey: IAM alone decides (K117, K80)."""
        facts: dict[str, KeyState] = {"kms:multiregion": Present(("true",))}
        account = caller.principal.account
        return means_of(
            self._identities.ask(caller, "kms:CreateKey", "*", account, facts=facts, outside=True)
        )


def _surest_of_each(found: Iterable[Mapping[str, Means]]) -> dict[str, Means]:
    best: dict[str, Means] = {}
    for means_by_action in found:
        for action, means in means_by_action.items():
            keep_surest(best, action, means)
    return best


def _lists_with(action: str, key: Key) -> Iterator[KeyState]:
    """Operations of a grant for the action: it alone, with all others, and with each of them.

    A condition may ask for another operation beside it, or allow none (K109); all of them must
    fit the key (K94).
    """
    operation, *others = (
        name.removeprefix("kms:")
        for name in (action, *(a for a in actions_of(key) if a in (*_GRANTABLE, _GRANT)))
    )
    others.remove(operation)
    for added in ((), others, *((other,) for other in others)):
        yield Present((operation, *added), multivalued=True)


def _own_grant(caller: Caller, key: Key, *operations: str) -> Grant:
    return Grant("grant of its own", key.origin, key.arn, _own_names(caller)[0], operations)


def _step(text: str, key: Key) -> Means:
    return Means(AccessState.ALLOWED, (), (Hop(text, key.origin),))


def _own_names(caller: Caller) -> tuple[Value, ...]:
    """The ARNs by which a caller can be the grantee of its grant, the plainest first (K87)."""
    principal = caller.principal
    if principal.kind is not PrincipalKind.ROLE:
        return (principal.arn,)
    return principal.arn, session_arn(principal)


def _replica_of(key: Key) -> Key:
    """A replica in another Region, which its maker chooses: it shares the key id (K165, K168)."""
    segments = arn_segments(key.arn)
    if segments is None:
        return key
    region = Text((Unknown("the Region of the replica", "[a-z0-9-]", of_request=True),))
    arn: list[Value | str] = []
    for index, segment in enumerate(segments):
        arn += [":" if index else "", region if index == 3 else segment]
    return replace(key, arn=concat(arn), region=region, tags={}, aliases=())
