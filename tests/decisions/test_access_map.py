"""The access map: rows for everybody who is named, and cells that agree with single decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.access_map import access_map
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.lookup import LookupFailed, find_key, find_subject
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    ROOT,
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

SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"


def state(inventory: Inventory, principal: str, action: str, on: str = "alias/k") -> AccessState:
    facts = access_map(inventory, Organization("o-a1b2c3d4e5", frozenset({ACCOUNT})))
    cell = facts.cell(find_subject(facts, principal), find_key(facts, on))
    return next(access.state for access in cell if access.action == action)


def alone(*statements: Any, **fields: Any) -> Inventory:
    return Inventory((key("k", *statements, **fields),), (user("alice"), role("app")))


ALLOWED, DENIED = AccessState.ALLOWED, AccessState.IMPLICITLY_DENIED
CONDITIONAL, UNDECIDED = AccessState.CONDITIONAL, AccessState.UNDECIDED
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}

STATES = {
    "named": (allow(user_arn("alice"), "kms:Decrypt"), "alice", "kms:Decrypt", ALLOWED),
    "not named": (allow(user_arn("alice"), "kms:Decrypt"), "app", "kms:Decrypt", DENIED),
    "denied": (deny(ROOT, "kms:*"), "alice", "kms:Decrypt", AccessState.EXPLICITLY_DENIED),
    "under a condition": (
        allow(user_arn("alice"), "kms:Decrypt", Condition=MFA),
        "alice",
        "kms:Decrypt",
        CONDITIONAL,
    ),
    "a session of the role": (allow(SESSION, "kms:Decrypt"), SESSION, "kms:Decrypt", ALLOWED),
    "the role of a session (K49)": (
        allow(SESSION, "kms:Decrypt"),
        "app",
        "kms:Decrypt",
        CONDITIONAL,
    ),
    "the key spec decides (K134)": (
        allow(user_arn("alice"), "kms:*", Condition={"StringEquals": {"kms:KeySpec": "RSA_2048"}}),
        "alice",
        "kms:Decrypt",
        DENIED,
    ),
    "the region decides": (
        allow(
            user_arn("alice"),
            "kms:*",
            Condition={"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
        ),
        "alice",
        "kms:Decrypt",
        ALLOWED,
    ),
    "the organization decides (K145)": (
        allow("*", "kms:*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        "alice",
        "kms:Decrypt",
        ALLOWED,
    ),
    "a user's name decides": (
        allow(ROOT, "kms:*", Condition={"StringEquals": {"aws:username": "bob"}}),
        "alice",
        "kms:Decrypt",
        DENIED,
    ),
    "encryption context where there is none (K138)": (
        allow(
            user_arn("alice"), "kms:*", Condition={"StringEquals": {"kms:EncryptionContext:a": "b"}}
        ),
        "alice",
        "kms:DescribeKey",
        DENIED,
    ),
    "encryption context where there may be one (K138)": (
        allow(
            user_arn("alice"), "kms:*", Condition={"StringEquals": {"kms:EncryptionContext:a": "b"}}
        ),
        "alice",
        "kms:Decrypt",
        CONDITIONAL,
    ),
    "grants for services alone elsewhere (K132)": (
        allow(
            user_arn("alice"), "kms:*", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}
        ),
        "alice",
        "kms:PutKeyPolicy",
        DENIED,
    ),
    "a source condition for people (K144)": (
        allow(
            user_arn("alice"), "kms:*", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        ),
        "alice",
        "kms:Decrypt",
        DENIED,
    ),
    "tags of the key in a key policy (K140)": (
        allow(user_arn("alice"), "kms:*", Condition={"StringEquals": {"aws:ResourceTag/a": "b"}}),
        "alice",
        "kms:Decrypt",
        UNDECIDED,
    ),
    "an unknown principal": (
        allow(Text(("arn:aws:iam::111122223333:user/", Unknown("a name"))), "kms:Decrypt"),
        "alice",
        "kms:Decrypt",
        UNDECIDED,
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    statement, principal, action, wanted = STATES[name]
    tagged = {"tags": {"a": "b"}} if "tags" in name else {}
    assert state(alone(statement, **tagged), principal, action) is wanted


def test_tags_of_the_key_decide_identity_policies() -> None:
    tagged = key("k", tags={"Team": "a"})
    for value, wanted in (("a", ALLOWED), ("b", DENIED)):
        condition = {"StringEquals": {"aws:ResourceTag/team": value}}
        found = user("alice", iam("kms:Decrypt", Condition=condition))
        assert state(Inventory((tagged,), (found,)), "alice", "kms:Decrypt") is wanted


def test_aliases_of_the_definitions_are_a_lower_bound() -> None:
    """K141: an alias that is there decides, one that is missing does not."""
    for alias, wanted in (("alias/k", ALLOWED), ("alias/other", UNDECIDED)):
        condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
        found = user("alice", iam("kms:Decrypt", Condition=condition))
        assert state(Inventory((key("k"),), (found,)), "alice", "kms:Decrypt") is wanted


def test_without_a_known_alias_every_question_about_aliases_is_open() -> None:
    for condition in (
        {"Null": {"kms:ResourceAliases": "true"}},
        {"ForAnyValue:StringLike": {"kms:ResourceAliases": "*"}},
    ):
        found = user("alice", iam("kms:Decrypt", Condition=condition))
        inventory = Inventory((key("k", aliases=()),), (found,))
        assert state(inventory, "alice", "kms:Decrypt", "k") is UNDECIDED


def test_an_unknown_key_spec_may_be_symmetric() -> None:
    """K138: then there may be an encryption context."""
    condition = {"StringEquals": {"kms:EncryptionContext:a": "b"}}
    statement = allow(user_arn("alice"), "kms:Decrypt", Condition=condition)
    inventory = alone(statement, spec=Text((Unknown("the spec"),)))
    assert state(inventory, "alice", "kms:Decrypt") is CONDITIONAL


def test_an_unknown_operation_of_a_grant_is_one_of_the_grantable_ones() -> None:
    statement = allow(user_arn("alice"), "kms:DescribeKey")
    signing = key("k", statement, spec="RSA_2048", usage="SIGN_VERIFY")
    operations = [Text((Unknown("the operations"),))]
    found = grant(signing, GranteePrincipal=role_arn("ci"), Operations=operations)
    inventory = Inventory((signing,), (), (found,))
    assert state(inventory, "ci", "kms:Sign") is UNDECIDED
    assert state(inventory, "ci", "kms:GetKeyRotationStatus") is DENIED


def test_session_of_a_role_has_the_roles_policies() -> None:
    inventory = Inventory(
        (key("k", DELEGATION, allow(SESSION, "kms:Encrypt")),), (role("app", iam("kms:Decrypt")),)
    )
    assert state(inventory, SESSION, "kms:Decrypt") is ALLOWED
    assert state(inventory, SESSION, "kms:Encrypt") is ALLOWED


def test_two_definitions_of_one_key_policy_decide_only_where_they_agree() -> None:
    """K194."""
    found = key("k", DELEGATION, allow(user_arn("alice"), "kms:Decrypt"))
    other = parse_policy(document(DELEGATION), KEY_POLICY)
    both = replace(found, policies=(*found.policies, Policy("key policy", other, Origin("P"))))
    inventory = Inventory((both,), (user("alice"),))
    assert state(inventory, "alice", "kms:Decrypt") is UNDECIDED
    assert state(inventory, "alice", "kms:Encrypt") is DENIED


def labels(*statements: Any, **fields: Any) -> list[str]:
    return [subject.label for subject in access_map(alone(*statements, **fields)).subjects]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (DELEGATION, [f"any other identity of account {ACCOUNT}"]),
        (allow({"AWS": OTHER}, "kms:*"), [f"account {OTHER}"]),
        (allow(role_arn("ci"), "kms:*"), ["role ci"]),
        (allow(role_arn("app"), "kms:*"), []),
        (allow({"Service": "sns.amazonaws.com"}, "kms:*"), ["service sns.amazonaws.com"]),
        (
            allow("*", "kms:*"),
            [f"any other identity of account {ACCOUNT}", "everyone", "any AWS service"],
        ),
        (deny("*", "kms:*"), []),
        (
            allow("*", "kms:*", Condition={"StringEquals": {"kms:CallerAccount": OTHER}}),
            [
                f"any other identity of account {ACCOUNT}",
                f"account {OTHER}",
                "everyone",
                "any AWS service",
            ],
        ),
        (
            allow("*", "kms:*", Condition={"ArnEquals": {"aws:PrincipalArn": role_arn("ci")}}),
            [
                "role ci",
                f"any other identity of account {ACCOUNT}",
                "everyone",
                "any AWS service",
            ],
        ),
    ],
)
def test_everybody_who_is_named_has_a_row(statement: Any, rows: list[str]) -> None:
    found = [label for label in labels(statement) if label not in ("user alice", "role app")]
    assert sorted(found) == sorted(rows)


def test_grantees_have_a_row() -> None:
    on = key("k")
    inventory = Inventory(
        (on,), (), (grant(on, GranteePrincipal=role_arn("ci"), Operations=["Decrypt"]),)
    )
    assert state(inventory, "ci", "kms:Decrypt") is ALLOWED


def test_actions_that_the_key_cannot_carry_out_are_left_out() -> None:
    """K121."""
    signing = key("k", spec="RSA_2048", usage="SIGN_VERIFY")
    facts = access_map(Inventory((signing,), (user("alice"),)))
    actions = {access.action for access in facts}
    assert {"kms:Sign", "kms:GetPublicKey", "kms:PutKeyPolicy"} <= actions
    assert not {"kms:Decrypt", "kms:GenerateDataKey", "kms:CreateKey"} & actions


STATEMENTS = st.sampled_from(
    [
        DELEGATION,
        allow(user_arn("alice"), ["kms:Encrypt", "kms:*Grant*"]),
        allow("*", "kms:De*", Condition=MFA),
        allow({"AWS": OTHER}, "kms:*"),
        deny(user_arn("alice"), ["kms:ScheduleKeyDeletion", "kms:Put*"]),
        allow(SESSION, "kms:*", Condition={"StringLike": {"kms:EncryptionContext:a": "*"}}),
    ]
)
IDENTITY = st.sampled_from(
    [iam("kms:*"), iam("kms:Decrypt"), iam("kms:*", effect="Deny", Condition=MFA), iam("s3:*")]
)


@given(
    st.lists(STATEMENTS, min_size=1, max_size=3),
    st.lists(IDENTITY, max_size=2),
    st.booleans(),
)
def test_cells_agree_with_single_decisions(
    on_key: list[Any], on_user: list[Any], with_grant: bool
) -> None:
    found: Key = key("k", *on_key)
    grants = ()
    if with_grant:
        grants = (
            grant(
                found,
                GranteePrincipal=user_arn("alice"),
                Operations=["Decrypt", "CreateGrant", "DescribeKey"],
                Constraints={"EncryptionContextSubset": {"a": "b"}},
            ),
        )
    inventory = Inventory((found,), (user("alice", *on_user),), grants)
    evaluator = Evaluator(inventory, Organization())
    for access in access_map(inventory):
        single = evaluator.access(access.subject, access.key, access.action)
        assert (access.state, access.decision) == (single.state, single.decision), access.action


def test_lookup_says_what_is_known() -> None:
    facts = access_map(Inventory((key("a"), key("b", aliases=("alias/a",))), (user("alice"),)))
    with pytest.raises(
        LookupFailed, match='the key "alias/a" is not unique, it means App/a, App/b'
    ):
        find_key(facts, "alias/a")
    with pytest.raises(LookupFailed, match='there is no principal "bob", known are "user alice"'):
        find_subject(facts, "bob")
    assert find_subject(facts, f"arn:aws:iam::{OTHER}:role/x").label == "role x"
    assert find_subject(facts, "sns.amazonaws.com").label == "service sns.amazonaws.com"


def test_two_key_policies_that_both_deny_agree_in_that() -> None:
    """One denies explicitly, one by default: either way there is no access (K194)."""
    first, second = key("two", DELEGATION, deny("*", "kms:Decrypt")), key("two", DELEGATION)
    both = replace(first, policies=(*first.policies, *second.policies))
    facts = access_map(Inventory((both,), (role("reader", iam("kms:Encrypt")),)))
    (access,) = (a for a in facts if a.subject.label == "role reader" and a.action == "kms:Decrypt")
    assert access.state is AccessState.IMPLICITLY_DENIED
