"""Requests as JSON Lines, and the answers to them (`kms-access authorize`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.matching import Hit
from kms_access.decisions.notes import notes_on
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import (
    ApplicablePolicies,
    Request,
    facts_of,
    request_context,
    with_multivalued,
)
from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Grant, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import ReasonKind
from kms_access.policies.context import KeyState, Present
from kms_access.policies.document import Problem
from kms_access.policies.elements import duplicates_of, scalar
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    PERMISSIONS_BOUNDARY,
    RESOURCE_CONTROL_POLICY,
    RESOURCE_POLICY,
    SERVICE_CONTROL_POLICY,
    SESSION_POLICY,
    TRUST_POLICY,
    PolicyGrammar,
)
from kms_access.policies.json_text import JsonError, read_json
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import (
    ACCOUNT_ID,
    PRINCIPAL_FORMS,
    Principal,
    PrincipalKind,
    parse_principal,
)
from kms_access.policies.quick_init import quick_init
from kms_access.policies.wildcards import fold_case

_REQUIRED = ("principal", "action", "resource", "account")
_OPTIONAL = (
    *("context", "resourcePolicy", "identityPolicies", "permissionsBoundaries", "sessionPolicy"),
    *("serviceControlPolicies", "resourceControlPolicies", "grants"),
)
_FIELDS = frozenset((*_REQUIRED, *_OPTIONAL))


class RequestError(ValueError):
    """A request line that cannot be read: what was found, what is accepted, and where."""

    def __init__(self, message: str, field: str = "", column: int = 1) -> None:
        super().__init__(f'"{field}": {message}' if field else message)
        self.column = column


@quick_init
@dataclass(frozen=True, slots=True)
class StatedRequest:
    """A request with the policies that it states."""

    request: Request
    policies: ApplicablePolicies
    assumptions: tuple[Problem, ...] = ()


def read_request(line: str) -> StatedRequest:
    """Parse one line. Raises `RequestError`; a malformed policy is no error, it is judged."""
    try:
        node = read_json(line)
    except JsonError as error:
        raise RequestError(error.message, column=error.position.column) from None
    if not isinstance(node, dict):
        raise RequestError("a request is a JSON object")
    for duplicate in duplicates_of(node):
        raise RequestError("stands here more than once", duplicate)
    if not node.keys() <= _FIELDS:
        field = next(field for field in node if field not in _FIELDS)
        accepted = ", ".join((*_REQUIRED, *_OPTIONAL))
        raise RequestError(f"unknown field, accepted are {accepted}", field)
    principal = parse_principal(_text(node, "principal"))
    if principal is None:
        found = node["principal"]
        raise RequestError(f'"{found}" is no principal, accepted is {PRINCIPAL_FORMS}', "principal")
    account = _text(node, "account")
    if not ACCOUNT_ID.fullmatch(account):
        raise RequestError(f'"{account}" is no account id of twelve digits', "account")
    action = _text(node, "action")
    if action.count(":") != 1 or "*" in action or "?" in action:
        raise RequestError(f'"{action}" is no action such as "kms:Decrypt"', "action")
    resource = _text(node, "resource")
    given = _context(node)
    principal = _with_given_path(principal, given)
    facts = facts_of(principal, action, resource, account)
    request = Request(principal, action, resource, account, request_context(facts, given))
    policies = _policies(node, action, resource, line)
    return StatedRequest(request, policies, tuple(_assumptions(principal, given, policies)))


def answer(stated: StatedRequest) -> dict[str, Any]:
    """The answer object for a request: decision, responsible statements, reasons, findings."""
    decision = authorize(stated.request, stated.policies)
    result: dict[str, Any] = {
        "decision": decision.verdict.value,
        "responsible": [_responsible(hit) for hit in decision.responsible],
    }
    if decision.verdict is Verdict.DEPENDS:
        result["reasons"] = [reason.text for reason in decision.reasons]
    result["findings"] = list(_findings(stated, decision))
    return result


def _text(node: Mapping[str, Any], field: str) -> str:
    if field not in node:
        raise RequestError(f"missing, a request needs {', '.join(_REQUIRED)}", field)
    value = node[field]
    if not isinstance(value, str) or type(value) is not str or not value:
        raise RequestError("a non-empty string is expected", field)
    return value


def _context(node: Mapping[str, Any]) -> dict[str, KeyState]:
    if "context" not in node:
        return {}
    given = node["context"]
    if not isinstance(given, Mapping):
        raise RequestError("an object of condition keys is expected", "context")
    for duplicate in duplicates_of(given):
        raise RequestError("stands here more than once", f"context.{duplicate}")
    states: dict[str, KeyState] = {}
    for key, value in given.items():
        items = value if isinstance(value, list) else [value]
        texts = [scalar(item) for item in items]
        known = tuple(text for text in texts if text is not None)
        if len(known) != len(texts):
            raise RequestError(
                "a value is a string, a number, a boolean or a list of these", f"context.{key}"
            )
        state = Present(known, multivalued=isinstance(value, list))
        states[key] = with_multivalued(key, state)
    return states


def _with_given_path(principal: Principal, given: Mapping[str, KeyState]) -> Principal:
    """A session whose role ARN stands in the context: then the role's path is known (K48)."""
    if principal.path_known:
        return principal
    state = next((s for key, s in given.items() if fold_case(key) == "aws:principalarn"), None)
    if not isinstance(state, Present) or len(state.values) != 1:
        return principal
    role = parse_principal(state.values[0])
    if role is None or (role.account, role.name) != (principal.account, principal.name):
        return principal
    return replace(role, session=principal.session)


