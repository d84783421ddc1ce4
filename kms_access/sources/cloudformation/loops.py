"""Fn::ForEach: what `AWS::LanguageExtensions` makes of loops over known collections."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kms_access.sources.cloudformation.template import MAXIMUM_RESOURCES, Template

LOOP = "Fn::ForEach::"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_MAXIMUM_NODES = 50 * MAXIMUM_RESOURCES
_CHARACTERS_OF_A_NODE = 256

_PLACEHOLDER = re.compile(r"([$&])\{([A-Za-z0-9]+)\}", re.ASCII)
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]+", re.ASCII)

Collection: TypeAlias = "Callable[[Any], list[str] | None]"
"""The items of a collection as written; None if they are not all known."""


@dataclass(slots=True)
class Budget:
    """How many nodes the loops of a deployment may make: loops in loops multiply. Past it, a
    loop stays as it is written."""

    left: int = _MAXIMUM_NODES

    def take(self, characters: int = 0) -> None:
        """One node more; long texts count for more."""
        self.left -= 1 + characters // _CHARACTERS_OF_A_NODE
        if self.left < 0:
            raise _Unexpandable


class _Unexpandable(Exception):
    """A loop stays as it is written: what it makes is not known."""


def expanded(template: Template, collection: Collection, budget: Budget) -> Template:
    """The template with its loops carried out; a loop that cannot be stays where it is.

    Source: "Fn::ForEach" in the CloudFormation template reference.
    """
    if LANGUAGE_EXTENSIONS not in template.transforms or not template.may_hold_transforms:
        return template
    expander = _Expander(collection, budget)
    resources, made_by = expander.section(template.resources)
    outputs, _ = expander.section(template.outputs)
    conditions, _ = expander.section(template.conditions)
    lines = dict(template.lines)
    lines.update({logical_id: lines[loop] for logical_id, loop in made_by.items()})
    return template.with_sections(
        resources=resources, outputs=outputs, conditions=conditions, lines=lines
    )


class _Expander:
    def __init__(self, collection: Collection, budget: Budget) -> None:
        self._collection = collection
        self._budget = budget

    def section(self, written: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """A section in which each loop is carried out whole or not at all, and the loop that made
        each of its new members. One that makes what is there already stays as it is."""
        made: dict[str, Any] = {}
        made_by: dict[str, str] = {}
        for key, node in written.items():
            try:
                found = self._members(key, node, {})
                too_many = len(made) + len(found) > MAXIMUM_RESOURCES
                if key.startswith(LOOP):
                    taken = (written.keys() | made.keys()) & found.keys()
                    if taken or too_many:
                        raise _Unexpandable
                    made_by.update(dict.fromkeys(found, key))
            except _Unexpandable:
                found = {key: node}
            made.update(found)
        return made, made_by

    def _members(self, key: str, node: Any, values: Mapping[str, str]) -> dict[str, Any]:
        """What one member of an object becomes: itself, or what its loop makes."""
        if not key.startswith(LOOP):
            return {self._replaced(key, values): self._node(node, values)}
        if not isinstance(node, list) or len(node) != 3:
            raise _Unexpandable
        identifier, collection, fragment = node
        items = self._collection(self._node(collection, values))
        if not isinstance(identifier, str) or not isinstance(fragment, Mapping) or items is None:
            raise _Unexpandable
        made: dict[str, Any] = {}
        for item in items:
            for name, inner in fragment.items():
                found = self._members(name, inner, {**values, identifier: item})
                if not made.keys().isdisjoint(found):
                    raise _Unexpandable
                made.update(found)
        return made

    def _node(self, node: Any, values: Mapping[str, str]) -> Any:
        self._budget.take()
        if type(node) is str:
            return self._replaced(node, values)
        if isinstance(node, list):
            return [self._node(item, values) for item in node]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1 and isinstance(node.get("Ref"), str) and node["Ref"] in values:
            return values[node["Ref"]]
        made: dict[str, Any] = {}
        for key, inner in node.items():
            found = self._members(key, inner, values)
            if not made.keys().isdisjoint(found):
                raise _Unexpandable
            made.update(found)
        return made

    def _replaced(self, text: str, values: Mapping[str, str]) -> str:
        """`${Identifier}` is the item, `&{Identifier}` its letters and digits."""
        if not values or "{" not in text:
            return text
        self._budget.take(len(text) + text.count("{") * max(map(len, values.values())))

        def value(match: re.Match[str]) -> str:
            if match.group(2) not in values:
                return match.group()
            item = values[match.group(2)]
            return item if match.group(1) == "$" else _NOT_ALPHANUMERIC.sub("", item)

        return _PLACEHOLDER.sub(value, text)
