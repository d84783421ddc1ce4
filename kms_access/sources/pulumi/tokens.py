"""The resource types of Pulumi's AWS provider that are read."""

from __future__ import annotations

from collections.abc import Mapping

KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
ALIAS = "aws:kms/alias:Alias"
GRANT = "aws:kms/grant:Grant"
ROLE = "aws:iam/role:Role"
USER = "aws:iam/user:User"
GROUP = "aws:iam/group:Group"
POLICY = "aws:iam/policy:Policy"
INSTANCE_PROFILE = "aws:iam/instanceProfile:InstanceProfile"
POLICY_ATTACHMENT = "aws:iam/policyAttachment:PolicyAttachment"
USER_GROUP_MEMBERSHIP = "aws:iam/userGroupMembership:UserGroupMembership"
GROUP_MEMBERSHIP = "aws:iam/groupMembership:GroupMembership"

NAMED: Mapping[str, str] = {
    ROLE: "role",
    USER: "user",
    GROUP: "group",
    POLICY: "policy",
    ALIAS: "alias",
}
"""Types with a name that the engine can generate, and what a person calls them."""

INLINE_POLICIES: Mapping[str, str] = {
    "aws:iam/rolePolicy:RolePolicy": "role",
    "aws:iam/userPolicy:UserPolicy": "user",
    "aws:iam/groupPolicy:GroupPolicy": "group",
}
"""Types of one inline policy, with the property that says whose it is."""

ATTACHMENTS: Mapping[str, tuple[str, str, str]] = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("role", "role", "policyArn"),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": ("user", "user", "policyArn"),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": ("group", "group", "policyArn"),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": (
        *("role", "roleName", "policyArns"),
    ),
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": (
        *("user", "userName", "policyArns"),
    ),
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": (
        *("group", "groupName", "policyArns"),
    ),
}
"""Types that attach managed policies: the kind of identity, and the two properties."""

READ: frozenset[str] = frozenset(
    {
        *(KEY, KEY_POLICY, ALIAS, GRANT, ROLE, USER, GROUP, POLICY, POLICY_ATTACHMENT),
        *(USER_GROUP_MEMBERSHIP, GROUP_MEMBERSHIP),
        *INLINE_POLICIES,
        *ATTACHMENTS,
    }
)
"""Every type that becomes part of the inventory."""
