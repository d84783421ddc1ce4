"""Construct paths and creation stacks, from the metadata that CDK writes beside templates."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kms_access.sources.cloudformation.files import relative_to_working_directory

_LOGICAL_ID = "aws:cdk:logicalId"
_CREATION_STACK = "aws:cdk:creationStack"
_TEMPLATE_FILE = "aws:cdk:templateFile"
_FRAME = re.compile(r"(?:^|\()([^()]+?):([0-9]{1,9})(?::[0-9]{1,9})?\)?$")
_LIBRARY_FOLDERS = frozenset(("site-packages", "dist-packages", "node_modules"))
_CHILDREN = ("/Default", "/Resource")
"""What CDK calls the L1 construct inside an L2 construct, from the inside out."""


@dataclass(frozen=True, slots=True)
class Construct:
    """Path of the construct that made a resource, and the line of the program that made it."""

    path: str
    file: str = ""
    line: int | None = None

    def label(self, stack_path: str) -> str:
        """How a person calls the construct: its path without the stack and the L1 child."""
        path = self.path.removeprefix(f"{stack_path}/") if stack_path else self.path
        for child in _CHILDREN:
            path = path.removesuffix(child)
        return path


Constructs = Mapping[tuple[str, str], Construct]
"""Keyed by template file and logical id; nested templates stand in their parent's metadata."""


def read_constructs(metadata: Any, template_file: str) -> Constructs:
    """The constructs of a stack's metadata: construct path -> list of `{type, data}`.

    Entries of another shape are passed over: they only serve positions and labels.
    """
    if not isinstance(metadata, Mapping):
        return {}
    entries = {path: _entries(path, node) for path, node in metadata.items()}
    files = {
        path: data
        for path, found in entries.items()
        for kind, data in found
        if kind == _TEMPLATE_FILE and isinstance(data, str)
    }
    constructs: dict[tuple[str, str], Construct] = {}
    for path, found in entries.items():
        file, line = _position(found)
        construct = Construct(path.removeprefix("/"), file, line)
        for kind, data in found:
            if kind == _LOGICAL_ID and isinstance(data, str):
                owner = _nearest(path, files) or template_file
                constructs.setdefault((owner, data), construct)
    return constructs


def _entries(path: str, node: Any) -> list[tuple[Any, Any]]:
    items = node if isinstance(node, list) else []
    return [(item.get("type"), item.get("data")) for item in items if isinstance(item, Mapping)]


def _nearest(path: str, files: Mapping[str, str]) -> str | None:
    while path:
        if path in files:
            return files[path]
        path = path.rpartition("/")[0]
    return None


def _position(entries: Iterable[tuple[Any, Any]]) -> tuple[str, int | None]:
    for kind, data in entries:
        if kind == _CREATION_STACK and isinstance(data, list):
            for frame in data:
                match = _FRAME.search(frame) if isinstance(frame, str) else None
                file = _project_file(match.group(1)) if match else None
                if match and file:
                    return file, int(match.group(2))
    return "", None


def _project_file(path: str) -> str | None:
    if _LIBRARY_FOLDERS.intersection(path.replace("\\", "/").split("/")):
        return None
    relative = relative_to_working_directory(path)
    return relative.replace(os.sep, "/") if relative else None
