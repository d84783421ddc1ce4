"""API calls that need several permissions: all are asked, and the weakest decides (K82)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.call_access import CallAccess, Permission, weakness
from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.multi_region import is_multi_region, is_related
from kms_access.decisions.request import Request
from kms_access.decisions.resolution import AccessState, Resolution
from kms_access.decisions.static_facts import Organization, key_facts
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.arns import key_arn
from kms_access.inventory.key_policies import DEFAULT_KEY_POLICY_LABEL, default_key_policy
from kms_access.inventory.model import Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.context import KeyState, Present
from kms_access.policies.text import Text, Unknown, Value, concat

_ALIAS, _RESERVED = "alias/", "alias/aws/"
_SHARED_BY_RELATED_KEYS = ("kms:keyspec", "kms:keyusage", "kms:keyorigin", "kms:multiregion")
_OF_ONE_RESOURCE = ("aws:resource", "aws:requestedregion")
_OF_THE_CALL = ("aws:", "kms:viaservice", "kms:calleraccount", "kms:recipientattestation:")
_NEW_KEY_ID = Text((Unknown("the id of the new key", "[0-9a-z-]", stranger=True),))
_NO_ONE = Resolution(AccessState.IMPLICITLY_DENIED, Decision(Verdict.IMPLICITLY_DENIED))
_TOGETHER = Reason(
    "whether one call fulfils the conditions of all its permissions",
    ReasonKind.NOT_ESTABLISHED,
    "K82",
)


@dataclass(frozen=True, slots=True)
class _Need:
    """A permission to ask for: on `key`, else in `account`, by default that of the caller.

    `facts` are condition keys of the call; `trust` is the key policy of a key that is yet to be.
    """

    action: str
    resource: Value
    key: Key | None = None
    account: Value | None = None
    facts: Mapping[str, KeyState] = field(default_factory=dict)
    trust: tuple[Policy, ...] = ()
    reserved: bool = False


def _on_key(action: str, key: Key, facts: Mapping[str, KeyState] | None = None) -> _Need:
    return _Need(action, key.arn, key, facts=facts or {})


class ApiCalls:
    """Answers for single calls over one access map."""

    def __init__(self, access_map: AccessMap, organization: Organization) -> None:
        """`organization` is the one that the access map was made with."""
        self._evaluator = access_map.evaluator
        self._calls = IdentityCalls(access_map.inventory, organization)

    def can_reencrypt(self, subject: Subject, source: Key, destination: Key) -> CallAccess:
        """ReEncrypt: one permission on each of the two keys (K116)."""
        on_same_key = "true" if source.origin == destination.origin else "false"
        facts = {"kms:reencryptonsamekey": Present((on_same_key,))}
        return self._answer(
            subject,
            _on_key("kms:ReEncryptFrom", source, facts),
            _on_key("kms:ReEncryptTo", destination, facts),
        )

    def can_create_key(self, subject: Subject, region: Value, *, tags: bool = False) -> CallAccess:
        """CreateKey in the caller's account: IAM alone decides, on tags as well (K80, K119)."""
        return self._answer(subject, *_creation(subject, region, tags=tags))

    def can_replicate(
        self, subject: Subject, primary: Key, region: Value, *, tags: bool = False
    ) -> CallAccess:
        """ReplicateKey: that on the primary key, and CreateKey in the other Region (K117).

        Raises ValueError for a single-Region key.
        """
        _require_multi_region(primary)
        facts = {"kms:replicaregion": Present((region,))}
        shared = {k: s for k, s in key_facts(primary).items() if k in _SHARED_BY_RELATED_KEYS}
        creation = _creation(subject, region, tags=tags, facts=shared)
        return self._answer(subject, _on_key("kms:ReplicateKey", primary, facts), *creation)

    def can_update_primary_region(self, subject: Subject, primary: Key, replica: Key) -> CallAccess:
        """UpdatePrimaryRegion: on both keys, each in its Region (K118).

        Raises ValueError for keys that are not related.
        """
        if primary.origin == replica.origin or is_related(primary, replica).truth is Truth.FALSE:
            raise ValueError(f'"{replica.label}" is no replica of "{primary.label}"')
        facts = {"kms:primaryregion": Present((replica.region,))}
        action = "kms:UpdatePrimaryRegion"
        return self._answer(
            subject, _on_key(action, primary, facts), _on_key(action, replica, facts)
        )

    def can_create_alias(self, subject: Subject, alias: Value, key: Key) -> CallAccess:
        """CreateAlias: on the alias by IAM, and on the key (K113).

        Raises ValueError for a name without `alias/`. Nobody can for names of AWS (K115).
        """
        return self._alias_call("kms:CreateAlias", subject, alias, key)

    def can_delete_alias(self, subject: Subject, alias: Value, key: Key) -> CallAccess:
        """DeleteAlias: on the alias by IAM, and on the key that it stands for (K113).

        Raises ValueError for a name without `alias/`. Nobody can for names of AWS (K115).
        """
        return self._alias_call("kms:DeleteAlias", subject, alias, key)

    def can_update_alias(self, subject: Subject, alias: Value, old: Key, new: Key) -> CallAccess:
        """UpdateAlias: on the alias by IAM, on the key that it leaves and on the new one (K113).

        Raises ValueError for a name without `alias/` and for keys of two accounts or Regions.
        Nobody can for names of AWS (K115).
        """
        if (old.account, old.region) != (new.account, new.region):
            raise ValueError(
                f'"{old.label}" and "{new.label}" lie in two accounts or Regions, an alias in one'
            )
        return self._alias_call("kms:UpdateAlias", subject, alias, old, new)

    def _alias_call(self, action: str, subject: Subject, alias: Value, *keys: Key) -> CallAccess:
        start = alias if isinstance(alias, str) else alias.parts[0]
        if isinstance(start, str) and not start.startswith(_ALIAS):
            raise ValueError(f'"{alias}" is no alias name, which begins with "{_ALIAS}"')
        key = keys[0]
        arn = concat(("arn:", key.partition, ":kms:", key.region, ":", key.account, ":", alias))
        reserved = isinstance(start, str) and start.startswith(_RESERVED)
        on_alias = _Need(action, arn, account=key.account, reserved=reserved)
        return self._answer(subject, on_alias, *(_on_key(action, key) for key in keys))

    def _answer(self, subject: Subject, *needs: _Need) -> CallAccess:
        """One caller has to have all of it: the best of the subject's callers counts."""
        found = [self._of_caller(subject, caller, needs) for caller in subject.callers]
        return min(found, key=lambda call: call.state.rank)

    def _of_caller(self, subject: Subject, caller: Caller, needs: tuple[_Need, ...]) -> CallAccess:
        permissions = tuple(
            Permission(need.action, need.resource, self._ask(caller, need)) for need in needs
        )
        state = max((permission.state for permission in permissions), key=weakness)
        reasons: Iterable[Reason] = ()
        if not state.is_denied:
            reasons = (r for p in permissions for r in p.resolution.decision.reasons)
        conditional = [
            need
            for need, permission in zip(needs, permissions, strict=True)
            if permission.state is AccessState.CONDITIONAL
        ]
        if state is AccessState.CONDITIONAL and not self._fit_together(caller, conditional):
            state, reasons = AccessState.UNDECIDED, (_TOGETHER, *reasons)
        return CallAccess(subject, permissions, state, tuple(dict.fromkeys(reasons)))

    def _fit_together(self, caller: Caller, needs: Sequence[_Need]) -> bool:
        """Whether one call was found that fulfils the conditions of every permission."""
        return any(self._is_fulfilled(caller, order) for order in (needs, needs[::-1]))

    def _is_fulfilled(self, caller: Caller, needs: Iterable[_Need]) -> bool:
        """Whether what fulfils each condition leaves a way to fulfil the next one."""
        for need in needs:
            resolution = self._ask(caller, need)
            if not resolution.state.is_access:
                return False
            if resolution.witness is not None:
                caller = _fixed(caller, resolution.witness)
        return True

    def _ask(self, caller: Caller, need: _Need) -> Resolution:
        if need.reserved:
            return _NO_ONE
        asked = replace(caller, facts={**caller.facts, **need.facts})
        if need.key is not None:
            return self._evaluator.resolve(asked, need.key, need.action)
        account = caller.principal.account if need.account is None else need.account
        return self._calls.ask(
            asked, need.action, need.resource, account, trust=need.trust, outside=True
        )


