"""Example strings: one for each way in which a set of patterns can match (design 4.3)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import lru_cache

from kms_access.policies.overlap import ANY_ONE, ANY_SEQUENCE

MAXIMUM_STATES = 3_000
"""How far `samples` looks for strings that several patterns match at once."""

_FILLS = ("any", "other", "some", "further")
_CHARACTERS = "otherxyzqwvkjugbdfhlmnpsac0123456789-_.~+=@" + "".join(map(chr, range(0xC0, 0x2000)))


def samples(groups: Iterable[Iterable[str]], *, segments: int = 1) -> tuple[tuple[str, ...], bool]:
    """Strings for all ways in which the groups of compiled patterns can match or not.

    A group matches where one of its patterns does. With `segments` above 1 a wildcard in front
    of the last of that many segments does not match a colon (ARNs). The second value is false
    if the search was cut off at `MAXIMUM_STATES`, so that a way may be missing.
    """
    return _samples(tuple(dict.fromkeys(tuple(dict.fromkeys(group)) for group in groups)), segments)


@lru_cache(maxsize=4_096)
def _samples(groups: tuple[tuple[str, ...], ...], segments: int) -> tuple[tuple[str, ...], bool]:
    patterns = tuple(dict.fromkeys(pattern for group in groups for pattern in group))
    wild = {tuple(p for p in group if has_wildcards(p)) for group in groups} - {()}
    literals = [pattern for pattern in patterns if not has_wildcards(pattern)]
    found = dict.fromkeys(literals)
    exact = True
    if len(wild) > 1:
        further, exact = _explored(patterns, segments)
        found |= dict.fromkeys(further)
    for pattern in patterns:
        if has_wildcards(pattern):
            found[_instance(pattern, found)] = None
    fresh = fresh_string(patterns)
    if fresh is not None:
        found[fresh] = None
    return tuple(found), exact


def has_wildcards(pattern: str) -> bool:
    """Whether a compiled pattern holds a wildcard."""
    return ANY_SEQUENCE in pattern or ANY_ONE in pattern


def _instance(pattern: str, taken: Iterable[str]) -> str:
    """A string that the pattern matches, if possible none of `taken`."""
    known = set(taken)
    text = ""
    for fill in _FILLS:
        text = pattern.replace(ANY_SEQUENCE, fill).replace(ANY_ONE, fill[0])
        if text not in known:
            break
    return text


def fresh_string(patterns: Sequence[str]) -> str | None:
    """A string that no pattern matches; None if there is none that is not empty."""
    if any(set(p) <= {ANY_SEQUENCE, ANY_ONE} and ANY_SEQUENCE in p for p in patterns):
        return None
    used = {character for pattern in patterns for character in pattern}
    plain = "other-value"
    if not any(has_wildcards(pattern) for pattern in patterns) and plain not in patterns:
        return plain
    letter = _unused(used)
    # Longer than every pattern: `?` alone asks for a length.
    return letter * (max((len(pattern) for pattern in patterns), default=0) + 1)


def _unused(characters: Container[str]) -> str:
    return next(c for c in _CHARACTERS if c not in characters)


def _explored(patterns: tuple[str, ...], segments: int) -> tuple[list[str], bool]:
    """A shortest string for each set of patterns that can match together."""
    machine = _Machine(patterns, segments)
    start = machine.start()
    reached = {start: ""}
    pending = [start]
    accepted: dict[int, str] = {}
    for state in pending:
        text = reached[state]
        if text:
            accepted.setdefault(machine.accepts(state), text)
        if len(reached) > MAXIMUM_STATES:
            return list(accepted.values()), False
        for character in machine.alphabet:
            step = machine.step(state, character)
            if step not in reached and any(step[0]):
                reached[step] = text + character
                pending.append(step)
    return list(accepted.values()), True


_State = tuple[tuple[int, ...], int]


class _Machine:
    """All patterns read side by side: for each the set of places where it can be, as bits."""

    def __init__(self, patterns: tuple[str, ...], segments: int) -> None:
        self.patterns = patterns
        self.segments = segments
        used = {c for p in patterns for c in p} - {ANY_SEQUENCE, ANY_ONE}
        self.alphabet = [*sorted(used), _unused(used)]

    def start(self) -> _State:
        return tuple(_skip_stars(pattern, 1) for pattern in self.patterns), 0

    def accepts(self, state: _State) -> int:
        bits = 0
        for index, (pattern, places) in enumerate(zip(self.patterns, state[0], strict=True)):
            if places >> len(pattern) & 1:
                bits |= 1 << index
        return bits

    def step(self, state: _State, character: str) -> _State:
        colons = state[1]
        crosses = character == ":" and colons < self.segments - 1
        places = tuple(
            self._advance(pattern, at, character, crosses)
            for pattern, at in zip(self.patterns, state[0], strict=True)
        )
        return places, colons + 1 if crosses else colons

    def _advance(self, pattern: str, places: int, character: str, crosses: bool) -> int:
        after = 0
        index = 0
        while places >> index:
            if places >> index & 1 and index < len(pattern):
                expected = pattern[index]
                if expected == ANY_SEQUENCE:
                    after |= 0 if crosses else 1 << index
                elif expected == character or (expected == ANY_ONE and not crosses):
                    after |= 1 << index + 1
            index += 1
        return _skip_stars(pattern, after)


def _skip_stars(pattern: str, places: int) -> int:
    for index, character in enumerate(pattern):
        if places >> index & 1 and character == ANY_SEQUENCE:
            places |= 1 << index + 1
    return places
