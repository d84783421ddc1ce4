"""Policies as they stand in the files of a snapshot: where each statement stands."""

from __future__ import annotations

from kms_access.inventory.statement_places import StatementPlaces
from kms_access.policies.json_text import Path, Position, members, offset_of


class WrittenText:
    """The text of a response, in which the items of its lists are looked for once.

    A response has a list of thousands of roles: to pass over them for each place would take long.
    """

    __slots__ = ("_lists", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._lists: dict[str | int, list[tuple[int, int]]] = {}

    def position(self, path: Path) -> Position | None:
        """Where the value at `path` begins; None if there is none."""
        start, line = 0, 1
        if len(path) > 1 and isinstance(path[1], int):
            items = self._items(path[0])
            if path[1] >= len(items):
                return None
            start, line = items[path[1]]
            path = path[2:]
        offset = offset_of(self._text, path, start)
        if offset is None:
            return None
        line += self._text.count("\n", start, offset)
        return Position(line, offset - self._text.rfind("\n", 0, offset))

    def _items(self, name: str | int) -> list[tuple[int, int]]:
        """Offset and line of each item of a list of the response."""
        if name not in self._lists:
            self._lists[name] = items = []
            counted, line = 0, 1
            offset = offset_of(self._text, (name,))
            for _, _, value in members(self._text, offset) if offset is not None else ():
                line += self._text.count("\n", counted, value)
                counted = value
                items.append((value, line))
        return self._lists[name]


class WrittenPolicy(StatementPlaces):
    """The places of the statements of the policy at `path`, an object or a string of JSON."""

    __slots__ = ("_path", "_text")

    def __init__(self, text: WrittenText, path: Path) -> None:
        self._text = text
        self._path = path

    def position(self, index: int | None) -> Position | None:
        position = self._text.position
        statements = (*self._path, "Statement")
        found = None
        if index is not None:
            found = position((*statements, index)) or (position(statements) if not index else None)
        return found or position(self._path)
