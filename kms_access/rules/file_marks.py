"""How the types of the rules file are narrowed and described."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Says:
    """The description of a type or a field.

    `without` says what holds where an optional field is not there, `example` is the field as it may
    stand in a file.
    """

    text: str
    without: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Matches:
    """A text must match a regular expression as a whole."""

    pattern: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text must be one of these."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """How many items or fields there may be, or how large a number may be; 0 is no upper bound."""

    least: int
    most: int = 0
