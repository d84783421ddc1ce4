"""Documents that a program writes with `policypack.documents`, put together from their parts.

At a preview such a document is as unknown as any other, but it depends on a component that holds
its structure, with one property for each output in it. A property that depends on the component
is that very document: the helper takes care that nothing that is derived from it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kms_access.policies.json_text import JsonError, read_json
from kms_access.policies.text import Text, Value, concat, split, unknown_text
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.resource import StackResource
from kms_access.sources.pulumi.tokens import (
    ENTITIES,
    KEY_POLICY,
    KEYS,
    POLICY_DOCUMENT,
    SERVICE_LINKED_ROLES,
    property_name,
)
from kms_access.sources.pulumi.wire import UNKNOWN, contains_unknown, plain

REFERENCE = "kms-access:reference"
ATTRIBUTE = "kms-access:attribute"
JOINED = "kms-access:joined"
_DOCUMENTS_IN_LISTS = ("policy", "policyDocument")

_Find = Callable[[str], Definition | None]


def with_composed_documents(definitions: Sequence[Definition]) -> list[Definition]:
    """The definitions with documents as data in place of unknown ones that components show.

    Attributes of resources of the stack are their canonical values, what else is not known is
    unknown text. What no component shows stays as it is.
    """
    by_urn = {definition.urn: definition for definition in definitions}
    components = {
        definition.urn: _Composer(
            definition.resource, definition.inputs, definition.unique_call, by_urn.get
        )
        for definition in definitions
        # A document of known parts is known itself, so it is none of the unknown ones.
        if definition.type == POLICY_DOCUMENT and contains_unknown(definition.inputs)
    }
    if not components:
        return list(definitions)
    return [_with_documents(definition, components) for definition in definitions]


def with_outlines(resources: Sequence[StackResource]) -> list[StackResource]:
    """The resources with the known parts of key policies, which may tell the account."""
    components = {
        resource.urn: _Composer(
            resource, _plain_inputs(resource), resource.qualified_name, lambda _: None
        )
        for resource in resources
        if resource.type == POLICY_DOCUMENT
    }
    if not components:
        return list(resources)
    return [
        _with_outline(resource, components)
        if resource.type in KEYS or resource.type == KEY_POLICY
        else resource
        for resource in resources
    ]


def _with_documents(definition: Definition, components: Mapping[str, _Composer]) -> Definition:
    inputs = dict(definition.inputs)
    dependencies = dict(definition.resource.property_dependencies)
    for key, value in definition.inputs.items():
        shown = [components[u] for u in sorted(set(dependencies.get(key, ()))) if u in components]
        if not shown or not contains_unknown(value):
            continue
        if value is UNKNOWN:
            if len(shown) == 1:
                inputs[key] = shown[0].compose()
        elif isinstance(value, list):
            documents = [component.compose() for component in shown]
            inputs[key] = _with_elements(value, documents)
            if not contains_unknown(inputs[key]):
                dependencies[key] = ()
    resource = replace(definition.resource, property_dependencies=dependencies)
    return replace(definition, inputs=inputs, resource=resource)


def _with_elements(items: Sequence[object], documents: Sequence[object]) -> list[object]:
    """A list of policies with its unknown documents.

    As many unknown documents as components are each of them once: which is which does not matter.
    """
    places = [
        (index, key)
        for index, item in enumerate(items)
        if isinstance(item, Mapping)
        for key in _DOCUMENTS_IN_LISTS
        if item.get(key) is UNKNOWN
    ]
    if len(places) != len(documents) or any(item is UNKNOWN for item in items):
        return list(items)
    result: list[Any] = [dict(item) if isinstance(item, Mapping) else item for item in items]
    for (index, key), document in zip(places, documents, strict=True):
        result[index][key] = document
    return result


def _with_outline(resource: StackResource, components: Mapping[str, _Composer]) -> StackResource:
    key = property_name(resource.type, "policy")
    urns = [u for u in resource.property_dependencies.get(key, ()) if u in components]
    if len(urns) != 1 or plain(resource.inputs.get(key)) is not UNKNOWN:
        return resource
    return replace(resource, inputs={**resource.inputs, key: components[urns[0]].compose()})


def _plain_inputs(resource: StackResource) -> dict[str, object]:
    return {key: plain(value) for key, value in resource.inputs.items()}


class _Composer:
    """Puts one document together; the inputs are those of its component, as plain data."""

    def __init__(
        self, component: StackResource, inputs: Mapping[str, object], call: str, find: _Find
    ) -> None:
        self._component = component
        self._inputs = inputs
        self._call = call
        self._find = find

    def compose(self) -> object:
        """The document as data; `UNKNOWN` for a structure that cannot be read."""
        # Literals of the program stand in it, and no names that the engine generates.
        structure = plain(self._component.inputs.get("document"))
        if not isinstance(structure, str):
            return UNKNOWN
        try:
            return self._filled(read_json(structure))
        except JsonError:
            return UNKNOWN

    def _filled(self, node: object) -> object:
        if isinstance(node, Mapping):
            if REFERENCE in node:
                return self._value(str(node[REFERENCE]), str(node.get(ATTRIBUTE, "")))
            if JOINED in node:
                return self._joined(node[JOINED])
            return {name: self._filled(item) for name, item in node.items()}
        return [self._filled(item) for item in node] if isinstance(node, list) else node

    def _joined(self, parts: object) -> Value:
        pieces = [self._filled(part) for part in parts] if isinstance(parts, list) else [UNKNOWN]
        if all(isinstance(piece, (str, Text)) for piece in pieces):
            return concat(piece for piece in pieces if isinstance(piece, (str, Text)))
        return unknown_text(f"a text in {self._call}")

    def _value(self, reference: str, attribute: str) -> object:
        value = self._inputs.get(reference, UNKNOWN)
        if not contains_unknown(value):
            return value
        urns = self._component.property_dependencies.get(reference, ())
        if attribute and len(urns) == 1:
            return self._attribute(urns[0], attribute)
        named = ", ".join(_name(urn) for urn in sorted(urns))
        depends = f", which depends on {named}" if named else ""
        return unknown_text(f"{reference} of {self._call}{depends}")

    def _attribute(self, urn: str, attribute: str) -> Value:
        source = self._find(urn)
        value = _canonical(source, attribute) if source is not None else None
        return unknown_text(f"the {attribute} of {_name(urn)}") if value is None else value


def _canonical(source: Definition, attribute: str) -> Value | None:
    """An attribute of a resource as every other reference to the resource gives it."""
    entity = ENTITIES.get(source.type)
    if attribute in ("arn", "policy_arn"):
        return source.arn
    if attribute == _python_name(property_name(source.type, "name")):
        return source.name
    if entity == "key" and attribute in ("id", "key_id"):
        return None if source.arn is None else split(source.arn, "/", 1)[-1]
    if attribute != "id":
        return None
    if entity == "policy" or source.type in SERVICE_LINKED_ROLES:
        return source.arn
    return source.name if entity in ("role", "user", "group", "alias") else None


def _python_name(property_: str) -> str:
    return re.sub("[A-Z]", lambda capital: f"_{capital.group().lower()}", property_)


def _name(urn: str) -> str:
    return "::".join(urn.split("::", 3)[2:]) or urn
