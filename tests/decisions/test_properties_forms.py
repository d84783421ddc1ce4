"""How a policy is written never matters: order, list or scalar, case, text or data (design 8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.request_json import answer, read_request
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Identity, Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    PERMISSIONS_BOUNDARY,
    RESOURCE_CONTROL_POLICY,
    SERVICE_CONTROL_POLICY,
    PolicyGrammar,
)
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import parse_principal
from kms_access.rules import Assessment, Rules, assess
from kms_access.rules.model import KeyMatch, KeyRule, Permission, PrincipalPattern, Team
from kms_access.rules.yaml_nodes import Place
from tests.builders import grant, key
from tests.decisions import test_pseudocode as worlds
from tests.decisions.test_pseudocode import ACCOUNT, ALICE, ANOTHER_KEY, APP, DEPLOY, KEY, requests

HERE = Place("access-rules.yaml", 1, 1)
RULES = Rules(
    file="access-rules.yaml",
    accounts={"main": ACCOUNT},
    organization="o-a1b2c3d4e5",
    deployers=(PrincipalPattern("role/deploy", HERE),),
    teams={"app": Team("app", (PrincipalPattern("role/app", HERE),), {}, (), HERE)},
    keys=(
        KeyRule(
            "ledger",
            KeyMatch(alias="alias/ledger"),
            {"app": (Permission("decrypt", frozenset({"kms:Decrypt"}), HERE),)},
            {"app": (Permission("decrypt", frozenset({"kms:Decrypt"}), HERE),)},
            HERE,
        ),
    ),
)
ACTIONS = ("kms:Decrypt", "kms:Encrypt", "kms:PutKeyPolicy", "kms:CreateGrant")


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """Policies of two keys and three identities, as JSON."""

    def policies(caller: str, most: int) -> list[Any]:
        action = draw(st.sampled_from(ACTIONS))
        count = draw(st.integers(0, most))
        return [worlds.identity_policy(draw, action) for _ in range(count)]

    def key_policy() -> Any:
        caller, action = draw(st.sampled_from([ALICE, APP])), draw(st.sampled_from(ACTIONS))
        count = draw(st.integers(0, 2))
        statements = [worlds.key_statement(draw, caller, action) for _ in range(count)]
        return worlds.policy(draw, [*statements, worlds.welcoming_statement(draw, caller, action)])

    limits = st.sampled_from([0, 0, 1])
    return {
        "keys": [key_policy() for _ in range(draw(st.integers(1, 2)))],
        "identities": {caller: policies(caller, 2) for caller in (ALICE, APP, DEPLOY)},
        "boundary": policies(APP, draw(limits)),
        "service control": policies(APP, draw(limits)),
        "resource control": [
            worlds.resource_control_policy(draw, "kms:Decrypt") for _ in range(draw(limits))
        ],
        "grants": [worlds.grant(draw, ALICE) for _ in range(draw(limits))],
    }


def inventory_of(parts: Mapping[str, Any]) -> Inventory:
    def read(label: str, nodes: list[Any], grammar: PolicyGrammar) -> tuple[Policy, ...]:
        return tuple(Policy(label, parse_policy(node, grammar), Origin(label)) for node in nodes)

    keys: list[Key] = []
    for name, arn, source in zip(
        ("ledger", "archive"), (KEY, ANOTHER_KEY), parts["keys"], strict=False
    ):
        keys.append(
            key(
                name,
                arn=arn,
                region="eu-west-1",
                policies=read("key policy", [source], KEY_POLICY),
            )
        )
    identities: list[Identity] = []
    for arn, nodes in parts["identities"].items():
        principal = parse_principal(arn)
        assert principal is not None
        boundary = parts["boundary"] if arn == APP else []
        identities.append(
            Identity(
                Origin(arn),
                principal,
                read("inline policy", nodes, IDENTITY_POLICY),
                read("permissions boundary", boundary, PERMISSIONS_BOUNDARY),
            )
        )
    service = read("service control policy", parts["service control"], SERVICE_CONTROL_POLICY)
    resource = read("resource control policy", parts["resource control"], RESOURCE_CONTROL_POLICY)
    return Inventory(
        tuple(keys),
        tuple(identities),
        tuple(grant(keys[0], **fields) for fields in parts["grants"]),
        service_control=(service,) if service else (),
        resource_control=(resource,) if resource else (),
    )


def shuffled(draw: st.DrawFn, node: Any) -> Any:
    """A list or mapping in another order."""
    if isinstance(node, Mapping):
        return dict(shuffled(draw, list(node.items())))
    return draw(st.permutations(node))


def relisted(draw: st.DrawFn, node: Any) -> Any:
    """A list in another order or with a repeated item, a single item with or without its list."""
    items = shuffled(draw, node if isinstance(node, list) else [node])
    if len(items) == 1 and draw(st.booleans()):
        return items[0]
    return [*items, items[0]] if items and draw(st.booleans()) else items


def recased(draw: st.DrawFn, text: str) -> str:
    return draw(st.sampled_from([text, text.upper(), text.lower(), text.swapcase()]))


def rewritten_principal(draw: st.DrawFn, node: Any) -> Any:
    if node in ("*", {"AWS": "*"}):
        return draw(st.sampled_from(["*", {"AWS": "*"}, {"AWS": ["*"]}]))  # K57
    result = {}
    for kind, values in node.items():
        names = values if isinstance(values, list) else [values]
        same = [
            n.split(":")[4] if n.endswith(":root") and draw(st.booleans()) else n for n in names
        ]  # K34
        result[kind] = relisted(draw, same)
    return shuffled(draw, result)


def rewritten_condition(draw: st.DrawFn, node: Mapping[str, Any]) -> Any:
    result = {}
    for operator, block in node.items():
        tests = {}
        for name, values in block.items():
            quoted = str(values).lower() if isinstance(values, bool) else values  # K26
            tests[recased(draw, name)] = relisted(draw, quoted)
        result[operator] = shuffled(draw, tests)
    return shuffled(draw, result)


def rewritten_statement(draw: st.DrawFn, statement: Mapping[str, Any]) -> Any:
    result: dict[str, Any] = {}
    for name, value in statement.items():
        if name in ("Action", "NotAction"):
            items = value if isinstance(value, list) else [value]
            value = relisted(draw, [recased(draw, item) for item in items])
        elif name in ("Resource", "NotResource"):
            value = relisted(draw, value)
        elif name in ("Principal", "NotPrincipal"):
            value = rewritten_principal(draw, value)
        elif name == "Condition":
            value = rewritten_condition(draw, value)
        result[name] = value
    return shuffled(draw, result)


def rewritten(draw: st.DrawFn, document: Mapping[str, Any]) -> Any:
    """The same policy, written in another way."""
    statements = shuffled(draw, document["Statement"])
    items = [rewritten_statement(draw, statement) for statement in statements]
    single = len(items) == 1 and draw(st.booleans())
    node = shuffled(draw, {**document, "Statement": items[0] if single else items})
    return json.dumps(node, indent=2) if draw(st.booleans()) else node


def rewritten_definitions(draw: st.DrawFn, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The same definitions: policies rewritten, identities and attached policies reordered."""

    def several(nodes: list[Any]) -> list[Any]:
        return [rewritten(draw, node) for node in shuffled(draw, nodes)]

    return {
        **parts,
        "keys": [rewritten(draw, node) for node in parts["keys"]],
        "identities": {
            arn: several(nodes) for arn, nodes in shuffled(draw, parts["identities"]).items()
        },
        "boundary": several(parts["boundary"]),
        "service control": several(parts["service control"]),
        "resource control": several(parts["resource control"]),
        "grants": shuffled(draw, parts["grants"]),
    }


