"""Type tokens and property names are those of the providers' SDKs; every type is accounted for."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from kms_access.sources.pulumi import is_relevant, read_stack
from kms_access.sources.pulumi.coverage import WITHOUT_ACCESS
from kms_access.sources.pulumi.tokens import (
    ATTACHMENTS,
    EXCLUSIVE_ATTACHMENTS,
    EXCLUSIVE_POLICIES,
    INLINE_POLICIES,
    PROPERTY_NAMES,
    READ,
    REFERRED_TO,
    SERVICE_LINKED_ROLES,
)
from tests.small_engine.schema import type_schema

from .stack import resource

PROPERTIES: Mapping[str, str] = {
    "aws:kms/key:Key": (
        "policy bypassPolicyLockoutSafetyCheck keyUsage customerMasterKeySpec multiRegion "
        "customKeyStoreId xksKeyId description region tags"
    ),
    "aws:kms/externalKey:ExternalKey": (
        "policy bypassPolicyLockoutSafetyCheck keyUsage keySpec multiRegion description region tags"
    ),
    "aws:kms/replicaKey:ReplicaKey": (
        "primaryKeyArn policy bypassPolicyLockoutSafetyCheck description region tags"
    ),
    "aws:kms/replicaExternalKey:ReplicaExternalKey": (
        "primaryKeyArn policy bypassPolicyLockoutSafetyCheck description region tags"
    ),
    "aws:kms/keyPolicy:KeyPolicy": "keyId policy bypassPolicyLockoutSafetyCheck region",
    "aws:kms/alias:Alias": "targetKeyId name namePrefix region",
    "aws:kms/grant:Grant": (
        "granteePrincipal keyId operations constraints retiringPrincipal region"
    ),
    "aws:iam/role:Role": (
        "assumeRolePolicy inlinePolicies managedPolicyArns permissionsBoundary path name "
        "namePrefix tags"
    ),
    "aws:iam/user:User": "name path permissionsBoundary tags",
    "aws:iam/group:Group": "name path",
    "aws:iam/policy:Policy": "policy name namePrefix path",
    "aws:iam/policyAttachment:PolicyAttachment": "policyArn roles users groups",
    "aws:iam/userGroupMembership:UserGroupMembership": "user groups",
    "aws:iam/groupMembership:GroupMembership": "group users",
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": "awsServiceName",
    "aws:iam/instanceProfile:InstanceProfile": "role name namePrefix path",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "url",
    "aws:iam/samlProvider:SamlProvider": "name",
    "aws:organizations/policy:Policy": "content type name",
    "aws:organizations/policyAttachment:PolicyAttachment": "policyId targetId",
    **{
        token: f"{owner} policy name namePrefix"
        for token, owner in INLINE_POLICIES.items()
        if token.startswith("aws:")
    },
    **{token: f"{owner} policyArn" for token, owner in ATTACHMENTS.items()},
    **{token: f"{owner}Name policyArns" for token, owner in EXCLUSIVE_ATTACHMENTS.items()},
    **{token: f"{owner}Name policyNames" for token, owner in EXCLUSIVE_POLICIES.items()},
    "aws-native:kms:Key": (
        "keyPolicy bypassPolicyLockoutSafetyCheck keyUsage keySpec multiRegion origin description "
        "tags"
    ),
    "aws-native:kms:ReplicaKey": "primaryKeyArn keyPolicy description tags",
    "aws-native:kms:Alias": "aliasName targetKeyId",
    "aws-native:iam:Role": (
        "assumeRolePolicyDocument policies managedPolicyArns permissionsBoundary path roleName tags"
    ),
    "aws-native:iam:User": (
        "userName groups policies managedPolicyArns permissionsBoundary path tags"
    ),
    "aws-native:iam:Group": "groupName policies managedPolicyArns path",
    "aws-native:iam:ManagedPolicy": "policyDocument managedPolicyName path roles users groups",
    "aws-native:iam:RolePolicy": "roleName policyDocument policyName",
    "aws-native:iam:UserPolicy": "userName policyDocument policyName",
    "aws-native:iam:GroupPolicy": "groupName policyDocument policyName",
    "aws-native:iam:ServiceLinkedRole": "awsServiceName",
    "aws-native:iam:InstanceProfile": "roles instanceProfileName path",
    "aws-native:iam:OidcProvider": "url",
    "aws-native:iam:SamlProvider": "name",
    "aws-native:organizations:Policy": "content type name targetIds",
}
"""The inputs that are read; those of `aws-native:` as its SDK 1.84.0 has them."""

COMPUTED: Mapping[str, str] = {
    "aws:kms/key:Key": "arn keyId tagsAll",
    "aws:kms/externalKey:ExternalKey": "arn tagsAll",
    "aws:kms/replicaKey:ReplicaKey": "arn keyId keySpec keyUsage tagsAll",
    "aws:kms/replicaExternalKey:ReplicaExternalKey": "arn keyId keyUsage tagsAll",
    "aws:kms/alias:Alias": "arn targetKeyArn",
    "aws:iam/role:Role": "arn tagsAll",
    "aws:iam/user:User": "arn tagsAll",
    "aws:iam/group:Group": "arn",
    "aws:iam/policy:Policy": "arn",
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": "arn name",
    "aws:iam/instanceProfile:InstanceProfile": "arn",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "arn",
    "aws:iam/samlProvider:SamlProvider": "arn",
    "aws:organizations/policy:Policy": "arn",
    "aws-native:kms:Key": "arn keyId",
    "aws-native:kms:ReplicaKey": "arn keyId",
    "aws-native:iam:Role": "arn roleId",
    "aws-native:iam:User": "arn",
    "aws-native:iam:Group": "arn",
    "aws-native:iam:ManagedPolicy": "policyArn",
    "aws-native:iam:ServiceLinkedRole": "roleName",
    "aws-native:iam:InstanceProfile": "arn",
    "aws-native:iam:OidcProvider": "arn",
    "aws-native:iam:SamlProvider": "arn",
    "aws-native:organizations:Policy": "arn awsId",
}

NOTED = frozenset({*SERVICE_LINKED_ROLES, "aws:iam/organizationsFeatures:OrganizationsFeatures"})
OF_NATIVE = frozenset(
    {
        *(token for token in PROPERTIES if token.startswith(("aws-native:kms", "aws-native:iam"))),
        *("aws-native:iam:ServerCertificate", "aws-native:iam:VirtualMfaDevice"),
    }
)
"""Every type of the two services in the SDK of `aws-native:`, version 1.84.0."""


def has_sdk(token: str) -> bool:
    package = token.partition(":")[0].replace("-", "_")
    return importlib.util.find_spec(f"pulumi_{package}") is not None


def sdk_tokens(package: str) -> Iterable[str]:
    spec = importlib.util.find_spec(f"pulumi_{package.replace('-', '_')}")
    assert spec is not None
    for root in spec.submodule_search_locations or ():
        for service in ("iam", "kms"):
            for file in sorted(Path(root, service).glob("*.py")):
                source = file.read_text(encoding="utf-8")
                # The class of the resource, neither a function nor an enumeration.
                yield from re.findall(
                    rf"super\(\w+, __self__\).__init__\(\s+'({package}:{service}[/:]\w+[\w:]*)'",
                    source,
                )


@pytest.mark.parametrize("token", sorted(READ | REFERRED_TO))
def test_every_type_that_is_read_has_the_properties_that_are_read(token: str) -> None:
    if not has_sdk(token):
        pytest.skip("the SDK is not installed: pip install pulumi-aws-native")
    schema = type_schema(token)
    assert set(PROPERTIES[token].split()) <= schema.inputs
    assert set(COMPUTED.get(token, "").split()) <= schema.computed


@pytest.mark.parametrize("token", sorted(PROPERTY_NAMES))
def test_translated_names_are_names_of_the_type(token: str) -> None:
    known = {*PROPERTIES[token].split(), *COMPUTED.get(token, "").split()}
    assert set(PROPERTY_NAMES[token].values()) <= {*known, "id"}
    # What is translated must not exist under both names.
    assert not set(PROPERTY_NAMES[token]) & known


@pytest.mark.parametrize(
    "token", sorted({*sdk_tokens("aws"), *OF_NATIVE}), ids=lambda token: str(token)
)
def test_every_type_of_the_two_services_is_read_or_without_access_or_noted(token: str) -> None:
    assert is_relevant(token)
    gaps = [g.reason for g in read_stack([resource(token, "x", {"any": "thing"})]).not_covered]
    says = [f'"x" ({token}) ' in reason for reason in gaps]
    ways = [token in READ, token in WITHOUT_ACCESS, token in NOTED, token in REFERRED_TO - NOTED]
    assert ways.count(True) == 1
    assert (says == [True]) is (token in NOTED)
    assert not any("not known here" in reason for reason in gaps)


def test_the_recorded_types_are_those_of_the_sdk() -> None:
    assert len(set(sdk_tokens("aws"))) > 40
    if not has_sdk("aws-native:iam:Role"):
        pytest.skip("the SDK is not installed: pip install pulumi-aws-native")
    assert set(sdk_tokens("aws-native")) == OF_NATIVE
