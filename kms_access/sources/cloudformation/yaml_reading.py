"""YAML templates: the short-form tags of CloudFormation, and nothing that hides content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from kms_access.policies.json_text import Number, Position, position_at
from kms_access.policies.text import Text, Unknown
from kms_access.sources.cloudformation.json_reading import MAXIMUM_DEPTH
from kms_access.sources.interface import SourceError

_FUNCTIONS = frozenset(
    (
        *("Base64", "Cidr", "Contains", "Equals", "FindInMap", "ForEach", "GetAtt", "GetAZs"),
        *("And", "Or", "Not", "If", "ImportValue", "Join", "Length", "Select", "Split", "Sub"),
        *("ToJsonString", "Transform", "GetStackOutput", "EachMemberEquals", "EachMemberIn"),
        *("RefAll", "ValueOf", "ValueOfAll"),
    )
)
_STANDARD = "tag:yaml.org,2002:"
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_RESOLVER: Any = yaml.resolver.Resolver()
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class YamlPlaces:
    """Where the values of a template stand, as long as the template exists.

    `lines` are those of its resources; `marks` are by the id of an object, a list or a string
    that may hold JSON.
    """

    lines: dict[str, int] = field(default_factory=dict)
    marks: dict[int, Any] = field(default_factory=dict)

    def position(self, node: object) -> Position | None:
        """Where a value of the template begins; `node` is the value itself, not one like it."""
        mark = self.marks.get(id(node))
        return None if mark is None else Position(mark.line + 1, mark.column + 1)


def read_yaml_file(text: str, file: str) -> tuple[Any, YamlPlaces]:
    """The value of a YAML template, and where its parts stand.

    Short-form tags become their long form, numbers `Number`, dates strings. A number that YAML
    1.1 reads otherwise than it is written (octal, base 60) becomes an unknown text. Raises
    SourceError, with line and column, for what is no YAML, for duplicate keys, anchors, aliases
    and merge keys, for unknown tags and for a depth of more than `MAXIMUM_DEPTH`.
    """
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"no YAML: {error.problem or error.context or 'not readable'}"
        raise _at(message, file, mark) from None
    except yaml.YAMLError as error:
        message = f"no YAML: {str(error).splitlines()[0]}"
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        if found is None:
            raise SourceError(message, file=file) from None
        place = position_at(text, found.start())
        raise SourceError(message, file, place.line, place.column) from None
    except RecursionError:
        raise SourceError(f"nested more than {MAXIMUM_DEPTH} levels deep", file=file) from None
    return builder.document, builder.places


def _at(message: str, file: str, mark: Any, help: str = "") -> SourceError:
    if mark is None:
        return SourceError(message, file, help=help)
    return SourceError(message, file, mark.line + 1, mark.column + 1, help)


@dataclass(slots=True)
class _Open:
    """A collection that is being read; `key` is the key whose value comes next."""

    value: list[Any] | dict[str, Any]
    tag: str | None
    mark: Any = None
    key: str | None = None
    keys: set[str] = field(default_factory=set)


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.document: Any = None
        self.places = YamlPlaces()
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise self._error(f'the alias "*{event.anchor}" is not accepted', mark, "write it out")
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._error("a second document begins here, one is accepted", mark)
        if not isinstance(event, yaml.NodeEvent):
            if isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                done = self._open.pop()
                self._add(_tagged(done.tag, done.value), done.mark)
            return
        if event.anchor:
            raise self._error(
                f'the anchor "&{event.anchor}" is not accepted', mark, "write its value out"
            )
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
            return
        if self._expects_key():
            raise self._error("a key is a collection, a string is expected", mark)
        if len(self._open) >= MAXIMUM_DEPTH:
            raise self._error(f"nested more than {MAXIMUM_DEPTH} levels deep", mark)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        self._open.append(_Open([] if is_list else {}, self._tag(event), mark))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if not self._expects_key():
            self._add(self._scalar_value(event), event.start_mark)
            return
        top = self._open[-1]
        key = event.value
        if key in top.keys:
            raise self._error(f'key "{key}" stands more than once', event.start_mark)
        if key == "<<" and event.implicit[0]:
            raise self._error('the merge key "<<" is not accepted', event.start_mark)
        top.keys.add(key)
        top.key = key
        if len(self._open) == 2 and self._open[0].key == "Resources":
            self.places.lines[key] = event.start_mark.line + 1 if event.start_mark else 1

    def _expects_key(self) -> bool:
        top = self._open[-1] if self._open else None
        return top is not None and isinstance(top.value, dict) and top.key is None

    def _add(self, value: Any, mark: Any) -> None:
        if isinstance(value, (dict, list)) or (isinstance(value, str) and "{" in value):
            self.places.marks[id(value)] = mark
        if not self._open:
            self.document = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is not None:
            top.value[top.key] = value
            top.key = None

    def _tag(self, event: Any) -> str | None:
        """The short-form function of a node, None for YAML's own types."""
        tag: str | None = event.tag
        if tag is None or tag == "!" or tag in (f"{_STANDARD}map", f"{_STANDARD}seq"):
            return None
        name = tag[1:]
        if tag.startswith("!") and (name in ("Ref", "Condition") or name in _FUNCTIONS):
            return name
        shown = f"!!{tag.removeprefix(_STANDARD)}" if tag.startswith(_STANDARD) else tag
        raise self._error(f'the tag "{shown}" is no CloudFormation function', event.start_mark)

    def _scalar_value(self, event: yaml.ScalarEvent) -> Any:
        value = event.value
        tag: str | None = event.tag
        if tag is None:
            tag = _RESOLVER.resolve(yaml.ScalarNode, value, event.implicit)
        kind = tag.removeprefix(_STANDARD)
        if kind == tag and tag != "!":
            return _tagged(self._tag(event), value)
        if kind == "null":
            return None
        if kind in ("int", "float"):
            known = _JSON_NUMBER.fullmatch(value) is not None
            return Number(value) if known else _unclear(value, "number")
        if kind == "bool":
            known = value.lower() in ("true", "false")
            return value.lower() == "true" if known else _unclear(value, "switch")
        if kind in ("str", "timestamp", "value", "merge", "!"):
            return value
        return _tagged(self._tag(event), value)

    def _error(self, message: str, mark: Any, help: str = "") -> SourceError:
        return _at(message, self.file, mark, help)


def _unclear(value: str, kind: str) -> Text:
    return Text((Unknown(f'what CloudFormation makes of the {kind} "{value}" without quotes'),))


def _tagged(name: str | None, value: Any) -> Any:
    if name is None:
        return value
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}
