"""Names, ids and ARNs of resources, from name, path, account and Region only (design 4.2)."""

from __future__ import annotations

from typing import Any

from kms_access.inventory.arns import (
    KEY_ID_SHAPE,
    iam_arn,
    key_arn,
    unknown_key_id,
    unknown_name,
)
from kms_access.policies.arns import arn_segments
from kms_access.policies.text import (
    DIGIT,
    NAME_CHARACTER,
    PATH_CHARACTER,
    Text,
    Unknown,
    Value,
    concat,
    split,
    unknown_text,
)
from kms_access.sources.cloudformation.environment import REGION_CHARACTER
from kms_access.sources.cloudformation.resolver import Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import NO_VALUE, MaybeAbsent, as_value

KEY = "AWS::KMS::Key"
REPLICA_KEY = "AWS::KMS::ReplicaKey"
ALIAS = "AWS::KMS::Alias"
ROLE = "AWS::IAM::Role"
USER = "AWS::IAM::User"
GROUP = "AWS::IAM::Group"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
INSTANCE_PROFILE = "AWS::IAM::InstanceProfile"
OIDC_PROVIDERS = ("AWS::IAM::OIDCProvider", "Custom::AWSCDKOpenIdConnectProvider")
"""CloudFormation's own, and the one that CDK makes by a function of its own."""
SAML_PROVIDER = "AWS::IAM::SAMLProvider"

KEYS = (KEY, REPLICA_KEY)

NAME_PROPERTIES = {
    ROLE: ("RoleName", "role"),
    USER: ("UserName", "user"),
    GROUP: ("GroupName", "group"),
    MANAGED_POLICY: ("ManagedPolicyName", "policy"),
    INSTANCE_PROFILE: ("InstanceProfileName", "instance-profile"),
}
"""The property with the name, and the kind in the ARN, of each IAM resource that has an ARN."""

_REFERENCE_IS_ARN = frozenset(
    (
        *("AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"),
        *("AWS::CertificateManager::Certificate", "AWS::ECS::TaskDefinition"),
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
    )
)
_ANY_ATTRIBUTE = ("AWS::KMS::", "AWS::CloudFormation::", "AWS::Serverless::")
"""Types whose `Arn` may be that of a key: custom resources, nested stacks and the like."""
_SCHEME = "https://"
_NOT_KMS = r"(?!kms$)[a-z0-9-]+"


def name_of(resolver: Resolver, stack: Stack, logical_id: str) -> Value:
    """The name of an IAM resource: as given, or the one that CloudFormation will generate."""
    identity = stack.identity_of(logical_id)
    name_property, kind = NAME_PROPERTIES[stack.type_of(logical_id)]
    generated: Value = Text((unknown_name(identity, kind),))

    def compute(base: Resolver) -> Value:
        given = _property(base, stack, logical_id, name_property)
        if isinstance(given, MaybeAbsent):
            label = f"the name of {kind} {identity}"
            return Text((Unknown(label, NAME_CHARACTER, unique=True),))
        return as_value(given) or generated

    return resolver.settled(("name", stack, logical_id), compute, generated)


def path_of(resolver: Resolver, stack: Stack, logical_id: str) -> Value:
    """The path of an IAM resource, with a slash at both ends."""
    circular: Value = unknown_text(f"the path of {stack.identity_of(logical_id)}")

    def compute(base: Resolver) -> Value:
        return as_value(_property(base, stack, logical_id, "Path")) or "/"

    return resolver.settled(("path", stack, logical_id), compute, circular)


def iam_arn_of(resolver: Resolver, stack: Stack, logical_id: str) -> Value:
    """The ARN of an IAM resource."""
    _, kind = NAME_PROPERTIES[stack.type_of(logical_id)]
    environment = stack.environment
    path = path_of(resolver, stack, logical_id)
    name = name_of(resolver, stack, logical_id)
    return iam_arn(environment.partition, environment.account, kind, path, name)


def key_id_of(resolver: Resolver, stack: Stack, logical_id: str) -> Value:
    """The id of a key; a replica has the id of its primary key."""
    own = unknown_key_id(stack.identity_of(logical_id))
    if stack.type_of(logical_id) != REPLICA_KEY:
        return Text((own,))
    shared: Value = Text((Unknown(own.stands_for, own.characters, shape=KEY_ID_SHAPE),))

    def compute(base: Resolver) -> Value:
        primary = as_value(_property(base, stack, logical_id, "PrimaryKeyArn"))
        segments = arn_segments(primary) if primary is not None else None
        resource = split(segments[5], "/", 1) if segments else []
        return resource[1] if len(resource) == 2 and resource[0] == "key" else shared

    return resolver.settled(("key id", stack, logical_id), compute, shared)


