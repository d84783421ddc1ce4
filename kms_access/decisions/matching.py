"""Which statements match a request: the building blocks of the procedure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kms_access.decisions.request import Request, is_alias
from kms_access.decisions.request_parameters import is_filled
from kms_access.inventory.model import Grant, Policy
from kms_access.policies.answers import (
    NO,
    YES,
    Answer,
    Reason,
    ReasonKind,
    Truth,
    any_of,
    open_answer,
)
from kms_access.policies.context import Absent, Open, Present
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.overlap import same
from kms_access.policies.principals import EntryKind, Naming
from kms_access.policies.wildcards import fold_case

_CONDITION_ON_ALIAS = Reason(
    "a condition on an alias, where condition keys do not work", ReasonKind.NOT_ESTABLISHED, "K114"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A statement or grant that matches a request, or may: `answer` is never false.

    `statement` is None for a grant and for a document that cannot be read as a whole. `naming`
    tells how a resource policy's statement names the caller.
    """

    source: Policy | Grant
    effect: Effect
    answer: Answer
    statement: Statement | None = None
    naming: Naming | None = None


def combined(hits: Iterable[Hit]) -> Answer:
    """Whether any of the hits holds."""
    return any_of(hit.answer for hit in hits)


def identity_hits(policies: Iterable[Policy], request: Request, effect: Effect) -> list[Hit]:
    """Statements of policies without Principal element that match (K64)."""
    hits: list[Hit] = []
    for policy in policies:
        document = policy.document
        if document.unreadable is not None:
            hits.append(_unreadable(policy, document.unreadable, effect))
        for statement, reached in _reaching(document, request, effect):
            answer = _covers(statement, reached, request)
            if answer.truth is not Truth.FALSE:
                hits.append(Hit(policy, effect, answer, statement))
    return hits


def resource_hits(
    policies: Iterable[Policy], request: Request, effect: Effect, *, has_boundary: bool
) -> list[Hit]:
    """Statements of resource policies that name the caller and match, one hit for each naming."""
    hits: list[Hit] = []
    for policy in policies:
        document = policy.document
        if document.unreadable is not None:
            hits.append(_unreadable(policy, document.unreadable, effect))
        for statement, reached in _reaching(document, request, effect):
            namings = _namings(statement, request, effect, has_boundary=has_boundary)
            if not namings:
                continue
            covers = _covers(statement, reached, _as_kms_sees_it(statement, request))
            if covers.truth is Truth.FALSE:
                continue
            for naming, named in namings:
                answer = covers & _of_provider(statement, request, naming, named)
                if answer.truth is not Truth.FALSE:
                    hits.append(Hit(policy, effect, answer, statement, naming))
    return hits


def _reaching(
    document: PolicyDocument, request: Request, effect: Effect
) -> tuple[tuple[Statement, Answer], ...]:
    reaching = document.reaching(request.action)
    return reaching.allows if effect is Effect.ALLOW else reaching.denies


def _covers(statement: Statement, reached: Answer, request: Request) -> Answer:
    if statement.conditions and is_alias(request.resource):
        bare = replace(statement, conditions=())
        answer = reached & bare.applies(request.resource, request.context)
        return answer.capped(_CONDITION_ON_ALIAS)
    decided = _with_open_defaults(statement, request) if statement.conditions else statement
    answer = reached & decided.applies(request.resource, request.context)
    if len(statement.effects) > 1 and answer.truth is Truth.TRUE:
        return open_answer(ReasonKind.UNREADABLE, "the effect of a statement", "K13")
    return answer


def _with_open_defaults(statement: Statement, request: Request) -> Statement:
    """Whether `Null` sees a parameter that KMS fills with its default is not documented (K139)."""
    if all(condition.operator is not None for condition in statement.conditions):
        return statement
    conditions = tuple(
        replace(condition, uncertain=_default_of(condition.key))
        if condition.operator is None and _may_be_default(condition.key, request)
        else condition
        for condition in statement.conditions
    )
    return replace(statement, conditions=conditions)


def _may_be_default(key: str, request: Request) -> bool:
    given = request.context.values.get(fold_case(key))
    return not isinstance(given, Present) and is_filled(key, request.action)


def _default_of(key: str) -> Reason:
    text = f'whether "Null" counts "{key}" as present when KMS fills in the default'
    return Reason(text, ReasonKind.NOT_ESTABLISHED, "K139")


def _unreadable(policy: Policy, reason: Reason, effect: Effect) -> Hit:
    return Hit(policy, effect, Answer(Truth.UNKNOWN, (reason,)), None, Naming.EVERYONE)


def _namings(
    statement: Statement, request: Request, effect: Effect, *, has_boundary: bool
) -> list[tuple[Naming, Answer]]:
    element = statement.principal
    caller = request.principal
    if element is None:
        return [(Naming.EVERYONE, YES)]
    if not element.negated:
        return list(element.namings(caller))
    if effect is Effect.ALLOW:
        return [(Naming.EVERYONE, ~element.lists(caller))]
    if has_boundary:
        return [(Naming.EVERYONE, YES)]
    return [(Naming.EVERYONE, ~element.spares(caller))]


def _of_provider(statement: Statement, request: Request, naming: Naming, named: Answer) -> Answer:
    """A federated principal can only name sessions that came through that provider (K53)."""
    if naming is not Naming.FEDERATED_PROVIDER:
        return named
    state = request.context.lookup("aws:FederatedProvider")
    if isinstance(state, Open):
        return named
    if isinstance(state, Absent) or statement.principal is None:
        return NO
    return named & any_of(
        same(entry.source, value)
        for entry in statement.principal.entries
        if entry.kind is EntryKind.FEDERATED_PROVIDER
        for value in state.values
    )


def _as_kms_sees_it(statement: Statement, request: Request) -> Request:
    """In a key policy, keys about the key's tags and aliases have no documented effect (K140)."""
    if not statement.conditions or not fold_case(request.action).startswith("kms:"):
        return request
    unsupported = {
        fold_case(condition.key)
        for condition in statement.conditions
        if fold_case(condition.key).startswith("aws:resourcetag/")
        or fold_case(condition.key) == "kms:resourcealiases"
    }
    if not unsupported:
        return request
    states = {
        key: Open(
            Reason(f'the effect of "{key}" in a key policy', ReasonKind.NOT_ESTABLISHED, "K140")
        )
        for key in unsupported
    }
    context = replace(request.context, values={**request.context.values, **states})
    return replace(request, context=context)
