"""How two patterns stand to each other (design 4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.policies.answers import NO, YES, Answer, ReasonKind, open_answer
from kms_access.policies.overlap import items_of, open_because, overlaps, text_symbols
from kms_access.policies.pattern_machine import PatternMachine
from kms_access.policies.text import Text
from kms_access.policies.wildcards import Pattern

MAXIMUM_STATES = 3_000
"""How far patterns are read side by side before the answer stays open."""


def patterns_overlap(first: Pattern, second: Pattern) -> Answer:
    """Whether some string is matched by both, for all, none or some values of unknown parts."""
    if not overlaps(items_of(first.compiled), items_of(second.compiled)):
        return NO
    if not _have_unknowns(first, second):
        return YES
    return _decided(first, second, wanted=0b11)


def pattern_covers(first: Pattern, second: Pattern) -> Answer:
    """Whether `first` matches every string that `second` matches."""
    uncovered = _decided(first, second, wanted=0b10)
    if uncovered == NO:
        return YES
    if uncovered == YES and not _have_unknowns(first, second):
        return NO
    if not overlaps(items_of(first.compiled), items_of(second.compiled)):
        return NO
    return open_because(first.compiled, second.compiled) if uncovered == YES else uncovered


def _have_unknowns(*patterns: Pattern) -> bool:
    return any(isinstance(pattern.compiled, Text) for pattern in patterns)


def _decided(first: Pattern, second: Pattern, *, wanted: int) -> Answer:
    """Whether both are `wanted` after some string, each unknown part being one symbol."""
    for accepted in _acceptances(first, second):
        if accepted is None:
            return open_answer(
                ReasonKind.NOT_ESTABLISHED,
                f'how "{first.source}" and "{second.source}" stand to each other',
            )
        if accepted == wanted:
            return YES
    return open_because(first.compiled, second.compiled) if wanted == 0b11 else NO


def _acceptances(first: Pattern, second: Pattern) -> Iterator[int | None]:
    """Which of the two match, for each state that both can reach; None at the bound."""
    machine = PatternMachine(text_symbols(first.compiled, second.compiled))
    reached = {machine.start}
    pending = [machine.start]
    for state in pending:
        yield machine.matches(state, 0) | machine.matches(state, 1) << 1
        if len(reached) > MAXIMUM_STATES:
            yield None
            return
        for _, step in machine.steps(state):
            if machine.is_alive(step, 1) and step not in reached:
                reached.add(step)
                pending.append(step)
