"""The data of a page, read back without the page's script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cell says of one action."""

    state: str
    hops: tuple[tuple[str, str], ...]
    condition: str
    example: str


class Elements(HTMLParser):
    """The elements of a page as a browser sees them, and the text in them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.comments = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.found[-1][0] if self.found else "", data))

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    def content(self, tag: str) -> list[str]:
        """The text in each element of a kind."""
        return [text for name, text in self.texts if name == tag and text.strip()]


class Data:
    """The tables of a page."""

    def __init__(self, page: str) -> None:
        block = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
        assert block is not None
        self.whole: dict[str, Any] = json.loads(block[1])

    def text(self, number: int) -> str:
        found: str = self.whole["texts"][number]
        return found

    def place(self, number: int) -> str:
        label, stack, file, line = self.whole["places"][number]
        where = f"{self.text(label)} (stack {self.text(stack)})" if self.text(stack) else ""
        at = f"  {self.text(file)}:{line}" if line else ""
        return (where or self.text(label)) + at

    def cells(self) -> Iterator[tuple[tuple[int, int, str], Shown]]:
        """What stands there for each principal, key and action that is in a view."""
        whole = self.whole
        for who, principal in enumerate(whole["principals"]):
            row = whole["rows"][principal["row"]]
            for view, runs in zip(row[::2], row[1::2], strict=True):
                spans = whole["runs"][runs]
                for start, number in zip(spans[::2], spans[1::2], strict=True):
                    for key in range(start, start + number):
                        for action, shown in self._cell(view, key):
                            yield (who, key, action), shown

    def _cell(self, view: int, key: int) -> Iterator[tuple[str, Shown]]:
        for state, actions, hops, condition, example, _ in self.whole["views"][view]:
            own = self.whole["keys"][key]["hops"]
            numbers = [own[str(~hop)] if hop < 0 else hop for hop in hops]
            found = [self.whole["hops"][number] for number in numbers]
            shown = Shown(
                self.whole["states"][state],
                tuple((self.text(words), self.place(at)) for words, at in found),
                self.text(condition),
                self.text(example),
            )
            for action in self.whole["actionSets"][actions]:
                yield self.whole["actions"][action], shown
