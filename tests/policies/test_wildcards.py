"""Patterns: the two-pointer matcher against a definition, and unknown parts against all values."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.policies.answers import Truth
from kms_access.policies.text import Text, Unknown, Value, concat
from kms_access.policies.wildcards import Pattern, fold_case

ALPHABET = "ab:"
patterns = st.text(alphabet=ALPHABET + "*?", max_size=7)
texts = st.text(alphabet=ALPHABET, max_size=7)


def matches_by_definition(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return any(matches_by_definition(rest, text[i:]) for i in range(len(text) + 1))
    return bool(text) and head in ("?", text[0]) and matches_by_definition(rest, text[1:])


@given(patterns, texts)
def test_matching_follows_the_recursive_definition(pattern: str, text: str) -> None:
    answer = Pattern.of(pattern).matches(text)
    assert (answer.truth is Truth.TRUE) is matches_by_definition(pattern, text)


FIRST = Unknown("first", "[ab]")
SECOND = Unknown("second")
pieces = st.lists(st.sampled_from(["a", "b", ":", "ab", FIRST, SECOND]), max_size=4)
VALUES_OF_FIRST = ["", "a", "b", "ab", "ba"]
VALUES_OF_SECOND = ["", "a", ":", "a:b", "*"]


def filled(value: Value, first: str, second: str) -> str:
    if isinstance(value, str):
        return value
    return "".join(
        part if isinstance(part, str) else first if part == FIRST else second
        for part in value.parts
    )


@given(patterns, pieces)
def test_decided_matches_hold_for_every_value_of_the_unknown_parts(
    pattern: str, parts: list[str | Unknown]
) -> None:
    text = concat(parts)
    answer = Pattern.of(pattern).matches(text)
    for first, second in itertools.product(VALUES_OF_FIRST, VALUES_OF_SECOND):
        concrete = matches_by_definition(pattern, filled(text, first, second))
        if answer.truth is not Truth.UNKNOWN:
            assert (answer.truth is Truth.TRUE) is concrete


@given(st.lists(st.sampled_from(["a", "*", "?", ":", FIRST, SECOND]), max_size=4), texts)
def test_decided_matches_hold_for_every_value_of_unknown_parts_of_the_pattern(
    parts: list[str | Unknown], text: str
) -> None:
    pattern = concat(parts)
    answer = Pattern.of(pattern).matches(text)
    for first, second in itertools.product(VALUES_OF_FIRST, ["", "a", ":", "a:b"]):
        concrete = matches_by_definition(filled(pattern, first, second), text)
        if answer.truth is not Truth.UNKNOWN:
            assert (answer.truth is Truth.TRUE) is concrete


def test_equal_unknown_parts_are_the_same_value() -> None:
    role = Text(("arn:aws:iam::", Unknown("account", "[0-9]"), ":role/app"))
    assert Pattern.of(role).matches(role).truth is Truth.TRUE


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("KMS:Decrypt", "kms:decrypt"),
        ("\u212ams:decrypt", "\u212ams:decrypt"),
        ("km\u017f:decrypt", "km\u017f:decrypt"),
        ("\u0130", "\u0130"),
    ],
    ids=["ascii", "kelvin sign", "long s", "dotted capital i"],
)
def test_only_ascii_letters_fold(text: str, folded: str) -> None:
    assert fold_case(text) == folded


def test_a_wildcard_bomb_is_matched_in_linear_memory() -> None:
    pattern = "*a" * 2_000 + "b"
    assert Pattern.of(pattern).matches("a" * 4_000).truth is Truth.FALSE
