"""Cases that other tools get wrong (section 15 of the KMS reference), each named by its rule."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.request_json import answer, read_request
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from tests.builders import ACCOUNT, DELEGATION, allow, iam, key, role
from tests.rules.template_cases import (
    CASES,
    Case,
    assert_access,
    assert_checks,
    read_cases,
)

REPORTED = CASES / "reported"
FILES = sorted(REPORTED.glob("*.yaml"))
EVERY_CASE: dict[str, Case] = {
    name: case for file in FILES for name, case in read_cases(file).items()
}
FROM_CDK = read_cases(REPORTED / "cdk.yaml")
KEY_ARN = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize("name", EVERY_CASE)
def test_findings(name: str, tmp_path: Path) -> None:
    case = EVERY_CASE[name]
    assessment = case.assess(tmp_path)
    assert_checks(case, assessment)
    if case.exit is not None:
        assert assessment.exit_code == case.exit


@pytest.mark.parametrize("name", [name for name, case in EVERY_CASE.items() if case.access])
def test_access(name: str, tmp_path: Path) -> None:
    case = EVERY_CASE[name]
    assert_access(case, case.assess(tmp_path))


def test_each_rule_of_the_section_has_a_case() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    named = {name.split()[0] for name in EVERY_CASE} | set(re.findall(r"\bK2?[0-9]{2}\b", text))
    assert {f"K{number}" for number in range(189, 214)} <= named


@pytest.mark.parametrize(
    ("context", "decision"),
    [
        ({"kms:GrantIsForAWSResource": True, "kms:GranteePrincipal": "a"}, "allowed"),
        ({"kms:GrantIsForAWSResource": False, "kms:GranteePrincipal": "autoscaling"}, "allowed"),
        ({"kms:GrantIsForAWSResource": False, "kms:GranteePrincipal": "a"}, "explicitly-denied"),
    ],
)
def test_k203_each_exception_of_one_deny_is_enough(context: dict[str, Any], decision: str) -> None:
    case = EVERY_CASE["K203 a Deny with two exceptions"]
    policy = dict(case.stacks["Corpus"].template["Resources"]["K"]["Properties"]["KeyPolicy"])
    policy["Statement"] = policy["Statement"][1:]  # without the one that has functions
    grantees = {
        "a": f"arn:aws:iam::{ACCOUNT}:role/a",
        "autoscaling": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/"
        "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    }
    request = {
        "principal": f"arn:aws:iam::{ACCOUNT}:role/app",
        "action": "kms:CreateGrant",
        "resource": KEY_ARN,
        "account": ACCOUNT,
        "context": {**context, "kms:GranteePrincipal": grantees[context["kms:GranteePrincipal"]]},
        "resourcePolicy": policy,
    }
    assert answer(read_request(json.dumps(request)))["decision"] == decision


@pytest.mark.parametrize("name", FROM_CDK)
def test_k212_one_key_policy_for_each_key(name: str, tmp_path: Path) -> None:
    keys = FROM_CDK[name].assess(tmp_path).access_map.keys
    assert [len(one.policies) for one in keys] == [1] * len(keys) != []


def test_k213_the_key_of_aws_serves_a_reader_without_iam_permissions() -> None:
    """K171: what an AWS managed key allows comes from its own policy alone."""
    through_ssm = {
        "StringEquals": {
            "kms:CallerAccount": ACCOUNT,
            "kms:ViaService": "ssm.eu-central-1.amazonaws.com",
        }
    }
    of_aws = key(
        "aws/ssm",
        allow({"AWS": "*"}, ["kms:Decrypt", "kms:DescribeKey"], Condition=through_ssm),
        DELEGATION | {"Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"]},
    )
    found = access_map(Inventory((of_aws,), (role("reader"), role("direct", iam("kms:Decrypt")))))
    states = {
        subject.label: found.states(subject, of_aws).get("kms:Decrypt")
        for subject in found.subjects
    }
    assert states["role reader"] is AccessState.CONDITIONAL
    assert states["role direct"] is AccessState.CONDITIONAL
    assert states["everyone"] is None
