"""What an intrinsic function resolves to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from kms_access.policies.text import (
    ANY_CHARACTER,
    DIGIT,
    Text,
    Unknown,
    Value,
    concat,
    unknown_text,
)

MAXIMUM_CHARACTERS = 1 << 16
MAXIMUM_PARTS = 512
_MAXIMUM_SHAPE = 500
_MAXIMUM_DESCRIPTION = 1_000
REFERENCE_START = "{{resolve:"
_REFERENCE_END = "}}"


class NoValue(Enum):
    """The pseudo parameter AWS::NoValue: the property or list item is not there."""

    NO_VALUE = "AWS::NoValue"


NO_VALUE: Final = NoValue.NO_VALUE


@dataclass(frozen=True, slots=True)
class MaybeAbsent:
    """A value that is not there when an undecided condition turns out one way."""

    text: Text


def as_value(node: Any) -> Value | None:
    """Strings as they are, numbers and switches as text; None for anything else."""
    if isinstance(node, Text):
        return node
    if isinstance(node, str):
        return str(node)
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, (int, float)):
        return repr(node)
    return node.text if isinstance(node, MaybeAbsent) else None


def as_data(node: Any) -> Any:
    """A resolved node for a policy parser: what may be absent becomes an unknown text."""
    if isinstance(node, MaybeAbsent):
        return node.text
    if isinstance(node, dict):
        return {key: as_data(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_data(item) for item in node]
    return None if node is NO_VALUE else node


def is_known(node: Any) -> bool:
    """Whether nothing in a resolved node is unknown."""
    if isinstance(node, dict):
        return all(is_known(value) for value in node.values())
    if isinstance(node, list):
        return all(is_known(item) for item in node)
    return not isinstance(node, (Text, MaybeAbsent, NoValue))


def joined(pieces: Iterable[str | Unknown | Text]) -> Value:
    """The pieces as one string, bounded, with its dynamic references as unknown parts."""
    parts = [
        part
        for piece in pieces
        for part in (piece.parts if isinstance(piece, Text) else (piece,))
        if part != ""
    ]
    length = sum(len(part) for part in parts if isinstance(part, str))
    unknowns = sum(isinstance(part, Unknown) for part in parts)
    if length > MAXIMUM_CHARACTERS or unknowns > MAXIMUM_PARTS:
        marks = {part: repr(part) for part in parts if isinstance(part, Unknown)}
        mark = digest([marks[part] if isinstance(part, Unknown) else part for part in parts])
        return unknown_text(f"a text of more than {MAXIMUM_CHARACTERS} characters {mark}")
    return with_dynamic_references(concat(parts))


def with_dynamic_references(value: Value) -> Value:
    """`{{resolve:…}}` stretches of a string become unknown parts."""
    if isinstance(value, str) and REFERENCE_START not in value:
        return value
    parts = (value,) if isinstance(value, str) else value.parts
    if not any(isinstance(part, str) and REFERENCE_START in part for part in parts):
        return value
    pieces: list[str | Unknown] = []
    reference: list[str | Unknown] | None = None
    for part in parts:
        if isinstance(part, Unknown):
            (pieces if reference is None else reference).append(part)
            continue
        rest = part
        while rest:
            if reference is None:
                before, start, rest = rest.partition(REFERENCE_START)
                pieces.append(before)
                reference = [] if start else None
            else:
                inside, end, rest = rest.partition(_REFERENCE_END)
                reference.append(inside)
                if end:
                    pieces.append(Unknown(f'dynamic reference "{concat(reference)}"'))
                    reference = None
    if reference is not None:
        pieces.extend((REFERENCE_START, *reference))
    return concat(pieces)


def one_of(label: str, alternatives: Sequence[Value]) -> Value:
    """One of several strings, not known which; the string itself if they are all the same."""
    distinct = list(dict.fromkeys(alternatives))
    if len(distinct) == 1:
        return distinct[0]
    known = [value for value in distinct if isinstance(value, str)]
    if len(known) < len(distinct) or sum(map(len, known)) > _MAXIMUM_SHAPE:
        return unknown_text(label)
    shape = "|".join(map(re.escape, known))
    return Text((Unknown(label, _character_class("".join(known)), shape=shape),))


def _character_class(text: str) -> str:
    if not text:
        return ANY_CHARACTER
    if text.isascii() and text.isdigit():
        return DIGIT
    return f"[{''.join(re.escape(character) for character in sorted(set(text)))}]"


def describe_alternatives(alternatives: Sequence[Any]) -> str:
    """The alternatives in words that differ whenever the alternatives do."""
    values = [as_value(node) for node in alternatives]
    if all(value is not None and len(str(value)) <= 80 for value in values):
        described = " or ".join(f'"{value}"' for value in values)
        if len(described) <= _MAXIMUM_DESCRIPTION:
            return described
    return f"one of {len(alternatives)} values {digest(alternatives)}"


def digest(node: Any) -> str:
    """A short mark that differs for different resolved nodes."""
    text = json.dumps(node, default=repr, sort_keys=True)
    return f"#{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
