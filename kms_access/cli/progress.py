"""A line on a terminal that says that work still goes on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_AFTER_SECONDS = 2.0
_EVERY_SECONDS = 1.0
_CLEAR = "\r\x1b[K"


class _Line:
    """The line; another thread writes it, and whoever writes a result takes it away first."""

    def __init__(self, stream: TextIO, after: float, every: float) -> None:
        self._stream = stream
        self._after, self._every = after, every
        self._over = threading.Event()
        self._shown = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        seconds, wait = 0.0, self._after
        while not self._over.wait(wait):
            seconds, wait = seconds + wait, self._every
            self._show(f"{_CLEAR}still deciding, {seconds:.0f} s")

    def _show(self, text: str) -> None:
        with self._lock:
            if not self._over.is_set():
                self._stream.write(text)
                self._stream.flush()
                self._shown = True

    def stop(self) -> None:
        """Take the line away, for good."""
        with self._lock:
            self._over.set()
            if self._shown:
                self._stream.write(_CLEAR)
                self._stream.flush()
                self._shown = False


class _AfterLine:
    """A stream whose first write takes the line away."""

    def __init__(self, stream: TextIO, line: _Line) -> None:
        self._stream, self._line = stream, line

    def write(self, text: str) -> int:
        self._line.stop()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def progress_line(
    stream: TextIO, *, after: float = _AFTER_SECONDS, every: float = _EVERY_SECONDS
) -> Iterator[None]:
    """Show on `stream`, if it is a terminal, that work takes longer than `after` seconds.

    The line goes away before anything is written to the standard streams. Short work pays for
    one thread that never runs.
    """
    if not stream.isatty():
        yield
        return
    line = _Line(stream, after, every)
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _AfterLine(out, line), _AfterLine(err, line)
    line.start()
    try:
        yield
    finally:
        line.stop()
        sys.stdout, sys.stderr = out, err
