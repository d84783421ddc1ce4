"""Policy variables `${key}` and `${key, 'default'}` (K31–K33)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.context import Absent, Open, RequestContext
from kms_access.policies.text import Text, Unknown, Value, concat, unknown_text
from kms_access.policies.wildcards import fold_case, with_wildcards

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_REFERENCE = re.compile(r"\s*([^\s,'{}]+)\s*(?:,\s*'([^']*)'\s*)?")
_LITERALS = ("*", "?", "$")


@dataclass(frozen=True, slots=True)
class Variable:
    """A reference to a condition key in the text of a policy."""

    key: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Literal:
    """Characters that stand for themselves, also where wildcards count."""

    text: str


Piece: TypeAlias = str | Unknown | Variable | Literal
Template: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class NoValue:
    """The variable's key is not in the request and there is no default (K33)."""


def has_variables(value: Value) -> bool:
    """Whether the text of `value` holds `${`."""
    if isinstance(value, str):
        return "${" in value
    return any("${" in part for part in _known_parts(value))


def _known_parts(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else [p for p in value.parts if isinstance(p, str)]


def parse_template(value: Value) -> Template | None:
    """`value` cut into text and variables; None where a `${` is no variable reference."""
    pieces: list[Piece] = []
    for part in (value,) if isinstance(value, str) else value.parts:
        if isinstance(part, Unknown):
            pieces.append(part)
            continue
        end = 0
        for match in _VARIABLE.finditer(part):
            pieces.append(part[end : match.start()])
            piece = _reference(match.group(1))
            if piece is None:
                return None
            pieces.append(piece)
            end = match.end()
        pieces.append(part[end:])
        if "${" in part[end:]:
            return None
    return tuple(piece for piece in pieces if piece != "")


def _reference(text: str) -> Piece | None:
    if text in _LITERALS:
        return Literal(text)
    match = _REFERENCE.fullmatch(text)
    return Variable(match.group(1), match.group(2)) if match else None


def keys_of(template: Template) -> Iterator[str]:
    """The condition keys that a template refers to, in lower case."""
    return (fold_case(piece.key) for piece in template if isinstance(piece, Variable))


def _inserted(key: str, value: Value, *, wildcards: bool) -> Value:
    """AWS does not say whether a wildcard in a variable's value counts as one (K32)."""
    if wildcards and any("*" in part or "?" in part for part in _known_parts(value)):
        return unknown_text(f'the wildcard in the value of "{key}"')
    return value


def substitute(
    template: Template, context: RequestContext, *, wildcards: bool
) -> Value | NoValue | Reason:
    """The text of `template` for one request.

    With `wildcards` the policy's own `*` and `?` come compiled, those of substituted values do
    not. A reason comes back where a variable has several values, which AWS does not support.
    """
    pieces: list[str | Unknown | Text] = []
    for piece in template:
        if isinstance(piece, str):
            compiled = with_wildcards(piece) if wildcards else piece
            pieces.append(compiled)
        elif isinstance(piece, Unknown):
            pieces.append(piece)
        elif isinstance(piece, Literal):
            pieces.append(piece.text)
        else:
            state = context.lookup(piece.key)
            if isinstance(state, Absent):
                if piece.default is None:
                    return NoValue()
                pieces.append(piece.default)
            elif isinstance(state, Open):
                of_request = state.reason.kind is ReasonKind.REQUEST
                pieces.append(Unknown(state.reason.text, of_request=of_request))
            elif len(state.values) == 1 and not state.multivalued:
                pieces.append(_inserted(piece.key, state.values[0], wildcards=wildcards))
            else:
                return Reason(
                    f'the policy variable "${{{piece.key}}}" names a key with several values',
                    ReasonKind.NOT_ESTABLISHED,
                    "K32",
                )
    return concat(pieces)
