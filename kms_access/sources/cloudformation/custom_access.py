"""Grants and key policies that a deployment makes by API calls, and what other calls may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Grant, Key, Policy
from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Value, split
from kms_access.sources.cloudformation.custom_calls import ApiCall, is_true, read_calls
from kms_access.sources.cloudformation.deployment import Deployment
from kms_access.sources.cloudformation.policy_reading import unknown_policy, with_uncertainty

_SERVICES = ("kms", "iam", "sso-admin", "ssoadmin")
_HARMLESS = ("describe", "get", "list", "verify", "generate", "encrypt", "decrypt", "sign")
_CREATE_GRANT = "creategrant"
_PUT_KEY_POLICY = "putkeypolicy"
_POLICY_NAME = "default"
"""The only name that KMS takes for a key policy."""


@dataclass(slots=True)
class CustomAccess:
    """What the calls of a deployment do to its keys."""

    grants: list[Grant] = field(default_factory=list)
    not_covered: list[NotCovered] = field(default_factory=list)
    _policies: dict[str, list[Policy]] = field(default_factory=lambda: defaultdict(list))
    _bypassing: set[str] = field(default_factory=set)

    def put(self, key: Key, policy: Policy, *, bypasses: bool) -> None:
        """Add the policy that a call puts on a key."""
        self._policies[key.origin.identity].append(policy)
        if bypasses:
            self._bypassing.add(key.origin.identity)

    def applied_to(self, keys: Sequence[Key]) -> tuple[Key, ...]:
        """The keys with the policies that calls put on them, beside their own (K194)."""
        return tuple(
            replace(
                key,
                policies=(*key.policies, *self._policies[key.origin.identity]),
                bypasses_lockout_check=key.bypasses_lockout_check
                or key.origin.identity in self._bypassing,
            )
            if key.origin.identity in self._policies
            else key
            for key in keys
        )


def read_custom_access(deployment: Deployment, keys: Sequence[Key]) -> CustomAccess:
    """The grants and key policies of `Custom::AWS` resources.

    A call for a key that is surely one of `keys` is read; one that may be for one of them, and
    any other call that can change access, stands in `not_covered`.
    """
    access = CustomAccess()
    for call in read_calls(deployment):
        if isinstance(call, NotCovered):
            access.not_covered.append(call)
        elif call.service in _SERVICES and not call.action.startswith(_HARMLESS):
            _take(call, keys, access)
    return access


def _take(call: ApiCall, keys: Sequence[Key], access: CustomAccess) -> None:
    if call.is_dry_run:
        return
    name = call.parameters.get("KeyId")
    key = _meant(call, name, keys) if isinstance(name, (str, Text)) else None
    if key is not None and call.action == _CREATE_GRANT:
        access.grants.append(_grant(call, key))
    elif key is not None and call.action == _PUT_KEY_POLICY:
        bypasses = is_true(call.parameters.get("BypassPolicyLockoutSafetyCheck"))
        access.put(key, _policy(call), bypasses=bypasses)
    else:
        touches = not isinstance(name, (str, Text)) or _may_be_one_of(name, keys)
        on_key = f" on {name}" if isinstance(name, (str, Text)) else ""
        reason = f"the deployment calls {call.shown}{on_key}"
        origin = call.resource.origin
        access.not_covered.append(NotCovered(origin, reason, may_change_key_access=touches))


def _meant(call: ApiCall, name: Value, keys: Sequence[Key]) -> Key | None:
    """The key that a call surely is for: by its ARN, or by its id in account and Region."""
    for key in keys:
        is_here = (key.account, key.region) == (call.account, call.region)
        if name == key.arn or (is_here and name == _id_of(key)):
            return key
    return None


def _id_of(key: Key) -> Value:
    return split(key.arn, "/", 1)[-1]


def _may_be_one_of(name: Value, keys: Sequence[Key]) -> bool:
    for key in keys:
        names = (key.arn, _id_of(key), *key.aliases)
        if any(same(name, other).truth is not Truth.FALSE for other in names):
            return True
    return isinstance(name, str) and ":alias/" in name and bool(keys)


def _grant(call: ApiCall, key: Key) -> Grant:
    node: dict[str, Any] = {
        field: value for field, value in call.parameters.items() if field != "DryRun"
    }
    node["IssuingAccount"] = call.account
    origin = call.resource.origin
    grant = read_grant(node, f"grant {origin.label}", origin, key.arn)
    return replace(grant, uncertain=grant.uncertain or call.uncertain)


def _policy(call: ApiCall) -> Policy:
    parameters: Mapping[str, Any] = call.parameters
    source = parameters.get("Policy")
    origin = call.resource.origin
    if parameters.get("PolicyName", _POLICY_NAME) == _POLICY_NAME and isinstance(
        source, (str, Text)
    ):
        document = with_uncertainty(parse_policy(source, KEY_POLICY), call.uncertain)
    else:
        document = unknown_policy(KEY_POLICY, f"the key policy that {origin} puts")
    return Policy("key policy", document, origin)
