"""Nodes of a rules file as the types of the file format want them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from kms_access.rules.yaml_nodes import Entry, Mapping, Node, RulesError, Scalar, Sequence


def describe(node: Node) -> str:
    """What a node is, for messages."""
    if isinstance(node, Scalar):
        return f'"{node.text}"'
    return "a list" if isinstance(node, Sequence) else "a mapping"


def mapping_of(node: Node, what: str) -> Mapping:
    """The node, which must be a mapping; `what` is how messages name it, here and below."""
    if not isinstance(node, Mapping):
        raise node.place.error(f"{what} is {describe(node)}, a mapping is expected")
    return node


def items_of(node: Node | None, what: str) -> tuple[Node, ...]:
    """The items of a list; none of a list that is not there."""
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        raise node.place.error(f"{what} is {describe(node)}, a list is expected")
    return node.items


def entries_of(node: Node | None, what: str) -> tuple[Entry, ...]:
    """The entries of a mapping with free names; none of one that is not there."""
    if node is None:
        return ()
    entries = mapping_of(node, what).entries
    for entry in entries:
        if not entry.key.text.strip():
            raise entry.key.place.error(f"a name in {what} is empty")
    return entries


def text_of(node: Node, what: str) -> Scalar:
    """A single value that is not empty."""
    if not isinstance(node, Scalar):
        raise node.place.error(f"{what} is {describe(node)}, text is expected")
    if not node.text.strip():
        raise node.place.error(f"{what} is empty")
    return node


def value_of(node: Node, what: str) -> str:
    """A single value, which may be the empty text where it is quoted."""
    if isinstance(node, Scalar) and node.text == "" and node.quoted:
        return ""
    return text_of(node, what).text


def texts_of(node: Node | None, what: str) -> tuple[Scalar, ...]:
    """The items of a list of single values."""
    return tuple(text_of(item, what) for item in items_of(node, what))


def fields_of(node: Mapping, kind: Any, what: str) -> dict[str, Node]:
    """The fields of a record; `kind` is its `TypedDict`, which names and requires them."""
    accepted = tuple(kind.__annotations__)
    for entry in node.entries:
        if entry.key.text not in accepted:
            raise unknown(entry.key, accepted, f"field of {what}")
    fields = {entry.key.text: entry.value for entry in node.entries}
    for name in accepted:
        if name in kind.__required_keys__ and name not in fields:
            raise node.place.error(f'"{name}" is missing in {what}')
    return fields


def one_of(node: Node, accepted: Iterable[str], what: str, kind: str) -> str:
    """A text that is one of those accepted; `kind` is what they are."""
    names = list(accepted)
    word = text_of(node, what)
    if word.text not in names:
        raise unknown(word, names, kind)
    return word.text


def unknown(word: Scalar, accepted: Iterable[str], kind: str) -> RulesError:
    """The error for a word that is none of those accepted."""
    names = list(accepted)
    close = difflib.get_close_matches(word.text, names, 1)
    known = f"accepted are {', '.join(names)}" if names else "there is none"
    return word.place.error(
        f'unknown {kind} "{word.text}", {known}', f'did you mean "{close[0]}"?' if close else ""
    )
