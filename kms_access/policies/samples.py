"""Example strings: one for each way in which a set of patterns can match (design 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from kms_access.policies.overlap import ANY_ONE, ANY_SEQUENCE
from kms_access.policies.pattern_machine import PatternMachine, State, unused_character
from kms_access.policies.wildcards import glob_matches

MAXIMUM_STATES = 3_000
"""How far `samples` looks for strings that several patterns match at once."""

_FILLS = ("any", "other", "some", "further")


def samples(groups: Iterable[Iterable[str]], *, segments: int = 1) -> tuple[tuple[str, ...], bool]:
    """Strings for all ways in which the groups of compiled patterns can match or not.

    A group matches where one of its patterns does. With `segments` above 1 a wildcard in front
    of the last of that many segments does not match a colon (ARNs). The second value is false
    if the search was cut off at `MAXIMUM_STATES`, so that a way may be missing.
    """
    return _samples(tuple(dict.fromkeys(tuple(sorted({*group})) for group in groups)), segments)


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
    plain = "other-value"
    if not any(has_wildcards(pattern) for pattern in patterns) and plain not in patterns:
        return plain
    letter = unused_character({character for pattern in patterns for character in pattern})
    # Where only wildcards stand, the length decides: longer than every `?`, or shorter.
    lengths = {pattern.count(ANY_ONE) for pattern in patterns}
    for length in (max(map(len, patterns), default=0) + 1, *sorted(lengths)):
        for text in (letter * length, letter * (length - 1)):
            if text and not any(glob_matches(pattern, text) for pattern in patterns):
                return text
    return None


def _explored(patterns: tuple[str, ...], segments: int) -> tuple[list[str], bool]:
    """A shortest string for each set of patterns that can match together."""
    machine = PatternMachine(patterns, segments)
    # The start counts as reached only once something was read: the empty string is no value.
    reached: dict[State, str] = {}
    pending = [machine.start]
    accepted: dict[int, str] = {}
    for state in pending:
        text = reached.get(state, "")
        if text:
            accepted.setdefault(machine.ends(state), text)
        if len(reached) > MAXIMUM_STATES:
            return list(accepted.values()), False
        for character, step in machine.steps(state):
            if step[0] and step not in reached:
                reached[step] = text + character
                pending.append(step)
    return list(accepted.values()), True
