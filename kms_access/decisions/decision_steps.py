"""One decision step by step: what each part of the procedure says, and the statements behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from kms_access.decisions.matching import Hit, combined, identity_hits, resource_hits
from kms_access.decisions.procedure import Procedure, trust_of
from kms_access.decisions.request import ApplicablePolicies, Request
from kms_access.inventory.model import Policy
from kms_access.policies.answers import NO, YES, Answer, Truth
from kms_access.policies.document import ALLOW, Effect, Statement
from kms_access.policies.overlap import same
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principals import PrincipalKind


class StepKind(Enum):
    """The parts of the procedure, in their order (K74-K81)."""

    SCOPE = "scope"
    """Whether the caller is of the key's account, and whether the action works across accounts."""
    DENIES = "denies"
    ORGANIZATION = "organization"
    BOUNDARY = "boundary"
    KEY_POLICY = "key policy"
    IDENTITY = "identity policies"
    GRANTS = "grants"


class Mismatch(Enum):
    """Why an Allow about the action does not count for a request."""

    PRINCIPAL = "principal"
    RESOURCE = "resource"
    CONDITION = "condition"
    SOMETHING = "something"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An Allow for the action that is not for this request, and the first thing that is not."""

    policy: Policy
    statement: Statement
    mismatch: Mismatch
    index: int = 0
    """The place of the condition that does not hold, among the conditions of the statement."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one part of the procedure says.

    `answer`: for `DENIES` whether the request is denied, else whether the part lets it pass.
    `is_asked` is false where the part has no say or nothing is there to be asked.
    """

    kind: StepKind
    answer: Answer
    hits: tuple[Hit, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    is_asked: bool = True


def steps_of(request: Request, policies: ApplicablePolicies) -> tuple[Step, ...]:
    """Every part of the procedure for one request, also those after the one that decides.

    Where it is open whether the caller is of the key's account, the steps are those of a caller
    who is.
    """
    inside = same(request.principal.account, request.resource_account)
    across = not is_without_identity(request) and inside.truth is Truth.FALSE
    trust = trust_of(request.action, request.resource)
    procedure = Procedure(request, policies, trust, cross_account=across)
    denies = procedure.denies()
    procedure.find_ceilings()
    procedure.find_identity_side()
    key_side = procedure.resource_allows()
    has_key_policy = not (procedure.without_key or procedure.is_retire)
    organization = bool(policies.service_control) and procedure.has_identity
    return (
        _scope(procedure, inside),
        Step(StepKind.DENIES, combined(denies), tuple(denies)),
        Step(
            StepKind.ORGANIZATION,
            procedure.organization.allows,
            _allows((p for level in policies.service_control for p in level), request),
            is_asked=organization and not request.principal.is_service_linked,
        ),
        Step(
            StepKind.BOUNDARY,
            procedure.boundary.allows,
            _allows(policies.boundary, request),
            is_asked=bool(policies.boundary),
        ),
        Step(
            StepKind.KEY_POLICY,
            combined(key_side),
            tuple(key_side),
            tuple(_passed_over(policies.resource, request)) if has_key_policy else (),
            is_asked=has_key_policy,
        ),
        Step(
            StepKind.IDENTITY,
            _identity_allows(procedure),
            tuple(procedure.identity_hits),
            tuple(_passed_over(policies.identity, request)),
            is_asked=procedure.has_identity,
        ),
        _grants(procedure, policies),
    )


def is_without_identity(request: Request) -> bool:
    """Whether the caller is a service or an identity provider: resource policies alone decide."""
    return request.principal.kind in (PrincipalKind.SERVICE, PrincipalKind.PROVIDER)


def _scope(procedure: Procedure, inside: Answer) -> Step:
    if not procedure.has_identity:
        return Step(StepKind.SCOPE, YES, is_asked=False)
    if procedure.cross_account and procedure.info and not procedure.info.cross_account:
        return Step(StepKind.SCOPE, NO)
    return Step(StepKind.SCOPE, inside if inside.truth is Truth.UNKNOWN else YES)


def _identity_allows(procedure: Procedure) -> Answer:
    """What the identity policies say, without boundary and session policy."""
    if not procedure.has_identity:
        return NO
    if procedure.caller.kind is PrincipalKind.ROOT or procedure.policies.identity_assumed:
        return YES
    allows = combined(procedure.identity_hits)
    reason = procedure.policies.identity_incomplete
    return allows if reason is None else allows | Answer(Truth.UNKNOWN, (reason,))


def _grants(procedure: Procedure, policies: ApplicablePolicies) -> Step:
    hits = tuple(procedure.grants())
    return Step(StepKind.GRANTS, combined(hits), hits, is_asked=bool(policies.grants))


def _allows(policies: Iterable[Policy], request: Request) -> tuple[Hit, ...]:
    return tuple(identity_hits(policies, request, ALLOW))


def _passed_over(policies: Iterable[Policy], request: Request) -> Iterator[PassedOver]:
    """The Allows about the action that match in nothing else."""
    for policy in policies:
        for statement, _ in policy.document.reaching(request.action).allows:
            if not _counts(policy, statement, request):
                yield _mismatch(policy, statement, request)


def _counts(policy: Policy, statement: Statement, request: Request) -> bool:
    document = replace(policy.document, statements=(statement,), unreadable=None)
    alone = (replace(policy, document=document),)
    if statement.principal is None:
        return bool(identity_hits(alone, request, Effect.ALLOW))
    return bool(resource_hits(alone, request, Effect.ALLOW, has_boundary=False))


def _names(element: PrincipalElement, request: Request) -> bool:
    return any(named.truth is not Truth.FALSE for _, named in element.namings(request.principal))


def _mismatch(policy: Policy, statement: Statement, request: Request) -> PassedOver:
    element = statement.principal
    if element is not None and not element.negated and not _names(element, request):
        return PassedOver(policy, statement, Mismatch.PRINCIPAL)
    resource = statement.resource
    if resource is not None:
        covered = resource.matches(request.resource, request.context)
        if covered.truth is Truth.FALSE:
            return PassedOver(policy, statement, Mismatch.RESOURCE)
    for index, condition in enumerate(statement.conditions):
        if condition.holds(request.context).truth is Truth.FALSE:
            return PassedOver(policy, statement, Mismatch.CONDITION, index)
    return PassedOver(policy, statement, Mismatch.SOMETHING)
