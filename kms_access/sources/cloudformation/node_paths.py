"""Paths to the nodes of a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_access.policies.json_text import Path


def path_to(wanted: object, root: Any) -> Path | None:
    """The path from `root` to the very object, list or string `wanted`; None if it is not there."""
    if not isinstance(wanted, (Mapping, list, str)):
        return None
    pending: list[tuple[Path, Any]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if node is wanted:
            return path
        if isinstance(node, Mapping):
            pending.extend(((*path, key), value) for key, value in node.items())
        elif isinstance(node, list):
            pending.extend(((*path, index), value) for index, value in enumerate(node))
    return None


def node_at(root: Any, path: Path) -> Any:
    """The node at a path; None if there is none."""
    node = root
    for step in path:
        is_there = (isinstance(node, Mapping) and step in node) or (
            isinstance(node, list) and isinstance(step, int) and step < len(node)
        )
        if not is_there:
            return None
        node = node[step]
    return node
