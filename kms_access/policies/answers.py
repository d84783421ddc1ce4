"""Three-valued answers with the reasons that keep them open (section 0 of the K rules)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final

from kms_access.policies.formula import (
    Formula,
    Not,
    Undecidable,
    conjunction,
    disjunction,
)
from kms_access.policies.quick_init import quick_init


class Truth(IntEnum):
    """Kleene truth: AND is the minimum, OR the maximum, NOT swaps the ends."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


FALSE: Final = Truth.FALSE
UNKNOWN: Final = Truth.UNKNOWN
TRUE: Final = Truth.TRUE
"""Python 3.11 takes longer to look a member up in its enumeration than to join two answers."""


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


@quick_init
@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of an open answer: what is open, in words, and the rule behind it."""

    text: str
    kind: ReasonKind
    rule: str = ""

    def __lt__(self, other: Reason) -> bool:
        return (self.text, self.kind.value, self.rule) < (other.text, other.kind.value, other.rule)


@quick_init
@dataclass(frozen=True, slots=True)
class Answer:
    """A truth value; `reasons` is empty unless it is `Truth.UNKNOWN`.

    `residual` is what an unknown answer hangs on, where a request decides a part of it.
    """

    truth: Truth
    reasons: tuple[Reason, ...] = ()
    residual: Formula | None = field(default=None, compare=False, repr=False)

    @property
    def formula(self) -> Formula:
        """What an unknown answer hangs on."""
        return self.residual if self.residual is not None else Undecidable(self.reasons)

    def __and__(self, other: Answer) -> Answer:
        if self.truth is not other.truth:
            return self if self.truth < other.truth else other
        return all_of((self, other)) if self.truth is UNKNOWN else self

    def __or__(self, other: Answer) -> Answer:
        if self.truth is not other.truth:
            return self if self.truth > other.truth else other
        return any_of((self, other)) if self.truth is UNKNOWN else self

    def __invert__(self) -> Answer:
        if self.truth is UNKNOWN:
            return Answer(UNKNOWN, self.reasons, _negated(self.residual))
        return NO if self.truth is TRUE else YES

    def capped(self, reason: Reason) -> Answer:
        """The same answer, but no better than open: a true becomes unknown because of `reason`."""
        return self & Answer(UNKNOWN, (reason,))


def _negated(residual: Formula | None) -> Formula | None:
    if residual is None:
        return None
    return residual.part if isinstance(residual, Not) else Not(residual)


YES = Answer(TRUE)
NO = Answer(FALSE)


def open_answer(kind: ReasonKind, text: str, rule: str = "") -> Answer:
    """An unknown answer with one reason."""
    return Answer(UNKNOWN, (Reason(text, kind, rule),))


def hangs_on_request(answer: Answer) -> bool:
    """Whether something that a request carries keeps the answer open."""
    return any(reason.kind is ReasonKind.REQUEST for reason in answer.reasons)


def all_of(answers: Iterable[Answer]) -> Answer:
    """Kleene AND over `answers`; true for none."""
    unknown: list[Answer] = []
    for answer in answers:
        if answer.truth is FALSE:
            return answer
        if answer.truth is UNKNOWN:
            unknown.append(answer)
    return _joined(unknown, conjunction) if unknown else YES


def any_of(answers: Iterable[Answer]) -> Answer:
    """Kleene OR over `answers`; false for none."""
    unknown: list[Answer] = []
    for answer in answers:
        if answer.truth is TRUE:
            return answer
        if answer.truth is UNKNOWN:
            unknown.append(answer)
    return _joined(unknown, disjunction) if unknown else NO


def _joined(unknown: list[Answer], join: Callable[[Iterable[Formula]], Formula]) -> Answer:
    if len(unknown) == 1:
        return unknown[0]
    reasons = dict.fromkeys(reason for answer in unknown for reason in answer.reasons)
    residual = None
    if any(answer.residual is not None for answer in unknown):
        residual = join(answer.formula for answer in unknown)
    return Answer(UNKNOWN, tuple(reasons), residual)
