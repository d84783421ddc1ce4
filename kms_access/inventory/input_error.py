"""Input that cannot be used, with its place."""

from __future__ import annotations


class InputError(Exception):
    """A file that the user gave and that cannot be used.

    `file` is the path as the user gave it; `line` and `column` count from 1, None or 0 where not
    known; `message` says what was found and what is accepted, `help` what to do about it.
    """

    def __init__(
        self,
        message: str,
        file: str = "",
        line: int | None = None,
        column: int | None = None,
        help: str = "",
    ) -> None:
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.help = help
        super().__init__(str(self))

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.message}" if place else self.message
