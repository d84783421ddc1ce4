"""What is still open of a formula, while the keys of a request are chosen one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from kms_access.policies.answers import Answer, Reason, Truth
from kms_access.policies.context import RequestContext
from kms_access.policies.formula import AllOf, AnyOf, Formula, Not, Question, Test, Undecidable


class Join(Enum):
    """How the parts of an open part decide it."""

    ALL = "all"
    ANY = "any"
    NOT = "not"
    LEAF = "leaf"


@dataclass(frozen=True, slots=True, eq=False)
class OpenPart:
    """A formula or a part of one: `leaf` if it has no parts of its own.

    `keys` are the condition keys that any question in it looks at.
    """

    join: Join
    keys: frozenset[str]
    parts: tuple[OpenPart, ...] = ()
    leaf: Test | Undecidable | None = None


Remaining: TypeAlias = OpenPart | Truth
"""What is left: a part that is still open, or the truth (never `Truth.UNKNOWN`)."""

Ask: TypeAlias = Callable[[Question], Answer]


def remaining_of(answer: Answer) -> Remaining:
    """What an answer leaves open."""
    return answer.truth if answer.truth is not Truth.UNKNOWN else _part(answer.formula)


def _part(formula: Formula) -> OpenPart:
    match formula:
        case Test(question):
            return OpenPart(Join.LEAF, frozenset(question.keys), leaf=formula)
        case Undecidable():
            return OpenPart(Join.LEAF, frozenset(), leaf=formula)
        case Not(part):
            return _joined(Join.NOT, [_part(part)])
        case AllOf(parts):
            return _joined(Join.ALL, [_part(part) for part in parts])
        case AnyOf(parts):
            return _joined(Join.ANY, [_part(part) for part in parts])


def _joined(join: Join, parts: list[OpenPart]) -> OpenPart:
    return OpenPart(join, frozenset().union(*(part.keys for part in parts)), tuple(parts))


def after(remaining: Remaining, changed: frozenset[str], ask: Ask) -> Remaining:
    """What is left when the keys `changed` are known; only questions about them are asked."""
    if isinstance(remaining, Truth) or remaining.keys.isdisjoint(changed):
        return remaining
    if remaining.join is Join.LEAF:
        return _asked(remaining, ask)
    if remaining.join is Join.NOT:
        return _negated(after(remaining.parts[0], changed, ask))
    settled = Truth.FALSE if remaining.join is Join.ALL else Truth.TRUE
    left: list[OpenPart] = []
    for part in remaining.parts:
        found = after(part, changed, ask)
        if found is settled:
            return settled
        if isinstance(found, OpenPart):
            left.append(found)
    if not left:
        return Truth.TRUE if remaining.join is Join.ALL else Truth.FALSE
    return left[0] if len(left) == 1 else _joined(remaining.join, left)


def _asked(part: OpenPart, ask: Ask) -> Remaining:
    if not isinstance(part.leaf, Test):
        return part
    answer = ask(part.leaf.question)
    if answer.truth is not Truth.UNKNOWN:
        return answer.truth
    return part if answer.formula == part.leaf else _part(answer.formula)


def _negated(found: Remaining) -> Remaining:
    if isinstance(found, OpenPart):
        return _joined(Join.NOT, [found])
    return Truth.FALSE if found is Truth.TRUE else Truth.TRUE


def reasons_for(remaining: Iterable[Remaining], context: RequestContext) -> Iterator[Reason]:
    """Why the parts are open when nothing more is to be chosen."""
    pending = list(remaining)
    for part in pending:
        if isinstance(part, OpenPart):
            pending += part.parts
            if isinstance(part.leaf, Undecidable):
                yield from part.leaf.reasons
            elif part.leaf is not None:
                yield from part.leaf.question.holds(context).reasons
