"""Documents, resources and rules that several tests share."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .harness import ACCOUNT, KEY, ROLE, ROLE_POLICY, Declared

RULES = """
version: 1
accounts: {main: "111122223333"}
teams:
  payments: {principals: [role/payments-*]}
keys:
  - name: payments data
    match: {urn: "*aws:kms/key:Key::payments"}
    allow:
      payments: [use, view]
"""


def allow(sid: str, principal: str, action: str) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": action,
        "Resource": "*",
    }


DELEGATION = allow("Account", f"arn:aws:iam::{ACCOUNT}:root", "kms:*")


def document(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def key_for(*roles: str, name: str = "payments") -> Declared:
    statements = [
        allow(f"Role{index}", f"arn:aws:iam::{ACCOUNT}:role/{role}", "kms:Decrypt")
        for index, role in enumerate(roles)
    ]
    return Declared(KEY, name, {"policy": document(DELEGATION, *statements), "isEnabled": True})


def role(name: str) -> Declared:
    trust = document(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    )
    return Declared(ROLE, name, {"name": name, "path": "/", "assumeRolePolicy": trust})


def inline(name: str, owner: str, effect: str = "Allow", action: str = "kms:Decrypt") -> Declared:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return Declared(ROLE_POLICY, name, {"role": owner, "policy": document(statement)})
