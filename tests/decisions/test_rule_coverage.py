"""Every rule that concerns evaluation is named by a test."""

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
    "K82": "test_calls_of_several_permissions.py",
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
}

_AWS_MANAGED = "no definition makes an AWS managed key, and no source reads one"
NOT_ABOUT_EVALUATION = {
    "K153": "an AWS_RAM policy is in no definition, so that the lock-out check never meets one",
    "K170": _AWS_MANAGED,
    "K172": _AWS_MANAGED,
    "K173": "AWS owned keys are in no account",
    "K177": "an AWS_RAM policy is in no definition; a snapshot of an account would have it",
}
"""Rules that no test names, each with the reason. K182 and what follows are not rules of AWS:
the data and the reported cases have tests of their own."""

RULE_NAME = re.compile(r"(?:(?<![A-Za-z0-9])K|(?<=_)k)([0-9]{1,3})(?![A-Za-z0-9])")
"""`K12`, and `k12` in the name of a test."""
LAST_RULE = 181


def named_rules() -> dict[str, set[str]]:
    """The rules that tests and their cases name, with the files that do."""
    folder = HERE.parent
    named: dict[str, set[str]] = defaultdict(set)
    for pattern in ("*.py", "*.yaml"):
        for file in folder.rglob(pattern):
            if file != Path(__file__):
                for number in RULE_NAME.findall(file.read_text(encoding="utf-8")):
                    named[f"K{number}"].add(file.relative_to(folder).as_posix())
    return named


NAMED = named_rules()


def decisions() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for parameters in cases():
        case = parameters.values[0]
        rules = [case["rule"]] if isinstance(case["rule"], str) else case["rule"]
        for rule in rules:
            found[rule].add(case["decision"])
    return found


DECISIONS = decisions()


@pytest.mark.parametrize("rule", [f"K{number}" for number in range(1, LAST_RULE + 1)])
def test_rule_is_named_by_a_test_or_does_not_concern_evaluation(rule: str) -> None:
    if rule in NOT_ABOUT_EVALUATION:
        assert rule not in NAMED, f"{rule} is tested in {NAMED[rule]}: its reason is stale"
    else:
        assert rule in NAMED


def test_the_tables_hold_known_rules() -> None:
    rules = {f"K{number}" for number in range(1, LAST_RULE + 1)}
    assert {*RULES, *IN_OTHER_TESTS, *NOT_SHOWN, *NOT_ABOUT_EVALUATION} <= rules
    assert set(NOT_SHOWN) <= set(RULES)


@pytest.mark.parametrize("rule", NOT_SHOWN)
def test_the_reason_of_a_rule_that_no_case_shows_is_not_stale(rule: str) -> None:
    found = DECISIONS.get(rule, set())
    assert not (found & ALLOWED and found & DENIED)


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
