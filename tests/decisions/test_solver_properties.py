"""Whatever the conditions: what the solver says agrees with every concrete request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.decision import Verdict
from kms_access.decisions.open_parts import OpenPart, after, remaining_of
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import request_context
from kms_access.decisions.resolution import AccessState, resolve
from kms_access.policies.answers import Answer, Truth
from kms_access.policies.context import ABSENT, KeyState, Present, RequestContext
from tests.builders import allow, deny
from tests.decisions.open_questions import APP, RDS, S3, open_question, policies

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


def in_context(answer: Answer, context: RequestContext) -> Answer:
    left = remaining_of(answer)
    if isinstance(left, OpenPart):
        left = after(left, left.keys, lambda question: question.holds(context))
    return Answer(Truth.UNKNOWN if isinstance(left, OpenPart) else left)


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
    filled = in_context(residual.allows, closed.context) & ~in_context(
        residual.denied, closed.context
    )
    expected = {Verdict.ALLOWED: Truth.TRUE, Verdict.DEPENDS: Truth.UNKNOWN}
    assert filled.truth is expected.get(verdict, Truth.FALSE)
