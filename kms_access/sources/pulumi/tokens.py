"""The resource types of Pulumi's two AWS providers that are read, and what stands for what."""

from __future__ import annotations

from collections.abc import Mapping

KEY = "aws:kms/key:Key"
EXTERNAL_KEY = "aws:kms/externalKey:ExternalKey"
REPLICA_KEY = "aws:kms/replicaKey:ReplicaKey"
REPLICA_EXTERNAL_KEY = "aws:kms/replicaExternalKey:ReplicaExternalKey"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
ALIAS = "aws:kms/alias:Alias"
GRANT = "aws:kms/grant:Grant"
ROLE = "aws:iam/role:Role"
USER = "aws:iam/user:User"
GROUP = "aws:iam/group:Group"
POLICY = "aws:iam/policy:Policy"
SERVICE_LINKED_ROLE = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
INSTANCE_PROFILE = "aws:iam/instanceProfile:InstanceProfile"
OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
SAML_PROVIDER = "aws:iam/samlProvider:SamlProvider"
POLICY_ATTACHMENT = "aws:iam/policyAttachment:PolicyAttachment"
USER_GROUP_MEMBERSHIP = "aws:iam/userGroupMembership:UserGroupMembership"
GROUP_MEMBERSHIP = "aws:iam/groupMembership:GroupMembership"
ORGANIZATION_POLICY = "aws:organizations/policy:Policy"
ORGANIZATION_POLICY_ATTACHMENT = "aws:organizations/policyAttachment:PolicyAttachment"

NATIVE_KEY = "aws-native:kms:Key"
NATIVE_REPLICA_KEY = "aws-native:kms:ReplicaKey"
NATIVE_ALIAS = "aws-native:kms:Alias"
NATIVE_ROLE = "aws-native:iam:Role"
NATIVE_USER = "aws-native:iam:User"
NATIVE_GROUP = "aws-native:iam:Group"
NATIVE_MANAGED_POLICY = "aws-native:iam:ManagedPolicy"
NATIVE_ROLE_POLICY = "aws-native:iam:RolePolicy"
NATIVE_USER_POLICY = "aws-native:iam:UserPolicy"
NATIVE_GROUP_POLICY = "aws-native:iam:GroupPolicy"
NATIVE_SERVICE_LINKED_ROLE = "aws-native:iam:ServiceLinkedRole"
NATIVE_INSTANCE_PROFILE = "aws-native:iam:InstanceProfile"
NATIVE_OIDC_PROVIDER = "aws-native:iam:OidcProvider"
NATIVE_SAML_PROVIDER = "aws-native:iam:SamlProvider"
NATIVE_ORGANIZATION_POLICY = "aws-native:organizations:Policy"

POLICY_DOCUMENT = "kms-access:index:PolicyDocument"
"""The component of `policypack.documents`, which shows a document that is not known yet."""

ENTITIES: Mapping[str, str] = {
    **dict.fromkeys((KEY, EXTERNAL_KEY, REPLICA_KEY, REPLICA_EXTERNAL_KEY), "key"),
    **dict.fromkeys((NATIVE_KEY, NATIVE_REPLICA_KEY), "key"),
    **dict.fromkeys((ROLE, NATIVE_ROLE, SERVICE_LINKED_ROLE, NATIVE_SERVICE_LINKED_ROLE), "role"),
    **dict.fromkeys((USER, NATIVE_USER), "user"),
    **dict.fromkeys((GROUP, NATIVE_GROUP), "group"),
    **dict.fromkeys((POLICY, NATIVE_MANAGED_POLICY), "policy"),
    **dict.fromkeys((ALIAS, NATIVE_ALIAS), "alias"),
    **dict.fromkeys((INSTANCE_PROFILE, NATIVE_INSTANCE_PROFILE), "instance-profile"),
    **dict.fromkeys((OIDC_PROVIDER, NATIVE_OIDC_PROVIDER), "oidc-provider"),
    **dict.fromkeys((SAML_PROVIDER, NATIVE_SAML_PROVIDER), "saml-provider"),
    **dict.fromkeys((ORGANIZATION_POLICY, NATIVE_ORGANIZATION_POLICY), "organization policy"),
}
"""What others refer to, in the words that IAM's ARNs have where there are any."""

KEYS = frozenset(token for token, entity in ENTITIES.items() if entity == "key")
REPLICAS = frozenset({REPLICA_KEY, REPLICA_EXTERNAL_KEY, NATIVE_REPLICA_KEY})
ALIASES = frozenset({ALIAS, NATIVE_ALIAS})
SERVICE_LINKED_ROLES = frozenset({SERVICE_LINKED_ROLE, NATIVE_SERVICE_LINKED_ROLE})
IDENTITIES = frozenset({ROLE, USER, GROUP, NATIVE_ROLE, NATIVE_USER, NATIVE_GROUP})

