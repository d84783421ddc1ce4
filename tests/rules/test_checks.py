"""Each check: definitions that break it, definitions that keep it, and what stays undecided."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kms_access.inventory.model import Inventory
from kms_access.rules import Assessment, assess, load_rules
from tests.builders import allow, key, role_arn, user_arn
from tests.rules.caller_cases import CALLER_CASES
from tests.rules.check_cases import ADMINISTRATION, CASES, ROOT_USER, Case
from tests.rules.check_cases_detours import CHAIN_CASES, ESCALATION_CASES
from tests.rules.check_cases_keys import KEY_CASES
from tests.rules.check_cases_limits import LIMIT_CASES
from tests.rules.check_cases_powers import POWER_CASES
from tests.rules.check_cases_rules import RULES_CASES
from tests.rules.check_cases_statements import DEPUTY_CASES, STATEMENT_CASES

TABLES = (
    *(CASES, CALLER_CASES, POWER_CASES, DEPUTY_CASES, STATEMENT_CASES, KEY_CASES),
    *(ESCALATION_CASES, CHAIN_CASES, LIMIT_CASES, RULES_CASES),
)
TODAY = date(2026, 11, 1)
EVERY = {name: case for table in TABLES for name, case in table.items()}


def result_of(case: Case, folder: Path) -> Assessment:
    path = folder / "rules.yaml"
    path.write_text(case.rules, encoding="utf-8")
    inventory = Inventory(
        tuple(case.keys), tuple(case.identities), tuple(case.grants), tuple(case.not_covered)
    )
    return assess(inventory, load_rules(path), TODAY)


def test_no_case_hides_another() -> None:
    assert len(EVERY) == sum(len(table) for table in TABLES)


@pytest.mark.parametrize("name", EVERY)
def test_findings(name: str, tmp_path: Path) -> None:
    case = EVERY[name]
    assessment = result_of(case, tmp_path)
    found = [f"{finding.check}: {finding.claim}" for finding in assessment.findings]
    assert sorted(found) == sorted(text.partition(" | ")[0] for text in case.findings)
    for text in case.findings:
        claim, _, note = text.partition(" | ")
        notes = [
            "\n".join((*finding.details, finding.rule))
            for said, finding in zip(found, assessment.findings, strict=True)
            if said == claim
        ]
        assert any(note in lines for lines in notes), notes
    assert assessment.exit_code == case.code
    assert assessment.blocks is (case.code != 0)


def test_what_is_off_is_still_counted(tmp_path: Path) -> None:
    assert result_of(CASES["a check that is off"], tmp_path).silenced == 1


def test_fingerprints_name_the_access_fact_and_nothing_else(tmp_path: Path) -> None:
    """An unrelated statement in front moves every index and changes no fingerprint."""
    first = result_of(CASES["team-access named by the key policy alone"], tmp_path)
    moved = Case(
        [
            key(
                "data",
                allow(role_arn("app-x"), "kms:Decrypt"),
                ADMINISTRATION,
                ROOT_USER,
                allow(role_arn("app-reader"), "kms:Decrypt"),
                allow(user_arn("eve"), ["kms:Encrypt", "kms:ReEncryptTo"]),
            )
        ]
    )
    second = result_of(moved, tmp_path)
    assert [f.fingerprint for f in first.findings] == [f.fingerprint for f in second.findings]
    several = result_of(CASES["one finding for each capability"], tmp_path)
    assert len({f.fingerprint for f in several.findings}) == 2