def _list(node: Mapping[str, Any], field: str) -> Sequence[Any]:
    if field not in node:
        return ()
    value = node[field]
    if not isinstance(value, list):
        raise RequestError("a list is expected", field)
    return value


def _policies(node: Mapping[str, Any], action: str, resource: str, line: str) -> ApplicablePolicies:
    return ApplicablePolicies(
        resource=_one(node, "resourcePolicy", _resource_grammar(action), line),
        identity=_several(node, "identityPolicies", IDENTITY_POLICY, line),
        boundary=_several(node, "permissionsBoundaries", PERMISSIONS_BOUNDARY, line),
        session=_one(node, "sessionPolicy", SESSION_POLICY, line),
        service_control=_levels(node, "serviceControlPolicies", SERVICE_CONTROL_POLICY, line),
        resource_control=_levels(node, "resourceControlPolicies", RESOURCE_CONTROL_POLICY, line),
        grants=_grants(node, resource),
    )


def _one(
    node: Mapping[str, Any], field: str, grammar: PolicyGrammar, line: str
) -> tuple[Policy, ...]:
    return (_policy(field, node[field], grammar, line),) if field in node else ()


def _several(
    node: Mapping[str, Any], field: str, grammar: PolicyGrammar, line: str
) -> tuple[Policy, ...]:
    if field not in node:
        return ()
    return tuple(
        [_policy(f"{field}[{i}]", item, grammar, line) for i, item in enumerate(_list(node, field))]
    )


def _levels(
    node: Mapping[str, Any], field: str, grammar: PolicyGrammar, line: str
) -> tuple[tuple[Policy, ...], ...]:
    if field not in node:
        return ()
    levels = []
    for i, level in enumerate(_list(node, field)):
        if not isinstance(level, list):
            raise RequestError("a list of policies is expected", f"{field}[{i}]")
        levels.append(
            tuple(_policy(f"{field}[{i}][{j}]", p, grammar, line) for j, p in enumerate(level))
        )
    return tuple(levels)


def _resource_grammar(action: str) -> PolicyGrammar:
    service = fold_case(action).partition(":")[0]
    if service == "kms":
        return KEY_POLICY
    return TRUST_POLICY if service == "sts" else RESOURCE_POLICY


def _policy(label: str, node: Any, grammar: PolicyGrammar, line: str) -> Policy:
    return Policy(label, parse_policy(node, grammar, read_from=line), _origin(label))


@lru_cache(64)
def _origin(label: str) -> Origin:
    return Origin(label)


def _grants(node: Mapping[str, Any], resource: str) -> tuple[Grant, ...]:
    if "grants" not in node:
        return ()
    return tuple([_grant(i, item, resource) for i, item in enumerate(_list(node, "grants"))])


def _grant(index: int, node: Any, resource: str) -> Grant:
    label = f"grants[{index}]"
    if not isinstance(node, Mapping):
        raise RequestError("a grant is an object", label)
    return read_grant(node, label, Origin(label), resource)


def _assumptions(
    principal: Principal, given: Mapping[str, KeyState], policies: ApplicablePolicies
) -> Iterator[Problem]:
    """The path of a session's role is not part of its ARN (K48)."""
    is_session = principal.kind is PrincipalKind.ROLE and not principal.path_known
    if not is_session or "aws:principalarn" in {fold_case(key) for key in given}:
        return
    documents = (policies.resource, policies.identity, policies.boundary, policies.session)
    statements = (s for group in documents for p in group for s in p.document.statements)
    if any(statement.tests("aws:PrincipalArn") for statement in statements):
        message = (
            f'"aws:PrincipalArn" is taken as "{principal.arn}"; '
            "state it in the context if the role has a path"
        )
        yield Problem("K48", message)


def _responsible(hit: Hit) -> dict[str, Any]:
    result: dict[str, Any] = {"policy": hit.source.label}
    if hit.statement is not None:
        result["statement"] = hit.statement.index
        if hit.statement.sid:
            result["sid"] = hit.statement.sid
    result["effect"] = hit.effect.value
    return result


def _findings(stated: StatedRequest, decision: Decision) -> Iterator[dict[str, Any]]:
    policies = stated.policies
    groups = (
        *(policies.resource, policies.identity, policies.boundary, policies.session),
        *policies.service_control,
        *policies.resource_control,
    )
    named = set()
    for policy in (policy for group in groups for policy in group):
        for problem in policy.document.problems:
            named.add(problem.rule)
            yield _finding(policy.label, problem)
    for grant in policies.grants:
        for problem in grant.problems:
            named.add(problem.rule)
            yield _finding(grant.label, problem)
    for note in notes_on(stated.request, policies):
        named.add(note.problem.rule)
        yield _finding(note.policy.label, note.problem)
    for problem in stated.assumptions:
        yield _finding("", problem)
    for reason in decision.reasons:
        open_kind = reason.kind in (ReasonKind.NOT_ESTABLISHED, ReasonKind.UNREADABLE)
        if open_kind and reason.rule and reason.rule not in named:
            yield _finding("", Problem(reason.rule, reason.text))


def _finding(policy: str, problem: Problem) -> dict[str, Any]:
    finding: dict[str, Any] = {"rule": problem.rule, "severity": problem.severity.value}
    if policy:
        finding["policy"] = policy
    if problem.path:
        finding["path"] = problem.place
    if problem.position is not None:
        finding["position"] = str(problem.position)
    finding["message"] = problem.message
    return finding
