"""The services that a call came through: three condition keys about one list (K75)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations, islice

from kms_access.decisions.request_values import Choices, values_of
from kms_access.policies.conditions import Condition, Quantifier
from kms_access.policies.context import ABSENT, KeyState, Present, RequestContext
from kms_access.policies.formula import Question
from kms_access.policies.text import Unknown

CALLED_VIA = "aws:calledvia"
CALLED_VIA_ENDS = ("aws:calledviafirst", "aws:calledvialast")
CHAIN_KEYS = (CALLED_VIA, *CALLED_VIA_ENDS)
_MAXIMUM_LISTS = 300


def chain_choices(
    about: Mapping[str, Sequence[Question]], context: RequestContext
) -> dict[str, Choices]:
    """The states of the three keys in `about`, which holds the questions about each of them.

    They share their values, so that the first and the last service can be items of the list.
    """
    questions = list(dict.fromkeys(chain.from_iterable(about.values())))
    single = [_as_single(question) for question in questions]
    values, exact = values_of(CALLED_VIA, single, context)
    exact &= all(isinstance(q, Condition) and not q.templates for q in questions)
    ends: list[KeyState] = [ABSENT, *(Present((value,)) for value in values)]
    # An item for each question, one for each end.
    longest = min(len(values), len(questions) + len(CALLED_VIA_ENDS))
    groups = chain.from_iterable(combinations(values, n) for n in range(1, longest + 1))
    lists: list[KeyState] = [
        Present(group, multivalued=True) for group in islice(groups, _MAXIMUM_LISTS + 1)
    ]
    choices = {name: Choices(tuple(ends), exact) for name in CALLED_VIA_ENDS}
    choices[CALLED_VIA] = Choices((ABSENT, *lists), exact and len(lists) <= _MAXIMUM_LISTS)
    return {name: choices[name] for name in about}


def _as_single(question: Question) -> Question:
    if not isinstance(question, Condition):
        return question
    return replace(question, key=CALLED_VIA, quantifier=Quantifier.SINGLE)


def is_consistent(assigned: Mapping[str | Unknown, KeyState | str]) -> bool:
    """Whether the keys that are assigned can be those of one request."""
    states = [assigned[key] for key in CHAIN_KEYS if key in assigned]
    if len({type(state) for state in states}) > 1:
        return False
    listed = assigned.get(CALLED_VIA)
    if not isinstance(listed, Present):
        return True
    ends = [assigned[key] for key in CALLED_VIA_ENDS if key in assigned]
    return all(isinstance(end, Present) and end.values[0] in listed.values for end in ends)
