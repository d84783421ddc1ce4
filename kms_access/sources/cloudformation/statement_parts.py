"""What several readings of one statement have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LISTS = ("Action", "Resource")
_PRINCIPAL = "Principal"


def common_and_rest(readings: Sequence[Any]) -> tuple[Any | None, list[Any]]:
    """The statement that all readings contain, and what each has beyond it.

    A statement with several actions, resources or principals stands for one statement per item;
    so where readings differ in one such list alone, the items in all of them are certain. None
    and the readings themselves where they differ otherwise.
    """
    if not all(isinstance(reading, dict) for reading in readings):
        return None, list(readings)
    names = {name for reading in readings for name in reading}
    first = readings[0]
    differing = [
        name
        for name in names
        if any(name not in reading or reading[name] != first.get(name) for reading in readings)
    ]
    if len(differing) != 1:
        return None, list(readings)
    name = differing[0]
    parts = [_parts(name, reading.get(name)) for reading in readings]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None, list(readings)
    # Items may be lists or objects, so their representations are compared: lists can be long.
    in_all = set.intersection(*({repr(item) for item in part} for part in known))
    common = [item for item in known[0] if repr(item) in in_all]
    if not common:
        return None, list(readings)
    rests = [[item for item in part if repr(item) not in in_all] for part in known]
    return (
        {**first, name: _joined(name, common)},
        [{**first, name: _joined(name, rest)} for rest in rests if rest],
    )


def _parts(name: str, node: Any) -> list[tuple[str, Any]] | None:
    """The items of a list that can be taken apart, with their kind of principal."""
    if name in _LISTS:
        return [("", item) for item in (node if isinstance(node, list) else [node])]
    if name != _PRINCIPAL or not isinstance(node, dict):
        return None
    return [
        (kind, item)
        for kind, found in node.items()
        for item in (found if isinstance(found, list) else [found])
    ]


def _joined(name: str, parts: Sequence[tuple[str, Any]]) -> Any:
    if name in _LISTS:
        return [item for _, item in parts]
    principals: dict[str, list[Any]] = {}
    for kind, item in parts:
        principals.setdefault(kind, []).append(item)
    return principals
