"""The data of the page in few bytes: what stands there often is written once and numbered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kms_access.decisions.action_masks import ACTIONS
from kms_access.decisions.key_coverage import bits
from kms_access.decisions.proof import Hop
from kms_access.inventory.origin import Origin
from kms_access.reports.places import shown_file
from kms_access.reports.terminal import safe

NOWHERE = -1
"""The number of a place, a principal or a key that is not there."""


class Table:
    """Items numbered in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, item: Any) -> int:
        """The number of an item."""
        return self._numbers.setdefault(item, len(self._numbers))

    def items(self) -> list[Any]:
        """All items by number."""
        return list(self._numbers)


class Tables:
    """The tables that all parts of the page refer to."""

    def __init__(self) -> None:
        self._texts, self._places, self._hops = Table(), Table(), Table()
        self._action_sets, self._runs = Table(), Table()

    def text(self, text: object) -> int:
        """Text of others, without characters that change how a page shows it."""
        return self._texts.number(safe(str(text)))

    def place(self, origin: Origin | None) -> int:
        """Label, stack, file and line of a definition."""
        if origin is None:
            return NOWHERE
        return self._places.number(
            (
                self.text(origin.label or origin.identity),
                self.text(origin.container),
                self.text(shown_file(origin.file)),
                origin.line or 0,
            )
        )

    def hop(self, hop: Hop) -> int:
        """One step of a proof."""
        return self._hops.number((self.text(hop.text), self.place(hop.origin)))

    def actions(self, mask: int) -> int:
        """A set of actions on a key."""
        return self._action_sets.number(tuple(bits(mask)))

    def runs(self, mask: int) -> int:
        """A set of keys, as first key and number of keys of each unbroken run."""
        found: list[int] = []
        for place in bits(mask):
            if found and found[-2] + found[-1] == place:
                found[-1] += 1
            else:
                found += (place, 1)
        return self._runs.number(tuple(found))

    def texts(self, texts: Iterable[object]) -> list[int]:
        """Several texts."""
        return [self.text(text) for text in texts]

    def document(self) -> dict[str, Any]:
        """All tables, after everything has been entered."""
        return {
            "actions": list(ACTIONS),
            "actionSets": self._action_sets.items(),
            "hops": self._hops.items(),
            "places": self._places.items(),
            "runs": self._runs.items(),
            "texts": self._texts.items(),
        }
