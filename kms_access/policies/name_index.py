"""Finds, among many items that each speak of principals of some name, those for one caller."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from kms_access.policies.principals import Principal

WORTH_AN_INDEX = 8
"""Fewer items are asked one by one."""

_Item = TypeVar("_Item")


class NameIndex(Generic[_Item]):
    """Items by the names that a caller must have to be meant.

    `names_of` gives the names for an item, None if a caller of any name may be meant.
    """

    def __init__(
        self, items: Sequence[_Item], names_of: Callable[[_Item], frozenset[str] | None]
    ) -> None:
        self._items = tuple(items)
        by_name: defaultdict[str, list[int]] = defaultdict(list)
        general: list[int] = []
        for index, item in enumerate(items):
            names = names_of(item)
            if names is None:
                general.append(index)
            else:
                for name in names:
                    by_name[name].append(index)
        self._general = tuple(items[index] for index in general)
        self._by_name = {
            name: tuple(items[index] for index in sorted([*general, *own]))
            for name, own in by_name.items()
        }

    def candidates(self, caller: Principal) -> tuple[_Item, ...]:
        """The items, in their order, without those that surely do not mean `caller`."""
        name = caller.name
        return self._by_name.get(name, self._general) if isinstance(name, str) else self._items
