"""Three-valued answers with the reasons that keep them open (section 0 of the K rules)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum


class Truth(IntEnum):
    """Kleene truth: AND is the minimum, OR the maximum, NOT swaps the ends."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


class ReasonKind(Enum):
    """Why an answer is open."""

    REQUEST = "request"
    """Decided by what a request carries: a condition key, a session name, a channel."""
    UNKNOWN_VALUE = "unknown value"
    """Decided by a value that the definitions do not hold yet."""
    UNREADABLE = "unreadable"
    """A policy or statement that cannot be read as AWS would read it."""
    NOT_ESTABLISHED = "not established"
    """AWS does not document the outcome."""
    OUTSIDE = "outside"
    """Decided by policies that are not part of the definitions."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of an open answer: what is open, in words, and the rule behind it."""

    text: str
    kind: ReasonKind
    rule: str = ""

    def __lt__(self, other: Reason) -> bool:
        return (self.text, self.kind.value, self.rule) < (other.text, other.kind.value, other.rule)


@dataclass(frozen=True, slots=True)
class Answer:
    """A truth value; `reasons` is empty unless it is `Truth.UNKNOWN`."""

    truth: Truth
    reasons: tuple[Reason, ...] = ()

    def __and__(self, other: Answer) -> Answer:
        if self.truth is not other.truth:
            return self if self.truth < other.truth else other
        return _merge(self, other)

    def __or__(self, other: Answer) -> Answer:
        if self.truth is not other.truth:
            return self if self.truth > other.truth else other
        return _merge(self, other)

    def __invert__(self) -> Answer:
        if self.truth is Truth.UNKNOWN:
            return self
        return NO if self.truth is Truth.TRUE else YES

    def capped(self, reason: Reason) -> Answer:
        """The same answer, but no better than open: a true becomes unknown because of `reason`."""
        if self.truth is Truth.FALSE:
            return self
        return Answer(Truth.UNKNOWN, _unique((*self.reasons, reason)))


def _merge(first: Answer, second: Answer) -> Answer:
    if first.truth is not Truth.UNKNOWN or first.reasons == second.reasons:
        return first
    return Answer(Truth.UNKNOWN, _unique((*first.reasons, *second.reasons)))


def _unique(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))


YES = Answer(Truth.TRUE)
NO = Answer(Truth.FALSE)


def open_answer(kind: ReasonKind, text: str, rule: str = "") -> Answer:
    """An unknown answer with one reason."""
    return Answer(Truth.UNKNOWN, (Reason(text, kind, rule),))


def all_of(answers: Iterable[Answer]) -> Answer:
    """Kleene AND over `answers`; true for none."""
    return _combined(answers, decided_by=Truth.FALSE, otherwise=YES)


def any_of(answers: Iterable[Answer]) -> Answer:
    """Kleene OR over `answers`; false for none."""
    return _combined(answers, decided_by=Truth.TRUE, otherwise=NO)


def _combined(answers: Iterable[Answer], *, decided_by: Truth, otherwise: Answer) -> Answer:
    reasons: dict[Reason, None] = {}
    is_open = False
    for answer in answers:
        if answer.truth is decided_by:
            return answer
        if answer.truth is Truth.UNKNOWN:
            is_open = True
            reasons.update(dict.fromkeys(answer.reasons))
    return Answer(Truth.UNKNOWN, tuple(reasons)) if is_open else otherwise
