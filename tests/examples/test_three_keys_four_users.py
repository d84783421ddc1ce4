"""The seed scenario: both forms give the table of section 16 of the KMS reference, cell by cell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.rules import assess, load_rules
from kms_access.rules.model import Level
from kms_access.sources import load
from tests.small_engine import Engine

ROOT = Path(__file__).parent.parent.parent
SCENARIO = ROOT / "examples" / "three_keys_four_users"
EXPECTED = json.loads((SCENARIO / "expected.json").read_text(encoding="utf-8"))
RULES = SCENARIO / "access-rules.yaml"
CELLS = [(user, key) for user, cells in EXPECTED.items() for key in cells]
RETIRE_GRANT = "kms:RetireGrant"


def synthesized(app: str, folder: Path) -> Inventory:
    """What the app writes; the aspect's verdict on it is the business of other tests."""
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("PYTEST_VERSION", None)
    subprocess.run(
        [sys.executable, app],
        cwd=SCENARIO / "cdk",
        env=environment,
        check=False,
        capture_output=True,
    )
    return load([folder])


def deployed(stack: str, folder: Path) -> Inventory:
    """The stack after an update by the small engine, as `pulumi stack export` writes it."""
    outcome = Engine(program=SCENARIO, stack=stack).up(skip_preview=True)
    assert outcome.error == ""
    path = folder / "state.json"
    path.write_text(json.dumps(outcome.state), encoding="utf-8")
    return load([path])


FORMS = {
    "cdk": {"clean": "app.py", "broken": "broken_app.py"},
    "pulumi": {"clean": "clean", "broken": "broken"},
}


def inventory_of(form: str, variant: str, folder: Path) -> Inventory:
    read = synthesized if form == "cdk" else deployed
    return read(FORMS[form][variant], folder)


@pytest.fixture(scope="module", params=FORMS)
def clean(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    return inventory_of(request.param, "clean", tmp_path_factory.mktemp(request.param))


def actions_in(facts: AccessMap, user: str, key: str, state: AccessState) -> set[str]:
    cell = facts.cell(find_subject(facts, user), find_key(facts, f"alias/{key}"))
    return {access.action for access in cell if access.state is state}


def all_actions(facts: AccessMap, key: str) -> set[str]:
    cell = facts.cell(facts.subjects[0], find_key(facts, f"alias/{key}"))
    return {access.action for access in cell}


def test_every_cell_of_the_table(clean: Inventory) -> None:
    facts = access_map(clean)
    for user, key in CELLS:
        everything = all_actions(facts, key)
        allowed = actions_in(facts, user, key, AccessState.ALLOWED)
        denied = actions_in(facts, user, key, AccessState.EXPLICITLY_DENIED)
        implicit = actions_in(facts, user, key, AccessState.IMPLICITLY_DENIED)
        wanted = EXPECTED[user][key]
        # RetireGrant comes from grants alone, and a key policy does not touch it (K101, K102).
        wanted_allowed = (
            everything - {RETIRE_GRANT} if wanted["allowed"] == "all" else set(wanted["allowed"])
        )
        wanted_denied = everything - {RETIRE_GRANT} if wanted["denied"] == "all" else set()
        assert allowed == wanted_allowed, (user, key)
        assert denied == wanted_denied, (user, key)
        assert implicit == everything - allowed - denied, (user, key)


def test_the_clean_form_breaks_no_rule(clean: Inventory) -> None:
    assessment = assess(clean, load_rules(RULES))
    assert assessment.exit_code == 0
    # What section 16 of the reference says of the scenario: K3 and K154 are remarks.
    assert {(finding.check, finding.level) for finding in assessment.findings} <= {
        ("ineffective-statement", Level.WARNING),
        ("lockout", Level.WARNING),
    }
    assert assessment.keys_without_rule == ()
    assert {key.label for key in assessment.access_map.keys} == {
        "alias/cmk-a",
        "alias/cmk-b",
        "alias/cmk-c",
    }


@pytest.mark.parametrize("form", FORMS)
def test_the_broken_form_lets_david_in(form: str, tmp_path: Path) -> None:
    assessment = assess(inventory_of(form, "broken", tmp_path), load_rules(RULES))
    (finding,) = (one for one in assessment.findings if one.level is Level.ERROR)
    assert finding.claim == "user david can decrypt with key alias/cmk-b"
    assert assessment.exit_code == 1
    assert finding.proof.hops[0].text.startswith('key policy, statement "LetDavidIn", allows')


def test_both_forms_give_one_access_map(tmp_path: Path) -> None:
    tables = []
    for form in FORMS:
        folder = tmp_path / form
        folder.mkdir()
        facts = access_map(inventory_of(form, "clean", folder))
        tables.append(
            {
                (access.subject.label, access.key.label, access.action): access.state
                for access in facts
            }
        )
    assert tables[0] == tables[1]
