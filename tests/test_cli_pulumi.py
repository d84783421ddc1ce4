"""The command line over what Pulumi has: a program, an event log, the folder of the pack."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from kms_access.cli import main

ROOT = Path(__file__).parent.parent
LOGS = ROOT / "tests" / "sources" / "pulumi" / "event_logs"
PROGRAM = """
    import json
    import pulumi
    import pulumi_aws as aws

    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
    role = aws.iam.Role("api", name=pulumi.Config().require("role"), assume_role_policy=trust)
    print("noise of the program")
    aws.kms.Key("payments", policy=role.arn.apply(lambda arn: json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Principal": {"AWS": arn}}]})))
"""
RULES = """
version: 1
accounts: {main: "111122223333"}
teams:
  payments: {principals: [role/payments-*]}
keys:
  - name: payments data
    match: {urn: "*aws:kms/key:Key::payments"}
    allow: {payments: [use]}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("program")
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    for stack, role in (("clean", "payments-api"), ("broken", "billing")):
        config = f"config:\n  aws:region: eu-central-1\n  shop:role: {role}\n"
        (folder / f"Pulumi.{stack}.yaml").write_text(config)
    (folder / "__main__.py").write_text(dedent(PROGRAM))
    Path("rules.yaml").write_text(RULES)
    return folder


def check(*arguments: str) -> int:
    return main(["check", "--rules", "rules.yaml", *arguments])


def test_a_program_is_judged_for_the_stack_that_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--pulumi-program", str(project), "--stack", "clean") == 0
    clean = capsys.readouterr()
    assert clean.err == ""
    assert "noise" not in clean.out
    assert check("--pulumi-program", str(project), "--stack", "broken") == 1
    out = capsys.readouterr().out
    assert "error  team-access  role billing can decrypt with key payments" in out
    assert "payments (stack broken)" in out


def test_the_stack_must_be_named_where_there_are_several(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--pulumi-program", str(project)) == 2
    assert capsys.readouterr().err == (
        'error: program/Pulumi.yaml: the project has several stacks: "broken", "clean"\n'
        "help: choose one with --stack\n"
    )


def test_an_error_of_the_program_is_told_with_its_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "__main__.py").write_text("import helper\n")
    (project / "helper.py").write_text("\n\nsize = int('many')\n")
    assert check("--pulumi-program", str(project), "--stack", "clean") == 2
    assert capsys.readouterr().err == (
        "error: program/helper.py:3: the program failed: ValueError: invalid literal for int() "
        "with base 10: 'many'\n"
    )


def test_an_error_of_the_mocks_is_ours(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A program cannot break the mocks by itself, so this one reaches into them.
    (project / "__main__.py").write_text(
        "import pulumi_aws as aws\n"
        "from policypack.mocked_program.attributes import Attributes\n"
        "Attributes.make = None\n"
        "aws.kms.Key('k')\n"
    )
    assert check("--pulumi-program", str(project), "--stack", "clean") == 4
    err = capsys.readouterr().err
    assert "this is our mistake, not yours" in err
    assert "the mocks failed: 'NoneType' object is not callable" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either paths or --pulumi-program"),
        (["cdk.out", "--pulumi-program", "."], "give either paths or --pulumi-program"),
        (["cdk.out", "--stack", "dev"], "--stack belongs to --pulumi-program"),
    ],
)
def test_arguments_that_do_not_go_together(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_an_event_log_is_judged(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(str(LOGS / "update.jsonl")) == 0
    assert check(str(LOGS / "helper.jsonl")) == 3
    assert 'the policy of key "payments" is not known' in capsys.readouterr().out


def test_the_folder_of_the_pack_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pulumi-pack"]) == 0
    assert capsys.readouterr().out == f"{ROOT / 'policypack'}\n"
