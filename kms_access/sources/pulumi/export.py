"""What `pulumi stack export` writes -> the resources of the stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kms_access.inventory.model import Inventory
from kms_access.policies.json_text import JsonError, read_json
from kms_access.sources.interface import SourceError
from kms_access.sources.pulumi.positions import position_in_state
from kms_access.sources.pulumi.reader import read_stack
from kms_access.sources.pulumi.resource import StackResource

VERSION = "3"
_MAXIMUM_CHARACTERS = 256 << 20
_HELP = 'write the file with "pulumi stack export --show-secrets"'


def is_export(node: object) -> bool:
    """Whether a JSON document looks like an exported stack."""
    return isinstance(node, Mapping) and "deployment" in node and "Resources" not in node


def load_export(path: Path, *, account: str = "") -> Inventory:
    """The inventory of an exported stack; `account` is used where the stack tells none.

    Resources that are about to be deleted or that the program only reads are left out. Raises
    `SourceError` for a file that is no export of version 3.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        node = read_json(text, maximum_characters=_MAXIMUM_CHARACTERS)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceError(f"the file cannot be read: {reason}", str(path)) from None
    except UnicodeDecodeError as error:
        raise SourceError(f"byte {error.start} is not UTF-8", str(path)) from None
    except JsonError as error:
        line, column = error.position.line, error.position.column
        raise SourceError(f"no JSON: {error.message}", str(path), line, column) from None
    return read_stack(_resources(node, str(path)), account=account, preview=False)


def _resources(node: Any, file: str) -> list[StackResource]:
    deployment = node.get("deployment") if isinstance(node, Mapping) else None
    if not isinstance(deployment, Mapping):
        raise SourceError('no exported stack: there is no "deployment" object', file, help=_HELP)
    version = node.get("version")
    if version != VERSION:
        message = f'version "{version}" of an exported stack is not known, accepted is {VERSION}'
        raise SourceError(message, file, help=_HELP)
    entries = deployment.get("resources") or []
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise SourceError('"resources" of the exported stack is no list of objects', file)
    inputs = {str(entry.get("urn")): _mapping(entry, "inputs", file) for entry in entries}
    return [
        _resource(entry, inputs, file)
        for entry in entries
        if not entry.get("delete") and not entry.get("external")
    ]


def _resource(
    entry: Mapping[str, Any], inputs: Mapping[str, Mapping[str, object]], file: str
) -> StackResource:
    urn, type_ = entry.get("urn"), entry.get("type")
    if not isinstance(urn, str) or not isinstance(type_, str):
        raise SourceError('a resource of the exported stack has no "urn" or no "type"', file)
    provider = str(entry.get("provider") or "")
    # A reference to a provider is its URN and its id.
    provider_urn = provider.rpartition("::")[0]
    return StackResource(
        urn,
        type_,
        inputs[urn],
        {**_mapping(entry, "outputs", file), **({"id": entry["id"]} if entry.get("id") else {})},
        _mapping(entry, "propertyDependencies", file),
        inputs.get(provider_urn, {}),
        provider_urn,
        *position_in_state(entry.get("sourcePosition")),
    )


def _mapping(entry: Mapping[str, Any], field: str, file: str) -> Mapping[str, Any]:
    value = entry.get(field) or {}
    if not isinstance(value, Mapping):
        message = f'"{field}" of "{entry.get("urn")}" is no object'
        raise SourceError(message, file)
    return value
