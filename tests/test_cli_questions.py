"""`kms-access can`, `who-can` and `explain` on a template, with and without a rules file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access import cli
from tests.builders import DELEGATION, allow, document, iam

OWN = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
DELEGATED = DELEGATION | {"Principal": {"AWS": OWN}}
OUR_ORGANIZATION = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}
THROUGH_S3 = {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}}
RULES = """\
version: 1
organization: o-a1b2c3d4e5
accounts: {prod: "111122223333"}
"""
ONE_ACCOUNT = 'version: 1\naccounts: {prod: "111122223333"}\n'


def _role(name: str, trusted: Any, *statements: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    policies = [{"PolicyName": "Use", "PolicyDocument": document(*statements)}]
    properties = {
        "RoleName": name,
        "AssumeRolePolicyDocument": document(trust),
        "Policies": policies if statements else [],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _template(*statements: Any) -> str:
    lambda_service = {"Service": "lambda.amazonaws.com"}
    desk = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/desk"}}
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    resources = {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": document(DELEGATED, *statements)},
        },
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/data", "TargetKeyId": {"Ref": "Key"}},
        },
        "Reader": _role("reader", desk, iam("kms:Decrypt", key)),
        "Uploads": _role("uploads", lambda_service, iam("kms:*", key, **THROUGH_S3)),
        "Desk": _role("desk", lambda_service),
    }
    return json.dumps({"Resources": resources}, indent=1)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("rules.yaml").write_text(RULES, encoding="utf-8")
    Path("one.yaml").write_text(ONE_ACCOUNT, encoding="utf-8")
    Path("app.json").write_text(_template(), encoding="utf-8")
    Path("org.json").write_text(
        _template(allow("*", "kms:Decrypt", **OUR_ORGANIZATION)), encoding="utf-8"
    )


def run(capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str]:
    code = cli.main(line.split())
    out, err = capsys.readouterr()
    assert err == ""
    return code, out


QUESTIONS = {
    "who-can decrypt alias/data --rules one.yaml app.json": 0,
    "who-can kms:Decrypt Key app.json": 0,
    "who-can sign alias/data app.json": 1,
    "who-can decrypt alias/data --rules rules.yaml org.json": 0,
    "explain desk kms:Decrypt alias/data --rules one.yaml app.json": 1,
    "explain uploads KMS:DECRYPT alias/data --rules one.yaml app.json": 3,
    "can reader kms:Decrypt alias/data --rules one.yaml app.json": 0,
}


@pytest.mark.parametrize("line", QUESTIONS)
def test_a_question(
    line: str, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    code, out = run(capsys, line)
    assert (code, out) == (QUESTIONS[line], snapshot)


@pytest.mark.parametrize("command", ["can", "explain"])
def test_accounts_and_organization_of_the_rules_count(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an account of the organization it is known that it fulfils the condition."""
    question = "arn:aws:iam::111122223333:role/far kms:Decrypt alias/data"
    without, _ = run(capsys, f"{command} {question} org.json")
    declared, _ = run(capsys, f"{command} {question} --rules rules.yaml org.json")
    assert (without, declared) == (3, 0)


def test_a_detour_is_listed_once_with_what_it_adds(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, "who-can decrypt alias/data --rules one.yaml app.json")
    direct, detours = out.split("\n\n")
    assert "role reader" in direct
    assert "role desk" not in direct
    assert detours.count("role desk") == 1
    assert "by assuming role reader" in detours


OPTIONS = {
    "before": "can --rules one.yaml reader kms:Decrypt alias/data app.json",
    "between": "can reader kms:Decrypt --rules one.yaml alias/data app.json",
    "before the paths": "can reader kms:Decrypt alias/data --rules one.yaml app.json",
    "at the end": "can reader kms:Decrypt alias/data app.json --rules one.yaml",
    "before two dashes": "can --rules one.yaml -- reader kms:Decrypt alias/data app.json",
}


@pytest.mark.parametrize("place", OPTIONS)
def test_options_stand_anywhere(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, OPTIONS[place])
    assert code == 0
    assert "lets account 111122223333 delegate" in out


def test_after_two_dashes_nothing_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--", "--help"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("error: --help")) == ("", True)
