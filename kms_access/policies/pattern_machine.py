"""Several patterns read side by side, one character at a time."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from kms_access.policies.overlap import ANY_ONE, ANY_SEQUENCE, is_symbol

_CHARACTERS = "otherxyzqwvkjugbdfhlmnpsac0123456789-_.~+=@" + "".join(map(chr, range(0xC0, 0x2000)))


def unused_character(characters: Container[str]) -> str:
    """A character, readable if possible, that is none of `characters`."""
    return next(c for c in _CHARACTERS if c not in characters)


@dataclass(frozen=True, slots=True)
class State:
    """For each pattern the places where it can be, as bits, and how many colons were read."""

    places: tuple[int, ...]
    colons: int = 0


class PatternMachine:
    """Compiled patterns over one alphabet: their own characters and one that none of them holds.

    With `segments` above 1 a wildcard in front of the last of that many segments does not match a
    colon (ARNs). A character that stands for an unknown part is matched by itself or by `*`.
    """

    def __init__(self, patterns: Sequence[str], segments: int = 1) -> None:
        self._patterns = tuple(patterns)
        self._segments = segments
        used = {c for p in patterns for c in p} - {ANY_SEQUENCE, ANY_ONE}
        self.alphabet = [*sorted(used), unused_character(used)]
        self.start = State(tuple(_skip_stars(pattern, 1) for pattern in patterns))

    def accepts(self, state: State) -> int:
        """Which patterns match what was read, as bits."""
        bits = 0
        for index, (pattern, places) in enumerate(zip(self._patterns, state.places, strict=True)):
            if places >> len(pattern) & 1:
                bits |= 1 << index
        return bits

    def step(self, state: State, character: str) -> State:
        """The state after one more character."""
        crosses = character == ":" and state.colons < self._segments - 1
        places = tuple(
            _advanced(pattern, at, character, crosses)
            for pattern, at in zip(self._patterns, state.places, strict=True)
        )
        return State(places, state.colons + 1 if crosses else state.colons)


def _advanced(pattern: str, places: int, character: str, crosses: bool) -> int:
    after = 0
    for index, expected in enumerate(pattern):
        if not places >> index & 1:
            continue
        if expected == ANY_SEQUENCE:
            after |= 0 if crosses else 1 << index
        elif expected == character or (
            expected == ANY_ONE and not crosses and not is_symbol(character)
        ):
            after |= 1 << index + 1
    return _skip_stars(pattern, after)


def _skip_stars(pattern: str, places: int) -> int:
    for index, character in enumerate(pattern):
        if places >> index & 1 and character == ANY_SEQUENCE:
            places |= 1 << index + 1
    return places
