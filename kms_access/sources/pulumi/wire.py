"""The engine's wire form of property values -> plain data in which unknowns stand out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from kms_access.policies.text import Value

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_RESOURCE_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
_UNKNOWN_MARK = re.compile(
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # string
    "|1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"  # boolean
    "|3eeb2bf0-c639-47a8-9e75-3b44932eb421"  # number
    "|6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"  # array
    "|030794c1-ac77-496b-92df-f27374a8bd58"  # asset
    "|e48ece36-62e2-4504-bad9-02848725956a"  # archive
    "|dd056dcd-154b-4c76-9bd3-c8f88648b5ff"  # object
)
_BOOKKEEPING = "__defaults"
"""Where a provider notes, in every object of an input, which values it has filled in itself."""
_UNDECRYPTED = "[secret]"
"""What `pulumi policy analyze` puts in place of a secret that it cannot decrypt."""


class Marker(Enum):
    """Stands for a value that is not known yet."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Marker.UNKNOWN


def plain(value: object, text: Callable[[str], Value] = lambda known: known) -> object:
    """`value` without secret marks, with `UNKNOWN` for what is not known, at every depth.

    Whole floats become integers, because the wire knows no other numbers. A string that merely
    contains a marker is unknown as a whole. Every other string goes through `text`.
    """
    if isinstance(value, str):
        if value == _UNDECRYPTED or _UNKNOWN_MARK.search(value):
            return UNKNOWN
        return text(value)
    if isinstance(value, Mapping):
        signature = value.get(_SIGNATURE)
        if signature is not None:
            return _special(signature, value, text)
        return {key: plain(item, text) for key, item in value.items() if key != _BOOKKEEPING}
    if isinstance(value, (list, tuple)):
        return [plain(item, text) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _special(
    signature: object, value: Mapping[str, object], text: Callable[[str], Value]
) -> object:
    if signature == _SECRET and "plaintext" in value:
        # The form of an exported stack: the JSON of the value.
        return plain(_parsed(value["plaintext"]), text)
    if signature in (_SECRET, _OUTPUT_VALUE):
        return plain(value["value"], text) if "value" in value else UNKNOWN
    if signature == _RESOURCE_REFERENCE:
        return plain(value.get("id") or UNKNOWN, text)
    return UNKNOWN


def _parsed(plaintext: object) -> object:
    try:
        return json.loads(plaintext) if isinstance(plaintext, str) else _UNDECRYPTED
    except ValueError:
        return _UNDECRYPTED


def contains_unknown(value: object) -> bool:
    """Whether any part of plain data is not known."""
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return value is UNKNOWN


def provider_setting(provider: Mapping[str, object], key: str) -> object:
    """A setting of a provider; nested ones arrive as JSON text. None if it is no JSON."""
    known = plain(provider.get(key))
    if not isinstance(known, str):
        return known
    try:
        return plain(json.loads(known))
    except ValueError:
        return None
