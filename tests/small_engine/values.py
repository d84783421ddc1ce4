"""Property values as plain data, with the engine's markers for unknowns and secrets.

Everything inside the engine is plain JSON data: an unknown is the sentinel string, a secret is
the marked mapping that the Pulumi wire format uses. That keeps one representation from the
program's request to the policy pack's request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from google.protobuf import struct_pb2

Value: TypeAlias = Any
Properties: TypeAlias = dict[str, Value]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# The SDK only ever sends the string form; state files and remediations may hold the others.
UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


def is_unknown(value: Value) -> bool:
    return isinstance(value, str) and value in UNKNOWNS


def is_secret(value: Value) -> bool:
    return isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET


def secret(value: Value) -> Value:
    return value if is_secret(value) else {SIGNATURE: SECRET, "value": value}


def plain(value: Value) -> Value:
    """The value without any secret marks, at every depth."""
    if is_secret(value):
        return plain(value.get("value"))
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def contains_unknown(value: Value) -> bool:
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return is_unknown(value)


def contains_secret(value: Value) -> bool:
    if is_secret(value):
        return True
    if isinstance(value, Mapping):
        return any(contains_secret(item) for item in value.values())
    return isinstance(value, list) and any(contains_secret(item) for item in value)


def text(properties: Mapping[str, Value], key: str, default: str = "") -> str:
    """The known string under this key, or the default when it is absent or unknown."""
    value = plain(properties.get(key))
    return value if isinstance(value, str) and value and not is_unknown(value) else default


def without_internal(value: Value) -> Value:
    """Drop the provider's bookkeeping (`__defaults` and the like) at every depth."""
    if isinstance(value, Mapping):
        return {k: without_internal(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list):
        return [without_internal(item) for item in value]
    return value


def shown(properties: Mapping[str, Value]) -> Properties:
    """The properties that the engine shows to a pack: it drops bookkeeping at the top only."""
    return {key: item for key, item in properties.items() if not key.startswith("__")}


def go_json(value: Value) -> str:
    """JSON as Go's encoder writes it, since the real bridge turns documents into text with it."""
    body = json.dumps(
        _whole_numbers(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False
    )
    for char in "<>&\u2028\u2029":
        body = body.replace(char, f"\\u{ord(char):04x}")
    return body


def _whole_numbers(value: Value) -> Value:
    # Numbers cross the wire as doubles, so 3600 comes back as 3600.0.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return value


def to_struct(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    result = struct_pb2.Struct()
    for key, item in properties.items():
        _fill(result.fields[key], item)
    return result


def _fill(target: struct_pb2.Value, value: Value) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = float(value)
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        # An empty mapping must still be present as a mapping.
        target.struct_value.SetInParent()
        for key, item in value.items():
            _fill(target.struct_value.fields[key], item)
    else:
        target.list_value.SetInParent()
        for item in value:
            _fill(target.list_value.values.add(), item)


def from_struct(struct: struct_pb2.Struct) -> Properties:
    return {key: _read(item) for key, item in struct.fields.items()}


def _read(value: struct_pb2.Value) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    if kind is None or kind == "null_value":
        return None
    return getattr(value, kind)


def state_form(value: Value) -> Value:
    """The form of `pulumi stack export --show-secrets`: a secret holds its JSON as plaintext."""
    if is_secret(value):
        return {SIGNATURE: SECRET, "plaintext": json.dumps(plain(value))}
    if isinstance(value, Mapping):
        return {key: state_form(item) for key, item in value.items()}
    if isinstance(value, list):
        return [state_form(item) for item in value]
    return value


def from_state_form(value: Value) -> Value:
    if is_secret(value):
        if "plaintext" in value:
            return secret(json.loads(value["plaintext"]))
        if "value" in value:
            return value
        raise ValueError("the state holds encrypted secrets; export it with --show-secrets")
    if isinstance(value, Mapping):
        return {key: from_state_form(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_state_form(item) for item in value]
    return value
