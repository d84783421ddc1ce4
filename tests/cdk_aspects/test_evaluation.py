"""The evaluator on real assemblies: what blocks, with which code and text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_aspects._evaluation import evaluate
from cdk_aspects._verdict import Verdict
from tests.cdk_aspects import apps


def assembly_of(outdir: Path, *build: Callable[[cdk.Stack], object]) -> Path:
    app = cdk.App(outdir=str(outdir))
    stack = apps.stack(app)
    for part in build:
        part(stack)
    app.synth()
    return outdir


def closed_key(stack: cdk.Stack) -> kms.Key:
    return kms.Key(stack, "ClosedKey")


def undecided_key(stack: cdk.Stack) -> None:
    """Whether the parameter names everyone is known at the deployment only."""
    principal = cdk.CfnParameter(stack, "Reader").value_as_string
    closed_key(stack).add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt"],
            principals=[iam.ArnPrincipal(principal)],
            resources=["*"],
        )
    )


def rules_file(directory: Path, text: str) -> Path:
    path = directory / "access-rules.yaml"
    path.write_text("version: 1\n" + text)
    return path


def test_proven_says_nothing(tmp_path: Path) -> None:
    assert evaluate(assembly_of(tmp_path, closed_key), None) == Verdict()


def test_an_app_without_keys_says_nothing(tmp_path: Path) -> None:
    assembly = assembly_of(tmp_path, lambda stack: iam.User(stack, "User"))
    assert evaluate(assembly, None) == Verdict()


def test_violated(tmp_path: Path) -> None:
    verdict = evaluate(assembly_of(tmp_path, apps.open_key), None)
    assert verdict.exit_code == 1
    assert [violation.check for violation in verdict.violations] == ["public-access"]
    (violation,) = verdict.violations
    assert violation.text.startswith("error  public-access  everyone can decrypt with key OpenKey")
    assert verdict.text.startswith(violation.text)


def test_undecided_blocks(tmp_path: Path) -> None:
    verdict = evaluate(assembly_of(tmp_path, undecided_key), None)
    assert verdict.exit_code == 3
    assert {violation.check for violation in verdict.violations} == {"undecided"}
    assert "Reader" in verdict.text


@pytest.mark.parametrize(("level", "said"), [("warning", True), ("off", False)])
def test_undecided_passes_if_the_rules_say_so(tmp_path: Path, level: str, said: bool) -> None:
    rules = rules_file(tmp_path, f"checks: {{undecided: {level}}}\n")
    verdict = evaluate(assembly_of(tmp_path / "cdk.out", undecided_key), rules)
    assert (verdict.exit_code, verdict.violations) == (0, ())
    assert ("undecided" in verdict.text) is said


def test_only_errors_are_violations(tmp_path: Path) -> None:
    rules = rules_file(tmp_path, "checks: {public-access: error, undecided: warning}\n")
    assembly = assembly_of(tmp_path / "cdk.out", apps.open_key, undecided_key)
    verdict = evaluate(assembly, rules)
    assert verdict.exit_code == 1
    assert {violation.check for violation in verdict.violations} == {"public-access"}
    assert "undecided" in verdict.text


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("teams:\n  payments: {principal: []}\n", "access-rules.yaml:3:14: "),
        ("checks: {no-such-check: error}\n", "access-rules.yaml:2:10: "),
        ("\tteams: {}\n", "access-rules.yaml:2:1: "),
    ],
)
def test_a_rules_file_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, claim: str
) -> None:
    rules_file(tmp_path, text)
    monkeypatch.chdir(tmp_path)
    verdict = evaluate(tmp_path, Path("access-rules.yaml"))
    assert verdict.exit_code == 2
    (violation,) = verdict.violations
    assert violation.text.startswith(f"error  access-rules  {claim}")
    assert violation.text == verdict.text


@pytest.mark.parametrize("name", ["nowhere.yaml", "."], ids=["missing", "a directory"])
def test_a_rules_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    verdict = evaluate(tmp_path, Path(name))
    assert verdict.exit_code == 2
    assert verdict.text.startswith(f"error  access-rules  {name}: ")


@pytest.mark.parametrize("damaged", ["manifest.json", "Ledger.template.json"])
def test_an_assembly_that_cannot_be_read(tmp_path: Path, damaged: str) -> None:
    assembly = assembly_of(tmp_path, closed_key)
    (assembly / damaged).write_text("{")
    verdict = evaluate(assembly, None)
    assert verdict.exit_code == 2
    (violation,) = verdict.violations
    assert violation.check == "assembly"
    assert damaged in violation.text


@pytest.mark.parametrize(
    "situation", [apps.attached, apps.plugin_added_by_hand, apps.by_override, apps.in_nested_stack]
)
def test_the_written_templates_are_judged_in_every_form(
    tmp_path: Path, situation: Callable[[cdk.App], None]
) -> None:
    app = cdk.App(outdir=str(tmp_path))
    situation(app)
    with pytest.raises(RuntimeError, match="everyone can decrypt with key"):
        app.synth()
