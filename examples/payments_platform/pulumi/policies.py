"""Policy statements as this platform writes them."""

import json
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-central-1"
AUDITOR = "arn:aws:iam::444455556666:role/auditor"

Json = dict[str, Any]


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(
    sid: str, principals: list[str], actions: list[str], condition: Json | None = None
) -> Json:
    """A statement of a key policy."""
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": actions,
        "Resource": "*",
    }
    return {**statement, "Condition": condition} if condition else statement


def keys_tagged(names: list[str], actions: list[str], condition: Json | None = None) -> Json:
    """A statement of a role's policy, on the keys with these tags."""
    by_tag: Json = {"aws:ResourceTag/key": names}
    more = (condition or {}).get("StringEquals", {})
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*",
        "Condition": {"StringEquals": {**by_tag, **more}},
    }


def by_service(name: str) -> Json:
    """Only for requests that an AWS service makes for the caller."""
    return {"StringEquals": {"kms:ViaService": f"{name}.{REGION}.amazonaws.com"}}


def in_context(key: str, value: str) -> Json:
    """Only with this encryption context."""
    return {"StringEquals": {f"kms:EncryptionContext:{key}": value}}


def service(name: str) -> Json:
    return {"Service": f"{name}.amazonaws.com"}


def staff(permission_set: str) -> Json:
    """Who signs in to this permission set of IAM Identity Center."""
    name = f"AWSReservedSSO_{permission_set}_0123456789abcdef"
    return {"AWS": role_arn(f"aws-reserved/sso.amazonaws.com/{name}")}


def trust(principal: Json) -> Json:
    """A statement of a role's trust policy."""
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
