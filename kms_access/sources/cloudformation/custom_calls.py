"""`Custom::AWS`: API calls that a deployment makes, written as JSON text in a property."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kms_access.inventory.model import Key
from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text, Unknown, Value, concat, split
from kms_access.sources.cloudformation.deployment import Deployment, Resource

CUSTOM_CALL = "Custom::AWS"

_CALLS = ("Create", "Update", "Delete")
_SERVICES = ("kms", "@aws-sdk/client-kms", "iam", "@aws-sdk/client-iam")
_HARMLESS = ("describe", "get", "list")
_FIRST_MARK = 0xF2000


def calls_not_covered(
    deployment: Deployment, resource: Resource, keys: tuple[Key, ...]
) -> list[NotCovered]:
    """What a `Custom::AWS` resource does to keys or identities that is not evaluated."""
    if resource.properties is None:
        reason = "an API call that a macro fills in"
        return [NotCovered(resource.origin, reason, may_change_key_access=True)]
    found: dict[str, NotCovered] = {}
    for name in _CALLS:
        text = deployment.value(resource, name)
        if text is not None and text != "":
            entry = _entry(resource, name, text, keys)
            if entry is not None:
                found.setdefault(entry.reason, entry)
    return list(found.values())


def _entry(resource: Resource, name: str, text: Value, keys: tuple[Key, ...]) -> NotCovered | None:
    call = _read(text)
    if not isinstance(call, Mapping):
        reason = f"the API call in {name} cannot be read"
        return NotCovered(resource.origin, reason, may_change_key_access=True)
    service, action = call.get("service"), call.get("action")
    if not isinstance(service, str) or not isinstance(action, str):
        reason = f"the API call in {name} is not known"
        return NotCovered(resource.origin, reason, may_change_key_access=True)
    if service.lower() not in _SERVICES or action.lower().startswith(_HARMLESS):
        return None
    parameters = call.get("parameters")
    key = parameters.get("KeyId") if isinstance(parameters, Mapping) else None
    touches = not isinstance(key, (str, Text)) or _may_be_one_of(key, keys)
    on_key = f" on {key}" if isinstance(key, (str, Text)) else ""
    reason = f"the deployment calls {service} {action}{on_key}"
    return NotCovered(resource.origin, reason, may_change_key_access=touches)


def _may_be_one_of(name: Value, keys: tuple[Key, ...]) -> bool:
    for key in keys:
        key_id = split(key.arn, "/", 1)[-1]
        names = (key.arn, key_id, *key.aliases)
        if any(same(name, other).truth is not Truth.FALSE for other in names):
            return True
    return isinstance(name, str) and ":alias/" in name and bool(keys)


def _read(text: Value) -> Any:
    """The JSON of a call; its unknown parts come back inside the strings."""
    marks: dict[str, Unknown] = {}
    pieces = []
    for part in (text,) if isinstance(text, str) else text.parts:
        if isinstance(part, Unknown):
            mark = chr(_FIRST_MARK + len(marks))
            marks[mark] = part
            part = mark
        pieces.append(part)
    try:
        return _restored(json.loads("".join(pieces)), marks)
    except (ValueError, RecursionError):
        return None


def _restored(node: Any, marks: Mapping[str, Unknown]) -> Any:
    if isinstance(node, str):
        return concat(marks.get(character, character) for character in node)
    if isinstance(node, list):
        return [_restored(item, marks) for item in node]
    if isinstance(node, dict):
        return {key: _restored(value, marks) for key, value in node.items()}
    return node
