"""Conditions in words: each says what a request without the key does to it."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies.conditions import Condition
from kms_access.policies.formula import AllOf, AnyOf, Formula, Not
from kms_access.policies.formula import Test as Asked
from kms_access.policies.parsing import parse_policy
from kms_access.policies.wording import formula_text
from tests.builders import allow, document

MFA, AGE, CALLED = "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:CalledVia"
VIA, TIME = "kms:ViaService", "aws:CurrentTime"


def condition(operator: str, key: str, value: Any) -> Condition:
    statement = allow("*", "kms:*", Condition={operator: {key: value}})
    parsed = parse_policy(document(statement), KEY_POLICY)
    (found,) = parsed.statements[0].conditions
    return found


WORDS = [
    ("Bool", MFA, "true", f"{MFA} is true", f"{MFA} is not true"),
    ("BoolIfExists", MFA, "false", f"{MFA}, if present, is false",
     f"{MFA} is present and is not false"),
    ("StringEquals", VIA, "x", f'{VIA} is "x"', f'{VIA} is not "x"'),
    ("StringEqualsIfExists", VIA, "x", f'{VIA}, if present, is "x"',
     f'{VIA} is present and is not "x"'),
    ("StringNotEquals", VIA, "x", f'{VIA} is not "x"', f'{VIA} is "x"'),
    ("StringNotEqualsIfExists", VIA, "x", f'{VIA} is not "x"', f'{VIA} is "x"'),
    ("NumericLessThan", AGE, "60", f'{AGE} is below "60"', f'{AGE}, if present, is not below "60"'),
    ("NumericLessThanEquals", AGE, "60", f'{AGE} is at most "60"',
     f'{AGE}, if present, is above "60"'),
    ("NumericLessThanIfExists", AGE, "60", f'{AGE}, if present, is below "60"',
     f'{AGE} is present and is not below "60"'),
    ("DateLessThanEquals", TIME, "2026-01-01T00:00:00Z",
     f'{TIME} is not after "2026-01-01T00:00:00Z"',
     f'{TIME}, if present, is after "2026-01-01T00:00:00Z"'),
    ("ForAllValues:StringEquals", CALLED, "x", f'every {CALLED}, if present, is "x"',
     f'some {CALLED} is not "x"'),
    ("ForAllValues:StringNotEquals", CALLED, "x", f'no {CALLED} is "x"', f'some {CALLED} is "x"'),
    ("ForAnyValue:StringEquals", CALLED, "x", f'some {CALLED} is "x"', f'no {CALLED} is "x"'),
    ("ForAnyValue:StringNotEquals", CALLED, "x", f'some {CALLED} is not "x"',
     f'every {CALLED}, if present, is "x"'),
    ("Null", VIA, "true", f"{VIA} is absent", f"{VIA} is present"),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "key", "value", "holds", "fails"), WORDS)
def test_a_condition_and_its_opposite(
    operator: str, key: str, value: str, holds: str, fails: str
) -> None:
    question = Asked(condition(operator, key, value))
    assert formula_text(question) == holds
    assert formula_text(Not(question)) == fails


ONE = Asked(condition("StringEquals", VIA, "x"))
TWO = Asked(condition("Bool", MFA, "true"))
SHORTENED: list[tuple[Formula, str]] = [
    (AllOf((ONE, AnyOf((ONE, TWO)))), f'{VIA} is "x"'),
    (AllOf((ONE, AnyOf((Not(ONE), TWO)))), f'{VIA} is "x" and {MFA} is true'),
    (AllOf((Not(ONE), AnyOf((ONE, TWO)))), f'{VIA} is not "x" and {MFA} is true'),
    (AnyOf((ONE, AllOf((Not(ONE), TWO)))), f'{VIA} is "x" or {MFA} is true'),
]


@pytest.mark.parametrize(("formula", "words"), SHORTENED)
def test_a_part_that_the_rest_decides_is_left_out(formula: Formula, words: str) -> None:
    assert formula_text(formula) == words
