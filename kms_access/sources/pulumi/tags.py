"""Tags of keys and identities, as a map or as a list of pairs, with those of the provider."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kms_access.policies.text import Text, Unknown, Value
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.wire import UNKNOWN, contains_unknown, provider_setting

_NONE: Mapping[str, Value] = MappingProxyType({})


def read_tags(definition: Definition) -> tuple[Mapping[str, Value], str]:
    """The tags with those that the provider adds, and why there may be more ("" if not).

    The outputs hold them all once they are known, but one value that is not known makes the whole
    property unknown there: then the inputs say more.
    """
    everything = definition.outputs.get("tagsAll")
    if isinstance(everything, Mapping) and not contains_unknown(everything):
        return _read(definition, everything)
    base = everything if isinstance(everything, Mapping) else _default_tags(definition)
    provided, unclear_defaults = _read(definition, base)
    own, unclear = _read(definition, definition.value("tags"))
    return {**provided, **own}, unclear or unclear_defaults


def _read(definition: Definition, node: object) -> tuple[Mapping[str, Value], str]:
    unclear = f"the tags of {definition.call} are not known before the deployment"
    if node is None:
        return _NONE, ""
    if isinstance(node, Mapping):
        return {key: _value(definition, key, value) for key, value in node.items()}, ""
    if not isinstance(node, list):
        return _NONE, unclear
    pairs = [
        item for item in node if isinstance(item, Mapping) and isinstance(item.get("key"), str)
    ]
    tags = {str(pair["key"]): _value(definition, pair["key"], pair.get("value")) for pair in pairs}
    return tags, unclear if len(pairs) < len(node) else ""


def _value(definition: Definition, key: str, value: object) -> Value:
    if value is UNKNOWN:
        return Text((Unknown(f"the tag {key} of {definition.unique_call}"),))
    return value if isinstance(value, Text) else "" if value is None else str(value)


def _default_tags(definition: Definition) -> object:
    """What the provider adds to every resource, where its settings say so."""
    settings = provider_setting(definition.resource.provider, "defaultTags")
    return settings.get("tags") if isinstance(settings, Mapping) else settings
