"""Values of a request key with which a policy variable makes a question hold (K32, K33)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kms_access.policies.answers import Reason
from kms_access.policies.conditions import Condition
from kms_access.policies.context import Open, Present, RequestContext
from kms_access.policies.document import Covers
from kms_access.policies.formula import Question
from kms_access.policies.overlap import text_symbols
from kms_access.policies.text import Text, Unknown, Value, concat
from kms_access.policies.variables import NoValue, Template, Variable, substitute
from kms_access.policies.wildcards import fold_case, glob_matches

SHARED = "other-value"
"""What two free keys are given where a policy asks for their equality."""
_MAXIMUM = 16


def values_through_variables(
    key: str, question: Question, context: RequestContext
) -> Iterator[Value]:
    """Values of `key`, which stands in policy variables of `question`; the likeliest only."""
    if isinstance(question, Covers):
        templates: Sequence[Template] = [t for _, t in question.element.templates]
        compared: tuple[Value, ...] = (question.arn,)
        wildcards = True
    elif isinstance(question, Condition) and question.operator is not None and question.templates:
        templates, wildcards = question.templates, question.operator.wildcards
        state = context.lookup(question.key)
        compared = state.values if isinstance(state, Present) else ()
        if isinstance(state, Open):
            yield SHARED
    else:
        return
    for template in templates:
        for value in compared:
            yield from _filling(template, key, value, context, wildcards=wildcards)


def with_shared_value(
    template: Template, context: RequestContext, *, wildcards: bool
) -> Value | None:
    """What a key is compared with, its free variables filled in; None if there is no value."""
    given = {
        fold_case(piece.key): Present((SHARED,))
        for piece in template
        if isinstance(piece, Variable) and isinstance(context.lookup(piece.key), Open)
    }
    filled = RequestContext({**context.values, **given}, context.otherwise)
    value = substitute(template, filled, wildcards=wildcards)
    return None if isinstance(value, NoValue | Reason) else value


def _filling(
    template: Template, key: str, value: Value, context: RequestContext, *, wildcards: bool
) -> Iterator[Value]:
    """What the first variable of that key has to be, so that the template covers the value."""
    for index, piece in enumerate(template):
        if isinstance(piece, Variable) and fold_case(piece.key) == key:
            ends = [
                substitute(part, context, wildcards=wildcards) if part else ""
                for part in (template[:index], template[index + 1 :])
            ]
            known = [end for end in ends if not isinstance(end, NoValue | Reason)]
            if len(known) == len(ends):
                yield from _between(known[0], known[1], value)
            return


def _between(start: Value, end: Value, value: Value) -> Iterator[Value]:
    first, last, whole = text_symbols(start, end, value)
    unknowns = list(
        dict.fromkeys(
            part for text in (start, end, value) if isinstance(text, Text) for part in text.unknowns
        )
    )
    places = range(len(whole) + 1)
    starts = [i for i in places if glob_matches(first, whole[:i], symbols=True)]
    ends = [i for i in places if glob_matches(last, whole[i:], symbols=True)]
    found = ((i, j) for i in starts for j in ends if i < j)
    for count, (i, j) in enumerate(found):
        if count == _MAXIMUM:
            return
        yield _value_of(whole[i:j], unknowns)


def _value_of(symbols: str, unknowns: Sequence[Unknown]) -> Value:
    by_symbol = dict(zip(text_symbols(*(Text((u,)) for u in unknowns)), unknowns, strict=True))
    return concat(by_symbol.get(character, character) for character in symbols)
