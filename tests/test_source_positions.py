"""A finding leads to the line that has to be changed, in every source that knows lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kms_access import cli
from tests.builders import ACCOUNT, DELEGATION, document, iam

RULES = f"""\
version: 1
accounts: {{prod: "{ACCOUNT}"}}
teams: {{payments: {{principals: [role/payments-*]}}}}
keys:
  - name: payments data
    match: {{alias: alias/ledger}}
    allow:
      payments: [use, view]
    require:
      payments: [decrypt]
"""

YAML = """\
# Positions are lines of this file.
Resources:

  Ledger:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: "*"
  Alias:
    Type: AWS::KMS::Alias
    Properties: {AliasName: alias/ledger, TargetKeyId: !Ref Ledger}
  # A comment before the role.
  Billing:
    Type: AWS::IAM::Role
    Properties:
      RoleName: billing-api
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
  BillingPolicy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: billing
      Roles: [!Ref Billing]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: kms:Decrypt, Resource: "*"}]
"""

APP = """\
import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_kms as kms

app = cdk.App()
stack = cdk.Stack(
    app, "Ledger", env=cdk.Environment(account="111122223333", region="eu-central-1")
)
key = kms.Key(stack, "Ledger", alias="ledger")
billing = iam.Role(
    stack,
    "Billing",
    role_name="billing-api",
    assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
)
key.grant_decrypt(billing)
app.synth()
"""


def line_of(text: str, start: str) -> int:
    (number,) = (n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))
    return number


def line_of_object(text: str, member: str) -> int:
    """The line where the object begins that has a member, in JSON that is indented."""
    lines = text.splitlines()
    line = line_of(text, member)
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    while lines[line - 1].startswith(" " * indent):
        line -= 1
    return line


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES, encoding="utf-8")


def findings(capsys: pytest.CaptureFixture[str], *paths: str) -> dict[str, dict[str, Any]]:
    """The findings by check; each check has one here."""
    cli.main(["check", "--format", "json", "--rules", "rules.yaml", *paths])
    found = json.loads(capsys.readouterr().out)["findings"]
    by_check = {finding["check"]: finding for finding in found}
    assert len(by_check) == len(found)
    return by_check


def places(finding: dict[str, Any]) -> Iterator[tuple[str, str, int | None]]:
    """Principal, key and hops: label, file, line."""
    for place in (
        finding["who"]["place"],
        finding["key"]["place"],
        *(hop["place"] for hop in finding["how"]),
    ):
        yield place["label"], place["file"], place["line"]


@pytest.mark.parametrize(
    ("check", "entry", "word"),
    [
        ("team-access", "- name: payments data", "name:"),
        ("required-access", "payments: [decrypt]", "decrypt"),
    ],
)
def test_the_rule_stands_in_the_rules_file(
    check: str, entry: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("app.yaml").write_text(YAML, encoding="utf-8")
    rule = findings(capsys, "app.yaml")[check]["rule"]
    line = line_of(RULES, entry)
    column = RULES.splitlines()[line - 1].index(word) + 1
    assert rule["place"] == {"file": "rules.yaml", "line": line, "column": column}
    assert rule["text"].startswith(f"rules.yaml:{line} ")


def test_a_yaml_template_gives_the_lines_of_its_resources_and_statements(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("app.yaml").write_text(YAML, encoding="utf-8")
    finding = findings(capsys, "app.yaml")["team-access"]
    starts = [
        *(("Billing", "Billing:"), ("Ledger", "Ledger:")),
        ("Ledger", "- Effect: Allow"),
        ("BillingPolicy", "Statement: [{Effect: Allow, Action: kms:Decrypt"),
    ]
    assert list(places(finding)) == [
        (name, "app.yaml", line_of(YAML, start)) for name, start in starts
    ]


def test_the_hop_of_a_trust_policy_has_the_line_of_its_statement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    trusted = "- {Effect: Allow, Principal: {AWS: !GetAtt Mallory.Arn}, Action: sts:AssumeRole}"
    lambda_ = "- {Effect: Allow, Principal: {Service: lambda.amazonaws.com}"
    text = YAML.replace(lambda_, f"{trusted}\n          {lambda_}")
    text += "  Mallory: {Type: AWS::IAM::User, Properties: {UserName: mallory}}\n"
    Path("app.yaml").write_text(text, encoding="utf-8")
    hops = findings(capsys, "app.yaml")["role-chain"]["how"]
    assert [(hop["place"]["label"], hop["place"]["line"]) for hop in hops] == [
        ("Billing", line_of(text, trusted)),
        ("Billing", line_of(text, "Billing:")),
        ("Ledger", line_of(text, "- Effect: Allow")),
        ("BillingPolicy", line_of(text, "Statement: [{Effect: Allow, Action: kms:Decrypt")),
    ]


def test_a_json_template_gives_the_lines_of_its_resources_and_statements(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    trust = {"Effect": "Allow", "Principal": {"Service": "a.amazonaws.com"}}
    resources = {
        "Ledger": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": document(DELEGATION | {"Principal": root})},
        },
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/ledger", "TargetKeyId": {"Ref": "Ledger"}},
        },
        "Billing": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "billing-api",
                "AssumeRolePolicyDocument": document({**trust, "Action": "sts:AssumeRole"}),
                "Policies": [{"PolicyName": "p", "PolicyDocument": document(iam("kms:Decrypt"))}],
            },
        },
    }
    text = json.dumps({"Resources": resources}, indent=2)
    Path("app.json").write_text(text, encoding="utf-8")
    finding = findings(capsys, "app.json")["team-access"]
    assert list(places(finding)) == [
        ("Billing", "app.json", line_of(text, '"Billing": {')),
        ("Ledger", "app.json", line_of(text, '"Ledger": {')),
        ("Ledger", "app.json", line_of_object(text, '"Action": "kms:*"')),
        ("Billing", "app.json", line_of_object(text, '"Action": "kms:Decrypt"')),
    ]


def synthesize(**environment: str) -> None:
    Path("app.py").write_text(APP, encoding="utf-8")
    subprocess.run(
        [sys.executable, "app.py"],
        env={
            **os.environ,
            "CDK_OUTDIR": "cdk.out",
            "CDK_VALIDATION": "false",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
            **environment,
        },
        check=True,
        capture_output=True,
    )


def test_a_cdk_assembly_gives_the_lines_of_the_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With JSII_HOST_STACK_TRACES; for a policy it is the line of the first grant."""
    synthesize(JSII_HOST_STACK_TRACES="1")
    finding = findings(capsys, "cdk.out")["team-access"]
    assert list(places(finding)) == [
        ("Billing", "app.py", line_of(APP, "billing = iam.Role(")),
        ("Ledger", "app.py", line_of(APP, "key = kms.Key(")),
        ("Ledger", "app.py", line_of(APP, "key = kms.Key(")),
        ("Billing/DefaultPolicy", "app.py", line_of(APP, "key.grant_decrypt(")),
    ]


