"""Whoever has access to a key is seen: some row of the map that speaks for the caller has it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.access_map import access_map
from kms_access.decisions.decision import Verdict
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import ApplicablePolicies, Request, facts_of, request_context
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Inventory, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.context import ABSENT, KeyState, Present
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import Principal, PrincipalKind, parse_principal
from tests.builders import ACCOUNT, OTHER, allow, deny, document, iam, key

THIRD, OURS = "999988887777", "o-a1b2c3d4e5"
CALLERS = [
    *(f"arn:aws:iam::{a}:{who}" for a in (ACCOUNT, OTHER, THIRD) for who in ("user/ci", "role/ci")),
    f"arn:aws:sts::{OTHER}:assumed-role/ci/s1",
    f"arn:aws:iam::{THIRD}:root",
    "sns.amazonaws.com",
]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": ACCOUNT},
    {"AWS": [ACCOUNT, OTHER]},
    {"AWS": f"arn:aws:iam::{OTHER}:role/ci"},
    {"AWS": f"arn:aws:sts::{OTHER}:assumed-role/ci/s1"},
    {"Service": "sns.amazonaws.com"},
]
VALUES = {
    "aws:PrincipalArn": [
        f"arn:aws:iam::{OTHER}:role/ci",
        f"arn:aws:iam::{OTHER}:*",
        "arn:aws:iam::*:role/ci",
        "arn:aws:iam::*:user/*",
    ],
    "kms:CallerAccount": [ACCOUNT, OTHER, "4444*", "*"],
    "aws:PrincipalType": ["User", "AssumedRole", "Account"],
    "aws:username": ["ci", "c*"],
    "aws:PrincipalOrgID": [OURS, "o-*"],
    "aws:SourceAccount": [ACCOUNT],
    "aws:PrincipalServiceName": ["sns.amazonaws.com", "s*"],
}
OPERATORS = ["StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringLikeIfExists"]


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    build = draw(st.sampled_from([allow, allow, deny]))
    more = {}
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(VALUES)))
        values = draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2))
        more = {"Condition": {draw(st.sampled_from(OPERATORS)): {name: values}}}
    return build(draw(st.sampled_from(PRINCIPALS)), "kms:Decrypt", **more)


def speaks_for(subject: Subject, caller: Principal) -> bool:
    if caller.kind is PrincipalKind.SERVICE:
        # What is open to everyone is open to services, too.
        return subject.kind in (SubjectKind.SERVICE, SubjectKind.EVERYONE)
    if subject.kind in (SubjectKind.EVERYONE, SubjectKind.ORGANIZATION):
        return True
    return subject.account == caller.account


@given(
    st.lists(statements(), min_size=1, max_size=3), st.sampled_from([ABSENT, OURS, "o-zzzzzzzzzz"])
)
def test_every_caller_with_access_has_a_row(found: list[Any], organization: Any) -> None:
    on = key("k", *found)
    facts = access_map(Inventory((on,)))
    rows = {
        subject.identity: next(
            a.state for a in facts.cell(subject, on) if a.action == "kms:Decrypt"
        )
        for subject in facts.subjects
    }
    denied = (AccessState.EXPLICITLY_DENIED, AccessState.IMPLICITLY_DENIED)
    everything = parse_policy(document(iam("*")), IDENTITY_POLICY)
    policies = ApplicablePolicies(
        resource=on.policies, identity=(Policy("identity policy", everything, Origin("x")),)
    )
    org: KeyState = ABSENT if organization is ABSENT else Present((organization,))
    for arn in CALLERS:
        caller = parse_principal(arn)
        assert caller is not None
        given_keys: dict[str, KeyState] = {"aws:userid": ABSENT}
        if caller.kind is PrincipalKind.SERVICE:
            given_keys["aws:SourceAccount"] = Present((ACCOUNT,))
        else:
            given_keys["aws:PrincipalOrgID"] = org
        context = request_context(facts_of(caller, "kms:Decrypt", on.arn, ACCOUNT), given_keys)
        request = Request(caller, "kms:Decrypt", on.arn, ACCOUNT, context)
        if authorize(request, policies).verdict is Verdict.ALLOWED:
            seen = [s for s in facts.subjects if speaks_for(s, caller)]
            assert any(rows[s.identity] not in denied for s in seen), (arn, rows)
