"""What remains open is solved: no access by contradiction, a witness for everything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.decision import Verdict
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import ApplicablePolicies, Request, facts_of, request_context
from kms_access.decisions.resolution import AccessState, Resolution, resolve
from kms_access.decisions.solver import evaluate
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Truth
from kms_access.policies.context import ABSENT, KeyState, Present, open_otherwise
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import Principal, parse_principal
from tests.builders import ACCOUNT, DELEGATION, allow, arn_id, deny, document, iam, role_arn

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{arn_id('k')}"
APP = role_arn("app")
S3, RDS = "s3.eu-west-1.amazonaws.com", "rds.eu-west-1.amazonaws.com"


def caller() -> Principal:
    principal = parse_principal(APP)
    assert principal is not None
    return principal


def open_question(action: str = "kms:Decrypt") -> Request:
    facts = facts_of(caller(), action, KEY, ACCOUNT)
    return Request(caller(), action, KEY, ACCOUNT, request_context(facts, {}, open_otherwise))


def policies(*key_side: Any, identity: tuple[Any, ...] = ()) -> ApplicablePolicies:
    origin = Origin("App/k")
    on_key = Policy("key policy", parse_policy(document(*key_side), KEY_POLICY), origin)
    own = Policy("inline", parse_policy(document(*identity), IDENTITY_POLICY), origin)
    return ApplicablePolicies((on_key,), (own,) if identity else ())


def when(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def both(*conditions: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for condition in conditions:
        for operator, block in condition["Condition"].items():
            merged.setdefault(operator, {}).update(block)
    return {"Condition": merged}


def through(service: str) -> dict[str, Any]:
    return when("StringEquals", "kms:ViaService", service)


def resolved(*key_side: Any, action: str = "kms:Decrypt") -> Resolution:
    return resolve(open_question(action), policies(*key_side))


CONTRADICTIONS = {
    "allowed through S3, denied unless through S3 of another Region": (
        AccessState.EXPLICITLY_DENIED,
        allow(APP, "kms:*", **through(S3)),
        deny(
            "*", "kms:*", **when("StringNotEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com")
        ),
    ),
    "two services at once": (
        AccessState.IMPLICITLY_DENIED,
        allow(APP, "kms:*", **both(through(S3), when("StringLike", "kms:ViaService", "rds.*"))),
    ),
    "patterns that never meet": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("StringLike", "aws:PrincipalTag/team", "pay*"),
                when("StringEqualsIgnoreCase", "aws:PrincipalTag/team", "Security"),
            ),
        ),
    ),
    "present and absent": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(through(S3), when("Null", "kms:ViaService", "true")),
        ),
    ),
    "before and after": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"),
                when("DateGreaterThan", "aws:CurrentTime", "2027-01-01T00:00:00Z"),
            ),
        ),
    ),
    "an address that the Deny takes away": (
        AccessState.EXPLICITLY_DENIED,
        allow(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.1.2.0/24")),
        deny(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.1.0.0/16")),
    ),
    "more than one number can be": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("NumericLessThan", "aws:MultiFactorAuthAge", "60"),
                when("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", "60"),
            ),
        ),
    ),
    "called by a service and not by a service": (
        AccessState.IMPLICITLY_DENIED,
        allow(APP, "kms:*", **both(through(S3), when("Bool", "aws:ViaAWSService", "false"))),
    ),
    "a list of which no item may and one must be": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("ForAllValues:StringEquals", "aws:CalledVia", ["athena.amazonaws.com"]),
                when("ForAnyValue:StringEquals", "aws:CalledVia", ["glue.amazonaws.com"]),
            ),
        ),
    ),
    "a pair of the encryption context that no list of its keys may hold": (
        AccessState.EXPLICITLY_DENIED,
        allow(APP, "kms:*", **when("StringEquals", "kms:EncryptionContext:app", "x")),
        deny(
            "*",
            "kms:*",
            **when("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ["app", "zone"]),
        ),
    ),
    "a pair that the list must hold and that is not there": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("Null", "kms:EncryptionContext:app", "true"),
                when("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "app"),
            ),
        ),
    ),
    "no operation is left of those that may be granted": (
        AccessState.EXPLICITLY_DENIED,
        allow(
            APP,
            "kms:CreateGrant",
            **when("ForAllValues:StringEquals", "kms:GrantOperations", ["Decrypt", "Encrypt"]),
        ),
        deny(
            APP,
            "kms:CreateGrant",
            **when("ForAnyValue:StringEquals", "kms:GrantOperations", ["Decrypt", "Encrypt"]),
        ),
    ),
}


@pytest.mark.parametrize(
    ("state", "statements"),
    [(row[0], row[1:]) for row in CONTRADICTIONS.values()],
    ids=list(CONTRADICTIONS),
)
def test_a_contradiction_is_no_access(state: AccessState, statements: tuple[Any, ...]) -> None:
    action = "kms:CreateGrant" if "Grant" in str(statements[0]["Action"]) else "kms:Decrypt"
    found = resolved(*statements, action=action)
    assert (found.state, found.witness, found.decision.reasons) == (state, None, ())


def operation(*names: str) -> KeyState:
    return Present(names, multivalued=True)


SOLVABLE: dict[str, tuple[str, dict[str, KeyState], tuple[Any, ...]]] = {
    "through one service": (
        f'kms:ViaService is "{S3}"',
        {"kms:viaservice": Present((S3,))},
        (allow(APP, "kms:*", **through(S3)),),
    ),
    "a Deny leaves one of two services": (
        f'kms:ViaService is one of "{S3}", "{RDS}" and kms:ViaService is "{RDS}"',
        {"kms:viaservice": Present((RDS,))},
        (
            allow(APP, "kms:*", **when("StringEquals", "kms:ViaService", [S3, RDS])),
            deny("*", "kms:*", **when("StringNotEquals", "kms:ViaService", RDS)),
        ),
    ),
    "the list of keys holds the pair that is asked for": (
        'kms:EncryptionContext:app is "x" and every kms:EncryptionContextKeys is one of "app", '
        '"zone"',
        {"kms:encryptioncontextkeys": Present(("app",), multivalued=True)},
        (
            allow(
                APP,
                "kms:*",
                **both(
                    when("StringEquals", "kms:EncryptionContext:app", "x"),
                    when(
                        "ForAllValues:StringEquals",
                        "kms:EncryptionContextKeys",
                        ["app", "zone"],
                    ),
                ),
            ),
        ),
    ),
    "absence is enough": (
        'aws:PrincipalTag/team is not "x"',
        {"aws:principaltag/team": ABSENT},
        (allow(APP, "kms:*", **when("StringNotEquals", "aws:PrincipalTag/team", "x")),),
    ),
    "a pattern gets a value": (
        'kms:ViaService is like "s3.*.amazonaws.com"',
        {"kms:viaservice": Present(("s3.any.amazonaws.com",))},
        (allow(APP, "kms:*", **when("StringLike", "kms:ViaService", "s3.*.amazonaws.com")),),
    ),
    "two patterns meet in one value": (
        'aws:PrincipalTag/a is like "x*" and aws:PrincipalTag/a is like "*y"',
        {"aws:principaltag/a": Present(("xy",))},
        (
            allow(
                APP,
                "kms:*",
                **both(
                    when("StringLike", "aws:PrincipalTag/a", "x*"),
                    {"Condition": {"StringLikeIfExists": {"aws:PrincipalTag/a": "*y"}}},
                    when("Null", "aws:PrincipalTag/a", "false"),
                ),
            ),
        ),
    ),
    "outside of one network, inside the wider one": (
        'aws:SourceIp is in "10.0.0.0/8" and aws:SourceIp is not in "10.0.0.0/9"',
        {"aws:sourceip": Present(("10.255.255.255",))},
        (
            allow(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/8")),
            deny(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/9")),
        ),
    ),
}


@pytest.mark.parametrize(
    ("condition", "expected", "statements"), list(SOLVABLE.values()), ids=list(SOLVABLE)
)
def test_what_remains_is_said_and_solved(
    condition: str, expected: dict[str, KeyState], statements: tuple[Any, ...]
) -> None:
    found = resolved(*statements)
    assert found.state is AccessState.CONDITIONAL
    assert found.witness is not None
    assert {key: found.witness.context.lookup(key) for key in expected} == expected
    if "IfExists" not in str(statements):
        assert found.condition == condition


def test_the_session_that_a_statement_names_is_the_witness() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/deploy"
    found = resolved(allow(session, "kms:*"))
    assert found.condition == 'the session name is "deploy"'
    assert found.witness is not None
    assert found.witness.principal.session == "deploy"


def test_what_no_search_can_settle_stays_undecided() -> None:
    """Tag names that differ make one free key each: more ways than the bound."""
    names = [f"aws:PrincipalTag/t{i}" for i in range(24)]
    chain = [
        deny(APP, "kms:*", **both(*(when("StringEquals", n, str(i % 2)) for n in names[i : i + 2])))
        for i in range(23)
    ]
    never = [
        deny(APP, "kms:*", **when("StringEquals", names[-1], "x")),
        deny(APP, "kms:*", **when("StringNotEquals", names[-1], "x")),
    ]
    found = resolved(allow(APP, "kms:*"), *chain, *never)
    assert found.state in (AccessState.UNDECIDED, AccessState.EXPLICITLY_DENIED)


KEYS = (
    "kms:ViaService",
    "aws:PrincipalTag/team",
    "aws:CalledVia",
    "aws:SourceIp",
    "aws:ViaAWSService",
)
VALUES: dict[str, list[str]] = {
    "kms:ViaService": [S3, RDS, "s3.*", "*.amazonaws.com", "*"],
    "aws:PrincipalTag/team": ["a", "A", "ab", "a*", "*b", "?", "${aws:PrincipalTag/team}"],
    "aws:CalledVia": ["athena.amazonaws.com", "glue.amazonaws.com", "g*"],
    "aws:SourceIp": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"],
    "aws:ViaAWSService": ["true", "false"],
}
OPERATORS = {
    "kms:ViaService": ["StringEquals", "StringNotEquals", "StringLike", "StringNotLikeIfExists"],
    "aws:PrincipalTag/team": [
        *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike"),
        *("StringNotLike", "StringEqualsIfExists", "Null"),
    ],
    "aws:CalledVia": [
        *("ForAllValues:StringEquals", "ForAnyValue:StringEquals", "ForAnyValue:StringNotLike"),
        *("ForAllValues:StringLike", "ForAllValues:StringNotEquals"),
    ],
    "aws:SourceIp": ["IpAddress", "NotIpAddress", "IpAddressIfExists"],
    "aws:ViaAWSService": ["Bool", "BoolIfExists"],
}
CONCRETE: dict[str, list[KeyState]] = {
    "kms:viaservice": [ABSENT, *(Present((v,)) for v in (S3, RDS, "x", "s3.x", "x.amazonaws.com"))],
    "aws:principaltag/team": [
        ABSENT,
        *(Present((v,)) for v in ("a", "A", "ab", "b", "aB", "xyz", "x")),
    ],
    "aws:calledvia": [
        ABSENT,
        *(
            Present(v, multivalued=True)
            for v in (
                ("athena.amazonaws.com",),
                ("glue.amazonaws.com",),
                ("x",),
                ("glue.amazonaws.com", "athena.amazonaws.com"),
                ("gx", "x"),
            )
        ),
    ],
    "aws:sourceip": [
        ABSENT,
        *(Present((v,)) for v in ("10.1.2.3", "10.1.0.9", "10.9.9.9", "8.8.8.8", "::1")),
    ],
    "aws:viaawsservice": [Present(("true",)), Present(("false",))],
}


@st.composite
def condition_blocks(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        operator = draw(st.sampled_from(OPERATORS[key]))
        values = draw(st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=2))
        if operator == "Null":
            values = [draw(st.sampled_from(["true", "false"]))]
        block.setdefault(operator, {})[key] = values
    return {"Condition": block} if block else {}


@st.composite
def key_policies(draw: st.DrawFn) -> list[dict[str, Any]]:
    allows = draw(st.lists(condition_blocks(), min_size=1, max_size=2))
    denies = draw(st.lists(condition_blocks(), max_size=2))
    return [
        *(allow(APP, "kms:*", **block) for block in allows),
        *(deny("*", "kms:*", **block) for block in denies),
    ]


concrete_contexts = st.fixed_dictionaries(
    {key: st.sampled_from(states) for key, states in CONCRETE.items()}
)


def is_possible(context: dict[str, KeyState]) -> bool:
    direct = context["aws:viaawsservice"] == Present(("false",))
    return not direct or (
        context["kms:viaservice"] == ABSENT and context["aws:calledvia"] == ABSENT
    )


@given(key_policies(), concrete_contexts)
def test_solved_states_agree_with_every_concrete_request(
    statements: list[dict[str, Any]], context: dict[str, KeyState]
) -> None:
    """Allowed means always, denied means never, a witness is allowed by `authorize`."""
    given_policies = policies(*statements)
    question = open_question()
    found = resolve(question, given_policies)
    if found.witness is not None:
        assert authorize(found.witness, given_policies).verdict is Verdict.ALLOWED
    if is_possible(context):
        values = {**question.context.values, **context}
        closed = replace(question, context=request_context(values, {}))
        verdict = authorize(closed, given_policies).verdict
        if verdict is Verdict.ALLOWED:
            assert not found.state.is_denied
        else:
            assert found.state is not AccessState.ALLOWED


@given(key_policies(), concrete_contexts)
def test_a_residual_with_its_values_filled_in_is_the_decision(
    statements: list[dict[str, Any]], context: dict[str, KeyState]
) -> None:
    given_policies = policies(*statements)
    question = open_question()
    residual = authorize(question, given_policies).residual
    if residual is None:
        return
    values = {**question.context.values, **context}
    closed = replace(question, context=request_context(values, {}))
    verdict = authorize(closed, given_policies).verdict
    filled = evaluate(residual.allows, closed.context) & ~evaluate(residual.denied, closed.context)
    expected = {Verdict.ALLOWED: Truth.TRUE, Verdict.DEPENDS: Truth.UNKNOWN}
    assert filled.truth is expected.get(verdict, Truth.FALSE)


def test_both_sides_are_solved_together() -> None:
    """The key asks for S3, the identity for RDS: delegation never comes about (K8)."""
    given_policies = policies(
        DELEGATION | through(S3), identity=(iam("kms:Decrypt", **through(RDS)),)
    )
    assert resolve(open_question(), given_policies).state is AccessState.IMPLICITLY_DENIED
