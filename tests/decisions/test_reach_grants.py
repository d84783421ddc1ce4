"""Grants that somebody can make for itself (K157, K93-K96, K108-K110)."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.inventory.actions import find_action, possible_for
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    allow,
    deny,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import detours, obtained, reach, told

DECRYPT, CREATE_GRANT = "kms:Decrypt", "kms:CreateGrant"
ALICE = user_arn("alice")
PLAIN = user("alice")
NO_USE = iam("kms:Decrypt", effect="Deny")
GRANT = ["GRANT: ALLOWED"]


def may_grant(**conditions: Any) -> Any:
    return allow(ALICE, CREATE_GRANT, Condition=conditions)


# Identities, key, subject, and its detours to kms:Decrypt.
CASES: dict[str, tuple[Any, Any, str, list[str]]] = {
    "no condition": (PLAIN, key("k", allow(ALICE, CREATE_GRANT)), "user alice", GRANT),
    "for services alone (K110)": (
        PLAIN,
        key("k", may_grant(Bool={"kms:GrantIsForAWSResource": "true"})),
        "user alice",
        [],
    ),
    "for services alone, IfExists": (
        PLAIN,
        key("k", may_grant(BoolIfExists={"kms:GrantIsForAWSResource": "true"})),
        "user alice",
        [],
    ),
    "not for services": (
        PLAIN,
        key("k", may_grant(Bool={"kms:GrantIsForAWSResource": "false"})),
        "user alice",
        GRANT,
    ),
    "denied but for services": (
        PLAIN,
        key(
            "k",
            allow(ALICE, CREATE_GRANT),
            deny("*", CREATE_GRANT, Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}}),
        ),
        "user alice",
        [],
    ),
    "only through a service": (
        PLAIN,
        key("k", may_grant(StringEquals={"kms:ViaService": "rds.eu-central-1.amazonaws.com"})),
        "user alice",
        [],
    ),
    "operations that hold it, ForAllValues (K109)": (
        PLAIN,
        key("k", may_grant(**{"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]}})),
        "user alice",
        GRANT,
    ),
    "operations without it, ForAllValues (K109)": (
        PLAIN,
        key("k", may_grant(**{"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]}})),
        "user alice",
        [],
    ),
    "for itself (K108)": (
        PLAIN,
        key("k", may_grant(StringEquals={"kms:GranteePrincipal": ALICE})),
        "user alice",
        GRANT,
    ),
    "for somebody else (K108)": (
        PLAIN,
        key("k", may_grant(StringEquals={"kms:GranteePrincipal": user_arn("bob")})),
        "user alice",
        [],
    ),
    "for a session of its own": (
        role("app"),
        key(
            "k",
            allow(
                role_arn("app"),
                CREATE_GRANT,
                Condition={
                    "StringLike": {
                        "kms:GranteePrincipal": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/*"
                    }
                },
            ),
        ),
        "role app",
        GRANT,
    ),
    "only with constraints": (
        PLAIN,
        key("k", may_grant(StringEquals={"kms:GrantConstraintType": "EncryptionContextSubset"})),
        "user alice",
        ["GRANT: CONDITIONAL"],
    ),
    "denied in the key policy, which a grant does not change (K91)": (
        PLAIN,
        key("k", allow(ALICE, CREATE_GRANT), deny(ALICE, DECRYPT)),
        "user alice",
        [],
    ),
    "denied by an identity policy": (
        user("alice", NO_USE),
        key("k", allow(ALICE, CREATE_GRANT)),
        "user alice",
        [],
    ),
    "a boundary without the action (K91)": (
        user("alice", boundary=[iam(CREATE_GRANT)]),
        key("k", allow(ALICE, CREATE_GRANT)),
        "user alice",
        ["GRANT: UNDECIDED"],
    ),
    "operations that an identity policy limits": (
        user(
            "alice",
            iam(
                CREATE_GRANT,
                Condition={"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]}},
            ),
        ),
        key("k", DELEGATION),
        "user alice",
        [],
    ),
    "another account": (
        PLAIN,
        key("k", allow(OTHER, CREATE_GRANT)),
        f"account {OTHER}",
        GRANT,
    ),
    "a role of another account": (
        PLAIN,
        key("k", allow(f"arn:aws:iam::{OTHER}:role/partner", CREATE_GRANT)),
        "role partner",
        ["GRANT: DELEGATED"],
    ),
    "a key that cannot decrypt (K94)": (
        PLAIN,
        key("k", allow(ALICE, CREATE_GRANT), spec="HMAC_256", usage="GENERATE_VERIFY_MAC"),
        "user alice",
        [],
    ),
}


@pytest.mark.parametrize(
    ("identities", "on", "subject", "expected"), CASES.values(), ids=CASES.keys()
)
def test_who_obtains_decrypt_by_a_grant(
    identities: Any, on: Any, subject: str, expected: list[str]
) -> None:
    """K157."""
    search = reach(identities, on)
    assert [told(d) for d in detours(search, subject, DECRYPT)] == expected


def test_a_grant_gives_the_grantable_operations_that_the_key_can_do() -> None:
    """K93, K95."""
    search = reach(PLAIN, key("k", allow(ALICE, CREATE_GRANT)))
    every = possible_for("ENCRYPT_DECRYPT", asymmetric=False)
    grantable = {a for a in every if (info := find_action(a)) and info.grantable}
    assert obtained(search, "user alice", "GRANT") == grantable - {CREATE_GRANT}


ALL_OF, ANY_OF = "ForAllValues:StringEquals", "ForAnyValue:StringEquals"
LISTED = {"kms:Decrypt", "kms:DescribeKey"}
NOT_LISTED = {"kms:Encrypt", "kms:GenerateDataKey"}


@pytest.mark.parametrize(
    ("conditions", "given", "not_given"),
    [
        ({ALL_OF: ["Decrypt", "DescribeKey"]}, LISTED, NOT_LISTED),
        ({ANY_OF: ["Decrypt", "DescribeKey"]}, LISTED | NOT_LISTED, set()),
        (
            {ANY_OF: ["DescribeKey"], ALL_OF: ["Decrypt", "DescribeKey"]},
            LISTED,
            NOT_LISTED,
        ),
        ({ANY_OF: ["Sign"], ALL_OF: ["Decrypt"]}, set(), LISTED | NOT_LISTED),
        ({ANY_OF: ["Sign"]}, set(), LISTED | NOT_LISTED),
    ],
)
def test_operations_that_conditions_let_through(
    conditions: dict[str, list[str]], given: set[str], not_given: set[str]
) -> None:
    """K109: under ForAnyValue one listed operation lets all others through."""
    tests = {name: {"kms:GrantOperations": operations} for name, operations in conditions.items()}
    found = obtained(reach(PLAIN, key("k", may_grant(**tests))), "user alice", "GRANT")
    assert found >= given
    assert found.isdisjoint(not_given)


BOUND = {"EncryptionContextSubset": {"app": "x"}}


@pytest.mark.parametrize(
    "parent",
    [
        {"Operations": ["CreateGrant"]},
        {"Operations": ["CreateGrant", "Encrypt", "Decrypt"]},
        {"Operations": ["CreateGrant", "Decrypt"], "Constraints": BOUND},
    ],
)
def test_a_grant_made_through_a_grant_gives_no_more_than_its_parent(parent: Any) -> None:
    """K96."""
    on = key("k", allow(user_arn("bob"), "kms:*"))
    grants = (grant(on, GranteePrincipal=ALICE, **parent),)
    assert obtained(reach(PLAIN, on, grants=grants), "user alice", "GRANT") == frozenset()
    by_policy = key("k", allow(ALICE, CREATE_GRANT))
    grants = (grant(by_policy, GranteePrincipal=ALICE, **parent),)
    search = reach(PLAIN, by_policy, grants=grants)
    assert "kms:DescribeKey" in obtained(search, "user alice", "GRANT")


def test_two_definitions_of_one_key_policy() -> None:
    """K194."""
    giving, silent = (
        key("k", allow(who, CREATE_GRANT)).policies for who in (ALICE, user_arn("bob"))
    )
    for policies, state in (
        ((*giving, *silent), "UNDECIDED"),
        ((*silent, *giving), "UNDECIDED"),
        ((*giving, *giving), "ALLOWED"),
    ):
        search = reach(PLAIN, key("k", DELEGATION, policies=policies))
        assert [told(d) for d in detours(search, "user alice", DECRYPT)] == [f"GRANT: {state}"]
