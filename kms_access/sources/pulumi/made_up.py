"""Values that a program got for want of a deployment -> what they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kms_access.inventory.arns import unknown_key_id
from kms_access.policies.text import Text, Value, concat, unknown_text
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.names import generated_name, name_with_prefix
from kms_access.sources.pulumi.places import Place, Places
from kms_access.sources.pulumi.resource import StackResource

UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's mark for a text that is not known yet."""
_WHOLE = ("key-id", "attribute")

Meanings = Mapping[str, Mapping[str, str]]
"""Each made-up value with its kind and what it belongs to."""


def with_meanings(
    resources: Sequence[StackResource], meanings: Meanings, account: str
) -> list[StackResource]:
    """The resources with unknown text in place of what was made up.

    It is the text that every other reference to the same resource gives. A property that is such
    a value as a whole is unknown and depends on the resource, as at a preview.
    """
    by_urn = {resource.urn: resource for resource in resources}
    # The account may follow from the documents, so they are read once without it.
    first = _Replacer(meanings, by_urn, Places((), account))
    places = Places([first.resource(resource) for resource in resources], account)
    second = _Replacer(meanings, by_urn, places)
    return [second.resource(resource) for resource in resources]


class _Replacer:
    def __init__(
        self, meanings: Meanings, resources: Mapping[str, StackResource], places: Places
    ) -> None:
        self._meanings = meanings
        self._resources = resources
        self._values = {
            made_up: self._value(made_up, meaning, places) for made_up, meaning in meanings.items()
        }
        longest_first = sorted(self._values, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def resource(self, resource: StackResource) -> StackResource:
        """The resource with every made-up value replaced."""
        inputs = dict(resource.inputs)
        dependencies = dict(resource.property_dependencies)
        for key, value in inputs.items():
            meaning = self._meanings.get(value) if isinstance(value, str) else None
            if meaning is not None and meaning["kind"] in _WHOLE and meaning.get("urn"):
                inputs[key] = UNKNOWN_VALUE
                dependencies[key] = [meaning["urn"]]
            else:
                inputs[key] = self._replaced(value)
        provider = {key: self._replaced(value) for key, value in resource.provider.items()}
        return replace(
            resource, inputs=inputs, property_dependencies=dependencies, provider=provider
        )

    def _replaced(self, node: object) -> object:
        if isinstance(node, str):
            return self._text(node)
        if isinstance(node, Mapping):
            return {key: self._replaced(item) for key, item in node.items()}
        return [self._replaced(item) for item in node] if isinstance(node, list) else node

    def _text(self, text: str) -> Value:
        pieces: list[str | Text] = []
        end = 0
        for match in self._pattern.finditer(text):
            pieces += [text[end : match.start()], self._values[match.group()]]
            end = match.end()
        return concat((*pieces, text[end:])) if pieces else text

    def _value(self, made_up: str, meaning: Mapping[str, str], places: Places) -> Value:
        kind = meaning["kind"]
        if kind == "account":
            return places.of(self._of_provider(meaning["provider"])).account
        if kind == "configuration":
            return unknown_text(f'the encrypted configuration value "{meaning["key"]}"')
        urn = meaning["urn"]
        resource = self._resources.get(urn)
        if resource is not None:
            if kind == "key-id":
                unknown = unknown_key_id(resource.qualified_name)
                return Text((replace(unknown, matches_no_literal=True),))
            if kind == "generated-name":
                return generated_name(resource, made_up) or made_up
            if kind == "prefixed-name":
                call = Definition(resource, {}, {}, Place("", "", ""), True).unique_call
                return name_with_prefix(meaning["prefix"], call, not_created_yet=True)
        part = "a part of the" if kind == "part" else "the"
        name = urn.split("::", 2)[-1]
        return unknown_text(f"{part} {meaning.get('attribute', kind)} of {name}")

    def _of_provider(self, urn: str) -> StackResource:
        """Some resource of a provider, to ask where the provider makes resources."""
        for resource in self._resources.values():
            if resource.provider_urn == urn:
                return resource
        return StackResource(urn, "", provider_urn=urn)
