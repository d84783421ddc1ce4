"""Overlapping and covering patterns, against all short strings."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.policies.answers import Truth
from kms_access.policies.pattern_relations import pattern_covers, patterns_overlap
from kms_access.policies.samples import samples
from kms_access.policies.text import Text, Unknown, Value
from kms_access.policies.wildcards import Pattern, glob_matches, with_wildcards

short_patterns = st.text(alphabet="ab*?", max_size=4)
# Longer than two patterns together: what they tell apart shows in strings up to that length.
STRINGS = ["".join(letters) for size in range(7) for letters in product("abx", repeat=size)]
NAME = Unknown("a name", "[a-z]", unique=True)
OTHER = Unknown("another name", "[a-z]", unique=True)


def matched(pattern: str) -> set[str]:
    compiled = with_wildcards(pattern)
    assert isinstance(compiled, str)
    return {text for text in STRINGS if glob_matches(compiled, text)}


@given(short_patterns, short_patterns)
def test_overlap_is_a_common_string(first: str, second: str) -> None:
    answer = patterns_overlap(Pattern.of(first), Pattern.of(second))
    assert (answer.truth is Truth.TRUE) == bool(matched(first) & matched(second))
    assert answer.truth is not Truth.UNKNOWN


@given(short_patterns, short_patterns)
def test_covering_is_a_subset(first: str, second: str) -> None:
    answer = pattern_covers(Pattern.of(first), Pattern.of(second))
    assert (answer.truth is Truth.TRUE) == (matched(second) <= matched(first))
    assert answer.truth is not Truth.UNKNOWN


@given(st.lists(st.lists(short_patterns, min_size=1, max_size=2), min_size=1, max_size=3))
def test_samples_show_every_way_in_which_groups_match(groups: list[list[str]]) -> None:
    compiled = [[str(with_wildcards(p)) for p in group] for group in groups]

    def way(text: str) -> tuple[bool, ...]:
        return tuple(any(glob_matches(p, text) for p in group) for group in compiled)

    found, exact = samples(compiled)
    assert exact
    assert {way(text) for text in STRINGS if text} <= {way(text) for text in found}


UNKNOWN: dict[str, tuple[Value, Value, Truth, Truth]] = {
    "the same unknown name": (Text(("role/", NAME)), Text(("role/", NAME)), Truth.TRUE, Truth.TRUE),
    "a star covers an unknown name": ("role/*", Text(("role/", NAME)), Truth.TRUE, Truth.TRUE),
    "a question mark may": ("role/?", Text(("role/", NAME)), Truth.UNKNOWN, Truth.UNKNOWN),
    "another kind never": ("user/*", Text(("role/", NAME)), Truth.FALSE, Truth.FALSE),
    "a longer star": (
        Text(("role/", NAME, "*")),
        Text(("role/", NAME, "-x")),
        Truth.TRUE,
        Truth.TRUE,
    ),
    "not the other way round": (
        Text(("role/", NAME, "-x")),
        Text(("role/", NAME, "*")),
        Truth.TRUE,
        Truth.UNKNOWN,
    ),
}


@pytest.mark.parametrize(
    ("first", "second", "overlap", "covering"), list(UNKNOWN.values()), ids=list(UNKNOWN)
)
def test_unknown_parts_leave_open_what_hangs_on_them(
    first: Value, second: Value, overlap: Truth, covering: Truth
) -> None:
    one, other = Pattern.of(first), Pattern.of(second)
    assert patterns_overlap(one, other).truth is overlap
    assert pattern_covers(one, other).truth is covering


def test_past_the_bound_the_answer_is_open() -> None:
    many = "*".join("abcdefghijklmnopqrstuvwxyz"[i : i + 6] for i in range(20))
    turned = "*".join(reversed(many.split("*")))
    answer = pattern_covers(Pattern.of(f"*{many}*"), Pattern.of(f"*{turned}*"))
    assert answer.truth is not Truth.TRUE
