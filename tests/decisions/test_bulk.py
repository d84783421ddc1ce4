"""The map decides equal questions once: it says the same as asking each question alone."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.arns import key_arn
from kms_access.inventory.model import Grant, Identity, Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import SERVICE_CONTROL_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import NAME_CHARACTER, Text, Unknown, Value
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    REGION,
    allow,
    deny,
    document,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)

ORGANIZATION = Organization("o-a1b2c3d4e5", frozenset({ACCOUNT}))
LATER = Text((Unknown("the name of Later", NAME_CHARACTER, unique=True, matches_no_literal=True),))
PARAMETER = Text((Unknown('parameter "Reader"', NAME_CHARACTER),))
NEW_KEY = Text(
    (Unknown("the id of key new", NAME_CHARACTER, unique=True, matches_no_literal=True),)
)
ARNS = [
    key_arn("aws", REGION, ACCOUNT, "00000000-0000-0000-0000-000000000001"),
    key_arn("aws", REGION, ACCOUNT, "00000000-0000-0000-0000-000000000002"),
    key_arn("aws", REGION, ACCOUNT, NEW_KEY),
    key_arn("aws", "eu-west-1", ACCOUNT, "00000000-0000-0000-0000-000000000001"),
]
NAMES: list[Value] = ["app", "ops", LATER, PARAMETER]

conditions = st.sampled_from(
    [
        {},
        {},
        {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        {"StringEquals": {"aws:ResourceTag/team": "pay"}},
        {"StringNotEquals": {"aws:ResourceTag/team": "pay"}},
        {"Bool": {"kms:MultiRegion": "true"}},
        {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/a*"}},
        {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        {"StringEquals": {"kms:EncryptionContext:app": "x"}},
        {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/a"}},
        {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    ]
)
actions = st.sampled_from(
    ["kms:*", "kms:Decrypt", ["kms:Encrypt", "kms:De*"], "kms:CreateGrant", "kms:Retire*", "*"]
)
named: st.SearchStrategy[Any] = st.sampled_from(
    [
        "*",
        DELEGATION["Principal"],
        {"AWS": OTHER},
        role_arn("app"),
        user_arn("ops"),
        {"AWS": [role_arn("ops"), f"arn:aws:iam::{ACCOUNT}:root"]},
        {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"},
        {"AWS": Text((f"arn:aws:iam::{ACCOUNT}:role/", *LATER.parts))},
        {"AWS": Text((f"arn:aws:iam::{ACCOUNT}:role/", *PARAMETER.parts))},
        {"Service": "logs.amazonaws.com"},
    ]
)
resources: st.SearchStrategy[Any] = st.sampled_from(
    [
        "*",
        "*",
        *ARNS,
        [*ARNS[:2]],
        f"arn:aws:kms:*:{ACCOUNT}:key/*",
        f"arn:aws:kms:{REGION}:*:key/0*",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-${{aws:PrincipalTag/number}}1",
        Text((f"arn:aws:kms:{REGION}:{ACCOUNT}:key/", Unknown('parameter "Key"', NAME_CHARACTER))),
    ]
)


@st.composite
def key_statements(draw: st.DrawFn) -> dict[str, Any]:
    make = draw(st.sampled_from([allow, allow, deny]))
    condition = draw(conditions)
    statement = make(draw(named), draw(actions), **({"Condition": condition} if condition else {}))
    if statement["Effect"] == "Deny" and draw(st.booleans()):
        statement["NotPrincipal"] = statement.pop("Principal")
    return statement


@st.composite
def identity_statements(draw: st.DrawFn) -> dict[str, Any]:
    condition = draw(conditions)
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    more = {"Condition": condition} if condition else {}
    statement = iam(draw(actions), draw(resources), effect, **more)
    if draw(st.integers(0, 5)) == 0:
        statement["NotResource"] = statement.pop("Resource")
    return statement


@st.composite
def key_policies(draw: st.DrawFn) -> list[dict[str, Any]]:
    statements = draw(st.lists(key_statements(), max_size=3))
    return statements if draw(st.booleans()) and statements else [*statements, DELEGATION]


@st.composite
def keys(draw: st.DrawFn, index: int, statements: list[dict[str, Any]]) -> Key:
    tags = draw(st.sampled_from([{}, {"team": "pay"}, {"team": "ops"}]))
    spec = draw(st.sampled_from(["SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "RSA_2048", None]))
    aliases = draw(st.sampled_from([(), ("alias/a",)]))
    region = "eu-west-1" if index == 3 else REGION
    return key(
        f"k{index}",
        *statements,
        arn=ARNS[index],
        tags=tags,
        spec=spec,
        aliases=aliases,
        region=region,
        multi_region=draw(st.booleans()),
    )


@st.composite
def identities(draw: st.DrawFn, name: Value) -> Identity:
    make = draw(st.sampled_from([role, role, user]))
    boundary = draw(st.sampled_from([None, None, (iam("kms:*"),), (iam("kms:De*", ARNS[0]),)]))
    tags = draw(st.sampled_from([{}, {"team": "pay"}]))
    complete = draw(st.integers(0, 4)) > 0
    statements = draw(st.lists(identity_statements(), max_size=3))
    label = name if isinstance(name, str) else str(name)
    found = make(name, *statements, boundary=boundary, tags=tags, complete=complete)
    origin = Origin(f"App/{make.__name__}/{label}", label, "App", "app.py", 20)
    return Identity(
        origin,
        found.principal,
        found.policies,
        found.boundary,
        tags=found.tags,
        complete=found.complete,
    )


@st.composite
def grants(draw: st.DrawFn, on: Key) -> Grant:
    grantee = draw(
        st.sampled_from(
            [role_arn("app"), user_arn("ops"), f"arn:aws:iam::{ACCOUNT}:root", role_arn("x", OTHER)]
        )
    )
    fields: dict[str, Any] = {
        "GranteePrincipal": grantee,
        "Operations": draw(st.sampled_from([["Decrypt"], ["Decrypt", "RetireGrant"]])),
    }
    if draw(st.booleans()):
        fields["IssuingAccount"] = f"arn:aws:iam::{ACCOUNT}:root"
    if draw(st.booleans()):
        fields["RetiringPrincipal"] = role_arn("ops")
    return grant(on, **fields)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    # Keys of one policy are told apart by their facts alone.
    pool = draw(st.lists(key_policies(), min_size=1, max_size=2))
    all_keys = tuple(
        draw(keys(index, draw(st.sampled_from(pool)))) for index in range(draw(st.integers(2, 4)))
    )
    people = tuple(draw(identities(name)) for name in NAMES[: draw(st.integers(1, 4))])
    given_grants = tuple(
        draw(grants(draw(st.sampled_from(all_keys)))) for _ in range(draw(st.integers(0, 2)))
    )
    control: tuple[tuple[Policy, ...], ...] = ()
    if draw(st.integers(0, 3)) == 0:
        parsed = parse_policy(document(draw(identity_statements())), SERVICE_CONTROL_POLICY)
        control = ((Policy("service control policy", parsed, Origin("scp")),),)
    return Inventory(all_keys, people, given_grants, service_control=control)


def states_of(facts: AccessMap) -> dict[tuple[str, str, str], str]:
    return {
        (access.subject.label, access.key.origin.identity, access.action): access.state.value
        for access in facts
    }


# One example asks hundreds of questions: a third of the usual number.
@settings(max_examples=settings().max_examples // 3)
@given(inventories())
def test_the_map_says_what_single_questions_say(inventory: Inventory) -> None:
    facts = access_map(inventory, ORGANIZATION)
    alone = Evaluator(inventory, ORGANIZATION)
    expected = {
        (subject.label, each.origin.identity, access.action): alone.access(
            subject, each, access.action
        ).state.value
        for subject in facts.subjects
        for each in facts.keys
        for access in facts.cell(subject, each)
    }
    assert states_of(facts) == expected


# One example asks hundreds of questions: a third of the usual number.
@settings(max_examples=settings().max_examples // 3)
@given(inventories())
def test_the_views_of_the_map_agree(inventory: Inventory) -> None:
    """Iteration, the list of accesses, and the states of a cell are one thing."""
    facts = access_map(inventory, ORGANIZATION)
    accesses = [a for a in facts if not a.state.is_denied]
    assert list(facts.accesses()) == accesses
    for access in accesses:
        assert facts.states(access.subject, access.key)[access.action] is access.state
        assert access.decision.responsible or access.decision.reasons
    alone = Evaluator(inventory, ORGANIZATION)
    for subject in facts.subjects:
        for each in facts.keys:
            assert alone.cell(subject, each) == facts.cell(subject, each)
