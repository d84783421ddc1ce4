"""The text report on a terminal: its width, and colour only where somebody can see it."""

from __future__ import annotations

import io
import re

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access.reports.terminal import PLAIN, Style, safe, style_of
from kms_access.reports.text import TextReport, render
from kms_access.rules import Assessment
from tests.reports.assessments import hostile

ESCAPE = re.compile("\x1b\\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


STYLES = [
    # stream, environment, width, colour
    (Terminal, {}, 77, True),
    (Terminal, {"TERM": "dumb"}, 77, False),
    (Terminal, {"NO_COLOR": "1"}, 77, False),
    (Terminal, {"NO_COLOR": ""}, 77, True),
    (Terminal, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, 77, False),
    (Terminal, {"FORCE_COLOR": "1", "TERM": "dumb"}, 77, True),
    (io.StringIO, {}, None, False),
    (io.StringIO, {"FORCE_COLOR": ""}, None, False),
    (io.StringIO, {"FORCE_COLOR": "1"}, None, True),
    (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, None, False),
]


@pytest.mark.parametrize(("stream", "environment", "width", "colour"), STYLES)
def test_style(
    stream: type[io.StringIO],
    environment: dict[str, str],
    width: int | None,
    colour: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    assert style_of(stream(), environment) == Style(width, colour)


def test_a_terminal_of_no_width_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "3")
    assert style_of(Terminal(), {}).width == 40


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_are_broken_at_the_width(
    width: int, everything: Assessment, snapshot: SnapshotAssertion
) -> None:
    assert render(everything, Style(width)) == snapshot


def test_colours(everything: Assessment, snapshot: SnapshotAssertion) -> None:
    assert render(everything, Style(80, colour=True)) == snapshot


@pytest.mark.parametrize("width", [40, 60, 80, 100, 1000])
def test_breaking_lines_loses_nothing(width: int, assessment: Assessment) -> None:
    text = render(assessment, Style(width))
    assert text.split() == render(assessment).split()
    tally = text.split("\n\n")[-1].splitlines()
    for line in text.splitlines():
        # Only what cannot be broken is longer: a name, a path, a line of the tally.
        assert len(line) <= width or len(line.split()) == 1 or line in tally or line[0] == " "


def test_colour_adds_nothing_but_colour(assessment: Assessment) -> None:
    for width in (None, 80):
        painted = render(assessment, Style(width, colour=True))
        assert "\x1b[" in painted
        assert ESCAPE.sub("", painted) == render(assessment, Style(width))


def test_no_name_paints(everything: Assessment) -> None:
    for width in (None, 60):
        painted = render(hostile(everything), Style(width, colour=True))
        assert not {s for s in ESCAPE.sub("", painted) if ord(s) < 32 and s != "\n"}


def test_without_a_terminal_nothing_is_broken_or_painted(everything: Assessment) -> None:
    assert TextReport().render(everything) == render(everything, PLAIN)
    assert "\x1b" not in render(everything)


def test_signs_that_are_not_printed_are_named() -> None:
    assert safe("a\x1b\x9b\n\u202e\ud800ü") == "a\\u001b\\u009b\\u000a\\u202e\\ud800ü"