def states_of(facts: AccessMap) -> dict[tuple[str, str, str], str]:
    return {
        (subject.identity, key.origin.identity, action): state.value
        for subject in facts.subjects
        for key in facts.keys
        for action, state in facts.states(subject, key).items()
    }


@given(definitions(), st.data())
def test_the_form_never_matters_to_the_map(parts: dict[str, Any], data: st.DataObject) -> None:
    organization = Organization(RULES.organization, frozenset({ACCOUNT}))
    before = states_of(access_map(inventory_of(parts), organization))
    again = rewritten_definitions(data.draw, parts)
    assert states_of(access_map(inventory_of(again), organization)) == before


CALLER = "aws:PrincipalArn"
FIRST, SECOND = "arn:aws:iam::*:role/a?p", "arn:aws:iam::*:role/b*"


@pytest.mark.parametrize("again", [[SECOND, FIRST], [FIRST, SECOND, FIRST]])
def test_the_values_of_a_condition_are_a_set(again: list[str]) -> None:
    """Found by the property above: the same values in two statements, in another order."""

    def states(values: list[str]) -> dict[tuple[str, str, str], str]:
        everyone = {"Principal": "*", "Action": "kms:*", "Resource": "*"}
        of_roles = {"Effect": "Allow", "Condition": {"StringLike": {CALLER: [FIRST, SECOND]}}}
        unless = {"ForAllValues:StringLike": {"aws:CalledVia": "s3.*"}}
        denied = {"Effect": "Deny", "Condition": {**unless, "StringLike": {CALLER: values}}}
        policy = {"Version": "2012-10-17", "Statement": [everyone | of_roles, everyone | denied]}
        parts = {
            **{"keys": [policy], "identities": {ALICE: []}, "boundary": [], "grants": []},
            **{"service control": [], "resource control": []},
        }
        return states_of(access_map(inventory_of(parts)))

    assert states(again) == states([FIRST, SECOND])