def test_without_creation_stacks_an_assembly_gives_the_lines_of_its_templates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    synthesize(JSII_HOST_STACK_TRACES="")
    finding = findings(capsys, "cdk.out")["team-access"]
    file = "cdk.out/Ledger.template.json"
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    resources, statements = list(places(finding))[:2], list(places(finding))[2:]
    for _, place, line in resources:
        assert place == file
        assert line is not None
        assert lines[line - 1].strip().endswith(": {")
    for (_, place, line), action in zip(statements, ('"kms:*"', '"kms:Decrypt"'), strict=True):
        assert place == file
        assert line is not None
        assert lines[line - 1].strip() == "{"
        assert lines[line].strip() == f'"Action": {action},'
    assert [label for label, _, _ in places(finding)][-1] == "Billing/DefaultPolicy"


def test_an_exported_pulumi_stack_gives_urns(capsys: pytest.CaptureFixture[str]) -> None:
    root = f"arn:aws:iam::{ACCOUNT}:root"
    delegating = DELEGATION | {"Principal": {"AWS": root}}
    key_arn = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    def entry(type_: str, name: str, inputs: dict[str, Any], **outputs: str) -> dict[str, Any]:
        return {
            "urn": f"urn:pulumi:prod::ledger::{type_}::{name}",
            "type": type_,
            "custom": True,
            "id": outputs.get("id", name),
            "inputs": inputs,
            "outputs": {**inputs, **outputs},
        }

    resources = [
        entry(
            "aws:kms/key:Key",
            "ledger",
            {"policy": json.dumps(document(delegating))},
            arn=key_arn,
            keyId=key_arn.rpartition("/")[2],
            id=key_arn.rpartition("/")[2],
        ),
        entry(
            "aws:kms/alias:Alias",
            "alias",
            {"name": "alias/ledger", "targetKeyId": key_arn.rpartition("/")[2]},
        ),
        entry(
            "aws:iam/role:Role",
            "billing",
            {"name": "billing-api", "assumeRolePolicy": json.dumps(document())},
            arn=f"arn:aws:iam::{ACCOUNT}:role/billing-api",
        ),
        entry(
            "aws:iam/rolePolicy:RolePolicy",
            "decrypt",
            {"role": "billing-api", "policy": json.dumps(document(iam("kms:Decrypt")))},
        ),
    ]
    state = {"version": 3, "deployment": {"resources": resources}}
    Path("state.json").write_text(json.dumps(state), encoding="utf-8")
    finding = findings(capsys, "state.json")["team-access"]
    identities = [
        finding["who"]["identity"],
        finding["key"]["place"]["identity"],
        finding["how"][-1]["place"]["identity"],
    ]
    assert identities == [
        "urn:pulumi:prod::ledger::aws:iam/role:Role::billing",
        "urn:pulumi:prod::ledger::aws:kms/key:Key::ledger",
        "urn:pulumi:prod::ledger::aws:iam/rolePolicy:RolePolicy::decrypt",
    ]
    assert {place["stack"] for place in (hop["place"] for hop in finding["how"])} == {"prod"}
