"""The corpus of the guardrails reference (section 1.3): key policies with the right verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from kms_access.inventory.model import Inventory
from kms_access.rules import Assessment
from kms_access.rules.checks import CHECKS
from kms_access.rules.findings import Finding
from tests.builders import ACCOUNT, DELEGATION, allow, grant, iam, key, role, role_arn
from tests.rules.template_cases import (
    CASES,
    Case,
    Stack,
    assert_access,
    assert_checks,
    facts,
    read_cases,
)
from tests.rules.template_rewriting import REWRITINGS, rewritten

CORPUS = CASES / "corpus"
BOOTSTRAP = (
    Path(__file__).parents[2] / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml"
)
ROOT_FUNCTION = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
SERVICE_LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/rds.amazonaws.com/ForRDS"
PARTNER = role_arn("ci", "999999999999")
EXECUTION, DEPLOYMENT, PUBLISHING = (
    f"role cdk-hnb659fds-{name}-role-{ACCOUNT}-eu-central-1"
    for name in ("cfn-exec", "deploy", "file-publishing")
)
USE = [f"kms:{name}" for name in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")]
USE += [f"kms:GenerateDataKey{name}" for name in ("Pair", "PairWithoutPlaintext")]
USE += ["kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]

VIOLATIONS = {
    **read_cases(CORPUS / "violations.yaml"),
    **read_cases(CORPUS / "siblings.yaml"),
}
CLEAN = read_cases(CORPUS / "clean.yaml")


def live_grant(grantee: str, *operations: str) -> Inventory:
    """The fixture of G12: a key as it is in the account, with a grant that was made on it."""
    root_user = {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:root"}}
    secured = key(
        "live",
        {**DELEGATION, "Condition": root_user},
        allow(role_arn("deployer"), "kms:PutKeyPolicy"),
    )
    made = grant(
        secured,
        GranteePrincipal=grantee,
        RetiringPrincipal="rds.eu-central-1.amazonaws.com",
        IssuingAccount=f"arn:aws:iam::{ACCOUNT}:root",
        Operations=list(operations),
        Constraints={"EncryptionContextSubset": {"aws:rds:db-id": "db-1"}},
    )
    deployer = role("deployer", iam(["kms:CreateKey", "kms:PutKeyPolicy"]))
    return Inventory((secured,), (role("a"), role("app"), deployer), (made,))


def live(about: str, inventory: Inventory, **expected: Any) -> Case:
    template = replace(CLEAN["G2"], about=about, inventory=inventory, access=())
    return replace(template, **expected)


def bootstrap(policies: str, **expected: Any) -> Case:
    """The real bootstrap stack with the defaults of its parameters, as `cdk bootstrap` deploys it
    with `--cloudformation-execution-policies`."""
    template = yaml.safe_load(BOOTSTRAP.read_text(encoding="utf-8"))
    given = {name: one.get("Default", "") for name, one in template["Parameters"].items()}
    stack = Stack(template, parameters={**given, "CloudFormationExecutionPolicies": policies})
    return replace(CLEAN["G2"], stacks={"CDKToolkit": stack}, **expected)


def decrypts(who: str, state: str = "conditional") -> dict[str, Any]:
    return {"who": who, state: ["kms:Decrypt", "kms:Encrypt"]}


LIVE = {
    "G12": live(
        "what a service gave to its service-linked role, with an encryption context",
        live_grant(SERVICE_LINKED, "Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey"),
        access=(
            {
                "who": "role ForRDS",
                "conditional": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                "allowed": ["kms:DescribeKey"],
                "delegated": ["kms:RetireGrant"],
            },
        ),
    ),
    "G12 that may pass it on": live(
        "a child grant has at most what its parent has (K96)",
        live_grant(SERVICE_LINKED, "Decrypt", "CreateGrant", "RetireGrant"),
    ),
    "G12 to the service by name": live(
        "the name of a service stands for its own identities (K89)",
        live_grant("rds.eu-central-1.amazonaws.com", "Decrypt", "Encrypt"),
    ),
}
LIVE_SIBLING = live(
    "a grant to a role of another account is access (K86, K202)",
    live_grant(PARTNER, "Decrypt", "Encrypt"),
    reports=(frozenset({"external-account"}),),
    access=(decrypts("role ci"),),
    exit=1,
)
CLEAN_CASES = {
    **CLEAN,
    **LIVE,
    "G13": bootstrap(
        "arn:aws:iam::aws:policy/AmazonSQSFullAccess",
        about="the bootstrap stack: its conditions exclude direct use",
        access=(
            {"who": PUBLISHING, "allowed": USE},
            {"who": DEPLOYMENT, "conditional": USE},
            {"who": EXECUTION, "conditional": USE},
            {"who": "everyone"},
        ),
    ),
}
VIOLATION_CASES = {**VIOLATIONS, "G12 to another account": LIVE_SIBLING}
EVERY_CASE = {**VIOLATION_CASES, **CLEAN_CASES}
IN_TEMPLATES = {
    name: case for name, case in EVERY_CASE.items() if case.inventory is None and name != "G13"
}


def changed_templates() -> list[Any]:
    found = []
    for name, case in IN_TEMPLATES.items():
        for rewriting in REWRITINGS:
            template = rewritten(case.stacks["Corpus"].template, rewriting)
            if template is not None:
                case_id = f"{name}, {rewriting}"
                found.append(pytest.param(name, template, id=case_id))
    return found


def assessed(case: Case, folder: Path, levels: Mapping[str, str] | None = None) -> Assessment:
    folder.mkdir()
    return case.assess(folder, levels)


def main_finding(case: Case, assessment: Assessment) -> Finding:
    """The first finding of the first check that must report."""
    found = [f for f in assessment.findings if f.check in case.reports[0]]
    assert found, f"{sorted(case.reports[0])} reports nothing"
    return found[0]


@pytest.mark.parametrize("name", VIOLATION_CASES)
def test_violation_is_reported(name: str, tmp_path: Path) -> None:
    case = VIOLATION_CASES[name]
    assessment = case.assess(tmp_path)
    assert_checks(case, assessment)
    if case.exit is not None:
        assert assessment.exit_code == case.exit


@pytest.mark.parametrize("name", CLEAN_CASES)
def test_good_policy_is_clean(name: str, tmp_path: Path) -> None:
    """No error and no warning; that the key was seen is shown by its place in the map."""
    assessment = CLEAN_CASES[name].assess(tmp_path)
    assert [f"{f.check}: {f.claim}" for f in assessment.findings] == []
    assert assessment.exit_code == 0
    assert len(assessment.access_map.keys) == 1


@pytest.mark.parametrize("name", [name for name, case in EVERY_CASE.items() if case.access])
def test_access(name: str, tmp_path: Path) -> None:
    case = EVERY_CASE[name]
    assert_access(case, case.assess(tmp_path))


@pytest.mark.parametrize("name", [name for name, case in VIOLATION_CASES.items() if case.reports])
def test_first_line(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    case = VIOLATION_CASES[name]
    finding = main_finding(case, case.assess(tmp_path))
    assert f"{finding.level.value}  {finding.check}  {finding.claim}" == snapshot


@pytest.mark.parametrize("name", [name for name, case in EVERY_CASE.items() if case.same_as])
def test_another_way_to_say_it_gives_the_same_findings(name: str, tmp_path: Path) -> None:
    case = EVERY_CASE[name]
    one = assessed(case, tmp_path / "one")
    other = assessed(EVERY_CASE[case.same_as], tmp_path / "other")
    assert facts(one.findings) == facts(other.findings)


@pytest.mark.parametrize(("name", "template"), changed_templates())
def test_rewritten_policy_gives_the_same_findings(
    name: str, template: Mapping[str, Any], tmp_path: Path
) -> None:
    """G15: neither the findings nor their fingerprints nor the access change."""
    case = IN_TEMPLATES[name]
    before = assessed(case, tmp_path / "before")
    after = assessed(case.with_template(template), tmp_path / "after")
    assert facts(after.findings) == facts(before.findings)
    assert access_of(after) == access_of(before)
    assert after.exit_code == before.exit_code


def access_of(assessment: Assessment) -> dict[tuple[str, str], Mapping[str, str]]:
    access_map = assessment.access_map
    return {
        (subject.identity, one.label): {
            action: state.value for action, state in access_map.states(subject, one).items()
        }
        for subject in access_map.subjects
        for one in access_map.keys
    }


SWITCHES = [
    (name, check)
    for name, case in VIOLATION_CASES.items()
    for check in sorted(frozenset().union(*case.reports))
]


@pytest.mark.parametrize(("name", "check"), SWITCHES)
def test_switching_a_check_off_silences_it_alone(name: str, check: str, tmp_path: Path) -> None:
    """`public-access` stands for findings about single principals, which then come to light."""
    case = VIOLATION_CASES[name]
    on = assessed(case, tmp_path / "on")
    off = assessed(case, tmp_path / "off", {check: "off"})
    own = [finding for finding in on.findings if finding.check == check]
    others = facts(finding for finding in on.findings if finding.check != check)
    assert len(own) == off.silenced > 0
    if check == "public-access":
        assert set(others) <= set(facts(off.findings))
    else:
        assert others == facts(off.findings)


def in_pulumi(case: Case) -> Case | None:
    """The same definitions as resources of a Pulumi stack; None where a function of the template
    or a property that only CloudFormation has takes part."""
    resources = case.stacks["Corpus"].template["Resources"]
    text = json.dumps(resources).replace(json.dumps(ROOT_FUNCTION), json.dumps(ROOT_ARN))
    if "Fn::" in text or '"Ref"' in text or "keys" in case.rules:
        return None
    found: list[dict[str, Any]] = []
    for name, resource in json.loads(text).items():
        given = resource["Properties"]
        if resource["Type"] == "AWS::KMS::Key":
            policy = given.get("KeyPolicy")
            inputs: dict[str, Any] = {"enableKeyRotation": True}
            if policy is not None:
                inputs["policy"] = policy if isinstance(policy, str) else json.dumps(policy)
            found.append({"kind": "key", "name": name, "inputs": inputs})
        else:
            assert resource["Type"] == "AWS::IAM::Role"
            inline = [
                {"name": one["PolicyName"], "policy": json.dumps(one["PolicyDocument"])}
                for one in given.get("Policies", ())
            ]
            inputs = {
                "name": given["RoleName"],
                "assumeRolePolicy": json.dumps(given["AssumeRolePolicyDocument"]),
                "inlinePolicies": inline,
            }
            found.append({"kind": "role", "name": name, "inputs": inputs})
    return replace(case, pulumi=tuple(found))


IN_PULUMI = {
    name: other for name, case in IN_TEMPLATES.items() if (other := in_pulumi(case)) is not None
}


@pytest.mark.parametrize("name", IN_PULUMI)
def test_a_pulumi_stack_gives_the_same_findings(name: str, tmp_path: Path) -> None:
    template = assessed(IN_TEMPLATES[name], tmp_path / "template")
    stack = assessed(IN_PULUMI[name], tmp_path / "stack")
    assert claims_of(stack) == claims_of(template)
    assert stack.exit_code == template.exit_code


def claims_of(assessment: Assessment) -> list[tuple[str, str, str]]:
    return [(f.check, f.level.value, f.claim) for f in assessment.findings]


def test_every_row_of_the_corpus_is_here() -> None:
    rows = {f"{number:02}" for number in range(1, 26)} | {f"G{n}" for n in range(1, 15)}
    assert rows <= {name.split()[0] for name in (*VIOLATIONS, *CLEAN_CASES)}


def test_every_check_of_the_corpus_exists() -> None:
    named = {
        check
        for case in EVERY_CASE.values()
        for check in (*case.follows, *frozenset().union(*case.reports))
    }
    assert named <= set(CHECKS)


def test_the_bootstrap_stack_of_an_administrator_tells_of_that_role_alone(tmp_path: Path) -> None:
    """G13 without execution policies: CloudFormation's role has AdministratorAccess, which is
    power over every key that delegates; the roles of the deployment still are clean."""
    case = bootstrap("", about="the bootstrap stack as deployed by default", access=())
    findings = case.assess(tmp_path).findings
    assert {f.check for f in findings} == {
        "separation-of-duties",
        "self-escalation",
        "grant-delegation",
        "key-deletion",
    }
    assert {f.principal for f in findings} == {EXECUTION}
    assert {f.level.value for f in findings} == {"warning"}
