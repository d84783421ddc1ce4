"""Why not: the smallest changes after which a request would be allowed, each tried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum
from itertools import combinations

from kms_access.decisions.decision_steps import StepKind, is_without_identity, steps_of
from kms_access.decisions.matching import Hit
from kms_access.decisions.request import ApplicablePolicies, Request
from kms_access.decisions.resolution import resolve
from kms_access.decisions.subjects import Caller, Subject, SubjectKind
from kms_access.inventory.actions import find_action
from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Grant, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.document import DENY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import PrincipalKind
from kms_access.policies.text import Value, concat

_NAMED = (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE, SubjectKind.SERVICE)
_PLACE = Origin("what would have to change")
_MOST_TOGETHER = 4


class Change(Enum):
    """One thing that somebody would have to change."""

    WITHOUT_DENY = "the statements that deny it do not"
    ORGANIZATION = "every service control policy level allows it"
    BOUNDARY = "the permissions boundary allows it"
    KEY_POLICY_NAMES = "the key policy names the principal"
    KEY_POLICY_DELEGATES = "the key policy lets the account delegate"
    IDENTITY = "an identity policy allows it"
    GRANT = "a grant gives it"


def missing_changes(
    subject: Subject, caller: Caller, request: Request, policies: ApplicablePolicies
) -> tuple[tuple[Change, ...], ...]:
    """The smallest sets of changes after each of which the request of `caller` is allowed.

    Sorted, fewest changes first. None if no set helps, for example because the action has no
    effect across accounts (K120).
    """
    candidates = [c for c in Change if _is_possible(c, subject, caller, request, policies)]
    found: list[frozenset[Change]] = []
    for size in range(1, min(len(candidates), _MOST_TOGETHER) + 1):
        for together in combinations(candidates, size):
            chosen = frozenset(together)
            if any(smaller <= chosen for smaller in found):
                continue
            if resolve(request, _changed(chosen, request, policies)).state.is_access:
                found.append(chosen)
    return tuple(tuple(c for c in Change if c in chosen) for chosen in found)


def denying(request: Request, policies: ApplicablePolicies) -> tuple[Hit, ...]:
    """The statements that deny the request, or may."""
    return next(s.hits for s in steps_of(request, policies) if s.kind is StepKind.DENIES)


def _is_possible(
    change: Change,
    subject: Subject,
    caller: Caller,
    request: Request,
    policies: ApplicablePolicies,
) -> bool:
    info = find_action(request.action)
    needs_key = info is None or info.needs_key
    has_identity = not is_without_identity(request)
    match change:
        case Change.WITHOUT_DENY:
            return bool(denying(request, policies))
        case Change.ORGANIZATION:
            return bool(policies.service_control) and has_identity
        case Change.BOUNDARY:
            return bool(policies.boundary)
        case Change.KEY_POLICY_NAMES:
            return needs_key and subject.kind in _NAMED
        case Change.KEY_POLICY_DELEGATES:
            return needs_key and has_identity
        case Change.IDENTITY:
            is_root = request.principal.kind is PrincipalKind.ROOT
            return has_identity and not is_root and not caller.assumed_allowed
        case Change.GRANT:
            return info is not None and info.grantable and subject.kind in _NAMED


def _changed(
    changes: Iterable[Change], request: Request, policies: ApplicablePolicies
) -> ApplicablePolicies:
    for change in changes:
        policies = _with(change, request, policies)
    return policies


def _with(change: Change, request: Request, policies: ApplicablePolicies) -> ApplicablePolicies:
    principal = request.principal
    match change:
        case Change.WITHOUT_DENY:
            return _without_denies(request, policies)
        case Change.ORGANIZATION:
            return replace(policies, service_control=())
        case Change.BOUNDARY:
            return replace(policies, boundary=())
        case Change.KEY_POLICY_NAMES:
            kind = "Service" if principal.kind is PrincipalKind.SERVICE else "AWS"
            added = _statement({kind: principal.arn}, request.action)
            return replace(policies, resource=(*policies.resource, added))
        case Change.KEY_POLICY_DELEGATES:
            root = concat(("arn:", principal.partition, ":iam::", principal.account, ":root"))
            added = _statement({"AWS": root}, request.action)
            return replace(policies, resource=(*policies.resource, added))
        case Change.IDENTITY:
            return replace(policies, identity_assumed=True)
        case Change.GRANT:
            return replace(policies, grants=(*policies.grants, _grant(request)))


def _without_denies(request: Request, policies: ApplicablePolicies) -> ApplicablePolicies:
    denied = {id(hit.statement) for hit in denying(request, policies) if hit.statement is not None}

    def kept(group: Iterable[Policy]) -> Iterator[Policy]:
        for policy in group:
            statements = tuple(
                replace(s, effects=s.effects - {DENY}) if id(s) in denied else s
                for s in policy.document.statements
            )
            yield replace(policy, document=replace(policy.document, statements=statements))

    return replace(
        policies,
        resource=tuple(kept(policies.resource)),
        identity=tuple(kept(policies.identity)),
        boundary=tuple(kept(policies.boundary)),
        service_control=tuple(tuple(kept(level)) for level in policies.service_control),
        resource_control=tuple(tuple(kept(level)) for level in policies.resource_control),
    )


def _statement(principal: dict[str, Value], action: str) -> Policy:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    document = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, KEY_POLICY)
    return Policy("key policy", document, _PLACE)


def _grant(request: Request) -> Grant:
    fields = {
        "GranteePrincipal": request.principal.arn,
        "Operations": [request.action.partition(":")[2]],
    }
    return read_grant(fields, "a grant", _PLACE, request.resource)
