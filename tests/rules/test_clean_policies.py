"""Good policies that other tools flag must stay clean (guardrails reference, G1 to G14)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kms_access.inventory.model import Inventory, Key
from kms_access.rules import assess, load_rules
from tests.builders import ACCOUNT, DELEGATION, allow, deny, iam, key, role, role_arn

RULES = f"""\
version: 1
accounts: {{a: "{ACCOUNT}"}}
organization: o-a1b2c3d4e5
deployers: [role/deployer]
teams:
  administrators: {{principals: [role/admin]}}
  users: {{principals: [role/app]}}
keys:
  - name: made in the console
    match: {{alias: alias/console}}
    allow: {{administrators: [administer, grant, view], users: [use, view, grant]}}
"""
IDENTITIES = (
    role("a"),
    role("app"),
    role("admin"),
    role("deployer", iam(["kms:CreateKey", "kms:PutKeyPolicy"])),
)
OWN_CALLERS = {"kms:CallerAccount": ACCOUNT}


def when(**operators: Any) -> dict[str, Any]:
    return {"Condition": operators}


CLEAN: dict[str, Key] = {
    "G1 no key policy at all": key("k"),
    "G1 the default, written out": key("k", DELEGATION),
    "G2 any Resource means this key": key("k", DELEGATION, allow(role_arn("a"), "kms:Decrypt")),
    "G3 a Deny for everyone": key("k", DELEGATION, deny("*", "kms:ScheduleKeyDeletion")),
    "G4 everyone of the account through one service": key(
        "k",
        DELEGATION,
        allow("*", ["kms:Decrypt", "kms:GenerateDataKey*"], **when(StringEquals={
            **OWN_CALLERS, "kms:ViaService": "s3.eu-central-1.amazonaws.com"})),
    ),
    "G5 what CloudTrail writes": key(
        "k",
        DELEGATION,
        allow({"Service": "cloudtrail.amazonaws.com"}, "kms:GenerateDataKey*", **when(
            ArnLike={"aws:SourceArn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/t"})),
        allow("*", ["kms:Decrypt", "kms:ReEncryptFrom"], **when(
            StringEquals=OWN_CALLERS,
            StringLike={"kms:EncryptionContext:aws:cloudtrail:arn":
                        f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"})),
    ),
    "G6 the exact matrix of a generator": key(
        "k",
        allow("*", ["kms:PutKeyPolicy", "kms:GetKeyPolicy"], **when(
            ArnEquals={"aws:PrincipalArn": role_arn("deployer")})),
        allow("*", ["kms:GetKeyPolicy", "kms:TagResource"], **when(
            ArnEquals={"aws:PrincipalArn": role_arn("admin")})),
        allow("*", "kms:Decrypt", **when(ArnEquals={"aws:PrincipalArn": role_arn("app")})),
        deny("*", "kms:*", **when(
            ArnNotEquals={"aws:PrincipalArn": [
                role_arn("admin"), role_arn("deployer"), role_arn("app")]},
            Bool={"aws:PrincipalIsAWSService": "false"})),
    ),
    "G7 the declared organization": key(
        "k",
        DELEGATION,
        allow("*", "kms:Decrypt", **when(StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"})),
    ),
    "G8 what the console writes": key(
        "console",
        DELEGATION,
        allow(role_arn("admin"), ["kms:Create*", "kms:Put*", "kms:Describe*"]),
        allow(role_arn("app"), ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*"]),
        allow(role_arn("app"), ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"], **when(
            Bool={"kms:GrantIsForAWSResource": "true"})),
    ),
    "G9 the root user alone, and the deployer": key(
        "k",
        DELEGATION | when(ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:root"}),
        allow(role_arn("deployer"), "kms:PutKeyPolicy"),
    ),
    "G14 grants to one grantee": key(
        "k",
        DELEGATION,
        allow(role_arn("a"), "kms:CreateGrant", **when(**{
            "StringEquals": {"kms:GranteePrincipal": role_arn("app")},
            "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]}})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLEAN)
def test_clean(name: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    assessment = assess(Inventory((CLEAN[name],), IDENTITIES), load_rules(path))
    assert [finding.claim for finding in assessment.findings] == []
    assert assessment.exit_code == 0


def test_the_tricky_sibling_is_a_lockout_and_not_public(tmp_path: Path) -> None:
    """G3: a Deny of everything for everyone as only statement."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    inventory = Inventory((key("k", deny("*", "kms:*")),), IDENTITIES)
    assert [f.check for f in assess(inventory, load_rules(path)).findings] == ["lockout"]
