"""Text of others on a terminal, and what a terminal can show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NARROWEST = 40
_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "good": "32",
    "strong": "1",
    "faint": "2",
}


def safe(text: str) -> str:
    """Names come from templates: no character of theirs may move a terminal's cursor."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


@dataclass(frozen=True, slots=True)
class Style:
    """How text is laid out: lines are broken at `width` if there is one."""

    width: int | None = None
    colour: bool = False

    def paint(self, kind: str, text: str) -> str:
        """The text in the colour of its kind, one of `error`, `warning`, `good`, …"""
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style()
"""For files, pipes and other programs."""


def style_of(stream: TextIO, environment: Mapping[str, str]) -> Style:
    """What fits the stream: width and colour on a terminal alone.

    `NO_COLOR` takes the colour away, `FORCE_COLOR` gives it without a terminal too, and the first
    wins, as in Python's own output (no-color.org, force-color.org); both count unless empty.
    """
    is_terminal = stream.isatty()
    width = max(shutil.get_terminal_size().columns, _NARROWEST) if is_terminal else None
    if environment.get("NO_COLOR"):
        return Style(width)
    if environment.get("FORCE_COLOR"):
        return Style(width, colour=True)
    return Style(width, colour=is_terminal and environment.get("TERM") != "dumb")