def _creation(
    subject: Subject, region: Value, *, tags: bool, facts: Mapping[str, KeyState] | None = None
) -> Iterable[_Need]:
    """What a new key needs in a Region; its first key policy is part of it (K119)."""
    in_region: dict[str, KeyState] = {"aws:requestedregion": Present((region,)), **(facts or {})}
    yield _Need("kms:CreateKey", "*", facts=in_region)
    if tags:
        principal = subject.callers[0].principal
        arn = key_arn(principal.partition, region, principal.account, _NEW_KEY_ID)
        # A key policy that the call brings does not count for its tags: IAM decides.
        document = default_key_policy(principal.partition, principal.account)
        policy = Policy(DEFAULT_KEY_POLICY_LABEL, document, Origin("a new key"))
        yield _Need("kms:TagResource", arn, trust=(policy,))


def _require_multi_region(key: Key) -> None:
    if is_multi_region(key).truth is Truth.FALSE:
        raise ValueError(f'"{key.label}" is no multi-Region key')


def _fixed(caller: Caller, witness: Request) -> Caller:
    """The caller in the call of a witness: what a call has once is the same for all permissions."""
    shared = {
        key: state
        for key, state in witness.context.values.items()
        if key.startswith(_OF_THE_CALL) and not key.startswith(_OF_ONE_RESOURCE)
    }
    return replace(caller, principal=witness.principal, facts={**caller.facts, **shared})
