"""Large inventories: key policies of three statements, identities with three policies."""

from __future__ import annotations

from typing import Any

from kms_access.inventory.model import Identity, Inventory, Policy
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.parsing import parse_policy
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    REGION,
    allow,
    deny,
    document,
    iam,
    key,
    role,
    role_arn,
)

USE = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"]
THROUGH_S3 = {"Condition": {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}}
UNLESS_SECURITY = {"Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "security"}}}


def inventory(keys: int, principals: int) -> Inventory:
    """Each key delegates, lets three roles use it and keeps its deletion to one team.

    Each role has a policy on other services, one on three keys (under a condition for every fifth
    role), and one that for every tenth role reaches all keys.
    """
    all_keys = tuple(
        key(
            f"key-{i}",
            DELEGATION,
            allow([role_arn(f"role-{(3 * i + j) % principals}") for j in range(3)], USE),
            deny("*", "kms:ScheduleKeyDeletion", **UNLESS_SECURITY),
            arn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{i:08x}-0000-0000-0000-000000000000",
        )
        for i in range(keys)
    )
    arns = [str(each.arn) for each in all_keys]
    return Inventory(all_keys, tuple(_role(i, arns) for i in range(principals)))


def _role(number: int, arns: list[str]) -> Identity:
    bare = role(f"role-{number}")
    on_keys = [arns[(number + 7 * j) % len(arns)] for j in range(3)]
    condition: dict[str, Any] = THROUGH_S3 if number % 5 == 0 else {}
    documents = [
        document(iam(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::data/*")),
        document(iam(USE, on_keys, **condition)),
        document(iam("kms:DescribeKey" if number % 10 == 0 else "logs:PutLogEvents")),
    ]
    policies = tuple(
        Policy(f"policy {i}", parse_policy(each, IDENTITY_POLICY), bare.origin)
        for i, each in enumerate(documents)
    )
    return Identity(bare.origin, bare.principal, policies)
