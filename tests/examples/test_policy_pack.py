"""The policy pack on the example, with the rules file that stands beside its project file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_engine import Engine, Outcome

ROOT = Path(__file__).parent.parent.parent
SCENARIO = ROOT / "examples" / "three_keys_four_users"
CLAIM = "user david can decrypt with key"


@pytest.fixture(autouse=True)
def no_other_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KMS_ACCESS_RULES", raising=False)


def engine(stack: str) -> Engine:
    return Engine(
        program=SCENARIO,
        policy_pack=ROOT / "policypack",
        stack=stack,
        environment={"PWD": str(SCENARIO)},
    )


def told(outcome: Outcome) -> str:
    return "\n".join(diagnostic.message for diagnostic in outcome.diagnostics)


def test_the_clean_stack_passes_preview_and_update() -> None:
    outcome = engine("clean").up()
    assert (outcome.exit_code, outcome.error) == (0, "")
    # Only the deployer keeps two of the keys (K154): a remark, which blocks nothing.
    assert {diagnostic.level for diagnostic in outcome.diagnostics} == {"advisory"}
    assert "only role deployer can change the key policy of alias/cmk-b" in told(outcome)
    assert len(outcome.created) == 13


def test_the_broken_stack_is_blocked_at_preview() -> None:
    outcome = engine("broken").preview()
    assert (outcome.exit_code, outcome.created) == (1, ())
    assert [d.level for d in outcome.diagnostics if d.level != "advisory"] == ["mandatory"]
    assert f"{CLAIM} alias/cmk-b" in told(outcome)
    assert "access-rules.yaml:18 'billing data' lets only billing and reporting" in told(outcome)


def test_without_a_preview_the_key_is_stopped_before_it_exists() -> None:
    outcome = engine("broken").up(skip_preview=True)
    assert outcome.exit_code == 1
    assert f"{CLAIM} cmk-b" in told(outcome)
    assert not any(urn.endswith("aws:kms/key:Key::cmk-b") for urn in outcome.created)
