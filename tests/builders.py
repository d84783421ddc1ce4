"""Inventories in a few words, for tests of the map, the checks and the reports."""

from __future__ import annotations

from typing import Any

from kms_access.inventory.arns import iam_arn, key_arn
from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import KEY_POLICY, default_key_policy
from kms_access.inventory.model import Grant, Identity, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import IDENTITY_POLICY, PERMISSIONS_BOUNDARY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import Principal, parse_principal
from kms_access.policies.text import Value

ACCOUNT, OTHER = "111122223333", "444455556666"
REGION = "eu-central-1"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
DELEGATION = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}


def user_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def role_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(principal: Any, actions: Any, **more: Any) -> dict[str, Any]:
    """A key-policy statement for a principal element or the ARNs of identities."""
    element = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    return {
        "Effect": "Allow",
        "Principal": element,
        "Action": actions,
        "Resource": "*",
        **more,
    }


def deny(principal: Any, actions: Any, **more: Any) -> dict[str, Any]:
    return allow(principal, actions, **more) | {"Effect": "Deny"}


def iam(actions: Any, resources: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def key(name: str, *statements: Any, source: object = None, **fields: Any) -> Key:
    """A key with alias `alias/NAME`; without statements and source it has the default policy."""
    origin = Origin(f"App/{name}", name, "App", "app.py", 10)
    if source is None and not statements:
        parsed = default_key_policy("aws", ACCOUNT)
    else:
        parsed = parse_policy(document(*statements) if source is None else source, KEY_POLICY)
    defaults: dict[str, Any] = {
        "arn": key_arn("aws", REGION, ACCOUNT, arn_id(name)),
        "account": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "policies": (Policy("key policy", parsed, origin),),
        "aliases": (f"alias/{name}",),
    }
    return Key(origin, **(defaults | fields))


def arn_id(name: str) -> str:
    """A key id that follows from the name."""
    return f"{name.encode().hex():0<8}"[:8] + "-0000-0000-0000-000000000000"


def identity(
    kind: str, name: Value, *statements: Any, boundary: Any = None, **fields: Any
) -> Identity:
    label = name if isinstance(name, str) else "Unnamed"
    origin = Origin(f"App/{label}", label, "App", "app.py", 20)
    principal = parse_principal(iam_arn("aws", ACCOUNT, kind, "/", name))
    assert isinstance(principal, Principal)
    policies = ()
    if statements:
        parsed = parse_policy(document(*statements), IDENTITY_POLICY)
        policies = (Policy("inline policy Access", parsed, origin),)
    limits = ()
    if boundary is not None:
        parsed = parse_policy(document(*boundary), PERMISSIONS_BOUNDARY)
        limits = (Policy("permissions boundary", parsed, origin),)
    return Identity(origin, principal, policies, limits, **fields)


def user(name: Value, *statements: Any, **fields: Any) -> Identity:
    return identity("user", name, *statements, **fields)


def role(name: Value, *statements: Any, **fields: Any) -> Identity:
    return identity("role", name, *statements, **fields)


def grant(on: Key, **fields: Any) -> Grant:
    return read_grant(fields, "grant G", Origin("App/G", "G", "App"), on.arn)
