"""Remarks on a request's policies: statements without effect, and likely mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kms_access.decisions.grants import RETIRE
from kms_access.decisions.matching import Hit, identity_hits, resource_hits
from kms_access.decisions.procedure import trust_of
from kms_access.decisions.request import (
    MULTIVALUED_KEYS,
    ApplicablePolicies,
    Request,
    ResourceTrust,
)
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Policy
from kms_access.policies.answers import Truth
from kms_access.policies.conditions import Quantifier
from kms_access.policies.document import Effect, Problem, Severity, Statement
from kms_access.policies.overlap import same
from kms_access.policies.principals import Naming, PrincipalKind
from kms_access.policies.wildcards import fold_case

_NETWORK_KEYS = ("aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce")
_SERVICE_KEYS = (
    *("kms:ViaService", "kms:GrantIsForAWSResource", "aws:ViaAWSService", "aws:CalledVia"),
    *("aws:CalledViaFirst", "aws:CalledViaLast", "aws:PrincipalIsAWSService"),
)
_SOURCE_KEYS = ("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths")


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on one policy of a request."""

    policy: Policy
    problem: Problem


def notes_on(request: Request, policies: ApplicablePolicies) -> tuple[Note, ...]:
    """Remarks on the policies of one request; the decision does not depend on them.

    Statements without effect (K3, K24, K102, K112, K120), likely mistakes (K38, K54, K130, K143).
    """
    notes = [*_set_operators(policies), *_spared_with_boundary(policies)]
    notes += _by_network(request, policies)
    if trust_of(request.action, request.resource) is ResourceTrust.EXPLICIT:
        notes += _without_effect(request, policies)
    return tuple(dict.fromkeys(notes))


def _note(policy: Policy, statement: Statement, rule: str, message: str) -> Note:
    return Note(policy, Problem(rule, message, ("Statement", statement.index), Severity.WARNING))


def _statements(policies: tuple[Policy, ...]) -> Iterator[tuple[Policy, Statement]]:
    for policy in policies:
        for statement in policy.document.statements:
            yield policy, statement


def _set_operators(policies: ApplicablePolicies) -> Iterator[Note]:
    groups = (policies.resource, policies.identity, policies.boundary, policies.session)
    for group in groups:
        for policy, statement in _statements(group):
            for condition in statement.conditions:
                key = fold_case(condition.key)
                known = key.startswith(("aws:", "kms:")) and key not in MULTIVALUED_KEYS
                if known and condition.quantifier is not Quantifier.SINGLE:
                    operator = condition.quantifier.value
                    message = f'"{operator}" on the single-valued key "{condition.key}"'
                    yield _note(policy, statement, "K130", message)


def _by_network(request: Request, policies: ApplicablePolicies) -> Iterator[Note]:
    """Denies that also hit the calls which a service makes for the principal (K143)."""
    if not fold_case(request.action).startswith("kms:"):
        return
    levels = (*policies.service_control, *policies.resource_control)
    own = (policies.resource, policies.identity, policies.boundary, policies.session)
    for group in (*own, *levels):
        for policy, statement in _statements(group):
            if Effect.DENY not in statement.effects or statement.action is None:
                continue
            if statement.action.matches(request.action).truth is Truth.FALSE:
                continue
            tested = [key for key in _NETWORK_KEYS if statement.tests(key)]
            if tested and not any(statement.tests(key) for key in _SERVICE_KEYS):
                message = f'a Deny on "{tested[0]}" also hits calls that a service makes'
                yield _note(policy, statement, "K143", message)


def _spared_with_boundary(policies: ApplicablePolicies) -> Iterator[Note]:
    if not policies.boundary:
        return
    for policy, statement in _statements(policies.resource):
        negated = statement.principal is not None and statement.principal.negated
        if negated and Effect.DENY in statement.effects:
            message = "NotPrincipal with Deny always denies a principal with a permissions boundary"
            yield _note(policy, statement, "K38", message)


def _without_effect(request: Request, policies: ApplicablePolicies) -> Iterator[Note]:
    caller, action = request.principal, request.action
    info = find_action(action)
    allows = identity_hits(policies.identity, request, Effect.ALLOW)
    on_resource = resource_hits(
        policies.resource, request, Effect.ALLOW, has_boundary=bool(policies.boundary)
    )
    is_service = caller.kind is PrincipalKind.SERVICE
    across = not is_service and (
        same(caller.account, request.resource_account).truth is Truth.FALSE
    )
    yield from _keyless_actions(policies)
    if info is not None and across and not info.cross_account:
        message = f'"{action}" has no effect across accounts'
        yield from _on_hits([*on_resource, *allows], "K120", message)
    elif fold_case(action) == RETIRE:
        yield from _on_hits(on_resource, "K102", f'"{action}" has no effect in a key policy')
    elif info is None or info.needs_key:
        yield from _key_not_named_by_arn(request, policies)
        namings = {hit.naming for hit in on_resource}
        enabled = bool(on_resource) if across else Naming.ACCOUNT in namings
        if is_service:
            yield from _open_to_service(on_resource)
        elif not enabled:
            message = f'the statement allows "{action}", the resource policy does not enable it'
            certain = [hit for hit in allows if hit.answer.truth is Truth.TRUE]
            yield from _on_hits(certain, "K3", message)


def _on_hits(hits: list[Hit], rule: str, message: str) -> Iterator[Note]:
    for hit in hits:
        if isinstance(hit.source, Policy) and hit.statement is not None:
            yield _note(hit.source, hit.statement, rule, message)


def _keyless_actions(policies: ApplicablePolicies) -> Iterator[Note]:
    for policy, statement in _statements(policies.resource):
        if statement.action is None or statement.action.negated:
            continue
        for pattern in statement.action.patterns:
            info = find_action(str(pattern.source))
            if info is not None and not info.needs_key:
                message = f'"{info.name}" has no effect in a key policy'
                yield _note(policy, statement, "K112", message)


def _open_to_service(on_resource: list[Hit]) -> Iterator[Note]:
    for hit in on_resource:
        if hit.statement is None or not isinstance(hit.source, Policy):
            continue
        if not any(hit.statement.tests(key) for key in _SOURCE_KEYS):
            message = "a service is allowed without a condition on the source of its request"
            yield _note(hit.source, hit.statement, "K54", message)


def _key_not_named_by_arn(request: Request, policies: ApplicablePolicies) -> Iterator[Note]:
    """Key ids, alias names and alias ARNs never stand for a key (K24)."""
    folded = fold_case(request.action)
    if not folded.startswith("kms:") or folded.endswith("alias"):
        return
    for policy, statement in _statements(policies.identity):
        if statement.resource is None or statement.action is None:
            continue
        if statement.action.matches(request.action).truth is Truth.FALSE:
            continue
        for pattern in statement.resource.patterns:
            if isinstance(pattern.source, str) and _names_no_key(pattern.source):
                message = f'the Resource "{pattern.source}" never stands for a key'
                yield _note(policy, statement, "K24", message)


def _names_no_key(resource: str) -> bool:
    if resource.startswith("arn:"):
        segments = resource.split(":", 5)
        return len(segments) == 6 and segments[2] == "kms" and segments[5].startswith("alias/")
    return "*" not in resource and "?" not in resource
