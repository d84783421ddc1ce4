"""The functions on strings and lists: Join, Sub, Select, Split, FindInMap and their kin."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kms_access.policies.json_text import Number
from kms_access.policies.text import Text, Unknown, Value, split, unknown_text
from kms_access.sources.cloudformation.resolver import Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import (
    NO_VALUE,
    MaybeAbsent,
    as_data,
    as_value,
    describe_alternatives,
    digest,
    is_known,
    joined,
    one_of,
    with_dynamic_references,
)

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NO_LIMIT = 1 << 16
_MAXIMUM_ITEMS = 5_000
"""More items of a list, or places of a text, are not resolved: no policy holds their result."""
_MAXIMUM_ROWS = 1_000
"""CloudFormation takes 200 attributes in a map; of more it is not told apart which one it is."""
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)


def join(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::Join [delimiter, list]`."""
    if isinstance(argument, list) and any(_is_long(item) for item in argument):
        return unknown_text(f"a joined text of {stack.identity} {digest(argument)}")
    delimiter, items = _pair(resolver, stack, argument)
    separator = as_value(delimiter)
    values = [as_value(item) for item in items] if isinstance(items, list) else [None]
    optional = isinstance(items, list) and any(isinstance(i, MaybeAbsent) for i in items)
    if separator is None or optional or None in values:
        return unknown_text(f"a joined text of {stack.identity} {digest([delimiter, items])}")
    pieces: list[Value] = []
    for index, value in enumerate(values):
        if value is not None:
            pieces.extend((separator, value) if index else (value,))
    return joined(pieces)


def _is_long(node: Any) -> bool:
    return isinstance(node, list) and len(node) > _MAXIMUM_ITEMS


