"""Several patterns read side by side, one character at a time."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TypeAlias

from kms_access.policies.overlap import ANY_ONE, ANY_SEQUENCE, is_symbol

_CHARACTERS = "otherxyzqwvkjugbdfhlmnpsac0123456789-_.~+=@" + "".join(map(chr, range(0xC0, 0x2000)))

State: TypeAlias = tuple[int, int]
"""The places where the patterns can be, as bits, and how many colons were read."""


def unused_character(characters: Container[str]) -> str:
    """A character, readable if possible, that is none of `characters`."""
    return next(c for c in _CHARACTERS if c not in characters)


class PatternMachine:
    """Compiled patterns over one alphabet: their own characters and one that none of them holds.

    With `segments` above 1 a wildcard in front of the last of that many segments does not match a
    colon (ARNs). A character that stands for an unknown part is matched by itself or by `*`.

    The places of all patterns are bits of one integer, pattern after pattern, so that one step of
    all of them costs a few operations on it.
    """

    def __init__(self, patterns: Sequence[str], segments: int = 1) -> None:
        self._segments = segments
        self._literal: dict[str, int] = {}
        self._one = self._sequence = start = 0
        ends: list[int] = []
        at = 0
        for pattern in patterns:
            start |= 1 << at
            for character in pattern:
                bit = 1 << at
                if character == ANY_SEQUENCE:
                    self._sequence |= bit
                elif character == ANY_ONE:
                    self._one |= bit
                else:
                    self._literal[character] = self._literal.get(character, 0) | bit
                at += 1
            ends.append(at)
            at += 1
        self.size = at
        """How many places there are."""
        self._ends = tuple(1 << end for end in ends)
        self._end = sum(self._ends)
        self._unused = unused_character(self._literal)
        self._alphabet = sorted(self._literal)
        self.start: State = (self._skip_stars(start), 0)

    def ends(self, state: State) -> int:
        """Which patterns match what was read: equal numbers for equal sets of patterns."""
        return state[0] & self._end

    def matches(self, state: State, index: int) -> bool:
        """Whether the pattern at `index` matches what was read."""
        return bool(state[0] & self._ends[index])

    def is_alive(self, state: State, index: int) -> bool:
        """Whether the pattern at `index` can still match what begins with what was read."""
        first = self._ends[index - 1] << 1 if index else 1
        return bool(state[0] & ((self._ends[index] << 1) - first))

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """The states after one more character, one character for each that may differ."""
        places, colons = state
        for character in self._alphabet:
            if places & self._literal[character] or (
                character == ":" and colons < self._segments - 1
            ):
                yield character, self._step(places, colons, character)
        yield self._unused, self._step(places, colons, self._unused)

    def _step(self, places: int, colons: int, character: str) -> State:
        crosses = character == ":" and colons < self._segments - 1
        moved = places & self._literal.get(character, 0)
        if crosses:
            return self._skip_stars(moved << 1), colons + 1
        if not is_symbol(character):
            moved |= places & self._one
        return self._skip_stars(moved << 1 | places & self._sequence), colons

    def _skip_stars(self, places: int) -> int:
        while True:
            further = places | (places & self._sequence) << 1
            if further == places:
                return places
            places = further
