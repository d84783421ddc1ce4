"""Conditions as terms: complete, comparable, and sound about what follows from what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.access_facts import facts_of_inventory
from kms_access.decisions.term_words import describe_term
from kms_access.decisions.terms import (
    ALWAYS,
    Asked,
    Every,
    Some,
    Term,
    Unless,
    Unsettled,
    asked_of,
    every,
    implies,
    some,
)
from kms_access.inventory.model import Inventory
from kms_access.policies.answers import ReasonKind
from tests.builders import allow, deny, key, role, role_arn, user

VALUES = ("a", "b", "c")
KEYS = ("k", "m")

leaves = st.one_of(
    st.builds(
        Asked,
        st.sampled_from(KEYS),
        st.sampled_from(
            ("StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringNotEqualsIfExists")
        ),
        st.frozensets(st.sampled_from(VALUES), min_size=1),
    ),
    st.builds(
        Unsettled, st.just(ReasonKind.OUTSIDE), st.sampled_from(("policies of x", "policies of y"))
    ),
)
terms: st.SearchStrategy[Term] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Every, st.frozensets(inner, max_size=3)),
        st.builds(Some, st.frozensets(inner, min_size=1, max_size=3)),
        st.builds(Unless, inner),
    ),
    max_leaves=6,
)
worlds = st.fixed_dictionaries(
    {
        **{name: st.sampled_from((*VALUES, "other", None)) for name in KEYS},
        **{name: st.booleans() for name in ("policies of x", "policies of y")},
    }
)


def holds(term: Term, world: dict[str, Any]) -> bool:
    """What a term means for one request, written from the documentation of the operators."""
    match term:
        case Asked(name, operator, values):
            value = world[name]
            negated = "Not" in operator
            if value is None:
                return negated or operator.endswith("IfExists")
            return (value in values) is not negated
        case Unsettled(_, text):
            return bool(world[text])
        case Every(parts):
            return all(holds(part, world) for part in parts)
        case Some(parts):
            return any(holds(part, world) for part in parts)
        case Unless(part):
            return not holds(part, world)


@given(terms, terms, worlds)
def test_what_is_said_to_follow_does_follow(one: Term, other: Term, world: dict[str, Any]) -> None:
    if implies(one, other) and holds(one, world):
        assert holds(other, world)


@given(st.lists(terms, min_size=1, max_size=4), worlds)
def test_joining_keeps_the_meaning(parts: list[Term], world: dict[str, Any]) -> None:
    assert holds(every(parts), world) == all(holds(part, world) for part in parts)
    assert holds(some(parts), world) == any(holds(part, world) for part in parts)


@given(terms)
def test_every_term_follows_from_itself_and_leads_to_always(term: Term) -> None:
    assert implies(term, term)
    assert implies(term, ALWAYS)


def asked(operator: str, *values: str, name: str = "kms:ViaService") -> Asked:
    return asked_of(name, operator, values)


FOLLOWS = {
    "fewer values": (asked("StringEquals", "a"), asked("StringEquals", "a", "b"), True),
    "more values": (asked("StringEquals", "a", "b"), asked("StringEquals", "a"), False),
    "more excluded": (asked("StringNotEquals", "a", "b"), asked("StringNotEquals", "a"), True),
    "fewer excluded": (asked("StringNotEquals", "a"), asked("StringNotEquals", "a", "b"), False),
    "present": (asked("StringEquals", "a"), asked("StringEqualsIfExists", "a"), True),
    "perhaps absent": (asked("StringEqualsIfExists", "a"), asked("StringEquals", "a"), False),
    "another operator": (asked("StringEquals", "a"), asked("StringLike", "a"), False),
    "another key": (asked("StringEquals", "a"), asked("StringEquals", "a", name="x"), False),
    "a key in another case": (
        asked("StringEquals", "a"),
        asked("StringEquals", "a", name="KMS:VIASERVICE"),
        True,
    ),
    "null": (asked("Null", "true"), asked("Null", "true", "false"), False),
    "a quantifier": (
        asked("ForAnyValue:StringEquals", "a"),
        asked("ForAnyValue:StringEquals", "a", "b"),
        True,
    ),
    "no operator": (Asked("x", "is", frozenset("a")), Asked("x", "is", frozenset("ab")), False),
}


@pytest.mark.parametrize("name", FOLLOWS)
def test_what_follows_from_what(name: str) -> None:
    one, other, expected = FOLLOWS[name]
    assert implies(one, other) is expected


def condition_of(*statements: Any) -> list[str]:
    facts = facts_of_inventory(Inventory((key("data", *statements),), (role("app"), user("x"))))
    return [
        describe_term(held.term)
        for place, held in facts.held.items()
        if place.principal == "App/app" and place.action == "kms:Decrypt" and not place.way
    ]


def test_a_condition_is_told_whole() -> None:
    services = [f"s{number}" for number in range(9)]
    test = {"StringEquals": {"kms:ViaService": services, "aws:SourceVpc": "v"}}
    (text,) = condition_of(
        allow(role_arn("app"), "kms:Decrypt", Condition=test),
        deny("*", "kms:*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    )
    listed = ", ".join(f'"{service}"' for service in services)
    assert text == (
        f'aws:SourceVpc StringEquals "v" and kms:ViaService StringEquals {listed} and '
        'not (aws:SecureTransport Bool "false")'
    )


def test_policy_variables_and_wildcards_are_told_as_written() -> None:
    test = {"StringLike": {"kms:ViaService": ["s3.*", "${aws:PrincipalTag/x, 'y'}"]}}
    (text,) = condition_of(allow(role_arn("app"), "kms:Decrypt", Condition=test))
    assert text == 'kms:ViaService StringLike "${aws:PrincipalTag/x, \'y\'}", "s3.*"'
