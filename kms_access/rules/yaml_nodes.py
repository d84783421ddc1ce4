"""YAML read strictly: every scalar stays text with its position, nothing is typed or expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import yaml

from kms_access.inventory.input_error import InputError

MAXIMUM_BYTES = 1 << 20
MAXIMUM_NODES = 50_000
MAXIMUM_DEPTH = 20
_LONGEST_MESSAGE = 1_000
"""A list of everything that is accepted fits; a text of the file that is longer does not."""
_MAXIMUM_FOR_PYTHON = 8 << 10
"""Python's own parser says better what is wrong; libyaml's takes a tenth of the time."""
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class RulesError(InputError):
    """A rules file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def error(self, message: str, help: str = "") -> RulesError:
        """An error about what stands at this place, in one line."""
        shown = _LINE_BREAK.sub(" ", message)
        if len(shown) > _LONGEST_MESSAGE:
            shown = f"{shown[:_LONGEST_MESSAGE]} …"
        return RulesError(shown, self.file, self.line, self.column, help)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as written; `quoted` tells text from what YAML would take for another type."""

    text: str
    quoted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping without repeated keys, in the order of the file."""

    entries: tuple[Entry, ...]
    place: Place


Node: TypeAlias = Scalar | Sequence | Mapping


def read_file(path: Path, shown: str) -> bytes:
    """The bytes of a rules file; `shown` is how messages name it.

    Raises `RulesError` for a file that cannot be read or is past the limit.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise RulesError("there is no such rules file", shown) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RulesError(f"the rules file cannot be read: {reason}", shown) from None
    if len(data) > MAXIMUM_BYTES:
        raise RulesError(f"the file has {len(data)} bytes, at most {MAXIMUM_BYTES}", shown)
    return data


def parse_yaml(data: bytes, shown: str) -> Node:
    """The document in `data`.

    Raises `RulesError` with the place for what is no YAML, and for anchors, aliases, tags, merge
    keys, repeated keys, further documents, and sizes past the limits.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        read = data[: error.start].decode("utf-8")
        raise _place_after(read, shown).error(f"byte {error.start} is not UTF-8") from None
    unreadable = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if unreadable is not None:
        raise _place_after(text[: unreadable.start()], shown).error(
            f"no readable YAML: unacceptable character #x{ord(unreadable.group()):04x}"
        )
    return _Reader(shown).document(text)


def _place_after(text: str, file: str) -> Place:
    *before, last = _LINE_BREAK.split(text)
    return Place(file, len(before) + 1, len(last) + 1)


class _Mark(Protocol):
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.reached: _Mark | None = None

    def document(self, text: str) -> Node:
        loader = yaml.SafeLoader if len(text) <= _MAXIMUM_FOR_PYTHON else _FAST_LOADER
        try:
            nodes = self._count(text, loader)
            root = yaml.compose(text, Loader=loader) if nodes else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = (error.problem or error.context or "no readable YAML").lower()
            raise self._place(mark).error(message.rstrip(".")) from None
        except yaml.YAMLError as error:
            message = str(error).splitlines()[0].lower().rstrip(".")
            raise self._place(self.reached).error(f"no readable YAML: {message}") from None
        except (ValueError, OverflowError):
            raise self._place(self.reached).error(
                "no readable YAML: after this stands an escape or a number that has no meaning"
            ) from None
        if root is None:
            raise Place(self.file, 1, 1).error(
                "the rules file is empty", 'a rules file begins with "version: 1"'
            )
        return self._node(root)

    def _count(self, text: str, loader: Any) -> int:
        """Events before nodes: refuses what would grow when it is expanded."""
        nodes = depth = documents = 0
        for event in yaml.parse(text, Loader=loader):
            self.reached = event.end_mark or self.reached
            if isinstance(event, yaml.ScalarEvent) and event.anchor is event.tag is None:
                # Nearly all events are of this kind: the others take the slow way.
                nodes += 1
                if nodes > MAXIMUM_NODES:
                    raise self._too_large(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._place(event.start_mark).error("a second document is not accepted")
            elif isinstance(event, yaml.AliasEvent):
                raise self._place(event.start_mark).error(
                    f'the alias "*{event.anchor}" is not accepted', "write the value out"
                )
            elif isinstance(event, yaml.NodeEvent):
                nodes += 1
                self._check(event)
                depth += isinstance(event, yaml.CollectionStartEvent)
                if depth > MAXIMUM_DEPTH or nodes > MAXIMUM_NODES:
                    raise self._too_large(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
        return nodes

    def _too_large(self, event: yaml.NodeEvent) -> RulesError:
        return self._place(event.start_mark).error("the file is too deep or too large")

    def _check(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            raise self._place(event.start_mark).error(
                f'the anchor "&{event.anchor}" is not accepted', "write the value out"
            )
        if getattr(event, "tag", None) is not None:
            raise self._place(event.start_mark).error("a tag is not accepted")

    def _place(self, mark: _Mark | None) -> Place:
        mark = mark or self.reached
        return Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file, 1, 1)

    def _node(self, node: yaml.Node) -> Node:
        place = self._place(node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self._node(item) for item in node.value), place)
        if isinstance(node, yaml.MappingNode):
            return Mapping(tuple(self._entries(node)), place)
        return Scalar(str(node.value), getattr(node, "style", None) in ("'", '"'), place)

    def _entries(self, node: yaml.MappingNode) -> Iterator[Entry]:
        seen: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key = self._node(key_node)
            if not isinstance(key, Scalar):
                raise key.place.error("a key must be text")
            if key.text == "<<" and not key.quoted:
                raise key.place.error('the merge key "<<" is not accepted', "write the keys out")
            if key.text in seen:
                first = seen[key.text]
                raise key.place.error(f'"{key.text}" stands here twice, first in line {first.line}')
            seen[key.text] = key.place
            yield Entry(key, self._node(value_node))
