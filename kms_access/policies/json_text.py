"""Strict JSON: duplicate keys kept visible, no NaN, bounded size and depth, positions on demand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, TypeAlias

MAXIMUM_CHARACTERS = 1 << 20
MAXIMUM_DEPTH = 40

Path: TypeAlias = tuple[str | int, ...]
"""Object keys and list indices from the root to a value."""


class Number(str):
    """A number of the JSON text, with its spelling."""

    __slots__ = ()


class JsonObject(dict[str, Any]):
    """A JSON object; `duplicates` names the keys that stand in it more than once.

    `read_json` gives a plain `dict` where no key is repeated.
    """

    __slots__ = ("duplicates",)

    def __init__(self, pairs: Sequence[tuple[str, Any]] = ()) -> None:
        super().__init__(pairs)
        self.duplicates: tuple[str, ...] = ()
        if len(self) != len(pairs):
            count = Counter(key for key, _ in pairs)
            self.duplicates = tuple(key for key, times in count.items() if times > 1)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text, line and column counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


class JsonError(ValueError):
    """A text that is not acceptable JSON: what is wrong, and where."""

    def __init__(self, message: str, position: Position) -> None:
        super().__init__(f"{position}: {message}")
        self.message = message
        self.position = position


def read_json(text: str, *, maximum_characters: int = MAXIMUM_CHARACTERS) -> Any:
    """Parse `text`; numbers come as `Number`, an object that repeats a key as `JsonObject`.

    Raises `JsonError` for anything that is not JSON, for NaN and infinities, and for a text
    that is longer than `maximum_characters` or nested deeper than `MAXIMUM_DEPTH`.
    """
    if len(text) > maximum_characters:
        raise JsonError(
            f"text of {len(text)} characters, at most {maximum_characters} are accepted",
            Position(1, 1),
        )
    if not is_shallow(text, MAXIMUM_DEPTH):
        _check_depth(text)
    try:
        if text.startswith(("{", "[")):
            node, end = _DECODER.raw_decode(text)
            if sum(text.count(space, end) for space in _SPACES) == len(text) - end:
                return node
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonError(_lower_first(error.msg), Position(error.lineno, error.colno)) from None


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f'"{name}" is no JSON value', "", 0)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    node = dict(pairs)
    return node if len(node) == len(pairs) else JsonObject(pairs)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=Number,
    parse_float=Number,
    parse_constant=_refuse_constant,
)
_SKIPPING = json.JSONDecoder(parse_int=str, parse_float=str)
"""For what has been read before. Python refuses to convert a number of thousands of digits."""
_OUTSIDE_OF_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[\[\]{}]', re.DOTALL)
_SPACES = " \t\r\n"
_SPACE = re.compile(f"[{_SPACES}]*")
_QUICK_LEVELS = 8
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHER_BYTES = bytes(sorted({*range(256)} - {*_STEPS, ord('"')}))


def _lower_first(message: str) -> str:
    return message[:1].lower() + message[1:]


def is_shallow(text: str, maximum_depth: int) -> bool:
    """Whether JSON text is surely not nested deeper: a quick look, without positions."""
    if text.count("[") + text.count("{") <= maximum_depth:
        return True
    brackets = brackets_of(text)
    for _ in range(_QUICK_LEVELS):
        if not brackets:
            return True
        fewer = without_innermost(brackets)
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    steps = (_STEPS[bracket] for bracket in brackets)
    left = maximum_depth - 2 * _QUICK_LEVELS
    return all(depth <= left for depth in accumulate(steps))


def brackets_of(text: str) -> bytes:
    """The brackets of JSON text that stand outside of its strings."""
    if "\\" in text:
        text = text.replace("\\\\", "").replace('\\"', "")
    marks = text.encode("utf-8", "surrogatepass").translate(None, _OTHER_BYTES)
    # Without the two quotes that stand side by side, what is left is as far inside or outside.
    return b"".join(marks.replace(b'""', b"").split(b'"')[::2])


def without_innermost(brackets: bytes) -> bytes:
    """The brackets without the innermost level, or the innermost two."""
    return brackets.replace(b"{}", b"").replace(b"[]", b"")


def _check_depth(text: str) -> None:
    depth = 0
    for match in _OUTSIDE_OF_STRINGS.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > MAXIMUM_DEPTH:
                raise JsonError(
                    f"nested more than {MAXIMUM_DEPTH} levels deep",
                    position_at(text, match.start()),
                )
        elif token in "]}":
            depth -= 1


def position_at(text: str, offset: int) -> Position:
    """The line and column of the character at `offset`."""
    line = text.count("\n", 0, offset) + 1
    return Position(line, offset - text.rfind("\n", 0, offset))


def position_of(text: str, path: Path) -> Position | None:
    """Where the value at `path` begins in JSON `text`; None if there is no such value.

    Meant for messages: it reads the text again up to that place.
    """
    offset = offset_of(text, path)
    return None if offset is None else position_at(text, offset)


def offset_of(text: str, path: Path, start: int = 0) -> int | None:
    """The offset of the value at `path` below the value that begins at `start`, of valid JSON."""
    offset = _skip_space(text, start)
    for step in path:
        if isinstance(step, int) == (text[offset : offset + 1] == "{"):
            return None
        found = next((member for member in members(text, offset) if member[0] == step), None)
        if found is None:
            return None
        offset = found[2]
    return offset


def members(text: str, offset: int) -> Iterator[tuple[str | int, int, int]]:
    """What the object or list at `offset` of valid JSON holds, nothing for another value.

    Of each member the key or index, the offset where it begins, and that of its value.
    """
    opening = text[offset : offset + 1]
    if opening not in ("{", "["):
        return
    offset = _skip_space(text, offset + 1)
    for index in count():
        if text[offset : offset + 1] in ("}", "]", ""):
            return
        start = offset
        step: str | int = index
        if opening == "{":
            step, offset = scanstring(text, offset + 1, True)
            offset = _skip_space(text, _skip_space(text, offset) + 1)
        yield step, start, offset
        _, offset = _SKIPPING.raw_decode(text, offset)
        offset = _skip_space(text, offset)
        if text[offset : offset + 1] == ",":
            offset = _skip_space(text, offset + 1)


def _skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset
