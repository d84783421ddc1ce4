"""Every rule of the sections that this evaluator implements is proven by name."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.decisions.test_authorize_cases import cases

HERE = Path(__file__).parent
ALLOWED, DENIED = {"allowed"}, {"implicitly-denied", "explicitly-denied"}
RULES = [f"K{number}" for number in (*range(13, 112), *range(124, 134))]
IN_OTHER_TESTS = {
    "K63": "test_inventory_rules.py",
    "K65": "test_inventory_rules.py",
    "K66": "test_inventory_rules.py",
    "K94": "test_inventory_rules.py",
    "K104": "test_inventory_rules.py",
    "K105": "test_inventory_rules.py",
    "K106": "test_inventory_rules.py",
    "K107": "test_inventory_rules.py",
    "K111": "../inventory/test_actions.py",
}
"""Rules about what exists: no single request shows them."""
NOT_SHOWN = {
    "K42": "an unknown value is equal or open, never surely another one: nothing is denied by it",
    "K82": "a call that needs several permissions is several requests; each is decided alone",
}


def decisions() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for parameters in cases():
        case = parameters.values[0]
        rules = [case["rule"]] if isinstance(case["rule"], str) else case["rule"]
        for rule in rules:
            found[rule].add(case["decision"])
    return found


DECISIONS = decisions()


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in NOT_SHOWN])
def test_rule_has_an_allowed_and_a_denied_case(rule: str) -> None:
    if rule in IN_OTHER_TESTS:
        text = (HERE / IN_OTHER_TESTS[rule]).read_text(encoding="utf-8")
        assert re.search(rf"\b{rule}\b|_{rule.lower()}_", text)
    else:
        assert DECISIONS[rule] & ALLOWED, DECISIONS[rule]
        assert DECISIONS[rule] & DENIED, DECISIONS[rule]


@pytest.mark.parametrize("rule", ["K23", "K77", "K90", "K91", "K129", "K140"])
def test_what_aws_does_not_document_has_a_case_for_the_safe_choice(rule: str) -> None:
    if rule == "K140":
        text = (HERE / "test_access_map.py").read_text(encoding="utf-8")
        assert "tags of the key in a key policy (K140)" in text
    else:
        assert "depends" in DECISIONS[rule]
