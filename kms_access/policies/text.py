"""Strings that may have parts which are not known before the deployment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

ANY_CHARACTER = r"."
NAME_CHARACTER = r"[A-Za-z0-9_+=,.@-]"
"""What the name or id of a resource inside an ARN can hold."""
PATH_CHARACTER = r"[!-~]"
"""What an IAM path can hold."""
DIGIT = r"[0-9]"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part of a string that is not known yet.

    `stands_for` says in words which value it is; two parts are the same value exactly when all
    fields agree. `characters` is the class of characters that it can hold. `unique` marks the
    whole name or id of a resource: no other resource has it. `shape` is a regular expression
    that the value is known to fulfil, for names that an engine generates. `matches_no_literal`
    marks a value that belongs to a resource which the plan creates: a literal is always another
    value. A `stranger` equals nothing in the definitions, but a pattern may cover it.
    `of_request` marks what a request brings.
    """

    stands_for: str
    characters: str = ANY_CHARACTER
    unique: bool = False
    shape: str = ""
    matches_no_literal: bool = False
    stranger: bool = False
    of_request: bool = False

    def could_be(self, literal: str) -> bool:
        """Whether the value may turn out to be `literal`."""
        if self.matches_no_literal or self.stranger:
            return False
        pattern = self.shape or f"{self.characters}*"
        return re.fullmatch(pattern, literal, re.DOTALL) is not None

    def can_hold(self, character: str) -> bool:
        """Whether `character` may occur in the value."""
        return (
            self.characters == ANY_CHARACTER or re.fullmatch(self.characters, character) is not None
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A string with at least one unknown part; strings that are wholly known are plain `str`."""

    parts: tuple[str | Unknown, ...]

    def __str__(self) -> str:
        return "".join(p if isinstance(p, str) else f"<{p.stands_for}>" for p in self.parts)

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The unknown parts, in order."""
        return tuple(p for p in self.parts if isinstance(p, Unknown))


Value: TypeAlias = str | Text
"""A string of a policy or an inventory, known or with unknown parts."""


def concat(pieces: Iterable[str | Unknown | Text]) -> Value:
    """The pieces as one string: a `str` if everything is known, else a `Text`."""
    parts: list[str | Unknown] = []
    for piece in pieces:
        for part in piece.parts if isinstance(piece, Text) else (piece,):
            last = parts[-1] if parts else None
            if isinstance(part, str) and isinstance(last, str):
                parts[-1] = last + part
            elif part != "":
                parts.append(part)
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0]
    return Text(tuple(parts))


def unknown_text(stands_for: str, characters: str = ANY_CHARACTER, *, unique: bool = False) -> Text:
    """A string of which nothing is known but what it stands for."""
    return Text((Unknown(stands_for, characters, unique),))


def split(value: Value, separator: str, maximum: int) -> list[Value]:
    """`value` cut at the first `maximum` known separators, like `str.split`."""
    if isinstance(value, str):
        return list(value.split(separator, maximum))
    pieces: list[list[str | Unknown]] = [[]]
    for part in value.parts:
        if isinstance(part, Unknown):
            pieces[-1].append(part)
            continue
        left = maximum - len(pieces) + 1
        cut = part.split(separator, left) if left > 0 else [part]
        pieces[-1].append(cut[0])
        pieces.extend([piece] for piece in cut[1:])
    return [concat(piece) for piece in pieces]


def describe_unknowns(*values: Value) -> str:
    """What the unknown parts of `values` stand for, in words."""
    names = [u.stands_for for v in values if isinstance(v, Text) for u in v.unknowns]
    return ", ".join(dict.fromkeys(names))
