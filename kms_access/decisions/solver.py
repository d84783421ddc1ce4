"""Whether some request fulfils what a decision hangs on, and which one (design 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kms_access.decisions.decision import Residual
from kms_access.decisions.request import ENCRYPTION_CONTEXT, Request
from kms_access.decisions.request_values import Choices, choices, fills
from kms_access.policies.answers import NO, Answer, Reason, ReasonKind, Truth, all_of, any_of
from kms_access.policies.conditions import Condition
from kms_access.policies.context import (
    ABSENT,
    SESSION_NAME,
    KeyState,
    Open,
    Present,
    RequestContext,
)
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
from kms_access.policies.text import Text, Unknown, Value, concat
from kms_access.policies.wildcards import fold_case

MAXIMUM_TRIALS = 2_000
"""How many partial assignments of request keys are tried before the answer stays open."""

Variables: TypeAlias = Mapping[str | Unknown, Choices]
"""What a request is free to choose: condition keys, and unknown parts of what it brings."""

Assignment: TypeAlias = dict[str | Unknown, KeyState | str]
"""The state of a condition key, or the string in the place of an unknown part."""

_CONTEXT_KEYS = "kms:encryptioncontextkeys"
_CALLED_VIA = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
_VIA_SERVICE = ("kms:viaservice", *_CALLED_VIA)


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


@dataclass(slots=True)
class _Search:
    residual: Residual
    request: Request
    variables: Variables
    context_names: Mapping[str, str]
    trials: int = 0
    undecided: dict[Reason, None] = field(default_factory=dict)
    outweighed: bool = False

    def run(self, assigned: Assignment) -> Iterator[Assignment]:
        """The assignments under which the residual holds, depth first."""
        if self.trials >= MAXIMUM_TRIALS or not _is_possible(assigned):
            return
        self.trials += 1
        chosen = _with_context_keys(assigned, self.context_names)
        answer = self._answer(refined_context(self.request.context, chosen))
        left = [name for name in self.variables if name not in assigned]
        if answer.truth is Truth.TRUE:
            yield assigned
        elif answer.truth is Truth.UNKNOWN and not left:
            self.undecided |= dict.fromkeys(answer.reasons)
        elif answer.truth is Truth.UNKNOWN:
            for state in self.variables[left[0]].states:
                yield from self.run({**assigned, left[0]: state})

    def _answer(self, context: RequestContext) -> Answer:
        allows = evaluate(self.residual.allows, context)
        if allows.truth is Truth.FALSE:
            return NO
        denied = evaluate(self.residual.denied, context)
        self.outweighed |= denied.truth is Truth.TRUE
        return allows & ~denied


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
    variables = _variables(questions, request)
    names = dict(_encryption_context_names(questions))
    spellings = [names]
    if names and _CONTEXT_KEYS in variables:
        # A pair's name is compared without case, an item of the list of names with case (K41).
        spellings.append({key: name.swapcase() for key, name in names.items()})
    undecided: dict[Reason, None] = {}
    exhausted = all(variable.exact for variable in variables.values())
    outweighed = False
    for spelling in spellings:
        search = _Search(residual, request, variables, spelling)
        for assigned in search.run({}):
            completed = _with_context_keys(_completed(assigned, variables), spelling)
            if _is_possible(completed):
                found, example = _refined(request, completed), _example(completed, questions)
                yield Solution(found, (), False, search.outweighed, example)
        undecided |= search.undecided
        exhausted &= search.trials < MAXIMUM_TRIALS
        outweighed |= search.outweighed
    yield Solution(None, tuple(undecided), exhausted, outweighed)


def _variables(questions: Sequence[Question], request: Request) -> Variables:
    """What a request is free to choose, those with few values first."""
    context = request.context
    found: dict[str | Unknown, Choices] = {}
    for key in dict.fromkeys(key for question in questions for key in question.keys):
        state = context.lookup(key)
        if is_free(state):
            found[key] = choices(key, questions, context, request.action)
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


def _is_possible(assigned: Assignment) -> bool:
    """A call through a service says so in each of its keys (K75, K110)."""
    direct = assigned.get("aws:viaawsservice") in (ABSENT, Present(("false",)))
    through = any(isinstance(assigned.get(key), Present) for key in _VIA_SERVICE)
    for_service = assigned.get("kms:grantisforawsresource") == Present(("true",))
    chain = {type(assigned[key]) for key in _CALLED_VIA if key in assigned}
    return not (direct and (through or for_service)) and len(chain) < 2


def _completed(assigned: Assignment, variables: Variables) -> Assignment:
    """The assignment with what it leaves open in the first state."""
    return {**{name: variable.states[0] for name, variable in variables.items()}, **assigned}


def _encryption_context_names(questions: Iterable[Question]) -> Iterator[tuple[str, str]]:
    """The condition keys about single pairs, with the names of the pairs as policies spell them."""
    for question in questions:
        if isinstance(question, Condition):
            folded = fold_case(question.key)
            if folded.startswith(ENCRYPTION_CONTEXT):
                yield folded, question.key[len(ENCRYPTION_CONTEXT) :]


def _with_context_keys(assigned: Assignment, names: Mapping[str, str]) -> Assignment:
    """The assignment with a list of encryption context keys that fits the single pairs."""
    listed = assigned.get(_CONTEXT_KEYS)
    if listed is None or not names:
        return assigned
    states = {name: assigned[key] for key, name in names.items() if key in assigned}
    absent = {fold_case(name) for name, state in states.items() if state == ABSENT}
    values = listed.values if isinstance(listed, Present) else ()
    kept = [value for value in values if fold_case(str(value)) not in absent]
    kept += [n for n, state in states.items() if isinstance(state, Present) and n not in kept]
    consistent = Present(tuple(kept), multivalued=True) if kept else ABSENT
    return {**assigned, _CONTEXT_KEYS: consistent}


def refined_context(context: RequestContext, assigned: Assignment) -> RequestContext:
    """The context with the assigned keys, and unknown parts replaced in all others."""
    values = dict(context.values)
    filled = _filling(assigned)
    if filled:
        for key, state in values.items():
            if isinstance(state, Present):
                values[key] = replace(
                    state, values=tuple(_filled(value, filled) for value in state.values)
                )
    for name, chosen in assigned.items():
        if isinstance(name, str) and not isinstance(chosen, str):
            values[name] = chosen
    return replace(context, values=values)


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


def _filling(assigned: Assignment) -> dict[Unknown, str]:
    return {
        name: text
        for name, text in assigned.items()
        if isinstance(name, Unknown) and isinstance(text, str)
    }


def _filled(value: Value, filled: Mapping[Unknown, str]) -> Value:
    if isinstance(value, str):
        return value
    return concat(filled.get(p, p) if isinstance(p, Unknown) else p for p in value.parts)


def _refined(request: Request, assigned: Assignment) -> Request:
    """A closed request: what is neither assigned nor a fact is not there."""
    context = refined_context(request.context, assigned)
    values = dict(context.values)
    session = values.pop(SESSION_NAME, ABSENT)
    principal = request.principal
    filled = _filling(assigned)
    if filled:
        principal = replace(
            principal,
            arn=_filled(principal.arn, filled),
            account=_filled(principal.account, filled),
            path_and_name=_filled(principal.path_and_name, filled),
        )
    if isinstance(session, Present) and principal.session is None:
        principal = replace(principal, session=session.values[0])
    closed = RequestContext(values, lambda name: _closed(request.context.otherwise(name)))
    return replace(request, principal=principal, context=closed)


def _closed(state: KeyState) -> KeyState:
    return ABSENT if is_free(state) else state


def evaluate(answer: Answer, context: RequestContext) -> Answer:
    """An answer again, for a context that knows more."""
    return answer if answer.truth is not Truth.UNKNOWN else _value(answer.formula, context)


def _value(formula: Formula, context: RequestContext) -> Answer:
    match formula:
        case Test(question):
            return question.holds(context)
        case Undecidable(reasons):
            return Answer(Truth.UNKNOWN, reasons)
        case Not(part):
            return ~_value(part, context)
        case AllOf(parts):
            return all_of(_value(part, context) for part in parts)
        case AnyOf(parts):
            return any_of(_value(part, context) for part in parts)
