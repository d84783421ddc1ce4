"""Pages whose examples run: files by the names above them, commands, and what they print.

With KMS_ACCESS_UPDATE_DOCS=1 in the environment a test writes into the page what the commands print
instead of comparing it; run it then without other processes (`pytest -n 0 tests/test_docs_*.py`).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from kms_access import cli

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ABOUT_REGIONS = "not evaluated: template (stack template): no Region is known"
"""Said wherever a template stands alone; the pages of the checks leave it out and say so."""


class Today(date):
    """The day of all pages, for what they say about waivers."""

    @classmethod
    def today(cls) -> date:
        return date(2026, 11, 28)


_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
_IS_UPDATE = os.environ.get("KMS_ACCESS_UPDATE_DOCS") == "1"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: a named file, the commands of a session, or text."""

    kind: str
    title: str
    text: str
    start: int

    @property
    def is_session(self) -> bool:
        return self.kind == "console" and not self.title

    @property
    def commands(self) -> list[list[str]]:
        """The `kms-access` commands, without that word."""
        lines = re.findall(r"^\$ kms-access (.+)$", self.text, re.MULTILINE)
        return [shlex.split(line, comments=True) for line in lines]


def script(name: str) -> ModuleType:
    """A module of the folder of scripts, which is no package."""
    path = ROOT / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for their types
    spec.loader.exec_module(module)
    return module


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page in their order."""
    found = _BLOCK.finditer(text)
    return [Block(m[1], m[2] or "", m[3], m.start(3)) for m in found]


def write_files(given: Iterable[Block]) -> None:
    """Write the named ones into the working directory."""
    for block in given:
        if block.title:
            path = Path(block.title)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def replayed(session: str, capsys: pytest.CaptureFixture[str], hidden: str | None = None) -> str:
    """A session as it goes now; lines that begin with `hidden` are left out.

    Known are `kms-access`, `cat FILE` and `echo $?`.
    """
    lines: list[str] = []
    code = 0
    for line in re.findall(r"^\$ .+$", session, re.MULTILINE):
        command, *arguments = shlex.split(line.removeprefix("$ "))
        if command == "kms-access":
            code = cli.main(arguments)
            printed, err = capsys.readouterr()
            assert not err, f"{line} says {err}"
        elif command == "cat":
            (file,) = arguments
            printed = Path(file).read_text(encoding="utf-8")
        else:
            assert [command, *arguments] == ["echo", "$?"], f"{line} cannot be run"
            printed = f"{code}\n"
        lines.append(line)
        lines += [
            shown for shown in printed.splitlines() if not hidden or not shown.startswith(hidden)
        ]
    return "".join(f"{line}\n" for line in lines)


def hold(page: Path, text: str, now: Sequence[tuple[Block, str]]) -> None:
    """Compare blocks of a page, whose text was `text`, with what they should be now."""
    if not _IS_UPDATE:
        for block, expected in now:
            assert block.text == expected
        return
    for block, expected in sorted(now, key=lambda pair: -pair[0].start):
        text = text[: block.start] + expected + text[block.start + len(block.text) :]
    if text != page.read_text(encoding="utf-8"):
        page.write_text(text, encoding="utf-8")


def hold_file(path: Path, expected: str, help: str) -> None:
    """Compare a generated file, or write it."""
    if _IS_UPDATE and (not path.exists() or path.read_text(encoding="utf-8") != expected):
        path.write_text(expected, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == expected, help


def play(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Follow a page from its beginning to its end in the working directory."""
    text = page.read_text(encoding="utf-8")
    now = []
    for block in blocks(text):
        write_files([block])
        if block.is_session:
            now.append((block, replayed(block.text, capsys)))
    assert now, f"{page.name} shows no command"
    hold(page, text, now)
