"""The line that shows how far the collection is."""

from __future__ import annotations

import io

from account_snapshot.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(stream: io.StringIO) -> str:
    progress = Progress(stream)
    progress.expect(4)
    progress.finish("key 1")
    progress.expect(4)
    progress.finish("key 2")
    progress.close()
    return stream.getvalue()


def test_a_terminal_shows_what_is_done_and_is_left_clean() -> None:
    text = run(Terminal())
    assert "[######------------------] 1/4 key 1" in text
    assert "[######------------------] 2/8 key 2" in text
    assert text.endswith("\r\x1b[K")
    assert "\n" not in text


def test_nothing_is_written_elsewhere() -> None:
    assert run(io.StringIO()) == ""
