"""A line on a terminal that shows how far the collection is."""

from __future__ import annotations

import shutil
import threading
from typing import TextIO

_CELLS = 24


class Progress:
    """Counts finished parts; writes to `stream` only if that is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._lock = threading.Lock()
        self._done = self._total = 0

    def expect(self, parts: int) -> None:
        """So many further parts will follow."""
        with self._lock:
            self._total += parts
            self._draw("")

    def finish(self, what: str) -> None:
        """One part is finished."""
        with self._lock:
            self._done += 1
            self._draw(what)

    def close(self) -> None:
        """Leave the terminal clean."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _draw(self, what: str) -> None:
        if not self._shown or not self._total:
            return
        filled = _CELLS * self._done // self._total
        bar = "#" * filled + "-" * (_CELLS - filled)
        line = f"[{bar}] {self._done}/{self._total} {what}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[K{line[:width]}")
        self._stream.flush()
