"""Every check has a page, and its examples do what the page shows."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from kms_access import cli
from kms_access.rules.checks import CHECKS

FOLDER = Path(__file__).parent.parent / "docs/checks"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
_SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
_ABOUT_REGIONS = "not evaluated: template (stack template): no Region is known"


@dataclass(frozen=True)
class Example:
    """The files of one section, and the commands with what they print."""

    files: Mapping[str, str]
    session: str

    @property
    def commands(self) -> list[tuple[list[str], str]]:
        parts = re.split(r"^\$ kms-access (.+)\n", self.session, flags=re.MULTILINE)
        assert parts[0] == ""
        return [(shlex.split(c), out) for c, out in zip(parts[1::2], parts[2::2], strict=True)]


def sections(page: Path) -> dict[str, str]:
    return dict(_SECTION.findall(page.read_text(encoding="utf-8")))


def example(text: str, files: Mapping[str, str]) -> Example:
    """The example of a section; `files` of the section before it are still there."""
    blocks = _BLOCK.findall(text)
    named = {name: content for _, name, content in blocks if name}
    (session,) = [content for kind, name, content in blocks if kind == "console" and not name]
    assert len(named) == len(blocks) - 1, "a block that is neither a file nor the commands"
    return Example({**files, **named}, session)


def examples(page: Path) -> tuple[Example, Example]:
    found = sections(page)
    fails = example(found["Fails"], {})
    return fails, example(found["Passes"], fails.files)


class Today(date):
    """A day on which the waivers of the pages hold, or do not."""

    @classmethod
    def today(cls) -> date:
        return date(2026, 11, 28)


@pytest.fixture(autouse=True)
def on_a_fixed_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kms_access.rules.assessment.date", Today)


def played(given: Example, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The checks of the findings of the last command, after every output has been compared."""
    for name, content in given.files.items():
        Path(name).write_text(content, encoding="utf-8")
    for arguments, shown in given.commands:
        cli.main(arguments)
        out, err = capsys.readouterr()
        printed = [line for line in out.splitlines() if not line.startswith(_ABOUT_REGIONS)]
        assert (printed, err) == (shown.splitlines(), "")
    last, _ = given.commands[-1]
    assert last[0] == "check"
    cli.main([*last, "--format", "json"])
    return [finding["check"] for finding in json.loads(capsys.readouterr().out)["findings"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_failing_example_gives_the_finding_and_nothing_else(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert played(examples(page)[0], capsys) == [page.stem]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_passing_example_gives_no_finding(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert played(examples(page)[1], capsys) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_why_and_how_to_correct(page: Path) -> None:
    check = CHECKS[page.stem]
    text = page.read_text(encoding="utf-8")
    claim = check.claim[0].upper() + check.claim[1:]
    level = f"{claim}. Level without a setting: `{check.level.value}`.\n"
    assert text.startswith(f"# {check.id}\n\n{level}")
    assert list(sections(page)) == ["Why", "Fails", "Passes", "Fix"]
    assert all(len(part.split()) > 8 for part in sections(page).values())
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (FOLDER / link).is_file(), link


def test_there_is_one_page_for_each_check_and_the_table_lists_them_all() -> None:
    assert {page.stem for page in PAGES} == set(CHECKS)
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[([a-z-]+)\]\(([a-z-]+)\.md\) \| (.+) \| (\w+) \|$", table, re.M)
    assert rows == [(c.id, c.id, c.claim, c.level.value) for c in CHECKS.values()]