def key_arn_of(resolver: Resolver, stack: Stack, logical_id: str) -> Value:
    """The ARN of a key."""
    environment = stack.environment
    key_id = key_id_of(resolver, stack, logical_id)
    return key_arn(environment.partition, environment.region, environment.account, key_id)


def reference_to(resolver: Resolver, stack: Stack, logical_id: str) -> Any:
    """What `Ref` gives for a resource."""
    kind = stack.type_of(logical_id)
    identity = stack.identity_of(logical_id)
    if kind in KEYS:
        return key_id_of(resolver, stack, logical_id)
    if kind == MANAGED_POLICY:
        return iam_arn_of(resolver, stack, logical_id)
    if kind in NAME_PROPERTIES:
        return name_of(resolver, stack, logical_id)
    if kind == ALIAS:
        label: Value = unknown_text(f"the name of alias {identity}")
        return resolver.once(
            ("alias", stack, logical_id),
            lambda: as_value(_property(resolver, stack, logical_id, "AliasName")) or label,
            label,
        )
    if kind in OIDC_PROVIDERS or kind == SAML_PROVIDER:
        return _provider_arn_of(resolver, stack, logical_id)
    if kind in _REFERENCE_IS_ARN:
        return _arn_of_other_service(stack, identity)
    return unknown_text(f"the id of {identity}")


def attribute_of(resolver: Resolver, stack: Stack, logical_id: str, attribute: str) -> Value:
    """What `Fn::GetAtt` gives for a resource that is neither custom nor a nested stack."""
    kind = stack.type_of(logical_id)
    identity = stack.identity_of(logical_id)
    if kind in KEYS and attribute == "Arn":
        return key_arn_of(resolver, stack, logical_id)
    if kind in KEYS and attribute == "KeyId":
        return key_id_of(resolver, stack, logical_id)
    if kind in NAME_PROPERTIES and attribute == ("PolicyArn" if kind == MANAGED_POLICY else "Arn"):
        return iam_arn_of(resolver, stack, logical_id)
    if attribute == "Arn" and kind in (OIDC_PROVIDERS[0], SAML_PROVIDER):
        return _provider_arn_of(resolver, stack, logical_id)
    own_service = kind.startswith("AWS::") and not kind.startswith(_ANY_ATTRIBUTE)
    if attribute == "Arn" and own_service:
        return _arn_of_other_service(stack, identity)
    return unknown_text(f"{attribute} of {identity}")


def _provider_arn_of(resolver: Resolver, stack: Stack, logical_id: str) -> Value:
    """The ARN of an identity provider, which trust policies name: OpenID Connect providers are
    called by their URL without its scheme, SAML providers have a name."""
    is_saml = stack.type_of(logical_id) == SAML_PROVIDER
    kind = "saml-provider" if is_saml else "oidc-provider"
    characters = NAME_CHARACTER if is_saml else PATH_CHARACTER
    label = f"the name of {kind} {stack.identity_of(logical_id)}"
    unknown: Value = Text((Unknown(label, characters, unique=True),))

    def compute(base: Resolver) -> Value:
        given = _property(base, stack, logical_id, "Name" if is_saml else "Url")
        name = None if isinstance(given, MaybeAbsent) else as_value(given)
        if name is None or is_saml:
            return name or unknown
        scheme, *rest = split(name, _SCHEME, 1)
        return rest[0] if scheme == "" and rest else unknown

    name = resolver.settled(("provider", stack, logical_id), compute, unknown)
    environment = stack.environment
    return iam_arn(environment.partition, environment.account, kind, "/", name)


def _arn_of_other_service(stack: Stack, identity: str) -> Value:
    return concat(
        (
            *("arn:", stack.environment.partition, ":"),
            Unknown(f"the service of {identity}", REGION_CHARACTER, shape=_NOT_KMS),
            *(":", Unknown(f"the Region in the ARN of {identity}", REGION_CHARACTER)),
            *(":", Unknown(f"the account in the ARN of {identity}", DIGIT)),
            *(":", Unknown(f"the resource in the ARN of {identity}")),
        )
    )


def _property(resolver: Resolver, stack: Stack, logical_id: str, name: str) -> Any:
    """One property of a resource, resolved; an unknown text where it cannot be told."""
    properties = (stack.resource(logical_id) or {}).get("Properties", {})
    if not isinstance(properties, dict) or any(key.startswith("Fn::") for key in properties):
        return unknown_text(f"{name} of {stack.identity_of(logical_id)}")
    resolved = resolver.resolve(properties.get(name), stack)
    if resolved is None or resolved is NO_VALUE or isinstance(resolved, MaybeAbsent):
        return resolved
    value = as_value(resolved)
    return unknown_text(f"{name} of {stack.identity_of(logical_id)}") if value is None else value
