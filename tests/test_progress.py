"""The line that tells that work goes on: on a terminal alone, and gone before any result."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from kms_access import cli
from kms_access.cli.progress import progress_line

CLEAR = "\r\x1b[K"


class Terminal(io.StringIO):
    """A terminal that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def test_long_work_is_told_and_the_line_goes_away_before_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with progress_line(terminal, after=0, every=60):
        assert terminal.written.wait(30)
        sys.stdout.write("the result\n")
    assert terminal.getvalue() == f"{CLEAR}still deciding, 0 s{CLEAR}the result\n"
    assert sys.stdout is terminal


def test_the_line_goes_away_without_a_result() -> None:
    terminal = Terminal()
    with progress_line(terminal, after=0, every=60):
        assert terminal.written.wait(30)
    assert terminal.getvalue().endswith(CLEAR)


def test_short_work_writes_nothing() -> None:
    terminal = Terminal()
    with progress_line(terminal):
        pass
    assert terminal.getvalue() == ""


def test_without_a_terminal_nothing_is_written_and_no_thread_is_there() -> None:
    stream = io.StringIO()
    before = threading.active_count()
    with progress_line(stream, after=0, every=0.001):
        assert threading.active_count() == before
    assert stream.getvalue() == ""


def test_streams_are_those_of_before_after_a_failure() -> None:
    terminal, out = Terminal(), sys.stdout

    def fail() -> None:
        with progress_line(terminal):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert sys.stdout is out


def test_an_error_text_stands_on_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert cli.main(["check", "absent.json"]) == 2
    assert isinstance(sys.stderr, Terminal)
    assert sys.stderr.getvalue().startswith("error: ")
