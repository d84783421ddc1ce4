"""Writes docs/images/finding.svg: what the tutorial's blocked change looks like on a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from xml.sax.saxutils import escape

from kms_access import cli

DOCS = Path(__file__).parents[1] / "docs"
PICTURE = DOCS / "images" / "finding.svg"
COLUMNS = 100

_FILE = re.compile(r'^```yaml title="([^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)
_SECTION = "## A change that breaks a rule\n"
_COMMAND = re.compile(r"^\$ (kms-access check .+)$", re.MULTILINE)
_PAINTED = re.compile("\x1b\\[([0-9;]*)m")
_WORDS = re.compile(r"\S+(?: \S+)*")
_LEFT_OUT = "not evaluated: "

_CHARACTER, _LINE, _MARGIN = 7.8, 19, 16
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_BACKGROUND, _TEXT = "#161b22", "#e6edf3"
_STYLES: Mapping[str, str] = {
    "1;31": 'fill="#ff7b72" font-weight="bold"',
    "1;33": 'fill="#e3b341" font-weight="bold"',
    "31": 'fill="#ff7b72"',
    "32": 'fill="#7ee787"',
    "1": 'font-weight="bold"',
    "2": 'fill="#8b949e"',
}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line, with the SGR codes that it is painted with."""

    text: str
    codes: str


def shown() -> tuple[str, str]:
    """The command of the tutorial's blocked change, and what it prints on a terminal.

    The notes about what is not evaluated, which come last, are left out.
    """
    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(_SECTION)
    section = rest[: rest.index("\n## ")]
    found = _COMMAND.search(section)
    assert found is not None
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, text in _FILE.findall(before + section):
            Path(name).write_text(text, encoding="utf-8")
        output = _printed(found[1])
    lines = [line for line in output.splitlines() if not line.startswith(_LEFT_OUT)]
    return found[1], "\n".join(lines)


def _printed(command: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment |= {"COLUMNS": str(COLUMNS), "TERM": "xterm"}
    terminal = _Terminal()
    with mock.patch.dict(os.environ, environment, clear=True), contextlib.redirect_stdout(terminal):
        cli.main(shlex.split(command)[1:])
    return terminal.getvalue()


def spans(line: str) -> Iterator[Span]:
    """The pieces of a line between the codes that paint it."""
    codes = ""
    for number, part in enumerate(_PAINTED.split(line)):
        if number % 2:
            codes = "" if part == "0" else part
        elif part:
            yield Span(part, codes)


def picture() -> str:
    """The whole picture. Each piece has its place and length, so that any fixed-width font fits."""
    command, output = shown()
    lines = [[Span("$ ", "2"), Span(command, "")], *(list(spans(x)) for x in output.splitlines())]
    width = round(2 * _MARGIN + COLUMNS * _CHARACTER)
    height = 2 * _MARGIN + len(lines) * _LINE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="{_FONT}" font-size="13" '
        f'fill="{_TEXT}">',
        f"<title>{escape(command)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{_BACKGROUND}"/>',
    ]
    for number, line in enumerate(lines, 1):
        parts += _drawn(line, _MARGIN + number * _LINE - 5)
    return "\n".join([*parts, "</svg>\n"])


def _drawn(line: list[Span], y: int) -> Iterator[str]:
    column = 0
    for span in line:
        style = f" {_STYLES[span.codes]}" if span.codes else ""
        for word in _WORDS.finditer(span.text):
            x = round(_MARGIN + (column + word.start()) * _CHARACTER, 1)
            length = round(len(word[0]) * _CHARACTER, 1)
            yield f'<text x="{x}" y="{y}" textLength="{length}"{style}>{escape(word[0])}</text>'
        column += len(span.text)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8", newline="\n")
