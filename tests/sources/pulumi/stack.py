"""Short ways to write down what an engine knows of a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kms_access.inventory.model import Identity, Inventory, Key
from kms_access.sources.pulumi import StackResource

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
ACCOUNT = "111122223333"
REGION = "eu-central-1"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::default"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"

TOKENS = {
    "key": "aws:kms/key:Key",
    "key_policy": "aws:kms/keyPolicy:KeyPolicy",
    "alias": "aws:kms/alias:Alias",
    "grant": "aws:kms/grant:Grant",
    "role": "aws:iam/role:Role",
    "user": "aws:iam/user:User",
    "group": "aws:iam/group:Group",
    "policy": "aws:iam/policy:Policy",
    "role_policy": "aws:iam/rolePolicy:RolePolicy",
    "user_policy": "aws:iam/userPolicy:UserPolicy",
    "group_policy": "aws:iam/groupPolicy:GroupPolicy",
    "role_attachment": "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "user_attachment": "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "group_attachment": "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "role_exclusive": "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "attachment": "aws:iam/policyAttachment:PolicyAttachment",
    "memberships": "aws:iam/userGroupMembership:UserGroupMembership",
    "members": "aws:iam/groupMembership:GroupMembership",
    "profile": "aws:iam/instanceProfile:InstanceProfile",
    "external_key": "aws:kms/externalKey:ExternalKey",
    "replica": "aws:kms/replicaKey:ReplicaKey",
    "external_replica": "aws:kms/replicaExternalKey:ReplicaExternalKey",
    "service_linked_role": "aws:iam/serviceLinkedRole:ServiceLinkedRole",
    "oidc": "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "saml": "aws:iam/samlProvider:SamlProvider",
    "only_policies": "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
    "organization_policy": "aws:organizations/policy:Policy",
    "organization_attachment": "aws:organizations/policyAttachment:PolicyAttachment",
    "native_key": "aws-native:kms:Key",
    "native_replica": "aws-native:kms:ReplicaKey",
    "native_alias": "aws-native:kms:Alias",
    "native_role": "aws-native:iam:Role",
    "native_user": "aws-native:iam:User",
    "native_group": "aws-native:iam:Group",
    "native_policy": "aws-native:iam:ManagedPolicy",
    "native_role_policy": "aws-native:iam:RolePolicy",
    "native_organization_policy": "aws-native:organizations:Policy",
}
OF_ACCOUNT: Mapping[str, object] = {"region": REGION, "allowedAccountIds": f'["{ACCOUNT}"]'}


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::shop::{TOKENS.get(kind, kind)}::{name}"


def resource(
    kind: str,
    name: str,
    inputs: Mapping[str, object] | None = None,
    outputs: Mapping[str, object] | None = None,
    *,
    depends: Mapping[str, Sequence[str]] | None = None,
    provider: Mapping[str, object] = OF_ACCOUNT,
    provider_urn: str = PROVIDER,
) -> StackResource:
    """A resource; without `inputs` it has one that means nothing, as after every check."""
    given = {"forceDestroy": False} if inputs is None else inputs
    return StackResource(
        urn(kind, name),
        TOKENS.get(kind, kind),
        given,
        outputs or {},
        depends or {},
        provider,
        provider_urn,
    )


def existing_key(name: str, **inputs: object) -> StackResource:
    outputs = {"arn": KEY_ARN, "keyId": KEY_ID, **inputs}
    return resource("key", name, {"isEnabled": True, **inputs}, outputs)


def statement(action: object = "kms:*", **elements: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **elements}


def document(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def key_document(*principals: str, action: object = "kms:*") -> str:
    return document(statement(action, Principal={"AWS": list(principals)}))


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DELEGATING = key_document(ROOT)
DECRYPT = document(statement("kms:Decrypt"))
TRUST = document(
    {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
)


def only_key(inventory: Inventory) -> Key:
    (key,) = inventory.keys
    return key


def identity(inventory: Inventory, label: str) -> Identity:
    (found,) = [i for i in inventory.identities if i.origin.label == label]
    return found


def sids(policies: Sequence[Any]) -> list[list[str]]:
    return [[statement.sid for statement in policy.document.statements] for policy in policies]
