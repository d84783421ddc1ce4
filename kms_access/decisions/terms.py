"""What an access hangs on, whole and in a form that can be kept and compared with a later one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.grants import NoFurtherEncryptionContext
from kms_access.decisions.resolution import formula_of
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.conditions import Condition
from kms_access.policies.document import Covers
from kms_access.policies.formula import (
    AllOf,
    AnyOf,
    Formula,
    Not,
    Question,
    Test,
    Undecidable,
    leaves,
)
from kms_access.policies.overlap import as_written
from kms_access.policies.principals import SessionNamed
from kms_access.policies.variables import Literal, Template, Variable
from kms_access.policies.wildcards import fold_case

_NEGATED, _IF_EXISTS = "Not", "IfExists"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a request answers: one operator with one key and all its values.

    `key` is in lower case, `written` as somebody wrote it. `operator` holds the quantifier and
    `IfExists`; where it is no operator of a Condition block it is a word such as `is`.
    """

    key: str
    operator: str
    values: frozenset[str]
    written: str = field(default="", compare=False)

    @property
    def shown(self) -> str:
        """The key for a reader."""
        return self.written or self.key


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A part that no request answers: what is open, and why."""

    kind: ReasonKind
    text: str


@dataclass(frozen=True, slots=True)
class Every:
    """All parts are needed; none at all means always."""

    parts: frozenset[Term]


@dataclass(frozen=True, slots=True)
class Some:
    """One part is enough."""

    parts: frozenset[Term]


@dataclass(frozen=True, slots=True)
class Unless:
    """The part must not hold."""

    part: Term


Term: TypeAlias = Asked | Unsettled | Every | Some | Unless

ALWAYS = Every(frozenset())


def every(parts: Iterable[Term]) -> Term:
    """All of the parts, without those that follow from another."""
    flat = _flat(parts, Every)
    kept = [
        part
        for place, part in enumerate(flat)
        if not any(
            implies(other, part) and not (implies(part, other) and place < at)
            for at, other in enumerate(flat)
            if at != place
        )
    ]
    return kept[0] if len(kept) == 1 else Every(frozenset(kept))


def some(parts: Iterable[Term]) -> Term:
    """Any of the parts, of which there is at least one, without those that another one covers."""
    flat = _flat(parts, Some)
    kept = [
        part
        for place, part in enumerate(flat)
        if not any(
            implies(part, other) and not (implies(other, part) and place < at)
            for at, other in enumerate(flat)
            if at != place
        )
    ]
    return kept[0] if len(kept) == 1 else Some(frozenset(kept))


def _flat(parts: Iterable[Term], kind: type[Every] | type[Some]) -> list[Term]:
    flat: dict[Term, None] = {}
    for part in parts:
        inner = part.parts if isinstance(part, Every | Some) and isinstance(part, kind) else (part,)
        flat |= dict.fromkeys(inner)
    return list(flat)


@lru_cache(maxsize=65_536)
def implies(one: Term, other: Term) -> bool:
    """Whether `other` surely holds wherever `one` does. False where that is not seen."""
    if one == other:
        return True
    if isinstance(other, Every):
        return all(implies(one, part) for part in other.parts)
    if isinstance(one, Some):
        return all(implies(part, other) for part in one.parts)
    if isinstance(other, Some) and any(implies(one, part) for part in other.parts):
        return True
    if isinstance(one, Every):
        return any(implies(part, other) for part in one.parts)
    if isinstance(one, Unless) and isinstance(other, Unless):
        return implies(other.part, one.part)
    return isinstance(one, Asked) and isinstance(other, Asked) and _asks_no_less(one, other)


def _asks_no_less(one: Asked, other: Asked) -> bool:
    """Whether the values make the same question narrower: fewer to be, or more not to be."""
    operators = (one.operator, f"{one.operator}{_IF_EXISTS}")
    if one.key != other.key or other.operator not in operators:
        return False
    name = one.operator.rpartition(":")[2]
    if not name[:1].isupper() or name == "Null":
        return False
    return one.values >= other.values if _NEGATED in name else one.values <= other.values


def term_of_decision(decision: Decision) -> Term:
    """What a decision that is not a denial hangs on; `ALWAYS` for a plain allow."""
    if decision.verdict is not Verdict.DEPENDS:
        return ALWAYS
    formulas = () if decision.residual is None else (formula_of(decision.residual),)
    return term_of_steps(formulas, decision.reasons)


def term_of_steps(formulas: Iterable[Formula], reasons: Iterable[Reason]) -> Term:
    """All formulas together, and the reasons for which none of them stands."""
    every_formula = tuple(formulas)
    told = {
        reason
        for formula in every_formula
        for leaf in leaves(formula)
        if isinstance(leaf, Undecidable)
        for reason in leaf.reasons
    }
    left = [
        reason
        for reason in reasons
        if reason not in told and not (every_formula and reason.kind is ReasonKind.REQUEST)
    ]
    return every((*map(term_of, every_formula), *map(_unsettled, left)))


def term_of(formula: Formula) -> Term:
    """A formula as a term: order, repetition and the case of key names make no difference."""
    match formula:
        case AllOf(parts):
            return every(term_of(part) for part in parts)
        case AnyOf(parts):
            return some(term_of(part) for part in parts)
        case Not(part):
            return _negation(term_of(part))
        case Test(question):
            return _asked(question)
        case Undecidable(reasons):
            return every(map(_unsettled, reasons))


def _negation(term: Term) -> Term:
    match term:
        case Unless(part):
            return part
        case Every(parts) if parts:
            return some(_negation(part) for part in parts)
        case Some(parts):
            return every(_negation(part) for part in parts)
        case _:
            return Unless(term)


def _unsettled(reason: Reason) -> Term:
    return Unsettled(reason.kind, reason.text)


def _asked(question: Question) -> Term:
    if isinstance(question, Condition):
        return _of_condition(question)
    if isinstance(question, SessionNamed):
        return Asked("the session name", "is", frozenset({str(question.session)}))
    if isinstance(question, Covers):
        sources = [pattern.source for pattern in question.element.patterns]
        sources += [source for source, _ in question.element.templates]
        operator = "is none of" if question.element.negated else "is"
        values = frozenset(as_written(source) for source in sources)
        return Asked(f"the resource {question.arn}", operator, values)
    assert isinstance(question, NoFurtherEncryptionContext), question
    return Asked("the encryption context", "has only", question.wanted)


def _of_condition(condition: Condition) -> Term:
    operator = condition.operator.name if condition.operator else "Null"
    operator += _IF_EXISTS if condition.if_exists else ""
    if condition.quantifier.value:
        operator = f"{condition.quantifier.value}:{operator}"
    values = {as_written(value) for value in condition.values}
    values |= {_written(template) for template in condition.templates}
    asked: Term = asked_of(condition.key, operator, values)
    unread = (*condition.unreadable_values, *((condition.refused,) if condition.refused else ()))
    return every((asked, *map(_unsettled, unread)))


def asked_of(key: str, operator: str, values: Iterable[str]) -> Asked:
    """A question about a key in any case."""
    return Asked(fold_case(key), operator, frozenset(values), key)


def _written(template: Template) -> str:
    pieces = []
    for piece in template:
        if isinstance(piece, Variable):
            default = "" if piece.default is None else f", '{piece.default}'"
            pieces.append(f"${{{piece.key}{default}}}")
        elif isinstance(piece, Literal):
            pieces.append(f"${{{piece.text}}}")
        else:
            pieces.append(str(piece) if isinstance(piece, str) else f"<{piece.stands_for}>")
    return "".join(pieces)