ABOUT_THE_TEXT = ("invalid-policy", "ineffective-statement")
"""What these say depends on how a statement is written."""


def facts_told(assessment: Assessment) -> set[tuple[Any, ...]]:
    """What the findings say, without where and how the statements are written.

    An open reason quotes a condition key as the policy has it, so its case is left out.
    """
    return {
        (f.check, f.level.value, f.key)
        if f.check in ABOUT_THE_TEXT
        else (
            *(f.check, f.level.value, f.key, f.principal_identity, f.capability, f.actions),
            f.fact.lower(),
        )
        for f in assessment.findings
    }


@given(definitions(), st.data())
def test_the_form_never_matters_to_findings(parts: dict[str, Any], data: st.DataObject) -> None:
    before = assess(inventory_of(parts), RULES)
    after = assess(inventory_of(rewritten_definitions(data.draw, parts)), RULES)
    assert facts_told(after) == facts_told(before)
    assert after.exit_code == before.exit_code


@given(requests(), st.data())
def test_the_form_never_matters_to_a_request(request: dict[str, Any], data: st.DataObject) -> None:
    again = dict(request)
    for field in ("resourcePolicy", "sessionPolicy"):
        if field in request:
            again[field] = rewritten(data.draw, request[field])
    for field in ("identityPolicies", "permissionsBoundaries"):
        if field in request:
            again[field] = [
                rewritten(data.draw, policy) for policy in shuffled(data.draw, request[field])
            ]
    for field in ("serviceControlPolicies", "resourceControlPolicies"):
        if field in request:
            levels = shuffled(data.draw, request[field])
            again[field] = [[rewritten(data.draw, policy) for policy in level] for level in levels]
    again["grants"] = shuffled(data.draw, request.get("grants", []))
    again["action"] = recased(data.draw, request["action"])
    context = shuffled(data.draw, request["context"])
    again["context"] = {recased(data.draw, name): value for name, value in context.items()}
    first, second = (answer(read_request(json.dumps(r))) for r in (request, again))
    assert second["decision"] == first["decision"]
    assert {f["rule"] for f in second["findings"]} == {f["rule"] for f in first["findings"]}
