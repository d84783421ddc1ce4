"""Can two strings with unknown parts and wildcards be the same string?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

from kms_access.policies.answers import NO, YES, Answer, Reason, ReasonKind, Truth
from kms_access.policies.text import ANY_CHARACTER, Text, Unknown, Value

ANY_SEQUENCE = "\x00"
"""Stands for `*` inside a compiled pattern, so that a literal star can stand beside it."""
ANY_ONE = "\x01"
"""Stands for `?` inside a compiled pattern."""

_SHOWN = str.maketrans({ANY_SEQUENCE: "*", ANY_ONE: "?"})

Item: TypeAlias = str | Unknown
"""One character, `ANY_ONE`, or a part of any length."""

_WILDCARD = Unknown("*", ANY_CHARACTER)
_FIRST_SYMBOL = 0xF0000


def same(first: Value, second: Value) -> Answer:
    """Whether two strings are equal for all, none or some values of their unknown parts."""
    if first == second:
        return YES
    if isinstance(first, str) and isinstance(second, str):
        return NO
    return _compared(first, second)


@lru_cache(maxsize=16_384)
def _compared(first: Value, second: Value) -> Answer:
    left, right = _without_common_ends(items_of(first), items_of(second))
    if not _could_agree(left, right):
        return NO
    return open_because(first, second)


@lru_cache(maxsize=1_024)
def open_because(*values: Value) -> Answer:
    """An open answer that names the unknown parts of `values`."""
    unknowns = [u for value in values if isinstance(value, Text) for u in value.unknowns]
    return Answer(
        Truth.UNKNOWN,
        tuple(
            Reason(u.stands_for, ReasonKind.REQUEST if u.of_request else ReasonKind.UNKNOWN_VALUE)
            for u in dict.fromkeys(unknowns)
        ),
    )


def as_written(pattern: Value) -> str:
    """A compiled pattern as the policy has it."""
    return str(pattern).translate(_SHOWN)


def items_of(value: Value) -> list[Item]:
    """`value` as single characters and parts; a compiled `*` becomes a part of any length."""
    items: list[Item] = []
    for part in (value,) if isinstance(value, str) else value.parts:
        if isinstance(part, Unknown):
            items.append(part)
        else:
            items.extend(_WILDCARD if c == ANY_SEQUENCE else c for c in part)
    return items


def overlaps(first: Sequence[Item], second: Sequence[Item]) -> bool:
    """Whether some filling of the parts makes both sequences the same string.

    A safe over-approximation: each part is free within its class of characters; a stranger is
    only itself.
    """
    start = (0, 0)
    reached = {start}
    pending = [start]
    while pending:
        i, j = pending.pop()
        if i == len(first) and j == len(second):
            return True
        for step in _steps(first, second, i, j):
            if step not in reached:
                reached.add(step)
                pending.append(step)
    return False


def _steps(
    first: Sequence[Item], second: Sequence[Item], i: int, j: int
) -> Iterator[tuple[int, int]]:
    a = first[i] if i < len(first) else None
    b = second[j] if j < len(second) else None
    if a is not None and a == b:
        yield i + 1, j + 1
    if isinstance(a, Unknown) and not a.stranger:
        yield i + 1, j
        if b is not None and _admits(a, b):
            yield i, j + 1
    if isinstance(b, Unknown) and not b.stranger:
        yield i, j + 1
        if a is not None and _admits(b, a):
            yield i + 1, j
    if isinstance(a, str) and isinstance(b, str) and ANY_ONE in (a, b):
        yield i + 1, j + 1


def _admits(unknown: Unknown, item: Item) -> bool:
    if isinstance(item, Unknown) and item.stranger:
        return unknown == _WILDCARD
    if isinstance(item, Unknown) or item == ANY_ONE or unknown.characters == ANY_CHARACTER:
        return True
    return re.fullmatch(unknown.characters, item) is not None


def _without_common_ends(a: list[Item], b: list[Item]) -> tuple[list[Item], list[Item]]:
    shorter = min(len(a), len(b))
    start = 0
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return a[start : len(a) - end], b[start : len(b) - end]


def _could_agree(left: list[Item], right: list[Item]) -> bool:
    if len(left) == 1 and len(right) == 1:
        a, b = left[0], right[0]
        if isinstance(a, Unknown) and isinstance(b, Unknown) and _differ(a, b):
            return False
    for one, other in ((left, right), (right, left)):
        only = one[0] if len(one) == 1 else None
        if isinstance(only, Unknown):
            literal = [item for item in other if isinstance(item, str)]
            if len(literal) == len(other):
                return only.could_be("".join(literal))
    return overlaps(left, right)


def _differ(a: Unknown, b: Unknown) -> bool:
    return (a.unique and b.unique) or a.stranger or b.stranger


def without_strangers(value: Value) -> Value:
    """`value` with its strangers free: a pattern with wildcards may cover them."""
    if isinstance(value, str):
        return value
    return Text(
        tuple(replace(p, stranger=False) if isinstance(p, Unknown) else p for p in value.parts)
    )


def text_symbols(*values: Value) -> list[str]:
    """The values as plain strings in which one private character stands for each unknown part."""
    symbols: dict[Unknown, str] = {}
    return [
        value
        if isinstance(value, str)
        else "".join(
            part
            if isinstance(part, str)
            else symbols.setdefault(part, chr(_FIRST_SYMBOL + len(symbols)))
            for part in value.parts
        )
        for value in values
    ]


def is_symbol(character: str) -> bool:
    """Whether `character` stands for an unknown part in the output of `text_symbols`."""
    return ord(character) >= _FIRST_SYMBOL
