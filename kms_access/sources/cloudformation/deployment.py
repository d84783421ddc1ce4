"""All stacks of a deployment, with the resolver that sees through their references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason
from kms_access.policies.text import Value
from kms_access.sources.cloudformation.computed_values import base64_of, cidr
from kms_access.sources.cloudformation.conditions import if_function, undecided
from kms_access.sources.cloudformation.exports import Exports
from kms_access.sources.cloudformation.loops import Budget, expanded
from kms_access.sources.cloudformation.references import get_att, ref
from kms_access.sources.cloudformation.resolver import Function, Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.text_functions import (
    find_in_map,
    join,
    length,
    select,
    split_text,
    substitute,
    to_json,
)
from kms_access.sources.cloudformation.values import NO_VALUE, as_value


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A resource that will or may exist.

    `properties` is None where they cannot be told apart from what a macro puts there.
    `uncertain` says which undecided condition the resource hangs on.
    """

    stack: Stack
    logical_id: str
    kind: str
    properties: Mapping[str, Any] | None
    uncertain: Reason | None

    @property
    def origin(self) -> Origin:
        """Where the resource was written."""
        return self.stack.origin_of(self.logical_id)

    def node(self, name: str) -> Any:
        """A property as written, None if it is not there."""
        return (self.properties or {}).get(name)


class Deployment:
    """Stacks that are deployed together; their references to each other are resolved."""

    def __init__(self, stacks: Sequence[Stack]) -> None:
        self.stacks = stacks
        _expand_loops(stacks)
        exports = Exports(stacks)
        functions = _functions(exports)
        exports.prepare(Resolver(functions, exports))
        self.resolver = Resolver(functions, exports)
        self.resources = tuple(self._find_resources())

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for resource in self.resources if resource.kind in kinds)

    def value(self, resource: Resource, name: str) -> Value | None:
        """A property as one string, None if it is not there."""
        return self.resolver.value(resource.node(name), resource.stack)

    def _find_resources(self) -> Iterator[Resource]:
        existence: dict[Stack, Reason | bool] = {}
        for stack in self.stacks:
            around = True if stack.parent is None else existence[stack.parent]
            existence[stack] = _both(around, self._existence_of_stack(stack))
            for logical_id, node in stack.template.resources.items():
                if not isinstance(node, dict):
                    continue
                exists = _both(existence[stack], self._existence(stack, node))
                if exists is not False:
                    uncertain = exists if isinstance(exists, Reason) else None
                    kind = stack.type_of(logical_id)
                    properties = _properties(node)
                    yield Resource(stack, logical_id, kind, properties, uncertain)

    def _existence_of_stack(self, stack: Stack) -> Reason | bool:
        node = stack.parent.resource(stack.logical_id) if stack.parent is not None else None
        return True if stack.parent is None or node is None else self._existence(stack.parent, node)

    def _existence(self, stack: Stack, node: Mapping[str, Any]) -> Reason | bool:
        name = node.get("Condition")
        if isinstance(name, dict):
            # AWS::LanguageExtensions lets functions choose the condition, or none.
            name = self.resolver.resolve(name, stack)
        if name is None or name is NO_VALUE:
            return True
        return undecided(self.resolver, stack, name)


def _expand_loops(stacks: Sequence[Stack]) -> None:
    """Put the templates with their loops carried out in place of those that were written."""
    exports = Exports(stacks)
    resolver = Resolver(_functions(exports), exports)
    budget = Budget()
    for stack in stacks:

        def collection(node: Any, stack: Stack = stack) -> list[str] | None:
            resolved = resolver.resolve(node, stack)
            items = [as_value(item) for item in resolved] if isinstance(resolved, list) else [None]
            known = [item for item in items if isinstance(item, str)]
            return known if len(known) == len(items) else None

        stack.template = expanded(stack.template, collection, budget)


def _both(first: Reason | bool, second: Reason | bool) -> Reason | bool:
    if first is False or second is False:
        return False
    return second if first is True else first


def _properties(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    properties = node.get("Properties")
    if properties is None:
        properties = {}
    plain = isinstance(properties, dict) and not any(k.startswith("Fn::") for k in properties)
    return properties if plain and not any(key.startswith("Fn::") for key in node) else None


def _functions(exports: Exports) -> Mapping[str, Function]:
    return {
        "Ref": ref,
        "Fn::GetAtt": get_att,
        "Fn::Join": join,
        "Fn::Sub": substitute,
        "Fn::Select": select,
        "Fn::Split": split_text,
        "Fn::If": if_function,
        "Fn::FindInMap": find_in_map,
        "Fn::Length": length,
        "Fn::ToJsonString": to_json,
        "Fn::Base64": base64_of,
        "Fn::Cidr": cidr,
        "Fn::ImportValue": exports.imported,
        "Fn::GetStackOutput": exports.output_of_stack,
    }
