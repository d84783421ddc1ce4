"""The exit codes of section 7 of the design, for each command where they can occur."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kms_access import cli
from tests.builders import ACCOUNT, DELEGATION, allow, document, iam, user_arn

OWN_ROOT = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
DELEGATED = DELEGATION | {"Principal": {"AWS": OWN_ROOT}}
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RULES = """\
version: 1
teams: {app: {principals: [user/alice]}}
keys:
  - {name: data, match: {alias: alias/data}, allow: {app: [use, view]}}
"""
PROVEN, VIOLATED, USAGE, UNDECIDED, INTERNAL = range(5)


def _template(*statements: Any, action: str = "kms:Decrypt") -> str:
    grants = document(iam(action, {"Fn::GetAtt": ["Key", "Arn"]}))
    resources = {
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
                "Policies": [{"PolicyName": "Use", "PolicyDocument": grants}],
            },
        },
    }
    return json.dumps({"Resources": resources})


def _request(**changes: Any) -> str:
    request = {
        "principal": user_arn("alice"),
        "action": "kms:Decrypt",
        "resource": KEY_ARN,
        "account": ACCOUNT,
        "resourcePolicy": document(allow(user_arn("alice"), "kms:Decrypt")),
    }
    return json.dumps(request | changes)


_PUBLIC = allow("*", "kms:Decrypt")
_THROUGH_S3 = allow(
    user_arn("bob"),
    "kms:Decrypt",
    Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
)
_UNKNOWN = allow({"AWS": {"Ref": "Reader"}}, "kms:Decrypt")

FILES = {
    "rules.yaml": RULES,
    "bad.yaml": RULES + "  - {name: data, mach: {}}\n",
    "good.json": _template(),
    "public.json": _template(_PUBLIC),
    "unknown.json": _template(_UNKNOWN),
    "both.json": _template(_PUBLIC, _UNKNOWN),
    "wider.json": _template(action="kms:*"),
    "conditional.json": _template(allow({"AWS": "arn:aws:iam::444455556666:role/far"}, "kms:Sign")),
    "broken.json": "{",
    "keyless.json": json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    "allowed.jsonl": _request() + "\n",
    "open.jsonl": _request() + "\n" + _request(resourcePolicy="{") + "\n",
    "wrong.jsonl": _request(resourcePolicy="{") + "\n{\n",
}

_ALICE = ("alice", "kms:Decrypt", "alias/data")

CODES: dict[str, int] = {
    "check --rules rules.yaml good.json": PROVEN,
    "check keyless.json": PROVEN,
    "check --rules rules.yaml public.json": VIOLATED,
    "check --rules bad.yaml good.json": USAGE,
    "check --rules rules.yaml broken.json": USAGE,
    "check --format prose good.json": USAGE,
    "check --rules rules.yaml unknown.json": UNDECIDED,
    "map good.json": PROVEN,
    "map public.json": PROVEN,
    "map unknown.json": PROVEN,
    "map broken.json": USAGE,
    "map --rules bad.yaml good.json": USAGE,
    "diff good.json good.json": PROVEN,
    "diff wider.json good.json": PROVEN,
    "diff good.json wider.json": VIOLATED,
    "diff good.json broken.json": USAGE,
    "diff good.json unknown.json": UNDECIDED,
    "init --output - good.json": PROVEN,
    "init --output - public.json": PROVEN,
    "init --output rules.yaml good.json": USAGE,
    "init --output - unknown.json": PROVEN,
    "can alice kms:Decrypt alias/data good.json": PROVEN,
    "can alice kms:Encrypt alias/data good.json": VIOLATED,
    "can bob kms:Decrypt alias/data good.json": USAGE,
    "can alice kms:Decript alias/data good.json": USAGE,
    "can --rules bad.yaml alice kms:Decrypt alias/data good.json": USAGE,
    f"can {user_arn('x')} kms:Decrypt alias/data unknown.json": UNDECIDED,
    "who-can decrypt alias/data good.json": PROVEN,
    "who-can kms:DeriveSharedSecret alias/data good.json": VIOLATED,
    "who-can decript alias/data good.json": USAGE,
    "who-can decrypt alias/other good.json": USAGE,
    "who-can decrypt alias/data conditional.json": UNDECIDED,
    "explain alice kms:Decrypt alias/data good.json": PROVEN,
    "explain alice kms:Encrypt alias/data good.json": VIOLATED,
    "explain bob kms:Decrypt alias/data good.json": USAGE,
    "explain alice decrypt alias/data good.json": USAGE,
    f"explain {user_arn('x')} kms:Decrypt alias/data unknown.json": UNDECIDED,
    "authorize allowed.jsonl": PROVEN,
    "authorize absent.jsonl": USAGE,
    "authorize open.jsonl": UNDECIDED,
    "check-rules rules.yaml": PROVEN,
    "check-rules bad.yaml": USAGE,
    "check-rules absent.yaml": USAGE,
    "schema": PROVEN,
    "schema report": PROVEN,
    "schema good.json": USAGE,
    "completion bash": PROVEN,
    "completion tcsh": USAGE,
    "pulumi-pack": PROVEN,
    "pulumi-pack here": USAGE,
    "snapshot": USAGE,
    "snapshot --output rules.yaml": USAGE,
    "snapshot --output account --region nowhere": USAGE,
    "--version": PROVEN,
    "--help": PROVEN,
    "": USAGE,
    "frobnicate": USAGE,
}

SEVERAL: dict[str, int] = {
    "check --rules rules.yaml both.json": VIOLATED,
    "check --rules bad.yaml public.json": USAGE,
    "check good.json broken.json": USAGE,
    "diff good.json both.json": VIOLATED,
    "authorize wrong.jsonl": USAGE,
    "who-can decrypt alias/data unknown.json": UNDECIDED,
}
"""Where several apply: the first of 4, 2, 1, 3, 0."""

FAILING: dict[str, str] = {
    "check good.json": "kms_access.rules.assess",
    "map good.json": "kms_access.decisions.access_map.access_map",
    "diff good.json good.json": "kms_access.decisions.access_difference.difference",
    "init --output - good.json": "kms_access.rules.suggested_rules.suggested_rules",
    "can alice kms:Decrypt alias/data good.json": "kms_access.decisions.access_map.access_map",
    "who-can decrypt alias/data good.json": "kms_access.decisions.holders.holders_of",
    "explain alice kms:Decrypt alias/data good.json": "kms_access.decisions.explanation.explain",
    "authorize allowed.jsonl": "kms_access.decisions.request_json.answer",
    "check-rules rules.yaml": "kms_access.rules.load_rules",
    "schema": "kms_access.cli.schema.resources.files",
    "completion bash": "kms_access.cli.completion_scripts.described",
    "pulumi-pack": "importlib.util.find_spec",
    "snapshot --output account": "kms_access.cli.snapshot.find_spec",
    "check --rules bad.yaml public.json": "kms_access.rules.load_rules",
}
"""What fails in each command: our own mistakes win over everything else."""


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        Path(name).write_text(content, encoding="utf-8")


def code_of(line: str) -> int:
    try:
        return cli.main(line.split())
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.mark.parametrize("line", CODES)
def test_each_code(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(line) == CODES[line]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("line", SEVERAL)
def test_when_several_apply(line: str) -> None:
    assert code_of(line) == SEVERAL[line]


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("out of luck")


@pytest.mark.parametrize("line", FAILING)
def test_our_own_failure_is_4_and_shows_its_trace_only_when_asked(
    line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FAILING[line], fail)
    assert code_of(line) == INTERNAL
    out, err = capsys.readouterr()
    assert out == ""
    assert "kms-access itself failed (RuntimeError: out of luck)" in err
    assert "Traceback" not in err
    assert code_of(f"--debug {line}") == INTERNAL
    assert "Traceback" in capsys.readouterr().err


def test_every_command_is_in_the_tables() -> None:
    (commands,) = (a.choices for a in cli._parser()._actions if a.metavar == "COMMAND")
    assert commands is not None
    for table, code in ((CODES, PROVEN), (CODES, USAGE), (FAILING, None)):
        named = {line.split()[0] for line in table if line and code in (None, CODES.get(line))}
        # A snapshot needs an account: what it answers then is for the tests of the collector.
        missing = set(commands) - named - ({"snapshot"} if code == PROVEN else set())
        assert not missing, (code, missing)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "markdown", "github"])
def test_the_form_of_the_report_does_not_change_the_code(form: str) -> None:
    for line in ("check --rules rules.yaml good.json", *(s for s in SEVERAL if "check --r" in s)):
        expected = {**CODES, **SEVERAL}[line]
        assert code_of(line.replace("check", f"check --format {form}")) == expected


def test_interrupted_work_is_4_without_a_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kms_access.rules.assess", interrupt)
    assert code_of("check good.json") == INTERNAL
    assert capsys.readouterr().err == "error: stopped, and nothing was decided\n"


def test_a_reader_that_goes_away_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return descriptor

    with open("gone", "wb") as file:
        descriptor = file.fileno()
        monkeypatch.setattr(sys, "stdout", Gone())
        assert code_of("map good.json") == INTERNAL
