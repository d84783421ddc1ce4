"""Whether some request fulfils what a decision hangs on, and which one (design 4.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kms_access.decisions.decision import Residual
from kms_access.decisions.paired_keys import list_of, names_of_pairs
from kms_access.decisions.request import Request
from kms_access.decisions.request_values import Choices, choices, fills
from kms_access.decisions.search import (
    Assignment,
    Search,
    Variables,
    filled_value,
    filling,
    refined_context,
)
from kms_access.decisions.service_chain import CHAIN_KEYS, chain_choices
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.conditions import Condition
from kms_access.policies.context import (
    ABSENT,
    SESSION_NAME,
    KeyState,
    Open,
    Present,
    RequestContext,
)
from kms_access.policies.formula import Question, Test, leaves
from kms_access.policies.text import Text, Unknown
from kms_access.policies.wildcards import fold_case


@dataclass(frozen=True, slots=True)
class Solution:
    """What the search found.

    `request` fulfils the residual, None if none was found. `undecided` holds the reasons that
    kept single assignments open. `exhausted` is true if every way was tried, `outweighed` if in
    some way only a Deny stood against it.
    """

    request: Request | None
    undecided: tuple[Reason, ...]
    exhausted: bool
    outweighed: bool
    example: str = ""


def solve(residual: Residual, request: Request) -> Iterator[Solution]:
    """Requests that refine the open `request` and fulfil `residual`, shortest first.

    The last solution has no request: it tells what the search as a whole has seen.
    """
    formulas = [a.formula for a in (residual.allows, residual.denied) if a.truth is Truth.UNKNOWN]
    questions = list(
        dict.fromkeys(
            leaf.question for f in formulas for leaf in leaves(f) if isinstance(leaf, Test)
        )
    )
    names = names_of_pairs(questions)
    variables = _variables(questions, request, names)
    spellings = [names]
    if any(list_of(pair) in variables for pair in names):
        # A pair's name is compared without case, an item of the list of names with case (K41).
        spellings.append({key: name.swapcase() for key, name in names.items()})
    undecided: dict[Reason, None] = {}
    exhausted = all(variable.exact for variable in variables.values())
    outweighed = False
    for spelling in spellings:
        search = Search(residual, request, variables, spelling)
        for assigned in search.run():
            found, example = _refined(request, assigned), _example(assigned, questions)
            yield Solution(found, (), False, search.outweighed, example)
        undecided |= search.undecided
        exhausted &= not search.is_cut
        outweighed |= search.outweighed
    yield Solution(None, tuple(undecided), exhausted, outweighed)


def _variables(
    questions: Sequence[Question], request: Request, pair_names: Mapping[str, str]
) -> Variables:
    """What a request is free to choose, those with few values first."""
    context = request.context
    about: defaultdict[str, list[Question]] = defaultdict(list)
    for question in questions:
        for key in question.keys:
            about[key].append(question)
    through = {
        key: about[key] for key in CHAIN_KEYS if key in about and is_free(context.lookup(key))
    }
    found: dict[str | Unknown, Choices] = {}
    if len(through) > 1:
        found.update(chain_choices(through, context).items())
    for key, asking in about.items():
        state = context.lookup(key)
        if is_free(state) and key not in found:
            named = frozenset(fold_case(n) for k, n in pair_names.items() if list_of(k) == key)
            found[key] = choices(key, asking, context, request.action, named)
        elif isinstance(state, Present):
            for unknown in _of_request(state):
                if unknown not in found:
                    strings, exact = fills(unknown, questions, context)
                    found[unknown] = Choices(strings, exact)
    return dict(sorted(found.items(), key=lambda item: len(item[1].states)))


def _of_request(state: Present) -> Iterator[Unknown]:
    for value in state.values:
        if isinstance(value, Text):
            yield from (unknown for unknown in value.unknowns if unknown.of_request)


def is_free(state: KeyState) -> bool:
    """Whether a request decides the key."""
    return isinstance(state, Open) and state.reason.kind is ReasonKind.REQUEST


def _example(assigned: Assignment, questions: Sequence[Question]) -> str:
    """The keys as the policies spell them, with their values."""
    spelled = {fold_case(q.key): q.key for q in questions if isinstance(q, Condition)}
    texts: list[str] = []
    for name, chosen in assigned.items():
        if isinstance(name, Unknown):
            texts.append(f'{name.stands_for} "{chosen}"')
        elif isinstance(chosen, Present):
            values = ", ".join(f'"{value}"' for value in chosen.values)
            texts.append(f"{spelled.get(name, name)} {values}")
        else:
            texts.append(f"no {spelled.get(name, name)}")
    return ", ".join(texts)


def _refined(request: Request, assigned: Assignment) -> Request:
    """A closed request: what is neither assigned nor a fact is not there."""
    context = refined_context(request.context, assigned)
    values = dict(context.values)
    session = values.pop(SESSION_NAME, ABSENT)
    principal = request.principal
    filled = filling(assigned)
    if filled:
        principal = replace(
            principal,
            arn=filled_value(principal.arn, filled),
            account=filled_value(principal.account, filled),
            path_and_name=filled_value(principal.path_and_name, filled),
        )
    if isinstance(session, Present) and principal.session is None:
        principal = replace(principal, session=session.values[0])
    closed = RequestContext(values, lambda name: _closed(request.context.otherwise(name)))
    return replace(request, principal=principal, context=closed)


def _closed(state: KeyState) -> KeyState:
    return ABSENT if is_free(state) else state
