"""Facts about AWS resource types that the source text of their SDK does not tell."""

from __future__ import annotations

from collections.abc import Mapping

from .values import Properties

_KEY_DEFAULTS: Properties = {"bypassPolicyLockoutSafetyCheck": False}
# Defaults of the Terraform schema, which the real bridge fills in during Check.
SCHEMA_DEFAULTS: Mapping[str, Properties] = {
    "aws:kms/key:Key": _KEY_DEFAULTS
    | {
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
    },
    "aws:kms/externalKey:ExternalKey": _KEY_DEFAULTS | {"deletionWindowInDays": 30},
    "aws:kms/replicaKey:ReplicaKey": _KEY_DEFAULTS | {"deletionWindowInDays": 30, "enabled": True},
    "aws:kms/replicaExternalKey:ReplicaExternalKey": _KEY_DEFAULTS | {"deletionWindowInDays": 30},
    "aws:kms/keyPolicy:KeyPolicy": _KEY_DEFAULTS,
    "aws:kms/grant:Grant": {"retireOnDelete": False},
    "aws:iam/role:Role": {"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
    "aws:iam/user:User": {"forceDestroy": False, "path": "/"},
    "aws:iam/group:Group": {"path": "/"},
    "aws:iam/policy:Policy": {"path": "/"},
    "aws:iam/instanceProfile:InstanceProfile": {"path": "/"},
}
# Inputs that AWS fills in when the program leaves them out, and keeps when it drops them later.
OPTIONAL_COMPUTED: Mapping[str, frozenset[str]] = {
    "aws:kms/key:Key": frozenset(
        {"policy", "description", "multiRegion", "rotationPeriodInDays"},
    ),
    "aws:kms/externalKey:ExternalKey": frozenset(
        {"policy", "enabled", "multiRegion", "keyUsage", "keySpec"},
    ),
    "aws:kms/replicaKey:ReplicaKey": frozenset({"policy"}),
    "aws:kms/replicaExternalKey:ReplicaExternalKey": frozenset({"policy", "enabled"}),
    "aws:iam/role:Role": frozenset({"managedPolicyArns", "inlinePolicies"}),
}
# Documents that the SDK types as text only: the bridge refuses a mapping here.
TEXT_DOCUMENTS: Mapping[str, str] = {
    "aws:kms/key:Key": "policy",
    "aws:kms/externalKey:ExternalKey": "policy",
    "aws:kms/replicaKey:ReplicaKey": "policy",
    "aws:kms/replicaExternalKey:ReplicaExternalKey": "policy",
    "aws:kms/keyPolicy:KeyPolicy": "policy",
}
# Inputs that no AWS call can change on an existing resource.
REPLACING = frozenset(
    {
        "name",
        "namePrefix",
        "path",
        "bucket",
        "region",
        "keyId",
        "role",
        "user",
        "group",
        "roleName",
        "userName",
        "groupName",
        "policyArn",
        "primaryKeyArn",
        "awsServiceName",
        "customerMasterKeySpec",
        "keySpec",
        "keyUsage",
        "multiRegion",
        "customKeyStoreId",
        "xksKeyId",
        "granteePrincipal",
        "operations",
        "constraints",
        "retiringPrincipal",
        "grantCreationTokens",
    }
)
# Outputs that follow an input: output -> input.
DERIVED: Mapping[str, Mapping[str, str]] = {
    "aws:kms/alias:Alias": {"targetKeyArn": "targetKeyId"},
}
EMPTY_TEXTS = frozenset({"description", "namePrefix", "permissionsBoundary"})
