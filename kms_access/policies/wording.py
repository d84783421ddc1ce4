"""Formulas and conditions in words, short enough to be read at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_access.policies.conditions import Condition, Quantifier
from kms_access.policies.document import Covers
from kms_access.policies.formula import (
    AllOf,
    AnyOf,
    Formula,
    Not,
    Question,
    Test,
    Undecidable,
    conjunction,
    disjunction,
)
from kms_access.policies.operators import Operator
from kms_access.policies.overlap import as_written
from kms_access.policies.principals import SessionNamed
from kms_access.policies.text import Value
from kms_access.policies.variables import Template, Variable

_SHOWN_VALUES = 3
_SHOWN_PARTS = 4

_VERBS = {
    "StringEquals": ("is", "is not"),
    "StringNotEquals": ("is", "is not"),
    "StringEqualsIgnoreCase": ("is, in any case,", "is not, in any case,"),
    "StringNotEqualsIgnoreCase": ("is, in any case,", "is not, in any case,"),
    "StringLike": ("is like", "is not like"),
    "StringNotLike": ("is like", "is not like"),
    "ArnEquals": ("is like", "is not like"),
    "ArnLike": ("is like", "is not like"),
    "ArnNotEquals": ("is like", "is not like"),
    "ArnNotLike": ("is like", "is not like"),
    "NumericEquals": ("is", "is not"),
    "NumericNotEquals": ("is", "is not"),
    "NumericLessThan": ("is below", "is not below"),
    "NumericLessThanEquals": ("is at most", "is above"),
    "NumericGreaterThan": ("is above", "is at most"),
    "NumericGreaterThanEquals": ("is at least", "is below"),
    "DateEquals": ("is", "is not"),
    "DateNotEquals": ("is", "is not"),
    "DateLessThan": ("is before", "is not before"),
    "DateLessThanEquals": ("is not after", "is after"),
    "DateGreaterThan": ("is after", "is not after"),
    "DateGreaterThanEquals": ("is not before", "is before"),
    "Bool": ("is", "is not"),
    "BinaryEquals": ("is", "is not"),
    "IpAddress": ("is in", "is not in"),
    "NotIpAddress": ("is in", "is not in"),
}

_READ_AS_ABSENT = ("is not", "is not, in any case,", "is not like", "is not in")
"""Words that a reader takes to hold without the key as well, as they do."""


def formula_text(formula: Formula) -> str:
    """A formula that some request fulfils in words; long ones are cut and say so.

    Ways that hang on what no request decides are left out: they are not needed.
    """
    pushed_in = _pushed_in(formula, negated=False)
    return _text(_decidable(pushed_in) or pushed_in, outermost=True)


def _decidable(formula: Formula) -> Formula | None:
    """The formula without alternatives that no request decides; None if nothing is left."""
    match formula:
        case AllOf(parts):
            inner = [_decidable(part) for part in parts]
            known = [part for part in inner if part is not None]
            return conjunction(known) if len(known) == len(inner) else None
        case AnyOf(parts):
            known = [part for part in map(_decidable, parts) if part is not None]
            return _without_implied(disjunction(known)) if known else None
        case Undecidable() | Not(Undecidable()):
            return None
        case _:
            return formula


def _pushed_in(formula: Formula, *, negated: bool) -> Formula:
    """The formula with its negations at the leaves."""
    match formula:
        case Not(part):
            return _pushed_in(part, negated=not negated)
        case AllOf(parts) | AnyOf(parts):
            inner = [_pushed_in(part, negated=negated) for part in parts]
            is_conjunction = isinstance(formula, AllOf) is not negated
            return _without_implied(conjunction(inner) if is_conjunction else disjunction(inner))
        case _:
            return Not(formula) if negated else formula


def _without_implied(formula: Formula) -> Formula:
    """`a and (a or b)` is `a`, `a and (not a or b)` is `a and b`, and the other way round."""
    if not isinstance(formula, AllOf | AnyOf):
        return formula
    inner: type[AllOf | AnyOf] = AnyOf if isinstance(formula, AllOf) else AllOf
    join_inner = disjunction if inner is AnyOf else conjunction
    join = conjunction if isinstance(formula, AllOf) else disjunction
    kept: list[Formula] = []
    for part in formula.parts:
        if not isinstance(part, inner):
            kept.append(part)
        elif not set(part.parts) & set(formula.parts):
            possible = [p for p in part.parts if _opposite(p) not in formula.parts]
            kept.append(join_inner(possible) if possible else part)
    return join(kept)


def _opposite(formula: Formula) -> Formula:
    return formula.part if isinstance(formula, Not) else Not(formula)


def _text(formula: Formula, *, outermost: bool = False) -> str:
    match formula:
        case AllOf(parts):
            return _joined(" and ", parts, outermost=outermost)
        case AnyOf(parts):
            return _joined(" or ", parts, outermost=outermost)
        case Not(Test(question)):
            return question_text(question, negated=True)
        case Not(part):
            return f"not ({_text(part, outermost=True)})"
        case Test(question):
            return question_text(question)
        case Undecidable(reasons):
            return " and ".join(reason.text for reason in reasons)


def _joined(word: str, parts: tuple[Formula, ...], *, outermost: bool) -> str:
    texts = list(dict.fromkeys(_text(part) for part in parts))
    more = len(texts) - _SHOWN_PARTS
    if more > 0:
        texts = [
            *texts[:_SHOWN_PARTS],
            f"{more} more conditions" if more > 1 else "1 more condition",
        ]
    text = word.join(texts)
    return text if outermost or len(texts) == 1 else f"({text})"


def question_text(question: Question, *, negated: bool = False) -> str:
    """One question to a request in words."""
    if isinstance(question, Condition):
        return _condition_text(question, negated=negated)
    if isinstance(question, SessionNamed):
        return f'the session name {"is not" if negated else "is"} "{question.session}"'
    if isinstance(question, Covers):
        names = _listed(str(source) for source, _ in question.element.templates)
        return f"the resource is {'not ' if negated else ''}{names}"
    return f"{'not ' if negated else ''}{question}"


def _condition_text(condition: Condition, *, negated: bool) -> str:
    key = condition.key
    operator = condition.operator
    if operator is None:
        absent = ("true" in condition.values) is not negated
        return f"{key} is {'absent' if absent else 'present'}"
    verb = _VERBS[operator.name][operator.negated is not negated]
    values = _listed(
        [*map(_value_text, condition.values), *map(_template_text, condition.templates)]
    )
    if condition.quantifier is not Quantifier.SINGLE:
        return f"{_quantified(condition, operator, negated=negated)} {values}"
    holds_if_absent = (operator.negated or condition.if_exists) is not negated
    if holds_if_absent and verb not in _READ_AS_ABSENT:
        return f"{key}, if present, {verb} {values}"
    if negated and condition.if_exists and " not" in verb:
        return f"{key} is present and {verb} {values}"
    return f"{key} {verb} {values}"


def _quantified(condition: Condition, operator: Operator, *, negated: bool) -> str:
    """A condition on several values up to its values, such as `some aws:TagKeys is`."""
    key = condition.key
    positive, opposite = _VERBS[operator.name]
    is_opposite = operator.negated is not negated
    if (condition.quantifier is Quantifier.ALL) is negated:
        return f"some {key} {opposite if is_opposite else positive}"
    return f"no {key} {positive}" if is_opposite else f"every {key}, if present, {positive}"


def _value_text(value: Value) -> str:
    text = as_written(value)
    return text if text in ("true", "false") else f'"{text}"'


def _template_text(template: Template) -> str:
    pieces = (f"${{{p.key}}}" if isinstance(p, Variable) else str(p) for p in template)
    return f'"{"".join(pieces)}"'


def _listed(values: Iterable[str]) -> str:
    texts = list(values)
    if len(texts) == 1:
        return texts[0]
    return "one of " + ", ".join(_shown(texts))


def _shown(texts: list[str]) -> Iterator[str]:
    yield from texts[:_SHOWN_VALUES]
    if len(texts) > _SHOWN_VALUES:
        yield f"{len(texts) - _SHOWN_VALUES} more"
