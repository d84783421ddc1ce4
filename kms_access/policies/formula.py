"""What an open answer hangs on: a formula over questions that a request decides (design 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from kms_access.policies.quick_init import quick_init

if TYPE_CHECKING:
    from kms_access.policies.answers import Answer, Reason
    from kms_access.policies.context import RequestContext


class Question(Protocol):
    """Something that the context of a request decides, such as a condition."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The condition keys that it looks at, in lower case."""

    def holds(self, context: RequestContext) -> Answer:
        """Whether a request with this context fulfils it."""


@quick_init
@dataclass(frozen=True, slots=True)
class Test:
    """A question that is open because a request decides it."""

    question: Question


@quick_init
@dataclass(frozen=True, slots=True)
class Undecidable:
    """A part that no request decides: a value not known yet, a policy that cannot be read."""

    reasons: tuple[Reason, ...]


@quick_init
@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part has to hold."""

    parts: tuple[Formula, ...]


@quick_init
@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part has to hold."""

    parts: tuple[Formula, ...]


@quick_init
@dataclass(frozen=True, slots=True)
class Not:
    """The part must not hold."""

    part: Formula


Formula: TypeAlias = Test | Undecidable | AllOf | AnyOf | Not


def conjunction(parts: Iterable[Formula]) -> Formula:
    """All `parts`, of which there is at least one; nested ones flattened, each once."""
    flat = dict.fromkeys(_flat(parts, AllOf))
    return AllOf(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def disjunction(parts: Iterable[Formula]) -> Formula:
    """Any of `parts`, of which there is at least one; nested ones flattened, each once."""
    flat = dict.fromkeys(_flat(parts, AnyOf))
    return AnyOf(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def _flat(parts: Iterable[Formula], kind: type[AllOf | AnyOf]) -> Iterator[Formula]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts
        else:
            yield part


def leaves(formula: Formula) -> Iterator[Test | Undecidable]:
    """The questions and undecidable parts, from left to right."""
    pending = [formula]
    while pending:
        part = pending.pop()
        if isinstance(part, Not):
            pending.append(part.part)
        elif isinstance(part, AllOf | AnyOf):
            pending.extend(reversed(part.parts))
        else:
            yield part
