"""Which statements match a request: the building blocks of the procedure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kms_access.decisions.request import Request, is_alias
from kms_access.decisions.request_parameters import is_filled
from kms_access.inventory.model import Grant, Policy
from kms_access.policies.answers import (
    FALSE,
    NO,
    TRUE,
    UNKNOWN,
    YES,
    Answer,
    Reason,
    ReasonKind,
    any_of,
    open_answer,
)
from kms_access.policies.context import Absent, Open, Present
from kms_access.policies.document import ALLOW, Effect, Statement
from kms_access.policies.overlap import same
from kms_access.policies.principals import EntryKind, Naming
from kms_access.policies.quick_init import quick_init
from kms_access.policies.wildcards import fold_case

_FEDERATED_PROVIDER = Naming.FEDERATED_PROVIDER
_CONDITION_ON_ALIAS = Reason(
    "a condition on an alias, where condition keys do not work", ReasonKind.NOT_ESTABLISHED, "K114"
)


@quick_init
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


def combined(hits: Sequence[Hit]) -> Answer:
    """Whether any of the hits holds."""
    if len(hits) == 1:
        return hits[0].answer
    return any_of(hit.answer for hit in hits)


def identity_hits(policies: Iterable[Policy], request: Request, effect: Effect) -> list[Hit]:
    """Statements of policies without Principal element that match (K64)."""
    hits: list[Hit] = []
    for policy in policies:
        document = policy.document
        if document.unreadable is not None:
            hits.append(_unreadable(policy, document.unreadable, effect))
        reaching = document.reaching(request.action)
        for statement, reached in reaching.allows if effect is ALLOW else reaching.denies:
            answer = _covers(statement, reached, request)
            if answer.truth is not FALSE:
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
        reaching = document.reaching(request.action)
        for statement, reached in reaching.candidates(effect, request.principal):
            namings = _namings(statement, request, effect, has_boundary=has_boundary)
            if not namings:
                continue
            covers = _covers(statement, reached, _as_kms_sees_it(statement, request))
            if covers.truth is FALSE:
                continue
            for naming, named in namings:
                answer = covers & _of_provider(statement, request, naming, named)
                if answer.truth is not FALSE:
                    hits.append(Hit(policy, effect, answer, statement, naming))
    return hits


def _covers(statement: Statement, reached: Answer, request: Request) -> Answer:
    if statement.conditions:
        if is_alias(request.resource):
            bare = replace(statement, conditions=())
            answer = reached & bare.applies(request.resource, request.context)
            return answer.capped(_CONDITION_ON_ALIAS)
        statement = _with_open_defaults(statement, request)
    answer = reached & statement.applies(request.resource, request.context)
    if len(statement.effects) > 1 and answer.truth is TRUE:
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
    return Hit(policy, effect, Answer(UNKNOWN, (reason,)), None, Naming.EVERYONE)


def _namings(
    statement: Statement, request: Request, effect: Effect, *, has_boundary: bool
) -> list[tuple[Naming, Answer]]:
    element = statement.principal
    caller = request.principal
    if element is None:
        return [(Naming.EVERYONE, YES)]
    if not element.negated:
        return list(element.namings(caller))
    if effect is ALLOW:
        return [(Naming.EVERYONE, ~element.lists(caller))]
    if has_boundary:
        return [(Naming.EVERYONE, YES)]
    return [(Naming.EVERYONE, ~element.spares(caller))]


def _of_provider(statement: Statement, request: Request, naming: Naming, named: Answer) -> Answer:
    """A federated principal can only name sessions that came through that provider (K53)."""
    if naming is not _FEDERATED_PROVIDER:
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
