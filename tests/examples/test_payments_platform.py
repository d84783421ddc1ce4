"""The payments platform: its access map, cell by cell, and what the pack says about it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.rules import Level, assess, load_rules
from kms_access.sources import load
from tests.small_engine import Engine, Outcome

ROOT = Path(__file__).parent.parent.parent
SCENARIO = ROOT / "examples" / "payments_platform"
RULES = SCENARIO / "access-rules.yaml"
EXPECTED = json.loads((SCENARIO / "expected.json").read_text(encoding="utf-8"))
KEYS = ("backups", "cards", "ledger", "logs", "signing")
STATES = {
    "allowed": AccessState.ALLOWED,
    "conditional": AccessState.CONDITIONAL,
    "delegated": AccessState.DELEGATED,
}
CLAIM = "role data-reporting can decrypt with key"
GUILTY = "aws:iam/rolePolicy:RolePolicy::data-reporting"
Table = dict[tuple[str, str, str], AccessState]


@pytest.fixture(autouse=True)
def no_other_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KMS_ACCESS_RULES", raising=False)


def engine(stack: str, config: dict[str, object] | None = None) -> Engine:
    return Engine(
        program=SCENARIO,
        policy_pack=ROOT / "policypack",
        policy_config=config or {},
        stack=stack,
        environment={"PWD": str(SCENARIO)},
    )


def deployed(stack: str, folder: Path) -> Inventory:
    """The stack after an update by the small engine, as `pulumi stack export` writes it."""
    outcome = Engine(program=SCENARIO, stack=stack).up(skip_preview=True)
    assert outcome.error == ""
    path = folder / "state.json"
    path.write_text(json.dumps(outcome.state), encoding="utf-8")
    return load([path])


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    return deployed("clean", tmp_path_factory.mktemp("clean"))


def accesses(facts: AccessMap) -> Table:
    return {
        (access.subject.label, access.key.label.removeprefix("alias/"), access.action): access.state
        for access in facts
    }


def expected(everything: Table) -> Table:
    """The table with what expected.json says, and nothing else, allowed."""

    def actions(key: str, words: Iterable[str]) -> set[str]:
        if words == "all":
            return {action for _, k, action in everything if k == key}
        return {action for word in words for action in EXPECTED["sets"].get(word, [word])}

    table = dict.fromkeys(everything, AccessState.IMPLICITLY_DENIED)
    for who, cells in EXPECTED["access"].items():
        for key, states in cells.items():
            for state, words in states.items():
                for action in actions(key, words):
                    assert (who, key, action) in table
                    table[who, key, action] = STATES[state]
    return table


def test_every_cell_of_the_table(clean: Inventory) -> None:
    table = accesses(access_map(clean))
    assert {key for _, key, _ in table} == set(KEYS)
    wanted = expected(table)
    assert {cell: state for cell, state in table.items() if state is not wanted[cell]} == {}


def test_the_clean_stack_breaks_no_rule(clean: Inventory) -> None:
    assessment = assess(clean, load_rules(RULES))
    assert assessment.exit_code == 0
    assert assessment.keys_without_rule == ()
    # Four keys are kept by roles alone (K154): a remark.
    assert [(f.check, f.level) for f in assessment.findings] == [("lockout", Level.WARNING)] * 4


def test_the_broken_stack_differs_in_one_access(clean: Inventory, tmp_path: Path) -> None:
    before = accesses(access_map(clean))
    broken = deployed("broken", tmp_path)
    after = accesses(access_map(broken))
    cell = ("role data-reporting", "ledger", "kms:Decrypt")
    assert {c for c in after if after[c] is not before[c]} == {cell}
    assert after[cell] is AccessState.ALLOWED
    assessment = assess(broken, load_rules(RULES))
    (finding,) = (one for one in assessment.findings if one.level is Level.ERROR)
    assert finding.claim == f"{CLAIM} alias/ledger"
    assert [hop.text.split(",")[0] for hop in finding.proof.hops] == [
        "key policy",
        "inline policy data-reporting",
    ]


def told(outcome: Outcome, level: str) -> str:
    return "\n".join(item.message for item in outcome.diagnostics if item.level == level)


def test_the_clean_stack_passes_preview_and_update() -> None:
    outcome = engine("clean").up()
    assert (outcome.exit_code, outcome.error) == (0, "")
    assert told(outcome, "mandatory") == ""
    assert told(outcome, "advisory").count("warning  lockout") == 4
    assert len(outcome.created) == 21


def test_the_broken_stack_is_blocked_at_preview() -> None:
    outcome = engine("broken").up()
    assert (outcome.exit_code, outcome.created) == (1, ())
    assert f"{CLAIM} alias/ledger" in told(outcome, "mandatory")
    assert "access-rules.yaml:24 'ledger' lets only backup and payments" in (
        told(outcome, "mandatory")
    )


def test_without_a_preview_the_policy_is_stopped_before_it_exists() -> None:
    outcome = engine("broken").up(skip_preview=True)
    assert outcome.exit_code == 1
    assert f"{CLAIM} ledger" in told(outcome, "mandatory")
    (stopped,) = {item.urn for item in outcome.diagnostics if item.level == "mandatory"}
    assert stopped.endswith(GUILTY)
    assert not any(urn.endswith(GUILTY) for urn in outcome.created)
    assert any(urn.endswith("aws:kms/key:Key::ledger") for urn in outcome.created)


def test_levels_for_one_run_as_the_readme_shows() -> None:
    readme = (SCENARIO / "README.md").read_text(encoding="utf-8")
    config = json.loads(readme.split("$ echo '")[1].split("'")[0])
    run = engine("clean", config)
    outcome = run.preview()
    assert (outcome.exit_code, outcome.diagnostics) == (0, ())
    assert any("4 findings are off" in message for message in run.messages)
    assert any("lockout by the policy configuration" in message for message in run.messages)
