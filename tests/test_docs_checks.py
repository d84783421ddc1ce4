"""Every check has a page, and its examples do what the page shows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from kms_access import cli
from kms_access.rules.checks import CHECKS
from tests.documented import (
    ABOUT_REGIONS,
    DOCS,
    Block,
    Today,
    blocks,
    hold,
    replayed,
    write_files,
)

FOLDER = DOCS / "checks"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
_SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """The files of one section, and the commands with what they print."""

    page: Path
    text: str
    files: list[Block]
    session: Block


def sections(page: Path) -> dict[str, str]:
    return dict(_SECTION.findall(page.read_text(encoding="utf-8")))


def examples(page: Path) -> tuple[Example, Example]:
    """The failing and the passing one; the files of the failing one are still there for the other.

    Each section holds named files and, after them, one block of commands.
    """
    text = page.read_text(encoding="utf-8")
    given = blocks(text)
    fails, passes = (index for index, block in enumerate(given) if block.is_session)
    assert passes == len(given) - 1
    assert all(block.title for block in given if not block.is_session)
    assert given[fails].start < text.index("\n## Passes\n") < given[passes].start
    return (
        Example(page, text, given[:fails], given[fails]),
        Example(page, text, given[:passes], given[passes]),
    )


@pytest.fixture(autouse=True)
def on_a_fixed_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kms_access.rules.assessment.date", Today)


def played(given: Example, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The checks of the findings of the last command, after every output has been compared."""
    write_files(given.files)
    now = replayed(given.session.text, capsys, hidden=ABOUT_REGIONS)
    hold(given.page, given.text, [(given.session, now)])
    last = given.session.commands[-1]
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
