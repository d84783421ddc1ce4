"""A definition that is not evaluated and can only take access away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kms_access.inventory.model import Inventory
from kms_access.rules import Assessment, assess, load_rules
from kms_access.sources import cloudformation
from kms_access.sources.pulumi import read_stack
from tests.sources.pulumi.stack import document, key_document, resource, statement

ACCOUNT = "111122223333"
RULES = """
version: 1
accounts: {{prod: "111122223333"}}
teams:
  payments: {{principals: [role/payments]}}
  admins: {{principals: [role/admin]}}
keys:
  - name: data
    match: {{{match}}}
    allow: {{payments: [use, view], admins: [administer, delete, grant, view]}}
    {require}
checks: {{separation-of-duties: off, self-escalation: off, lockout: off, invalid-policy: off}}
"""
REQUIRED = "require: {payments: [decrypt]}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/payments"
TEMPLATE = """
Resources:
  Data:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: {Version: "2012-10-17", Statement: [
        {Effect: Allow, Principal: {AWS: "arn:aws:iam::111122223333:role/payments"}, \
Action: "kms:Decrypt", Resource: "*"}]}
  Payments:
    Type: AWS::IAM::Role
    Properties:
      RoleName: payments
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [
        {Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]}
  Limit:
    Type: AWS::Organizations::Policy
    Properties:
      Name: limit
      Type: SERVICE_CONTROL_POLICY
      TargetIds: [r-ab12]
      Content: {Version: "2012-10-17", Statement: [
        {Effect: Deny, Action: "kms:*", Resource: "*"}]}
"""


def by_template(folder: Path) -> Inventory:
    path = folder / "template.yaml"
    path.write_text(TEMPLATE)
    return cloudformation.load([path], account=ACCOUNT)


def by_pulumi(folder: Path) -> Inventory:
    content = document({**statement("kms:*"), "Effect": "Deny"})
    limit = {"name": "limit", "content": content, "type": "SERVICE_CONTROL_POLICY"}
    policy = resource("organization_policy", "limit", limit, {"id": "p-1"})
    attachment = {"policyId": "p-1", "targetId": "r-ab12"}
    return read_stack(
        [
            resource("key", "Data", {"policy": key_document(ROLE, action="kms:Decrypt")}),
            resource("role", "payments", {"name": "payments"}),
            policy,
            resource("organization_attachment", "at", attachment),
        ]
    )


FORMS = pytest.mark.parametrize("inventory_of", [by_template, by_pulumi])


def judged(folder: Path, inventory: Inventory, match: str, require: str) -> Assessment:
    rules = folder / "access-rules.yaml"
    rules.write_text(RULES.format(match=match, require=require))
    return assess(inventory, load_rules(rules))


@FORMS
@pytest.mark.parametrize("match", ["id: '*Data'", "tags: {Env: prod}"], ids=["this key", "none"])
@pytest.mark.parametrize("require", [REQUIRED, ""], ids=["required", "not required"])
def test_leaves_open_what_a_rule_requires(
    tmp_path: Path, inventory_of: Callable[[Path], Inventory], match: str, require: str
) -> None:
    inventory = inventory_of(tmp_path)
    assessment = judged(tmp_path, inventory, match, require)
    claims = [f.claim for f in assessment.findings if f.check == "undecided"]
    noted = [note.reason for note in assessment.not_covered if "take access away" in note.reason]
    is_open = bool(require) and match.startswith("id")
    assert [len(claims), len(noted)] == ([1, 0] if is_open else [0, 1]), (claims, noted)
