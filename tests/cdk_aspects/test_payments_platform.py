"""The payments platform as a CDK app gives the access of the Pulumi program, cell by cell."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.resolution import AccessState
from kms_access.rules import Level, assess, load_rules
from kms_access.sources import load
from tests.cdk_aspects.synthesis import OFFLINE, Run, run_command
from tests.examples.test_payments_platform import (
    CLAIM,
    KEYS,
    RULES,
    SCENARIO,
    Table,
    accesses,
    expected,
)

Synthesize = Callable[[str, Path], Run]


@pytest.fixture
def synthesize(cdk_command: str) -> Synthesize:
    """`cdk synth` on the example, in a folder of its own beside the rules file."""

    def synthesize(broken: str, directory: Path) -> Run:
        shutil.copytree(SCENARIO / "cdk", directory / "cdk")
        shutil.copy(RULES, directory)
        command = [cdk_command, "synth", "--quiet", *OFFLINE, "--app", "python app.py"]
        return run_command([*command, "-c", f"broken={broken}"], directory / "cdk")

    return synthesize


def expected_without_grants(table: Table) -> Table:
    """The table for CloudFormation, which has no grants: nobody has one to retire (K101)."""
    return {
        cell: AccessState.IMPLICITLY_DENIED if cell[2] == "kms:RetireGrant" else state
        for cell, state in expected(table).items()
    }


def test_every_cell_of_the_table(synthesize: Synthesize, tmp_path: Path) -> None:
    run = synthesize("false", tmp_path)
    assert run.exit_code == 0, run.printed
    inventory = load([tmp_path / "cdk" / "cdk.out"])
    table = accesses(access_map(inventory))
    assert {key for _, key, _ in table} == set(KEYS)
    wanted = expected_without_grants(table)
    assert {cell: state for cell, state in table.items() if state is not wanted[cell]} == {}

    assessment = assess(inventory, load_rules(RULES))
    assert assessment.exit_code == 0
    assert assessment.keys_without_rule == ()
    assert [(f.check, f.level) for f in assessment.findings] == [("lockout", Level.WARNING)] * 4
    assert run.printed.count("warning  lockout") == 4


def test_one_grant_too_many_is_blocked(synthesize: Synthesize, tmp_path: Path) -> None:
    run = synthesize("true", tmp_path)
    assert run.exit_code == 1, run.printed
    assert run.printed.count(f"error  team-access  {CLAIM} alias/ledger") == 1
    assert "../access-rules.yaml:24 'ledger' lets only backup and payments" in run.printed

    table = accesses(access_map(load([tmp_path / "cdk" / "cdk.out"])))
    wanted = expected_without_grants(table)
    cell = ("role data-reporting", "ledger", "kms:Decrypt")
    assert {c for c in table if table[c] is not wanted[c]} == {cell}
    assert table[cell] is AccessState.ALLOWED


def test_two_stacks_in_a_stage_with_references_between_them(
    synthesize: Synthesize, tmp_path: Path
) -> None:
    """What the example is there to show: no role's policy holds a key's ARN."""
    synthesize("false", tmp_path)
    (stage,) = (tmp_path / "cdk" / "cdk.out").glob("assembly-*")
    templates = {path.name[:14]: path.read_text() for path in stage.glob("*.template.json")}
    assert set(templates) == {"ProductionKeys", "ProductionRole"}
    assert "Fn::ImportValue" in templates["ProductionRole"]
    assert "arn:aws:kms" not in templates["ProductionRole"]
