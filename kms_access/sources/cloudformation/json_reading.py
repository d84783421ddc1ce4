"""JSON files, strictly: duplicate keys and deep nesting are errors with their place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kms_access.policies.json_text import (
    JsonObject,
    Number,
    Position,
    brackets_of,
    is_shallow,
    members,
    offset_of,
    position_at,
    position_of,
    without_innermost,
)
from kms_access.sources.interface import SourceError

MAXIMUM_DEPTH = 100

_RESOURCES = ("Resources",)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[\[\]{}]', re.DOTALL)
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*+"?+|NaN|-?Infinity', re.DOTALL)


def read_json_file(text: str, file: str) -> Any:
    """The value of a JSON text; numbers come as `Number`.

    Raises SourceError, with line and column, for what is no JSON, for duplicate keys, for lone
    surrogates and for a depth of more than `MAXIMUM_DEPTH`.
    """
    repeated: list[JsonObject] = []

    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        repeated.append(JsonObject(pairs))
        return repeated[-1]

    def refuse_constant(name: str) -> Any:
        found = (match for match in _STRING_OR_CONSTANT.finditer(text) if match.group() == name)
        raise _error_at_offset(f'"{name}" is no JSON value', text, next(found).start(), file)

    decoder = json.JSONDecoder(
        object_pairs_hook=make_object,
        parse_int=Number,
        parse_float=Number,
        parse_constant=refuse_constant,
    )
    if not is_shallow(text, MAXIMUM_DEPTH):
        _check_depth(text, file)
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        message = f"no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise SourceError(message, file, error.lineno, error.colno) from None
    except RecursionError:
        raise _too_deep(text, file) from None
    if repeated:
        raise _duplicate_key(text, value, file)
    if _SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(text, value, file)
    return value


def resource_lines(text: str) -> dict[str, int]:
    """The line of each entry of the object `Resources` in a template that is valid JSON."""
    return dict(_lines_of_members(text, offset_of(text, _RESOURCES)))


def resource_offsets(text: str) -> dict[str, int]:
    """The offset of the definition of each resource in a template that is valid JSON."""
    resources = offset_of(text, _RESOURCES)
    found = members(text, resources) if resources is not None else ()
    return {str(name): value for name, _, value in found}


def _lines_of_members(text: str, offset: int | None) -> Iterator[tuple[str, int]]:
    line, counted = 1, 0
    for name, start, _ in members(text, offset) if offset is not None else ():
        line += text.count("\n", counted, start)
        counted = start
        yield str(name), line


def _check_depth(text: str, file: str) -> None:
    """Removes the innermost pairs of brackets, level by level, until none is left."""
    brackets = brackets_of(text)
    for _ in range(MAXIMUM_DEPTH):
        if not brackets:
            return
        fewer = without_innermost(brackets)
        if len(fewer) == len(brackets):
            return
        brackets = fewer
    if brackets:
        raise _too_deep(text, file)


def _too_deep(text: str, file: str) -> SourceError:
    """The error about the first bracket that is too deep."""
    message = f"nested more than {MAXIMUM_DEPTH} levels deep"
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match.group()
        depth += (token in ("[", "{")) - (token in ("]", "}"))
        if depth > MAXIMUM_DEPTH:
            return _error_at_offset(message, text, match.start(), file)
    return SourceError(message, file)


def _duplicate_key(text: str, value: Any, file: str) -> SourceError:
    for path, node in _walk(value):
        if isinstance(node, JsonObject) and node.duplicates:
            key = node.duplicates[0]
            return _error_at(f'key "{key}" stands more than once', text, (*path, key), file)
    return SourceError("a key stands more than once", file=file)


def _refuse_lone_surrogates(text: str, value: Any, file: str) -> None:
    for path, node in _walk(value):
        strings = [node] if isinstance(node, str) else list(node) if _is_object(node) else []
        for string in strings:
            if any("\ud800" <= character <= "\udfff" for character in string):
                raise _error_at("a lone surrogate is no character", text, path, file)


def _is_object(node: Any) -> bool:
    return isinstance(node, Mapping)


def _error_at(message: str, text: str, path: tuple[str | int, ...], file: str) -> SourceError:
    position: Position | None = position_of(text, path)
    if position is None:
        return SourceError(message, file)
    return SourceError(message, file, position.line, position.column)


def _error_at_offset(message: str, text: str, offset: int, file: str) -> SourceError:
    position = position_at(text, offset)
    return SourceError(message, file, position.line, position.column)


def _walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        path, node = pending.pop()
        yield path, node
        if isinstance(node, Mapping):
            pending.extend(((*path, key), node[key]) for key in reversed(list(node)))
        elif isinstance(node, list):
            pending.extend(((*path, i), node[i]) for i in range(len(node) - 1, -1, -1))
