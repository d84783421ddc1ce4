"""Account, region and partition of each resource, as far as anything tells them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kms_access.inventory.key_policies import KEY_POLICY as KEY_POLICY_GRAMMAR
from kms_access.policies.answers import Truth
from kms_access.policies.document import Effect, PolicyDocument
from kms_access.policies.principals import ACCOUNT_ID
from kms_access.policies.text import DIGIT, Text, Unknown, Value
from kms_access.sources.pulumi.policy_text import parse, parse_data
from kms_access.sources.pulumi.resource import StackResource
from kms_access.sources.pulumi.tokens import (
    GRANT,
    KEY_POLICY,
    KEYS,
    READ,
    REFERRED_TO,
    property_name,
)
from kms_access.sources.pulumi.wire import UNKNOWN, plain, provider_setting

_PUT_KEY_POLICY = "kms:PutKeyPolicy"
_REGION = r"[a-z0-9-]"
_OF_OWN_ACCOUNT = {
    # Properties whose ARNs can only be of the account of the resource itself (K120, K65).
    "arn": "iam kms",
    "keyId": "kms",
    "primaryKeyArn": "kms",
    "targetKeyId": "kms",
    "targetKeyArn": "kms",
    "policyArn": "iam",
    "policyArns": "iam",
    "managedPolicyArns": "iam",
    "permissionsBoundary": "iam",
}
_OF_ANY_ACCOUNT = frozenset({(GRANT, "keyId")})
"""CreateGrant takes keys of other accounts, too."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource lives; `deployer` is the role that the provider assumes, if known."""

    account: Value
    region: Value
    partition: Value
    deployer: str = ""


class Places:
    """Works out the place of resources; all resources of one provider share one account.

    The account comes from the ARNs of existing resources and from those that resources name and
    that can only be of their own account, else from the provider's
    `allowedAccountIds` or the role that it assumes, else from `account` as the caller gave it,
    else from the key policies: whoever may call PutKeyPolicy is of the key's own account, because
    KMS refuses a key policy that locks out its creator (K151) and the permission has no effect
    across accounts (K120). Otherwise it is one unknown text per provider.
    """

    def __init__(self, resources: Iterable[StackResource], account: str = "") -> None:
        self._given = account
        self._partitions: dict[str, set[str]] = defaultdict(set)
        self._seen: dict[str, set[str]] = defaultdict(set)
        self._administering: dict[str, set[str]] = defaultdict(set)
        for resource in resources:
            if resource.type in READ or resource.type in REFERRED_TO:
                self._learn(resource)
        self._accounts: dict[str, Value] = {}

    def of(self, resource: StackResource) -> Place:
        """The place of one resource."""
        provider = resource.provider_urn
        if provider not in self._accounts:
            self._accounts[provider] = self._account(resource)
        region = _region(resource)
        partition: Value | None = None
        if len(self._partitions[provider]) == 1:
            (partition,) = self._partitions[provider]
        elif isinstance(region, str):
            partition = partition_of(region)
        return Place(
            self._accounts[provider],
            region,
            partition or Text((Unknown(f"the partition of {_call(resource)}", "[a-z-]"),)),
            _assumed_role(resource.provider),
        )

    def _learn(self, resource: StackResource) -> None:
        provider = resource.provider_urn
        for partition, account in _accounts_of_arns(resource):
            self._seen[provider].add(account)
            self._partitions[provider].add(partition)
        if resource.type not in KEYS and resource.type != KEY_POLICY:
            return
        policy = plain(resource.inputs.get(property_name(resource.type, "policy")))
        bypasses = plain(resource.inputs.get("bypassPolicyLockoutSafetyCheck"))
        if policy and policy is not UNKNOWN and bypasses in (None, False, "false"):
            for partition, account in _administering(_document(policy)):
                self._administering[provider].add(account)
                if partition:
                    self._partitions[provider].add(partition)

    def _account(self, resource: StackResource) -> Value:
        provider = resource.provider_urn
        allowed = provider_setting(resource.provider, "allowedAccountIds")
        listed = {str(item) for item in allowed} if isinstance(allowed, list) else set()
        _, _, assumed = _assumed_role(resource.provider).partition("::")
        given = {self._given} if self._given else set()
        role = {assumed.split(":")[0]} if assumed else set()
        for found in (self._seen[provider], listed, role, given, self._administering[provider]):
            account = next(iter(found)) if len(found) == 1 else ""
            if ACCOUNT_ID.fullmatch(account):
                return account
        return Text(
            (Unknown(f"the account id of {_call(resource)}", DIGIT, shape=ACCOUNT_ID.pattern),)
        )


def _accounts_of_arns(resource: StackResource) -> Iterable[tuple[str, str]]:
    """Partition and account of the ARNs that tell the account of the resource."""
    for properties in (resource.outputs, resource.inputs):
        for key, services in _OF_OWN_ACCOUNT.items():
            if key not in properties or (resource.type, key) in _OF_ANY_ACCOUNT:
                continue
            value = plain(properties[key])
            for arn in value if isinstance(value, list) else (value,):
                parts = arn.split(":", 5) if isinstance(arn, str) else []
                if len(parts) == 6 and parts[2] in services.split() and _is_account(parts[4]):
                    yield parts[1], parts[4]


def _is_account(text: str) -> bool:
    return ACCOUNT_ID.fullmatch(text) is not None


def _document(policy: object) -> PolicyDocument:
    if isinstance(policy, str):
        return parse(policy, KEY_POLICY_GRAMMAR)
    return parse_data(policy, KEY_POLICY_GRAMMAR, "a key policy")


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    for prefix, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso", "aws-iso")):
        if region.startswith(prefix):
            return f"{partition}-b" if region.startswith("us-isob-") else partition
    return "aws"


def _administering(document: PolicyDocument) -> Iterable[tuple[str, str]]:
    """Partition and account of who may put the policy; two empty texts for who is not known."""
    for statement in document.statements:
        if statement.uncertain or statement.effects != {Effect.ALLOW} or not statement.principal:
            continue
        if statement.action and statement.action.matches(_PUT_KEY_POLICY).truth is Truth.FALSE:
            continue
        for entry in statement.principal.entries:
            account = entry.account or (entry.principal.account if entry.principal else "")
            partition = entry.principal.partition if entry.principal else entry.partition
            if isinstance(account, str) and isinstance(partition, str) and account:
                yield partition, account
            elif isinstance(entry.source, Text):
                yield "", ""


def _region(resource: StackResource) -> Value:
    for properties in (resource.outputs, resource.inputs, resource.provider):
        region = plain(properties.get("region"))
        if isinstance(region, str) and region:
            return region
    return Text((Unknown(f"the region of {_call(resource)}", _REGION),))


def _assumed_role(provider: Mapping[str, object]) -> str:
    """The ARN of the last role in the provider's chain, or "" if none is known."""
    roles = provider_setting(provider, "assumeRoles")
    single = provider_setting(provider, "assumeRole")
    last = roles[-1] if isinstance(roles, list) and roles else single
    settings = last if isinstance(last, Mapping) else provider
    arn = plain(settings.get("roleArn") or settings.get("role_arn"))
    return arn if isinstance(arn, str) and re.match(r"arn:[a-z-]+:iam::[0-9]{12}:", arn) else ""


def _call(resource: StackResource) -> str:
    name = resource.provider_urn.split("::", 3)[-1]
    return f'AWS provider "{name}"' if name else "the AWS provider"
