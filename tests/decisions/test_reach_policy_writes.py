"""Writing one's own permissions, and lifting one's own boundary (K158)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.inventory.model import Identity
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    ROOT,
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
from tests.decisions.reaching import detours, lets, reach, told, trust

DECRYPT = "kms:Decrypt"
ALICE, APP, CI = user_arn("alice"), role_arn("app"), role_arn("ci")
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
DELEGATED, NOT_DELEGATED = key("k", DELEGATION), key("k", allow(CI, "kms:Encrypt"))
NO_USE = iam("kms:Decrypt", effect="Deny")
WRITES, UNDECIDED_WRITES = ["IDENTITY_POLICY: ALLOWED"], ["IDENTITY_POLICY: UNDECIDED"]


def labelled(identity: Identity, label: str) -> Identity:
    """The identity with another name of its policy: as what the sources attach it."""
    (policy,) = identity.policies
    return replace(identity, policies=(replace(policy, label=label),))


LIMITS = f"arn:aws:iam::{ACCOUNT}:policy/limits"
OF_AWS = "arn:aws:iam::aws:policy/PowerUserAccess"
OF_LIMITS = {"StringEquals": {"iam:PermissionsBoundary": LIMITS}}
VERSIONS = "iam:CreatePolicyVersion"


def bounded_by(identity: Identity, arn: str) -> Identity:
    """The identity with a boundary that goes by this ARN."""
    (boundary,) = identity.boundary
    named = replace(boundary, label=f"permissions boundary {arn}")
    return replace(identity, boundary=(named,))


def group_policy(arn: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:group/{arn}"


WRITE_AND_LIFT = ["iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"]
BOUNDED = [iam("*"), NO_USE]
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/app"

# Identities, key, subject, and its detours to kms:Decrypt.
CASES: dict[str, tuple[Any, Any, str, list[str]]] = {
    "a role's own inline policies": (
        role("app", iam("iam:PutRolePolicy", APP)),
        DELEGATED,
        "role app",
        WRITES,
    ),
    "the attached policies of a role": (
        role("app", iam("iam:AttachRolePolicy", APP)),
        DELEGATED,
        "role app",
        WRITES,
    ),
    "a user's own policies": (
        user("alice", iam("iam:PutUserPolicy", ALICE)),
        DELEGATED,
        "user alice",
        WRITES,
    ),
    "the policies of another role": (
        role("app", iam("iam:PutRolePolicy", CI)),
        DELEGATED,
        "role app",
        [],
    ),
    "the policies of users, by a role": (
        role("app", iam("iam:PutUserPolicy")),
        DELEGATED,
        "role app",
        [],
    ),
    "a key that does not delegate": (
        role("app", iam("iam:PutRolePolicy")),
        NOT_DELEGATED,
        "role app",
        [],
    ),
    "a key that delegates other actions (K8)": (
        role("app", iam("iam:PutRolePolicy")),
        key("k", allow(ROOT, "kms:Describe*")),
        "role app",
        [],
    ),
    "a key that delegates under a condition (K8)": (
        role("app", iam("iam:PutRolePolicy")),
        key("k", allow(ROOT, "kms:*", Condition=MFA)),
        "role app",
        ["IDENTITY_POLICY: CONDITIONAL"],
    ),
    "a key of another account that lets the role in (K7)": (
        role("app", iam("iam:PutRolePolicy")),
        key("k", allow(APP, DECRYPT), account=OTHER),
        "role app",
        WRITES,
    ),
    "a Deny in the key policy": (
        role("app", iam("iam:PutRolePolicy")),
        key("k", DELEGATION, deny(APP, DECRYPT)),
        "role app",
        [],
    ),
    "a Deny in an own policy stays": (
        role("app", iam("iam:PutRolePolicy"), NO_USE),
        DELEGATED,
        "role app",
        [],
    ),
    "the write is denied": (
        role("app", iam("iam:*"), iam("iam:Put*", effect="Deny"), iam("iam:At*", effect="Deny")),
        DELEGATED,
        "role app",
        [],
    ),
    "the write needs a condition": (
        role("app", iam("iam:PutRolePolicy", Condition=MFA)),
        DELEGATED,
        "role app",
        ["IDENTITY_POLICY: CONDITIONAL"],
    ),
    "the write needs a boundary that the role lacks": (
        role(
            "app",
            iam(
                "iam:PutRolePolicy",
                Condition={"StringEquals": {"iam:PermissionsBoundary": MANAGED}},
            ),
        ),
        DELEGATED,
        "role app",
        [],
    ),
    "the boundary denies the use": (
        role("app", iam("iam:PutRolePolicy"), boundary=BOUNDED),
        DELEGATED,
        "role app",
        [],
    ),
    "the boundary denies the use, and can be taken away": (
        role(
            "app", iam(["iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"]), boundary=BOUNDED
        ),
        DELEGATED,
        "role app",
        WRITES,
    ),
    "the boundary can be replaced, and policies allow the use": (
        role("app", iam(["iam:PutRolePermissionsBoundary", DECRYPT]), boundary=BOUNDED),
        DELEGATED,
        "role app",
        WRITES,
    ),
    "the boundary can be taken away, and no policy allows the use": (
        role("app", iam("iam:DeleteRolePermissionsBoundary"), boundary=BOUNDED),
        DELEGATED,
        "role app",
        [],
    ),
    "the boundary can be taken away, and the key policy names the role (K76)": (
        role("app", iam("iam:DeleteRolePermissionsBoundary"), boundary=[iam("iam:*")]),
        key("k", allow(APP, DECRYPT)),
        "role app",
        WRITES,
    ),
    "the boundary can be replaced by one of a name": (
        role(
            "app",
            iam("iam:PutRolePermissionsBoundary", Condition=OF_LIMITS),
            iam(DECRYPT),
            boundary=BOUNDED,
        ),
        DELEGATED,
        "role app",
        ["IDENTITY_POLICY: CONDITIONAL"],
    ),
    "a boundary of a name can be taken away, and it is not known which it is": (
        role(
            "app",
            iam("iam:DeleteRolePermissionsBoundary", Condition=OF_LIMITS),
            iam(DECRYPT),
            boundary=BOUNDED,
        ),
        DELEGATED,
        "role app",
        UNDECIDED_WRITES,
    ),
    "the policy that is the boundary can be changed": (
        bounded_by(role("app", iam(VERSIONS), iam(DECRYPT), boundary=BOUNDED), LIMITS),
        DELEGATED,
        "role app",
        WRITES,
    ),
    "another policy than the boundary can be changed": (
        bounded_by(role("app", iam(VERSIONS, MANAGED), iam(DECRYPT), boundary=BOUNDED), LIMITS),
        DELEGATED,
        "role app",
        [],
    ),
    "a boundary of AWS cannot be changed": (
        bounded_by(role("app", iam(VERSIONS), iam(DECRYPT), boundary=BOUNDED), OF_AWS),
        DELEGATED,
        "role app",
        [],
    ),
    "there is no boundary to take away": (
        role("app", iam("iam:DeleteRolePermissionsBoundary")),
        DELEGATED,
        "role app",
        [],
    ),
    "the boundary protects itself": (
        role(
            "app",
            iam(WRITE_AND_LIFT),
            boundary=[*BOUNDED, iam("iam:*PermissionsBoundary", effect="Deny")],
        ),
        DELEGATED,
        "role app",
        [],
    ),
    "the boundary of another role": (
        role(
            "app",
            iam(["iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"], CI),
            boundary=BOUNDED,
        ),
        DELEGATED,
        "role app",
        [],
    ),
    "a managed policy of its own": (
        labelled(role("app", iam("iam:CreatePolicyVersion")), f"managed policy {MANAGED}"),
        DELEGATED,
        "role app",
        WRITES,
    ),
    "a managed policy of which the ARN is not known, named": (
        labelled(role("app", iam("iam:CreatePolicyVersion", MANAGED)), "managed policy App"),
        DELEGATED,
        "role app",
        UNDECIDED_WRITES,
    ),
    "a managed policy of which the ARN is not known, any": (
        labelled(role("app", iam("iam:CreatePolicyVersion")), "managed policy App"),
        DELEGATED,
        "role app",
        WRITES,
    ),
    "another managed policy": (
        labelled(
            role("app", iam("iam:CreatePolicyVersion", f"{MANAGED}-other")),
            f"managed policy {MANAGED}",
        ),
        DELEGATED,
        "role app",
        [],
    ),
    "no version of an inline policy": (
        role("app", iam("iam:CreatePolicyVersion")),
        DELEGATED,
        "role app",
        [],
    ),
    "no version of a policy of AWS": (
        labelled(
            role("app", iam("iam:CreatePolicyVersion")),
            "managed policy arn:aws:iam::aws:policy/ReadOnlyAccess",
        ),
        DELEGATED,
        "role app",
        [],
    ),
    "an older version, of which nothing is known": (
        labelled(role("app", iam("iam:SetDefaultPolicyVersion")), f"managed policy {MANAGED}"),
        DELEGATED,
        "role app",
        UNDECIDED_WRITES,
    ),
    "joining a group": (
        user("alice", iam("iam:AddUserToGroup")),
        DELEGATED,
        "user alice",
        UNDECIDED_WRITES,
    ),
    "a role joins no group": (role("app", iam("iam:AddUserToGroup")), DELEGATED, "role app", []),
    "the policies of one's group": (
        labelled(
            user("alice", iam("iam:PutGroupPolicy", group_policy("*"))),
            "inline policy Access of group devs",
        ),
        DELEGATED,
        "user alice",
        WRITES,
    ),
    "the policies of another group": (
        labelled(
            user("alice", iam("iam:PutGroupPolicy", group_policy("ops"))),
            "inline policy Access of group devs",
        ),
        DELEGATED,
        "user alice",
        [],
    ),
    "the policies of a group, which may be one's own": (
        user("alice", iam("iam:PutGroupPolicy", group_policy("ops"))),
        DELEGATED,
        "user alice",
        UNDECIDED_WRITES,
    ),
    "the policies of any group, and one may be in none": (
        user("alice", iam(["iam:PutGroupPolicy", "iam:AttachGroupPolicy"])),
        DELEGATED,
        "user alice",
        UNDECIDED_WRITES,
    ),
    "a role that is defined elsewhere, by what is known": (
        role("app", iam("iam:PutRolePolicy"), complete=False),
        key("k", allow(ROOT, DECRYPT)),
        "role app",
        WRITES,
    ),
    "a role that is defined elsewhere, by what may be": (
        role("app", complete=False),
        DELEGATED,
        "role app",
        ["GRANT: DELEGATED", "KEY_POLICY: DELEGATED"],
    ),
    "after a role": (
        (user("alice"), role("app", iam("iam:PutRolePolicy"), trust=trust(lets(ALICE)))),
        DELEGATED,
        "user alice",
        ["ASSUMED_ROLE, IDENTITY_POLICY: ALLOWED via role app"],
    ),
}


@pytest.mark.parametrize(
    ("identities", "on", "subject", "expected"), CASES.values(), ids=CASES.keys()
)
def test_who_obtains_decrypt_by_writing_its_own_permissions(
    identities: Any, on: Any, subject: str, expected: list[str]
) -> None:
    """K158."""
    found = detours(reach(identities, on), subject, DECRYPT)
    assert sorted(told(detour) for detour in found) == expected


def test_the_proof_of_a_write_ends_with_what_it_opens() -> None:
    search = reach(role("app", iam("iam:Put*", APP)), DELEGATED)
    (detour,) = detours(search, "role app", DECRYPT)
    assert [hop.text for hop in detour.proof.hops] == [
        "inline policy Access, statement 1, allows iam:Put* on role/app",
        "iam:PutRolePolicy lets it change its own permissions",
        f"key policy, statement 1, lets account {ACCOUNT} delegate kms:*",
    ]


def test_a_grant_to_the_account_may_need_an_identity_policy() -> None:
    """K90: with one it surely serves its identities."""
    on = key("k", allow(user_arn("bob"), "kms:*"))
    to_account = grant(on, GranteePrincipal=ROOT["AWS"], Operations=["Decrypt"])
    search = reach(role("app", iam("iam:PutRolePolicy")), on, grants=(to_account,))
    assert [told(d) for d in detours(search, "role app", DECRYPT)] == WRITES
    assert detours(reach(role("app", iam("iam:PutRolePolicy")), on), "role app", DECRYPT) == []
