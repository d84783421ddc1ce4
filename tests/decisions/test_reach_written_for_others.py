"""Writing the permissions of another identity, and then acting as it (K158 with K159-K161)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.inventory.model import Identity
from kms_access.policies.principals import Principal, parse_principal
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    ROOT,
    allow,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import detours, lets, reach, told, trust

DECRYPT = "kms:Decrypt"
ALICE, BOB, CI, APP = user_arn("alice"), user_arn("bob"), role_arn("ci"), role_arn("app")
DELEGATED, NOT_DELEGATED = key("k", DELEGATION), key("k", allow(BOB, "kms:Encrypt"))
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}

PUT_ROLE, PUT_USER = iam("iam:PutRolePolicy", CI), iam("iam:PutUserPolicy", BOB)
ATTACH_ROLE = iam("iam:AttachRolePolicy", CI)
ACCESS_KEY = iam("iam:CreateAccessKey", BOB)
PASS = (iam("iam:PassRole", CI), iam(["lambda:CreateFunction", "lambda:InvokeFunction"]))
LAMBDA = {"Service": "lambda.amazonaws.com"}
NO_KMS = [iam("*"), iam("kms:*", effect="Deny")]


def ci(*statements: Any, by: Any = ALICE, **fields: Any) -> Identity:
    return role("ci", *statements, trust=trust(lets(by)), **fields)


def with_managed_policy(identity: Identity, arn: str) -> Identity:
    (policy,) = identity.policies
    return replace(identity, policies=(replace(policy, label=f"managed policy {arn}"),))


def elsewhere(identity: Identity) -> Identity:
    """The identity in another account."""
    principal = parse_principal(CI.replace(ACCOUNT, OTHER))
    assert isinstance(principal, Principal)
    return replace(identity, principal=principal)


MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/ci"
BY_ROLE = "ASSUMED_ROLE, IDENTITY_POLICY: ALLOWED via role ci"
BY_USER = "IMPERSONATION, IDENTITY_POLICY: ALLOWED via user bob"
BY_PASS = "PASSED_ROLE, IDENTITY_POLICY: CONDITIONAL via role ci"

# Identities, key, and the detours of user alice to kms:Decrypt.
CASES: dict[str, tuple[Any, Any, list[str]]] = {
    "a role that it may assume": ((user("alice", PUT_ROLE), ci()), DELEGATED, [BY_ROLE]),
    "the attached policies of the role": (
        (user("alice", ATTACH_ROLE), ci()),
        DELEGATED,
        [BY_ROLE],
    ),
    "a version of the policy of the role": (
        (
            user("alice", iam("iam:CreatePolicyVersion", MANAGED)),
            with_managed_policy(ci(iam("s3:*")), MANAGED),
        ),
        DELEGATED,
        [BY_ROLE],
    ),
    "a version of another policy": (
        (
            user("alice", iam("iam:CreatePolicyVersion", f"{MANAGED}-2")),
            with_managed_policy(ci(iam("s3:*")), MANAGED),
        ),
        DELEGATED,
        [],
    ),
    "a role that it may pass": (
        (user("alice", PUT_ROLE, *PASS), ci(by=LAMBDA)),
        DELEGATED,
        [BY_PASS],
    ),
    "a user for whom it makes access keys": (
        (user("alice", PUT_USER, ACCESS_KEY), user("bob")),
        DELEGATED,
        [BY_USER],
    ),
    "a role that it cannot take": ((user("alice", PUT_ROLE), ci(by=BOB)), DELEGATED, []),
    "a role that it cannot pass": (
        (user("alice", PUT_ROLE, PASS[1]), ci(by=LAMBDA)),
        DELEGATED,
        [],
    ),
    "a user as whom it cannot act": ((user("alice", PUT_USER), user("bob")), DELEGATED, []),
    "no write": ((user("alice"), ci()), DELEGATED, []),
    "the write of another role": (
        (user("alice", iam("iam:PutRolePolicy", APP)), ci()),
        DELEGATED,
        [],
    ),
    "the write is denied": (
        (user("alice", PUT_ROLE, iam("iam:Put*", CI, effect="Deny")), ci()),
        DELEGATED,
        [],
    ),
    "the write is beyond the writer's boundary": (
        (user("alice", PUT_ROLE, boundary=[iam("sts:*")]), ci()),
        DELEGATED,
        [],
    ),
    "the write needs a condition": (
        (user("alice", iam("iam:PutRolePolicy", CI, Condition=MFA)), ci()),
        DELEGATED,
        ["ASSUMED_ROLE, IDENTITY_POLICY: CONDITIONAL via role ci"],
    ),
    "the boundary of the role lacks the action": (
        (user("alice", PUT_ROLE), ci(boundary=NO_KMS)),
        DELEGATED,
        [],
    ),
    "the boundary of the role can be lifted": (
        (
            user("alice", PUT_ROLE, iam("iam:DeleteRolePermissionsBoundary", CI)),
            ci(boundary=NO_KMS),
        ),
        DELEGATED,
        [BY_ROLE],
    ),
    "lifting the role's boundary does not lift the writer's": (
        (
            user(
                "alice",
                PUT_ROLE,
                iam("iam:DeleteRolePermissionsBoundary", CI),
                boundary=[iam("iam:Delete*"), iam("sts:*")],
            ),
            ci(boundary=NO_KMS),
        ),
        DELEGATED,
        [],
    ),
    "a Deny in a policy of the role stays": (
        (user("alice", PUT_ROLE), ci(iam(DECRYPT, effect="Deny"))),
        DELEGATED,
        [],
    ),
    "a key that does not delegate": ((user("alice", PUT_ROLE), ci()), NOT_DELEGATED, []),
    "a role of another account, which the key lets in": (
        (user("alice", iam("iam:PutRolePolicy"), iam("sts:AssumeRole")), elsewhere(ci())),
        key("k", allow(CI.replace(ACCOUNT, OTHER), DECRYPT)),
        [],
    ),
    "a role on the way writes the next one": (
        (user("alice"), role("app", PUT_ROLE, trust=trust(lets(ALICE))), ci(by=APP)),
        DELEGATED,
        ["ASSUMED_ROLE, ASSUMED_ROLE, IDENTITY_POLICY: ALLOWED via role app, role ci"],
    ),
    "one role writes the other": (
        (user("alice"), role("app", PUT_ROLE, trust=trust(lets(ALICE))), ci()),
        DELEGATED,
        ["ASSUMED_ROLE, ASSUMED_ROLE, IDENTITY_POLICY: ALLOWED via role app, role ci"],
    ),
    "who writes its own permissions needs no other identity": (
        (user("alice", PUT_ROLE, iam("iam:PutUserPolicy", ALICE)), ci()),
        DELEGATED,
        ["IDENTITY_POLICY: ALLOWED"],
    ),
    "a role that has the access": (
        (user("alice", PUT_ROLE), ci(iam(DECRYPT))),
        DELEGATED,
        ["ASSUMED_ROLE: ALLOWED via role ci"],
    ),
}


@pytest.mark.parametrize(("identities", "on", "expected"), CASES.values(), ids=CASES.keys())
def test_who_obtains_decrypt_by_writing_for_another(
    identities: Any, on: Any, expected: list[str]
) -> None:
    found = detours(reach(identities, on), "user alice", DECRYPT)
    assert sorted(told(detour) for detour in found) == expected


def test_the_proof_shows_the_chain_and_the_write() -> None:
    identities = user("alice", PUT_ROLE, iam("sts:AssumeRole", CI)), ci(by=ROOT)
    (found,) = detours(reach(identities, DELEGATED), "user alice", DECRYPT)
    assert [hop.text for hop in found.proof.hops][:4] == [
        f"trust policy of role ci, statement 1, lets account {ACCOUNT} assume it",
        "inline policy Access, statement 2, allows sts:AssumeRole on role/ci",
        "inline policy Access, statement 1, allows iam:PutRolePolicy on role/ci",
        "iam:PutRolePolicy lets user alice change the permissions of role ci",
    ]
