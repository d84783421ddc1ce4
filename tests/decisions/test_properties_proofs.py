"""The statements and grants of a decision are what it rests on: no more, no less (design 8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeAlias

from hypothesis import event, given

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.matching import Hit
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request_json import read_request
from kms_access.policies.document import Effect
from tests.decisions.test_pseudocode import requests

KEY_POLICY, GRANTS = "resourcePolicy", "grants"
LIMITS = ("permissionsBoundaries", "sessionPolicy", "serviceControlPolicies")
POLICIES = (KEY_POLICY, "identityPolicies", *LIMITS, "resourceControlPolicies")


def decide(request: dict[str, Any]) -> Decision:
    stated = read_request(json.dumps(request))
    return authorize(stated.request, stated.policies)


def place(hit: Hit) -> tuple[str, int | None]:
    """The label of the policy or grant, and the place of the statement in it."""
    return hit.source.label, hit.statement.index if hit.statement else None


Keeps: TypeAlias = Callable[[str, int | None, dict[str, Any]], bool]


def pruned(request: dict[str, Any], keeps: Keeps) -> dict[str, Any]:
    """The request with the statements and grants that `keeps` wants; policies stay, if empty."""

    def policy(label: str, document: dict[str, Any]) -> dict[str, Any]:
        statements = document["Statement"]
        kept = [s for index, s in enumerate(statements) if keeps(label, index, s)]
        return {**document, "Statement": kept}

    def policies(label: str, node: Any) -> Any:
        if isinstance(node, dict):
            return policy(label, node)
        return [policies(f"{label}[{index}]", item) for index, item in enumerate(node)]

    result = deepcopy(request)
    for field in POLICIES:
        if field in result:
            result[field] = policies(field, result[field])
    grants = enumerate(result.get(GRANTS, []))
    result[GRANTS] = [grant for index, grant in grants if keeps(f"{GRANTS}[{index}]", None, grant)]
    return result


def only(*places: tuple[str, int | None]) -> Keeps:
    return lambda label, index, _: (label, index) in places


def without(*places: tuple[str, int | None]) -> Keeps:
    return lambda label, index, _: (label, index) not in places


@given(requests())
def test_the_responsible_statements_alone_reproduce_an_allow(request: dict[str, Any]) -> None:
    decision = decide(request)
    event(decision.verdict.value)
    if decision.verdict is not Verdict.ALLOWED:
        return
    named = {place(hit) for hit in decision.responsible}

    def keeps(label: str, index: int | None, statement: dict[str, Any]) -> bool:
        limits = label.startswith(LIMITS) and statement["Effect"] == "Allow"
        return limits or (label, index) in named

    assert all(hit.effect is Effect.ALLOW for hit in decision.responsible)
    again = decide(pruned(request, keeps))
    assert again.verdict is Verdict.ALLOWED
    assert len(again.responsible) == len(decision.responsible)


@given(requests())
def test_each_responsible_statement_alone_reproduces_a_deny(request: dict[str, Any]) -> None:
    decision = decide(request)
    if decision.verdict is not Verdict.EXPLICITLY_DENIED:
        return
    assert decision.responsible
    for hit in decision.responsible:
        assert hit.effect is Effect.DENY
        again = decide(pruned(request, only(place(hit))))
        assert again.verdict is Verdict.EXPLICITLY_DENIED
        assert {other.source.label for other in again.responsible} == {hit.source.label}


@given(requests())
def test_without_the_responsible_statements_a_deny_is_gone(request: dict[str, Any]) -> None:
    decision = decide(request)
    if decision.verdict is not Verdict.EXPLICITLY_DENIED:
        return
    again = decide(pruned(request, without(*map(place, decision.responsible))))
    assert again.verdict is not Verdict.EXPLICITLY_DENIED


def is_single_way(decision: Decision) -> bool:
    """One way into the key, and at most one statement of the identity side."""
    ways = [h for h in decision.responsible if not h.source.label.startswith("identityPolicies")]
    others = {place(h) for h in decision.responsible} - {place(way) for way in ways}
    return len(ways) <= 1 and len(others) <= 1


@given(requests())
def test_an_allow_in_a_single_way_needs_each_of_its_statements(request: dict[str, Any]) -> None:
    decision = decide(request)
    if decision.verdict is not Verdict.ALLOWED or not is_single_way(decision):
        return
    event(f"{len(decision.responsible)} statements")
    for hit in decision.responsible:
        again = decide(pruned(request, without(place(hit))))
        assert again.verdict is not Verdict.ALLOWED


@given(requests())
def test_without_any_responsible_statement_nothing_is_allowed(request: dict[str, Any]) -> None:
    """The root user needs none for actions without a key (K80, K84)."""
    decision = decide(request)
    if decision.verdict is not Verdict.ALLOWED or not decision.responsible:
        return
    again = decide(pruned(request, without(*map(place, decision.responsible))))
    assert again.verdict is not Verdict.ALLOWED
