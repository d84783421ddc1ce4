"""Patterns: the two-pointer matcher against a definition, and unknown parts against all values."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.policies.answers import Truth, any_of
from kms_access.policies.arns import ArnPattern
from kms_access.policies.document import ActionElement
from kms_access.policies.text import Text, Unknown, Value, concat
from kms_access.policies.wildcards import Pattern, fold_case, with_wildcards

ALPHABET = "ab:"
UNKNOWN = Unknown("unknown")
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


segments = st.lists(st.sampled_from(["a", "b", "*", "?", "a*", "*b", "", "aa"]), max_size=8)


@given(segments, segments)
def test_arns_match_segment_by_segment(pattern: list[str], arn: list[str]) -> None:
    written, text = ":".join(pattern), ":".join(arn)
    answer = ArnPattern.of(written, with_wildcards(written)).matches(text)
    patterns, parts = written.split(":", 5), text.split(":", 5)
    if written == "*":
        expected = Truth.TRUE
    elif len(patterns) == 6:
        found = len(parts) == 6 and all(map(matches_by_definition, patterns, parts))
        expected = Truth.TRUE if found else Truth.FALSE
    elif not matches_by_definition(written, text):
        expected = Truth.FALSE
    else:
        expected = Truth.UNKNOWN if len(parts) == 6 else Truth.TRUE
    assert answer.truth is expected


@given(st.lists(st.one_of(patterns, patterns.map(str.upper)), max_size=4), texts, st.booleans())
def test_an_action_element_covers_what_any_of_its_patterns_matches(
    written: list[str], action: str, negated: bool
) -> None:
    element = ActionElement(tuple(Pattern.of(p, ignore_case=True) for p in written), negated)
    covered = any(matches_by_definition(p.lower(), action) for p in written)
    assert element.matches(action.upper()).truth is (
        Truth.TRUE if covered is not negated else Truth.FALSE
    )


@given(st.lists(st.lists(st.sampled_from(["a", "b*", "?", "*", UNKNOWN]), max_size=3)), texts)
def test_an_action_element_is_open_where_a_pattern_is(
    written: list[list[str | Unknown]], action: str
) -> None:
    compiled = tuple(Pattern.of(concat(parts), ignore_case=True) for parts in written)
    assert ActionElement(compiled).matches(action) == any_of(p.matches(action) for p in compiled)


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
