"""Reading JSON nodes of a policy: lists or single values, spelling, and the problems found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import Problem, Severity
from kms_access.policies.json_text import JsonObject, Number, Path
from kms_access.policies.text import Text, Value, unknown_text

REMEMBERED_PIECES: Final = 512
"""How many pieces of one kind are remembered by their text; inventories repeat them."""


@dataclass(slots=True)
class Notes:
    """Collects the problems of one document while it is read."""

    problems: list[Problem] = field(default_factory=list)
    errors: int = 0

    def error(self, rule: str, message: str, path: Path) -> Reason:
        """Record an error; the reason that comes back keeps the affected part open."""
        self.problems.append(Problem(rule, message, path))
        self.errors += 1
        return Reason(message, ReasonKind.UNREADABLE, rule)

    def warning(self, rule: str, message: str, path: Path) -> None:
        """Record something that AWS accepts and that is likely a mistake."""
        self.problems.append(Problem(rule, message, path, Severity.WARNING))


def as_list(node: Any) -> list[Any]:
    """A node that may stand without its list (K26)."""
    return node if isinstance(node, list) else [node]


def scalar(node: Any) -> Value | None:
    """Strings as they are, numbers and booleans as text (K26); None for anything else."""
    if isinstance(node, Text):
        return node
    if isinstance(node, (str, Number)):
        return str(node)
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, (int, float)):
        return repr(node)
    return None


def describe(node: Any) -> str:
    """What a node is, for messages."""
    if node is None:
        return "null"
    if isinstance(node, Mapping):
        return "an object"
    if isinstance(node, list):
        return "a list"
    if isinstance(node, Text):
        return f'the unknown value "{node}"'
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, (int, float, Number)):
        return f"the number {node}"
    return f'"{node}"'


def duplicates_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that stand in an object more than once."""
    return node.duplicates if isinstance(node, JsonObject) else ()


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of an object that are surely there, and those of which it is unclear.

    `uncertain` says why the object as a whole stays open; None if nothing is unclear.
    """

    known: Mapping[str, Any]
    unclear: frozenset[str]
    uncertain: Reason | None


def with_documented_spelling(
    node: Mapping[str, Any], names: Iterable[str], notes: Notes, path: Path
) -> Elements:
    """The elements of `node` under their documented names.

    An unknown element, one in another case (K41) and one that stands there twice (K27) are
    errors: their values are neither trusted nor taken for absent.
    """
    documented = {name.lower(): name for name in names}
    elements: dict[str, Any] = {}
    unclear: set[str] = set()
    uncertain: Reason | None = None
    for key, value in node.items():
        name = documented.get(str(key).lower())
        if name == key:
            elements[name] = value
        elif name is not None:
            uncertain = notes.error("K41", f'element "{key}" is not spelled "{name}"', (*path, key))
            unclear.add(name)
        else:
            accepted = ", ".join(documented.values())
            uncertain = notes.error(
                "K41", f'unknown element "{key}", accepted are {accepted}', (*path, key)
            )
    for key in duplicates_of(node):
        uncertain = notes.error("K27", f'element "{key}" stands here more than once', (*path, key))
        unclear.add(key)
        elements.pop(key, None)
    return Elements(elements, frozenset(unclear), uncertain)


def string_items(node: Any, notes: Notes, path: Path) -> list[tuple[Value, Path]]:
    """The strings of a node with their paths; an unreadable item may be any string."""
    items: list[tuple[Value, Path]] = []
    listed = isinstance(node, list)
    for index, item in enumerate(as_list(node)):
        place = (*path, index) if listed else path
        text = scalar(item)
        if text is None:
            message = f"{describe(item)} stands where a string is expected"
            notes.error("K26", message, place)
            text = unknown_text(message)
        items.append((text, place))
    return items
