"""What every source of definitions has in common."""

from __future__ import annotations


class SourceError(Exception):
    """Definitions that cannot be read at all.

    `file` is the path as the user gave it, `line` and `column` count from 1, `message` says what
    was found and what is accepted, `help` what to do about it.
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
        place = [str(part) for part in (self.file, self.line, self.column) if part]
        return ": ".join([":".join(place), self.message] if place else [self.message])
