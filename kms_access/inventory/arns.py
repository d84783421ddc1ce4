"""Canonical ARNs of resources, real where known and with unknown parts otherwise (design 4.2)."""

from __future__ import annotations

from kms_access.policies.text import NAME_CHARACTER, Unknown, Value, concat

KEY_ID_SHAPE = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}"
GENERATED_NAME_SHAPE = r"[A-Za-z0-9_+=,.@-]+-[A-Za-z0-9]{6,}"
"""Names that an engine makes: a readable part, a hyphen, and random characters."""


def iam_arn(partition: Value, account: Value, kind: str, path: Value, name: Value) -> Value:
    """The ARN of a user, role, group or policy; `path` begins and ends with a slash."""
    return concat(("arn:", partition, ":iam::", account, ":", kind, path, name))


def key_arn(partition: Value, region: Value, account: Value, key_id: Value) -> Value:
    """The ARN of a KMS key."""
    return concat(("arn:", partition, ":kms:", region, ":", account, ":key/", key_id))


def unknown_key_id(identity: str) -> Unknown:
    """The id of a key before it exists; `identity` names the resource."""
    return Unknown(f"the id of key {identity}", "[0-9a-z-]", unique=True, shape=KEY_ID_SHAPE)


def unknown_name(identity: str, kind: str) -> Unknown:
    """The name of a user, role, group or policy that the engine will generate."""
    return Unknown(
        f"the name of {kind} {identity}", NAME_CHARACTER, unique=True, shape=GENERATED_NAME_SHAPE
    )
