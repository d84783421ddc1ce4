"""Strict JSON: hostile and odd input is refused with a position, or kept visible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.policies.json_text import JsonError, is_shallow, position_of, read_json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: expecting value"),
        ("{", "1:2: expecting property name enclosed in double quotes"),
        ('{"a": 1,}', "1:9: expecting property name enclosed in double quotes"),
        ("{'a': 1}", "1:2: expecting property name enclosed in double quotes"),
        ('{"a": 1} x', "1:10: extra data"),
        ('// note\n{"a": 1}', "1:1: expecting value"),
        ('{"a": NaN}', '1:1: "NaN" is no JSON value'),
        ('{"a": -Infinity}', '1:1: "-Infinity" is no JSON value'),
        ('\ufeff{"a": 1}', "1:1: expecting value"),
        ('{"a":\n  tru}', "2:3: expecting value"),
        ("[" * 41 + "]" * 41, "1:41: nested more than 40 levels deep"),
        ("[" * 100_000, "1:41: nested more than 40 levels deep"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(text)
    assert str(caught.value).startswith(message)


def test_text_past_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(JsonError, match="text of 11 characters, at most 10 are accepted"):
        read_json('{"a": 1234}', maximum_characters=10)


def test_numbers_keep_their_spelling() -> None:
    assert read_json("[1e999, 0.10, %s]" % ("9" * 5_000)) == ["1e999", "0.10", "9" * 5_000]


def test_repeated_keys_stay_visible() -> None:
    node = read_json('{"Effect": "Deny", "Effect": "Allow", "a": {"b": 1, "b": 2}}')
    assert node.duplicates == ("Effect",)
    assert node["a"].duplicates == ("b",)


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ((), "1:1"),
        (("Statement",), "2:16"),
        (("Statement", 1), "3:17"),
        (("Statement", 1, "Sid"), "3:25"),
        (("Statement", 2), "None"),
        (("Missing",), "None"),
    ],
)
def test_positions(path: tuple[str | int, ...], position: str) -> None:
    text = '{"Version": "x",\n  "Statement": [{"Sid": "a"},\n                {"Sid": "b"}]}'
    assert str(position_of(text, path)) == position


@given(
    st.integers(36, 44),
    st.integers(1, 60),
    st.sampled_from(["", "[[[", "]]]", "}}{", '\\"', '\\"[[', "\\\\", "é["]),
    st.sampled_from([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")]),
)
def test_the_limit_of_depth_is_kept_whatever_stands_beside(
    depth: int, width: int, filling: str, level: tuple[str, str]
) -> None:
    opening, closing = level
    turns, rest = divmod(depth - 3, len(closing))
    deep = opening * turns + "[" * (rest + 1) + "]" * (rest + 1) + closing * turns
    lists = ",".join(["[[{}]]"] * width)
    text = f'{{"a":"{filling}","b":[{lists},{deep}],"c":"{filling}"}}'
    if depth <= 40:
        assert read_json(text)["b"]
    else:
        with pytest.raises(JsonError, match="nested more than 40 levels deep"):
            read_json(text)


@given(st.text(alphabet='[]{}",:\\ a1\n', max_size=200), st.integers(0, 45))
def test_a_text_is_read_alike_with_and_without_white_space_before_it(text: str, depth: int) -> None:
    def outcome(source: str) -> object:
        try:
            return read_json(source)
        except JsonError as error:
            return error.message

    nested = "[" * depth + text + "]" * depth
    assert outcome(nested) == outcome(f" \n{nested}")


def depth_of(text: str) -> int:
    """The deepest nesting of brackets outside of strings, character by character."""
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60 + "]" * 60,
        "[" * 39 + '["[[[[", "]]]]", "", "\\"[", "\\\\", "[{"]' + "]" * 39,
        '{"a":' * 41 + "1" + "}" * 41,
        '["' + "[" * 100 + '"]',
        '["' + "\\\\" * 41 + '", ' + "[" * 45 + "]" * 45 + "]",
        '["\\\\\\"' + "[" * 100 + '"]',
        "[[[]]," * 30 + "[]" + "]" * 30,
    ],
)
def test_a_deep_text_never_passes_the_quick_look(text: str) -> None:
    assert not is_shallow(text, 40) or depth_of(text) <= 40
    if depth_of(text) <= 40 - 16:
        assert is_shallow(text, 40)
