"""The whole pack as a process, with real Pulumi programs: what blocks, and when."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from tests.small_engine import Engine, Outcome

from .programs import RULES

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policypack"
KEY = "urn:pulumi:dev::shop::aws:kms/key:Key::payments"

START = """
    import json
    import pulumi
    import pulumi_aws as aws

    ACCOUNT = "111122223333"
    TRUST = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "lambda.amazonaws.com"}},
    ]}

    def document(*principals):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
            {"Sid": "Users", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Principal": {"AWS": list(principals)}},
        ]})

    def arn_of(name):
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"
"""
CLEAN = """
    role = aws.iam.Role("payments-api", name="payments-api", assume_role_policy=TRUST)
    key = aws.kms.Key("payments", policy=document(arn_of("payments-api")))
    aws.kms.Alias("payments", name="alias/payments", target_key_id=key.key_id)
"""
# The random name of this preview is in the document, and stands for the name to come.
AUTONAMED = """
    role = aws.iam.Role("payments-api", assume_role_policy=TRUST)
    key = aws.kms.Key("payments", policy=role.name.apply(lambda name: document(arn_of(name))))
"""
BROKEN = """
    role = aws.iam.Role("billing", name="billing", assume_role_policy=TRUST)
    key = aws.kms.Key(
        "payments", policy=document(arn_of("billing")),
        opts=pulumi.ResourceOptions(depends_on=[role]))
    aws.kms.Alias("payments", name="alias/payments", target_key_id=key.key_id)
"""
# Only the update knows the ARN of the role.
BY_ARN = """
    role = aws.iam.Role("{role}", name="{role}", assume_role_policy=TRUST)
    key = aws.kms.Key("payments", policy=role.arn.apply(document))
    aws.kms.Grant("grant", key_id=key.key_id, grantee_principal=role.arn, operations=["Decrypt"])
"""
CRASHING = """
    import sys
    sys.path.append({root!r})
    from policypack import _evaluation, policies

    def assess(inventory, rules):
        raise KeyError("injected")

    _evaluation.assess = assess
    from pulumi_policy import PolicyPack
    PolicyPack("kms-access", policies.policies())
"""


def write_program(project: Path, source: str) -> Path:
    (project / "__main__.py").write_text(dedent(START) + dedent(source))
    return project


def engine(
    project: Path,
    source: str,
    rules: str = RULES,
    pack: Path = PACK,
    config: Mapping[str, object] | None = None,
) -> Engine:
    (project / "access-rules.yaml").write_text(rules)
    return Engine(
        program=write_program(project, source),
        policy_pack=pack,
        policy_config=config or {},
        # The user calls the command in the folder of the project.
        environment={"PWD": str(project)},
    )


def told(outcome: Outcome) -> str:
    return "\n".join(diagnostic.message for diagnostic in outcome.diagnostics)


def levels(outcome: Outcome) -> set[tuple[str, str, str]]:
    return {(item.policy, item.level, item.phase) for item in outcome.diagnostics}


@pytest.mark.parametrize("source", [CLEAN, AUTONAMED])
def test_a_clean_preview_of_a_new_stack_passes(project: Path, source: str) -> None:
    run = engine(project, source)
    outcome = run.preview()
    assert (outcome.exit_code, outcome.error, outcome.diagnostics) == (0, "", ())
    assert any("0 findings, 0 undecided" in message for message in run.messages)


def test_a_broken_preview_of_a_new_stack_is_blocked(project: Path) -> None:
    outcome = engine(project, BROKEN).up()
    assert (outcome.exit_code, outcome.error, outcome.created) == (1, "", ())
    assert levels(outcome) == {("kms-access-stack", "mandatory", "stack")}
    assert {item.urn for item in outcome.diagnostics} == {KEY}
    assert "role billing can decrypt with key alias/payments" in told(outcome)
    assert 'key policy, statement "Users", allows kms:Decrypt to role/billing' in told(outcome)
    assert "access-rules.yaml:7 'payments data' lets only payments do this" in told(outcome)


def test_an_unknown_document_blocks_a_preview_as_undecided(project: Path) -> None:
    outcome = engine(project, BY_ARN.format(role="payments-api")).preview()
    assert outcome.exit_code == 1
    assert levels(outcome) == {("kms-access-stack", "mandatory", "stack")}
    assert "error  undecided" in told(outcome)
    assert 'the policy of key "payments" depends on role "payments-api"' in told(outcome)
    assert 'from "arn:aws:iam::111122223333:role/payments-api"' in told(outcome)


def test_what_the_rules_only_warn_about_is_advice(project: Path) -> None:
    rules = RULES + "checks: {undecided: warning}\n"
    outcome = engine(project, BY_ARN.format(role="payments-api"), rules).preview()
    assert outcome.exit_code == 0
    assert levels(outcome) == {("kms-access-warnings", "advisory", "stack")}


@pytest.mark.parametrize("source", [BROKEN, BY_ARN.format(role="billing")])
def test_an_update_without_preview_stops_before_the_key_exists(project: Path, source: str) -> None:
    outcome = engine(project, source).up(skip_preview=True)
    assert outcome.exit_code == 1
    assert levels(outcome) == {("kms-access", "mandatory", "resource")}
    assert {item.urn for item in outcome.diagnostics} == {KEY}
    assert f"resource {KEY} is invalid" in outcome.error
    assert KEY not in outcome.created
    assert any(urn.endswith("::billing") for urn in outcome.created)
    assert "role billing can decrypt with key payments" in told(outcome)


def test_a_clean_update_and_the_preview_after_it_know_everything(project: Path) -> None:
    run = engine(project, BY_ARN.format(role="payments-api"))
    update = run.up(skip_preview=True)
    assert (update.exit_code, update.error, update.diagnostics) == (0, "", ())
    assert KEY in update.created
    run.state = update.state
    run.shuffle_seed = 7
    second = run.preview()
    assert (second.exit_code, second.error, second.diagnostics) == (0, "", ())


def test_a_crash_blocks_and_says_that_it_is_ours(project: Path, tmp_path: Path) -> None:
    pack = tmp_path / "crashing"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("version: 0.1.0\nruntime: python\n")
    (pack / "__main__.py").write_text(dedent(CRASHING.format(root=str(ROOT))))
    run = engine(project, CLEAN, pack=pack)
    for outcome in (run.preview(), run.up(skip_preview=True)):
        assert outcome.exit_code == 1
        assert {item.level for item in outcome.diagnostics} == {"mandatory"}
        assert "kms-access itself failed, so nothing was decided" in told(outcome)
        assert "KeyError: 'injected'" in told(outcome)
        assert "policypack/_evaluation.py:" in told(outcome)
        assert KEY not in outcome.created


def test_a_missing_configured_rules_file_blocks(project: Path) -> None:
    outcome = engine(project, CLEAN, config={"kms-access": {"rules": "no.yaml"}}).preview()
    assert outcome.exit_code == 1
    assert levels(outcome) == {("kms-access-stack", "mandatory", "stack")}
    assert f'does not exist; looked for "{project / "no.yaml"}"' in told(outcome)