INLINE_POLICIES: Mapping[str, str] = {
    "aws:iam/rolePolicy:RolePolicy": "role",
    "aws:iam/userPolicy:UserPolicy": "user",
    "aws:iam/groupPolicy:GroupPolicy": "group",
    NATIVE_ROLE_POLICY: "role",
    NATIVE_USER_POLICY: "user",
    NATIVE_GROUP_POLICY: "group",
}
"""Types of one inline policy, with the property that says whose it is."""

ATTACHMENTS: Mapping[str, str] = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "role",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "user",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "group",
}
"""Types that attach one managed policy, with the property that says to whom."""

EXCLUSIVE_ATTACHMENTS: Mapping[str, str] = {
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": "role",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": "user",
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": "group",
}
"""Types that attach the managed policies that they list and detach every other one."""

EXCLUSIVE_POLICIES: Mapping[str, str] = {
    "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive": "role",
    "aws:iam/userPoliciesExclusive:UserPoliciesExclusive": "user",
    "aws:iam/groupPoliciesExclusive:GroupPoliciesExclusive": "group",
}
"""Types that delete every inline policy that they do not list by name."""

NAMES: Mapping[str, str] = {
    **{token: entity for token, entity in ENTITIES.items() if entity not in ("key", "alias")},
    ALIAS: "alias",
    # Cloud Control takes the name of an alias as it is: the provider makes none up.
    **{token: f"inline policy of {owner}" for token, owner in INLINE_POLICIES.items()},
}
"""Types with a name that the engine can generate, and what a person calls them."""

PROPERTY_NAMES: Mapping[str, Mapping[str, str]] = {
    EXTERNAL_KEY: {"customerMasterKeySpec": "keySpec", "keyId": "id"},
    REPLICA_KEY: {"customerMasterKeySpec": "keySpec"},
    NATIVE_KEY: {"policy": "keyPolicy", "customerMasterKeySpec": "keySpec"},
    NATIVE_REPLICA_KEY: {"policy": "keyPolicy"},
    NATIVE_ALIAS: {"name": "aliasName"},
    NATIVE_ROLE: {
        "assumeRolePolicy": "assumeRolePolicyDocument",
        "inlinePolicies": "policies",
        "name": "roleName",
    },
    NATIVE_USER: {"inlinePolicies": "policies", "name": "userName"},
    NATIVE_GROUP: {"inlinePolicies": "policies", "name": "groupName"},
    NATIVE_MANAGED_POLICY: {
        "policy": "policyDocument",
        "name": "managedPolicyName",
        "arn": "policyArn",
    },
    NATIVE_ROLE_POLICY: {"policy": "policyDocument", "name": "policyName", "role": "roleName"},
    NATIVE_USER_POLICY: {"policy": "policyDocument", "name": "policyName", "user": "userName"},
    NATIVE_GROUP_POLICY: {"policy": "policyDocument", "name": "policyName", "group": "groupName"},
    NATIVE_SERVICE_LINKED_ROLE: {"name": "roleName"},
    NATIVE_INSTANCE_PROFILE: {"name": "instanceProfileName", "role": "roles"},
    NATIVE_ORGANIZATION_POLICY: {"id": "awsId"},
    **{
        token: {owner: f"{owner}Name"}
        for token, owner in (*EXCLUSIVE_ATTACHMENTS.items(), *EXCLUSIVE_POLICIES.items())
    },
}
"""The properties that a type calls otherwise than the types of which the code speaks."""

READ: frozenset[str] = frozenset(
    {
        *KEYS,
        *ALIASES,
        *IDENTITIES,
        *(KEY_POLICY, GRANT, POLICY, NATIVE_MANAGED_POLICY, POLICY_ATTACHMENT),
        *(USER_GROUP_MEMBERSHIP, GROUP_MEMBERSHIP),
        *INLINE_POLICIES,
        *ATTACHMENTS,
        *EXCLUSIVE_ATTACHMENTS,
        *EXCLUSIVE_POLICIES,
    }
)
"""Every type that becomes part of the inventory."""

REFERRED_TO: frozenset[str] = frozenset(
    {
        *SERVICE_LINKED_ROLES,
        *(INSTANCE_PROFILE, NATIVE_INSTANCE_PROFILE, OIDC_PROVIDER, NATIVE_OIDC_PROVIDER),
        *(SAML_PROVIDER, NATIVE_SAML_PROVIDER, ORGANIZATION_POLICY, NATIVE_ORGANIZATION_POLICY),
        *(ORGANIZATION_POLICY_ATTACHMENT, POLICY_DOCUMENT),
    }
)
"""Types that others refer to, or that join others, without access of their own."""


def property_name(token: str, key: str) -> str:
    """What a type calls the property `key`."""
    return PROPERTY_NAMES.get(token, {}).get(key, key)
