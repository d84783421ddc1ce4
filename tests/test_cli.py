"""The command line: exit codes, messages, and never a traceback for bad input."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access import cli
from tests.builders import ACCOUNT, DELEGATION, allow, document, iam, user_arn

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RULES = """\
version: 1
deployers: [role/deployer]
teams: {app: {principals: [user/alice]}}
keys:
  - {name: data, match: {alias: alias/data}, allow: {app: [use, view]}}
"""


OWN_ROOT = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
DELEGATED = DELEGATION | {"Principal": {"AWS": OWN_ROOT}}


def template(*statements: Any, **more: Any) -> dict[str, Any]:
    """A template with key `alias/data` and user alice, who may decrypt."""
    return {
        "Resources": {
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {"KeyPolicy": document(DELEGATED, *statements)},
            },
            "Alias": {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": "alias/data", "TargetKeyId": {"Ref": "Key"}},
            },
            "Alice": {
                "Type": "AWS::IAM::User",
                "Properties": {
                    "UserName": "alice",
                    "Policies": [
                        {
                            "PolicyName": "Use",
                            "PolicyDocument": document(
                                iam("kms:Decrypt", {"Fn::GetAtt": ["Key", "Arn"]})
                            ),
                        }
                    ],
                },
            },
            **more,
        }
    }


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES, encoding="utf-8")
    write("good.json", template())
    write("bad.json", template(allow("*", "kms:Decrypt")))
    write("unknown.json", template(allow({"AWS": {"Ref": "Reader"}}, "kms:Decrypt")))
    write("broken-policy.json", template({"Effect": "Allow", "Action": "kms:Decrypt"}))
    write("keyless.json", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def write(name: str, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    Path(name).write_text(text, encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


CODES = [
    (["check", "--rules", "rules.yaml", "good.json"], 0),
    (["check", "good.json"], 0),
    (["check", "keyless.json"], 0),
    (["check", "--rules", "rules.yaml", "bad.json"], 1),
    (["check", "bad.json"], 1),
    (["check", "broken-policy.json"], 1),
    (["check", "--rules", "rules.yaml", "unknown.json"], 3),
    (["check", "--rules", "absent.yaml", "good.json"], 2),
    (["check", "absent.json"], 2),
    (["check"], 2),
    (["frobnicate"], 2),
    (["map", "good.json"], 0),
    (["can", "alice", "kms:Decrypt", "alias/data", "good.json"], 0),
    (["can", "alice", "KMS:DECRYPT", "alias/data", "good.json"], 0),
    (["can", "alice", "kms:Encrypt", "alias/data", "good.json"], 1),
    (["can", "everyone", "kms:Decrypt", "alias/data", "bad.json"], 0),
    (["can", "arn:aws:iam::111122223333:user/x", "kms:Encrypt", "alias/data", "unknown.json"], 3),
    (["can", "bob", "kms:Decrypt", "alias/data", "good.json"], 2),
    (["can", "alice", "kms:Decript", "alias/data", "good.json"], 2),
    (["can", "alice", "kms:Decrypt", "alias/other", "good.json"], 2),
    (["authorize", "absent.jsonl"], 2),
    (["--version"], 0),
    (["--help"], 0),
]


@pytest.mark.parametrize(("arguments", "code"), CODES)
def test_exit_codes(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *arguments)[0] == code


BAD_INPUT = {
    "no JSON": ("x.json", "{", "x.json"),
    "a list": ("x.json", "[]", "x.json"),
    "no template": ("x.json", '{"a": 1}', "x.json"),
    "duplicate key": ("x.json", '{"Resources": {}, "Resources": {}}', "x.json"),
    "no YAML": ("x.yaml", "Resources: [", "x.yaml"),
    "binary": ("x.json", "\x00\x01", "x.json"),
    "empty file": ("x.json", "", "x.json"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_definitions_name_the_file_and_what_was_found(
    name: str, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    file, content, shown = BAD_INPUT[name]
    write(file, content)
    code, out, err = run(capsys, "check", file)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {shown}")
    assert err == snapshot


def test_an_empty_folder_is_no_pass(
    capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    Path("empty").mkdir()
    code, out, err = run(capsys, "check", "empty")
    assert (code, out) == (2, "")
    assert err == snapshot


def test_usage_and_lookup_messages(
    capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    texts = [
        run(capsys, *arguments)[2]
        for arguments, code in CODES
        if code == 2 and arguments[0] in ("can", "check", "authorize") and len(arguments) > 1
    ]
    assert "\n".join(texts) == snapshot


def test_what_a_check_prints(
    capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    assert run(capsys, "check", "--rules", "rules.yaml", "unknown.json")[1] == snapshot


def test_our_own_failure_is_said_to_be_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("kms_access.rules.assess", fail)
    code, out, err = run(capsys, "check", "good.json")
    assert (code, out) == (4, "")
    assert "kms-access itself failed (RuntimeError: out of luck); this is our mistake" in err
    assert cli.main(["--debug", "check", "good.json"]) == 4
    assert "Traceback" in capsys.readouterr().err


def request(**changes: Any) -> str:
    fields = {
        "principal": user_arn("alice"),
        "action": "kms:Decrypt",
        "resource": KEY,
        "account": ACCOUNT,
        "resourcePolicy": document(allow(user_arn("alice"), "kms:Decrypt")),
    }
    return json.dumps({k: v for k, v in (fields | changes).items() if v is not None})


def test_authorize_answers_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    write("r.jsonl", "\n".join([request(), request(action="kms:Encrypt"), "", request()]) + "\n")
    code, out, err = run(capsys, "authorize", "r.jsonl")
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["decision"] for answer in answers] == ["allowed", "implicitly-denied", "allowed"]
    assert answers[0]["responsible"] == [
        {"policy": "resourcePolicy", "statement": 0, "effect": "Allow"}
    ]
    assert (code, err) == (0, "")


def test_authorize_reads_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.BytesIO(request(resourcePolicy="{").encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data, encoding="utf-8"))
    code, out, _ = run(capsys, "authorize", "-")
    assert json.loads(out)["decision"] == "depends"
    assert code == 3


BAD_REQUESTS = {
    "no JSON": ("{", "r.jsonl:2:2: expecting property name"),
    "no object": ("[]", "r.jsonl:2:1: a request is a JSON object"),
    "missing field": (request(account=None), 'r.jsonl:2:1: "account": missing'),
    "unknown field": (request(acount=ACCOUNT), 'r.jsonl:2:1: "acount": unknown field'),
    "wrong type": (request(action=5), 'r.jsonl:2:1: "action": a non-empty string'),
    "principal": (request(principal="alice"), 'r.jsonl:2:1: "principal": "alice" is no principal'),
    "account": (request(account="123"), 'r.jsonl:2:1: "account": "123" is no account id'),
    "action": (request(action="kms:*"), 'r.jsonl:2:1: "action": "kms:*" is no action'),
    "context": (request(context=[]), 'r.jsonl:2:1: "context": an object'),
    "context value": (
        request(context={"a": {}}),
        'r.jsonl:2:1: "context.a": a value is a string, a number, a boolean or a list',
    ),
    "policies": (request(identityPolicies={}), 'r.jsonl:2:1: "identityPolicies": a list'),
    "level": (
        request(serviceControlPolicies=[{}]),
        'r.jsonl:2:1: "serviceControlPolicies[0]": a list of policies',
    ),
    "grant": (request(grants=["x"]), 'r.jsonl:2:1: "grants[0]": a grant is an object'),
    "duplicate context key": (
        request(context={}).replace('"context": {}', '"context": {"a": "1", "a": "2"}'),
        'r.jsonl:2:1: "context.a": stands here more than once',
    ),
    "duplicate": ('{"account": "1", "account": "2"}', 'r.jsonl:2:1: "account": stands here more'),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_named_and_the_others_are_answered(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line, message = BAD_REQUESTS[name]
    write("r.jsonl", f"{request()}\n{line}\n{request()}\n")
    code, out, err = run(capsys, "authorize", "r.jsonl")
    answers = [json.loads(line) for line in out.splitlines()]
    assert err.startswith(f"error: {message}")
    assert code == 2
    assert ["error" in answer for answer in answers] == [False, True, False]


def test_the_only_account_of_the_rules_is_that_of_a_template(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A literal account principal is the template's own account, or another one."""
    write("literal.json", template(allow(user_arn("alice"), "kms:Encrypt")))
    write("one.yaml", RULES + f'accounts: {{main: "{ACCOUNT}"}}\n')
    write("other.yaml", RULES + 'accounts: {main: "999999999999"}\n')
    assert run(capsys, "check", "--rules", "one.yaml", "literal.json")[0] == 0
    assert run(capsys, "check", "--rules", "rules.yaml", "literal.json")[0] == 3
    code, out, _ = run(capsys, "check", "--rules", "other.yaml", "literal.json")
    assert (code, "user alice can encrypt with key alias/data" in out) == (1, True)
