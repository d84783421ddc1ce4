"""`--snapshot` of the commands that read definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_access import cli
from tests.builders import REGION, document, iam
from tests.sources.account_snapshot.folder import LEDGER, key_arn, write


def template(folder: Path, **resources: Any) -> str:
    file = folder / "App.template.json"
    file.write_text(json.dumps({"Resources": resources}))
    return str(file)


def role_policy(role: str, *statements: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {
            "RoleName": role,
            "PolicyName": "Planned",
            "PolicyDocument": document(*statements),
        },
    }


RULES = """\
version: 1
teams: {auditors: {principals: [user/dana]}}
keys:
  - {name: ledger, match: {alias: alias/ledger}, allow: {auditors: [use, view]}}
checks: {unmatched-key: off}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out + err


def test_a_role_elsewhere_is_decided_with_the_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = str(write(tmp_path / "snapshot"))
    plan = template(tmp_path, Policy=role_policy("api", iam("kms:Sign", key_arn(LEDGER))))
    question = ("can", "role api", "kms:Encrypt", "alias/ledger", plan)
    assert run(capsys, *question)[0] == 2
    # What the role has already counts, besides what the plan gives it.
    code, text = run(capsys, *question, "--snapshot", snapshot, "--every-key")
    assert code == 0, text
    assert "inline policy Use" in text


def test_a_deployed_key_is_judged_when_the_plan_gives_access_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = str(write(tmp_path / "snapshot"))
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    check = ("check", "--rules", str(rules), "--snapshot", snapshot)
    harmless = template(tmp_path, Policy=role_policy("api", iam("s3:GetObject")))
    code, text = run(capsys, *check, harmless)
    assert "alias/ledger" not in text
    assert code == 0, text
    harmful = template(tmp_path, Policy=role_policy("api", iam("kms:PutKeyPolicy")))
    code, text = run(capsys, *check, harmful)
    assert code == 1
    assert "role api can administer key alias/ledger" in text
    assert "alias/aws/s3" not in text


def test_every_key_is_judged_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = str(write(tmp_path / "snapshot"))
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    harmless = template(tmp_path, Policy=role_policy("api", iam("s3:GetObject")))
    check = ("check", "--rules", str(rules), "--snapshot", snapshot, "--every-key", harmless)
    code, text = run(capsys, *check)
    assert code == 1
    assert "role api can decrypt with key alias/ledger" in text


def test_the_account_is_that_of_the_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = str(write(tmp_path / "snapshot"))
    key = {"Type": "AWS::KMS::Key", "Properties": {}}
    plan = template(tmp_path, Key=key)
    question = ("can", "role api", "kms:Decrypt", "App/Key", plan)
    assert run(capsys, *question)[0] == 2
    code, text = run(capsys, *question, "--snapshot", snapshot)
    assert code == 0, text


def test_a_snapshot_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = str(write(tmp_path / "snapshot"))
    code, text = run(capsys, "map", "--snapshot", snapshot)
    assert code == 0
    assert "alias/ledger" in text
    assert "role api" in text
    assert REGION not in text or "alias/aws/s3" in text


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "map", "--every-key", "x.json")
    assert (code, "--every-key belongs to --snapshot" in text) == (2, True)
    code, text = run(capsys, "map", "--snapshot", str(tmp_path))
    assert (code, "no snapshot of an account" in text) == (2, True)
