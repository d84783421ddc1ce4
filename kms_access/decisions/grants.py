"""Whether a grant allows a request (K86–K101)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kms_access.decisions.matching import Hit
from kms_access.decisions.request import ENCRYPTION_CONTEXT, Request
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Grant
from kms_access.policies.answers import (
    NO,
    YES,
    Answer,
    ReasonKind,
    Truth,
    all_of,
    any_of,
    open_answer,
)
from kms_access.policies.conditions import Condition, Quantifier
from kms_access.policies.context import Open, Present, RequestContext
from kms_access.policies.document import Effect
from kms_access.policies.elements import Notes
from kms_access.policies.formula import Test
from kms_access.policies.operators import OPERATORS
from kms_access.policies.overlap import same
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principal_parsing import read_principal
from kms_access.policies.principals import (
    Naming,
    Principal,
    PrincipalKind,
    parse_principal,
)
from kms_access.policies.text import Value
from kms_access.policies.wildcards import fold_case, fold_value, with_wildcards

RETIRE = "kms:retiregrant"
FURTHER_ENCRYPTION_CONTEXT = f"{ENCRYPTION_CONTEXT}…"
"""Stands among the keys for encryption context that no policy asks for."""
_WITHOUT_ENCRYPTION_CONTEXT = ("kms:describekey", RETIRE)


def grant_hit(grant: Grant, request: Request, identity_allows: Answer) -> Hit | None:
    """The grant as a hit if it may allow the request; None if it surely does not.

    `identity_allows` is whether the caller's identity policies allow the action: it counts for
    grants to a whole account (K90) and for retiring (K102). The hit's naming is `ACCOUNT` where
    it rests on them.
    """
    answer = _allows(grant, request, identity_allows)
    if answer.truth is Truth.FALSE:
        return None
    alone = _allows(grant, request, NO)
    naming = Naming.ACCOUNT if alone.truth is not answer.truth else None
    return Hit(grant, Effect.ALLOW, answer, naming=naming)


def _allows(grant: Grant, request: Request, identity_allows: Answer) -> Answer:
    retire = fold_case(request.action) == RETIRE
    answer = same(grant.key_arn, request.resource)
    if answer.truth is not Truth.FALSE:
        answer = answer & (
            _may_retire(grant, request, identity_allows)
            if retire
            else _may_use(grant, request, identity_allows)
        )
    if answer.truth is not Truth.FALSE and grant.uncertain is not None:
        answer = answer.capped(grant.uncertain)
    return answer


def _may_use(grant: Grant, request: Request, identity_allows: Answer) -> Answer:
    answer = _lists_operation(grant, request.action)
    if answer.truth is not Truth.FALSE:
        answer = answer & _is_grantee(grant.grantee, request.principal, identity_allows)
    if answer.truth is not Truth.FALSE:
        answer = answer & _constraints_hold(grant, request)
    if answer.truth is not Truth.FALSE and fold_case(request.action) == "kms:creategrant":
        answer = answer & _child_is_within(grant, request)
    return answer


def _child_is_within(grant: Grant, request: Request) -> Answer:
    """A grant made through a grant gives a part of it, under constraints as strict (K96)."""
    answer = _asks("kms:GrantOperations", "StringEquals", grant.operations, Quantifier.ALL).holds(
        request.context
    )
    if grant.constraints.encryption_context_equals is not None:
        kind = ("EncryptionContextEquals",)
        as_strict = _asks("kms:GrantConstraintType", "StringEquals", kind, if_exists=True)
        answer = answer & as_strict.holds(request.context)
    return answer


def _asks(
    key: str,
    operator: str,
    values: tuple[Value, ...],
    quantifier: Quantifier = Quantifier.SINGLE,
    *,
    if_exists: bool = False,
) -> Condition:
    """A constraint of a grant as the condition that it amounts to."""
    return Condition(key, OPERATORS[operator], quantifier, if_exists, values)


def _lists_operation(grant: Grant, action: str) -> Answer:
    info = find_action(action)
    if info is None or not info.grantable:
        return NO
    wanted = info.name.partition(":")[2].lower()
    return any_of(same(fold_value(operation), wanted) for operation in grant.operations)


@lru_cache(maxsize=4_096)
def _element(grantee: Value) -> PrincipalElement:
    named = parse_principal(grantee)
    service = named is not None and named.kind is PrincipalKind.SERVICE
    return read_principal({"Service" if service else "AWS": grantee}, Notes(), ())


def _namings(grantee: Value, caller: Principal) -> list[tuple[Naming, Answer]]:
    element = _element(grantee)
    return [n for n in element.namings(caller) if n[0] is not Naming.EVERYONE or grantee != "*"]


def _is_grantee(grantee: Value, caller: Principal, identity_allows: Answer) -> Answer:
    answers = []
    for naming, answer in _namings(grantee, caller):
        if naming is Naming.ACCOUNT and caller.kind is not PrincipalKind.ROOT:
            further = open_answer(
                ReasonKind.NOT_ESTABLISHED,
                "whether a grant to a whole account serves an identity without an IAM Allow",
                "K90",
            )
            answer = answer & (identity_allows | further)
        answers.append(answer)
    return any_of(answers)


def _may_retire(grant: Grant, request: Request, identity_allows: Answer) -> Answer:
    caller = request.principal
    retiring = grant.retiring_principal
    is_retiring = NO
    if retiring is not None:
        is_retiring = _is_grantee(retiring, caller, identity_allows)
    listed = _lists_operation(grant, request.action)
    if retiring is not None:
        listed = listed | same(retiring, grant.grantee)
    is_grantee = listed & _is_grantee(grant.grantee, caller, identity_allows)
    issued = NO
    if grant.issuing_account is not None and caller.kind is not PrincipalKind.SERVICE:
        issued = same(_account_id(grant.issuing_account), caller.account)
        if caller.kind is not PrincipalKind.ROOT:
            issued = issued & identity_allows
    return is_retiring | is_grantee | issued


def _account_id(account: Value) -> Value:
    principal = parse_principal(account)
    return principal.account if principal else account


def _constraints_hold(grant: Grant, request: Request) -> Answer:
    action = fold_case(request.action)
    constraints = grant.constraints
    answer = YES
    if constraints.source_arn is not None:
        answer = answer & _source_matches(constraints.source_arn, request)
    if action in _WITHOUT_ENCRYPTION_CONTEXT:
        return answer
    for pairs, exact in (
        (constraints.encryption_context_equals, True),
        (constraints.encryption_context_subset, False),
    ):
        if pairs is not None:
            answer = answer & _encryption_context(pairs, request, exact=exact)
    return answer


def _source_matches(source_arn: Value, request: Request) -> Answer:
    pattern = with_wildcards(source_arn)
    return _asks("aws:SourceArn", "ArnLike", (pattern,)).holds(request.context)


def _encryption_context(pairs: Mapping[str, Value], request: Request, *, exact: bool) -> Answer:
    """Keys are compared without case, values with case (K99)."""
    wanted = {ENCRYPTION_CONTEXT + fold_case(key): value for key, value in pairs.items()}
    answer = all_of(
        _asks(key, "StringEquals", (value,)).holds(request.context) for key, value in wanted.items()
    )
    if exact and answer.truth is not Truth.FALSE:
        answer = answer & NoFurtherEncryptionContext(frozenset(wanted)).holds(request.context)
    return answer


@dataclass(frozen=True, slots=True)
class NoFurtherEncryptionContext:
    """Whether a request has no encryption context but that of the `wanted` keys (K97)."""

    wanted: frozenset[str]

    def __str__(self) -> str:
        return "no further encryption context"

    @property
    def keys(self) -> tuple[str, ...]:
        """The pseudo key that stands for all further pairs."""
        return (FURTHER_ENCRYPTION_CONTEXT,)

    def holds(self, context: RequestContext) -> Answer:
        """Whether a request with this context has no further pair."""
        for key, state in context.values.items():
            is_further = key.startswith(ENCRYPTION_CONTEXT) and key not in self.wanted
            if is_further and isinstance(state, Present):
                return NO
        further = context.lookup(FURTHER_ENCRYPTION_CONTEXT)
        if isinstance(further, Open):
            return Answer(Truth.UNKNOWN, (further.reason,), Test(self))
        return NO if isinstance(further, Present) else YES