def split_text(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::Split [delimiter, text]`: a list, or an unknown text where the cuts are not known."""
    delimiter, source = _pair(resolver, stack, argument)
    text = as_value(source)
    if text is not None and isinstance(delimiter, str) and _cuts_are_known(text, delimiter):
        return split(text, delimiter, _NO_LIMIT)
    return unknown_text(f"a split text of {stack.identity} {digest([delimiter, source])}")


def _cuts_are_known(text: Value, delimiter: str) -> bool:
    if isinstance(text, str) or delimiter == "":
        return delimiter != ""
    characters = set(delimiter)
    if any(unknown.can_hold(character) for unknown in text.unknowns for character in characters):
        return False
    rests = [r for p in text.parts if isinstance(p, str) for r in p.split(delimiter)]
    return len(delimiter) == 1 or not any(characters.intersection(rest) for rest in rests)


def select(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::Select [index, list]`."""
    position, items = _pair(resolver, stack, argument)
    index = as_value(position)
    if (
        isinstance(index, str)
        and _INDEX.fullmatch(index)
        and isinstance(items, list)
        and int(index) < len(items)
        and not any(isinstance(item, MaybeAbsent) for item in items)
    ):
        return items[int(index)]
    mark = digest([position, items])
    return unknown_text(f"item {index} of a list of {stack.identity} {mark}")


def _pair(resolver: Resolver, stack: Stack, argument: Any) -> tuple[Any, Any]:
    resolved = resolver.resolve(argument, stack)
    if isinstance(resolved, list) and len(resolved) == 2:
        return resolved[0], resolved[1]
    return None, resolved


def substitute(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::Sub`, a string or `[string, map]`."""
    template, names = argument, {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
        template, names = argument
    if not isinstance(template, str) or template.count("${") > _MAXIMUM_ITEMS:
        return unknown_text(f"a Fn::Sub of {stack.identity} {digest(argument)}")
    pieces: list[Value] = []
    end = 0
    values: dict[str, Value] = {}
    for match in _PLACEHOLDER.finditer(template):
        name = match.group(1)
        # A value is looked up once: where it is a Fn::Sub again, and so on, each turn doubles.
        if name not in values:
            values[name] = _placeholder(resolver, stack, name, names)
        pieces += (template[end : match.start()], values[name])
        end = match.end()
    return joined((*pieces, template[end:]))


def _placeholder(resolver: Resolver, stack: Stack, name: str, names: Mapping[str, Any]) -> Value:
    if name.startswith("!"):
        return f"${{{name[1:]}}}"
    if name in names:
        value = resolver.value(names[name], stack)
    elif "." in name:
        value = resolver.value({"Fn::GetAtt": name}, stack)
    else:
        value = resolver.value({"Ref": name}, stack)
    return unknown_text(f'"${{{name}}}" of {stack.identity}') if value is None else value


def find_in_map(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::FindInMap [map, top key, second key, {DefaultValue}?]`."""
    resolved = resolver.resolve(argument, stack)
    label = f"a map entry of {stack.identity} {digest(resolved)}"
    if not isinstance(resolved, list) or not 3 <= len(resolved) <= 4:
        return unknown_text(label)
    map_name, top, second = (as_value(item) for item in resolved[:3])
    entries = stack.template.mappings.get(map_name) if isinstance(map_name, str) else None
    if not isinstance(entries, Mapping) or top is None or second is None:
        return unknown_text(label)
    # A default that is AWS::NoValue is gone from the resolved object.
    default = resolved[3].get("DefaultValue", NO_VALUE) if _is_default(resolved) else None
    unknown = unknown_text(label)
    # Kept, because a map can have as many rows as there are places that ask for one.
    return resolver.once(
        ("map entry", stack, map_name, top, second, repr(default)),
        lambda: _map_entry(stack, map_name, entries, (top, second), default, unknown),
        unknown,
    )


def _map_entry(
    stack: Stack,
    map_name: Value | None,
    entries: Mapping[str, Any],
    keys: tuple[Value, Value],
    default: Any,
    unknown: Value,
) -> Any:
    top, second = keys
    if isinstance(second, str) and not isinstance(top, str) and len(entries) <= _MAXIMUM_ROWS:
        found = [_entry(entries, key, second) for key in entries]
        values = [as_value(value) for value in (*found, default) if value is not None]
        known = [value for value in values if value is not None]
        if len(known) == len(values) > 0 and None not in (found if default is None else []):
            described = describe_alternatives(known)
            return one_of(f"{described}, for {top} in map {map_name} of {stack.identity}", known)
    entry = _entry(entries, top, second)
    if entry is None:
        both_known = isinstance(top, str) and isinstance(second, str)
        return default if both_known and default is not None else unknown
    items = [as_value(item) for item in entry] if isinstance(entry, list) else [as_value(entry)]
    texts = [with_dynamic_references(item) for item in items if item is not None]
    if len(texts) < len(items):
        return unknown
    return texts if isinstance(entry, list) else texts[0]


def _is_default(arguments: list[Any]) -> bool:
    return len(arguments) == 4 and isinstance(arguments[3], Mapping)


def _entry(entries: Mapping[str, Any], top: Value, second: Value) -> Any:
    row = entries.get(top) if isinstance(top, str) else None
    return row.get(second) if isinstance(row, Mapping) and isinstance(second, str) else None


def length(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::Length list`."""
    items = resolver.resolve(argument, stack)
    if isinstance(items, list) and not any(isinstance(item, MaybeAbsent) for item in items):
        return Number(str(len(items)))
    return unknown_text(f"the length of a list of {stack.identity} {digest(items)}")


def to_json(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::ToJsonString`: JSON text, with the unknown parts inside its strings."""
    resolved = resolver.resolve(argument, stack)
    if not _is_optional(resolved):
        return joined(_json_pieces(as_data(resolved)))
    return unknown_text(f"a JSON text of {stack.identity} {digest(resolved)}")


def _is_optional(node: Any) -> bool:
    if isinstance(node, Mapping):
        return any(_is_optional(value) for value in node.values())
    if isinstance(node, list):
        return any(_is_optional(item) for item in node)
    return isinstance(node, MaybeAbsent) or node is NO_VALUE


def _json_pieces(node: Any) -> list[str | Unknown]:
    if isinstance(node, Text):
        inner = [p if isinstance(p, Unknown) else json.dumps(p)[1:-1] for p in node.parts]
        return ['"', *inner, '"']
    if isinstance(node, Number):
        return [str(node)]
    if is_known(node) and not isinstance(node, (list, Mapping)):
        return [json.dumps(node)]
    pieces: list[str | Unknown] = []
    if isinstance(node, list):
        for index, item in enumerate(node):
            pieces.extend([", " if index else "", *_json_pieces(item)])
        return ["[", *pieces, "]"]
    for index, (key, value) in enumerate(node.items()):
        pieces.extend([", " if index else "", json.dumps(key), ": ", *_json_pieces(value)])
    return ["{", *pieces, "}"]
