"""Writes docs/rules-file.md from the types of the rules file."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, is_typeddict

from kms_access.inventory.actions import CAPABILITIES, expand_capability
from kms_access.rules.checks import CHECKS
from kms_access.rules.file_format import (
    CAPABILITY_WORDS,
    Between,
    KeyEntry,
    LimitEntry,
    MatchEntry,
    Matches,
    OneOf,
    RulesEntry,
    Says,
    TeamEntry,
    WaiverEntry,
)

PAGE = Path(__file__).parents[1] / "docs" / "rules-file.md"
RECORDS = {
    RulesEntry: ("The file", "The fields of the file itself."),
    TeamEntry: ("A team", "An entry of `teams`. At least one field; who fits any of them belongs."),
    KeyEntry: ("A key entry", "An item of `keys`."),
    MatchEntry: (
        "A match",
        "The field `match` of a key entry. At least one field; a key must fit all that are there.",
    ),
    LimitEntry: (
        "A limit",
        "What stands beside a capability that is allowed for some requests only. At least one "
        "field; a request must fulfil all that are there.",
    ),
    WaiverEntry: ("A waiver", "An item of `waivers`."),
}
_PLAIN = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_MANY = 12

_INTRODUCTION = """\
# The rules file

<!-- Written by scripts/generate_rules_reference.py from the types of the rules file. -->

A rules file says which team may do what with which key. [Writing rules for
teams](writing-rules.md) shows how to go about it; this page lists every field. `kms-access schema`
prints the same as JSON Schema. With this first line, editors complete and explain the fields:

```yaml
# yaml-language-server: $schema=access-rules.schema.json
```

`kms-access check-rules FILE` reads a file with all that it includes; where something is wrong it
says file, line, column and what is accepted. The file is YAML, read strictly: a field that is not
listed here, a key that stands twice, an anchor, an alias, a tag, a merge key and a second document
are errors. Account ids are quoted, because YAML takes some of them for octal numbers. In patterns
`*` is any text and `?` one character.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: its type without marks, and the marks."""

    name: str
    kind: Any
    marks: tuple[object, ...]
    is_required: bool

    @property
    def says(self) -> Says:
        """Its description; the outermost one, which speaks of the field and not of its type."""
        return [mark for mark in self.marks if isinstance(mark, Says)][-1]


def fields_of(record: Any) -> Iterator[Field]:
    """The fields of a `TypedDict` in their order."""
    for name, annotation in record.__annotations__.items():
        kind = annotation
        if get_origin(kind) is NotRequired:
            (kind,) = get_args(kind)
        kind, marks = unmarked(kind)
        yield Field(name, kind, marks, name in record.__required_keys__)


def unmarked(kind: Any) -> tuple[Any, tuple[object, ...]]:
    """A type without its marks, and them: Python has joined those of nested marks."""
    if get_origin(kind) is Annotated:
        return kind.__origin__, kind.__metadata__
    return kind, ()


def in_words(kind: Any) -> str:
    """A type as a person says it."""
    kind, marks = unmarked(kind)
    narrow = [_mark_in_words(mark, kind) for mark in marks if _narrows(mark)]
    if kind is not str:
        return ", ".join([_type_in_words(kind), *narrow])
    if narrow and not any(isinstance(mark, Matches) for mark in marks):
        return ", ".join(narrow)
    said = [mark.text for mark in marks if isinstance(mark, Says)]
    return f"text ({_escaped(said[0].rstrip('.'))})" if said else ", ".join(["text", *narrow])


def _type_in_words(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        return f"[{RECORDS[kind][0].lower()}]({_anchor(RECORDS[kind][0])})"
    if origin is Literal:
        return " or ".join(dict.fromkeys(f"`{value}`" for value in arguments))
    if origin in (Union, types.UnionType):
        if set(arguments) <= set(_PLAIN):
            return "text, quoted or not"
        if set(_PLAIN) <= set(arguments):
            return "text, quoted or not, or a list of such"
        return " or ".join(dict.fromkeys(in_words(argument) for argument in arguments))
    if origin is list:
        return f"a list of: {in_words(arguments[0])}"
    if origin is dict:
        name, value = arguments
        accepted = in_words(name)
        named = "names" if accepted == "text" else f"keys ({accepted})"
        return f"a mapping from {named} to: {in_words(value)}"
    return _PLAIN[kind]


def _narrows(mark: object) -> bool:
    return not isinstance(mark, Says) and mark != Between(1)


def _mark_in_words(mark: object, kind: Any) -> str:
    if isinstance(mark, Matches):
        return f"matching `{mark.pattern}`"
    if isinstance(mark, OneOf):
        return _one_of(mark.values)
    assert isinstance(mark, Between), f"unknown mark {mark}"
    if kind is int:
        return f"{mark.least} to {mark.most}"
    assert (mark.least, mark.most) == (1, 1), f"no words for {mark}"
    return "with one entry"


def _one_of(values: tuple[str, ...]) -> str:
    if values[: len(CAPABILITY_WORDS)] == CAPABILITY_WORDS:
        return "a [capability or action](#capabilities-and-actions)"
    if set(values) <= set(CHECKS):
        missing = [f"`{check}`" for check in CHECKS if check not in values]
        return "a [check](#checks-and-their-levels)" + (
            f" but {', '.join(missing)}" if missing else ""
        )
    assert len(values) < _MANY
    return " or ".join(f"`{value}`" for value in values)


def _anchor(title: str) -> str:
    return "#" + title.lower().replace(" ", "-")


def _section(record: Any) -> Iterator[str]:
    title, text = RECORDS[record]
    yield f"## {title}\n"
    yield _wrapped(text) + "\n"
    for field in fields_of(record):
        says = field.says
        yield f"### {field.name}\n"
        yield _wrapped(_escaped(says.text)) + "\n"
        yield _wrapped(f"- Type: {_field_in_words(field)}", indent="  ")
        if field.is_required:
            yield "- Required\n"
        else:
            yield _wrapped(f"- Without it: {says.without}", indent="  ") + "\n"
        yield f"```yaml\n{says.example}\n```\n"


def _field_in_words(field: Field) -> str:
    narrow = [_mark_in_words(mark, field.kind) for mark in field.marks if _narrows(mark)]
    if narrow and any(isinstance(mark, OneOf) for mark in field.marks):
        return ", ".join(narrow)
    return ", ".join([_type_in_words(field.kind), *narrow])


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _escaped(text: str) -> str:
    return text.replace("*", r"\*")


def _capabilities() -> Iterator[str]:
    yield "## Capabilities and actions\n"
    yield _wrapped(
        "A capability is a named set of KMS actions. Every action has exactly one; `use` is "
        f"{', '.join(f'`{word}`' for word in _USE)} together. A single action may stand wherever a "
        "capability may: `kms:Decrypt`."
    )
    yield ""
    yield "| capability | actions |"
    yield "| --- | --- |"
    for word in CAPABILITIES:
        actions = ", ".join(a.removeprefix("kms:") for a in sorted(expand_capability(word)))
        yield f"| `{word}` | {actions} |"
    yield ""


_USE = tuple(word for word in CAPABILITIES if expand_capability(word) <= expand_capability("use"))


def _checks() -> Iterator[str]:
    yield "## Checks and their levels\n"
    yield "The ids that `checks` and waivers take, and the level that each has by itself.\n"
    yield "| check | reports | level |"
    yield "| --- | --- | --- |"
    for check in CHECKS.values():
        yield f"| [{check.id}](checks/{check.id}.md) | {check.claim} | {check.level.value} |"


def page() -> str:
    """The whole page."""
    lines = [_INTRODUCTION]
    for record in RECORDS:
        lines += _section(record)
    return "\n".join([*lines, *_capabilities(), *_checks()]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
