"""Acting as another identity, and passed roles (K159, K161)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.decisions.detour import DetourKind
from kms_access.inventory.detour_actions import COMPUTE_STARTS, IMPERSONATIONS
from kms_access.inventory.model import Identity
from kms_access.policies.principals import parse_principal
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
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
ALICE, CI = user_arn("alice"), role_arn("ci")
BOB = user("bob")
CREATE = "iam:CreateAccessKey"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
OF_BOB_AND_CI = key("k", allow([user_arn("bob"), CI], DECRYPT))

# Identities, key, subject, and its detours to kms:Decrypt.
IMPERSONATION_CASES: dict[str, tuple[Any, Any, str, list[str]]] = {
    **{
        action: (
            (role("app", iam(action)), BOB, role("ci")),
            OF_BOB_AND_CI,
            "role app",
            [f"IMPERSONATION: ALLOWED via {'user bob' if kind == 'user' else 'role ci'}"],
        )
        for action, kind in IMPERSONATIONS.items()
    },
    "another identity": (
        (role("app", iam(CREATE, user_arn("zoe"))), BOB),
        OF_BOB_AND_CI,
        "role app",
        [],
    ),
    "one by its tag": (
        (
            role(
                "app",
                iam(CREATE, Condition={"StringEquals": {"iam:ResourceTag/t": "x"}}),
            ),
            user("bob", tags={"t": "x"}),
        ),
        OF_BOB_AND_CI,
        "role app",
        ["IMPERSONATION: ALLOWED via user bob"],
    ),
    "one without the tag": (
        (
            role(
                "app",
                iam(CREATE, Condition={"StringEquals": {"iam:ResourceTag/t": "x"}}),
            ),
            user("bob", tags={"t": "y"}),
        ),
        OF_BOB_AND_CI,
        "role app",
        [],
    ),
    "one way denied": (
        (role("app", iam("iam:*"), iam(CREATE, effect="Deny")), BOB),
        key("k", allow(user_arn("bob"), DECRYPT)),
        "role app",
        ["IMPERSONATION: ALLOWED via user bob"],
    ),
    "all ways denied": (
        (role("app", iam(CREATE), iam("iam:*", effect="Deny")), BOB),
        key("k", allow(user_arn("bob"), DECRYPT)),
        "role app",
        [],
    ),
    "itself": ((BOB, user("bob2")), OF_BOB_AND_CI, "user bob2", []),
    "a user whom the definitions do not hold": (
        role("app", iam(CREATE)),
        OF_BOB_AND_CI,
        "role app",
        ["IMPERSONATION: ALLOWED via user bob"],
    ),
    "a user of another account": (
        role("app", iam("iam:*")),
        key("k", allow(f"arn:aws:iam::{OTHER}:user/bob", DECRYPT)),
        "role app",
        [],
    ),
    "a role that may not be assumed afterwards": (
        (role("app", iam("iam:*"), iam("sts:AssumeRole", effect="Deny")), role("ci")),
        key("k", allow(CI, DECRYPT)),
        "role app",
        [],
    ),
    "a service-linked role, which nobody can change": (
        (
            role("app", iam("iam:*")),
            replace(role("ci"), principal=parse_principal(role_arn("aws-service-role/x/ci"))),
        ),
        key("k", allow(role_arn("aws-service-role/x/ci"), DECRYPT)),
        "role app",
        [],
    ),
    "and the roles that it may assume": (
        (
            role("app", iam(CREATE)),
            BOB,
            role("ci", trust=trust(lets(user_arn("bob")))),
        ),
        key("k", allow(CI, DECRYPT)),
        "role app",
        ["IMPERSONATION, ASSUMED_ROLE: ALLOWED via user bob, role ci"],
    ),
    "a role that it may assume anyhow": (
        (
            role("app", iam(CREATE)),
            BOB,
            role("ci", trust=trust(lets([user_arn("bob"), role_arn("app")]))),
        ),
        key("k", allow(CI, DECRYPT)),
        "role app",
        ["ASSUMED_ROLE: ALLOWED via role ci"],
    ),
    "a role that it may assume less surely": (
        (
            role("app", iam(CREATE)),
            BOB,
            role(
                "ci",
                trust=trust(lets(user_arn("bob")), lets(role_arn("app"), Condition=MFA)),
            ),
        ),
        key("k", allow(CI, DECRYPT)),
        "role app",
        [
            "ASSUMED_ROLE: CONDITIONAL via role ci",
            "IMPERSONATION, ASSUMED_ROLE: ALLOWED via user bob, role ci",
        ],
    ),
    "back to itself": (
        (role("app", iam(CREATE), trust=trust(lets(user_arn("bob")))), BOB),
        key("k", allow(role_arn("app"), DECRYPT, Condition=MFA)),
        "role app",
        [],
    ),
    "a session that the key policy names, of a role elsewhere": (
        role("app", iam("iam:UpdateAssumeRolePolicy")),
        key("k", allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/zed/s1", DECRYPT)),
        "role app",
        ["IMPERSONATION: CONDITIONAL via role zed"],
    ),
    "and no other step": (
        (role("app", iam(CREATE)), BOB),
        key("k", allow(user_arn("bob"), "kms:PutKeyPolicy")),
        "role app",
        [],
    ),
    "after a role": (
        (user("alice"), role("app", iam(CREATE), trust=trust(lets(ALICE))), BOB),
        key("k", allow(user_arn("bob"), DECRYPT)),
        "user alice",
        ["ASSUMED_ROLE, IMPERSONATION: ALLOWED via role app, user bob"],
    ),
}


def served(*services: str, **fields: Any) -> Identity:
    return role("ci", trust=trust(*(lets({"Service": name}) for name in services)), **fields)


LAMBDA = "lambda.amazonaws.com"
START = ["lambda:CreateFunction", "lambda:InvokeFunction"]
PASSED = ["PASSED_ROLE: CONDITIONAL via role ci"]
OF_CI = key("k", allow(CI, DECRYPT))
PASSED_CASES: dict[str, tuple[Any, Any, str, list[str]]] = {
    **{
        f"{service}: {', '.join(sorted(way))}": (
            (role("app", iam(["iam:PassRole", *sorted(way)])), served(service)),
            OF_CI,
            "role app",
            PASSED,
        )
        for service, ways in COMPUTE_STARTS.items()
        for way in ways
    },
    "no PassRole": ((role("app", iam(START)), served(LAMBDA)), OF_CI, "role app", []),
    "PassRole for another role": (
        (role("app", iam("iam:PassRole", role_arn("cd")), iam(START)), served(LAMBDA)),
        OF_CI,
        "role app",
        [],
    ),
    "no start": ((role("app", iam("iam:PassRole")), served(LAMBDA)), OF_CI, "role app", []),
    "half of a start": (
        (role("app", iam(["iam:PassRole", START[0]])), served(LAMBDA)),
        OF_CI,
        "role app",
        [],
    ),
    "the start of another service": (
        (role("app", iam(["iam:PassRole", "ec2:RunInstances"])), served(LAMBDA)),
        OF_CI,
        "role app",
        [],
    ),
    "a start on functions of a name": (
        (
            role("app", iam("iam:PassRole"), iam(START, "arn:aws:lambda:*:*:function:app-*")),
            served(LAMBDA),
        ),
        OF_CI,
        "role app",
        PASSED,
    ),
    "a start on all functions but one": (
        (
            role(
                "app",
                iam("iam:PassRole"),
                {
                    "Effect": "Allow",
                    "Action": START,
                    "NotResource": "arn:aws:lambda:*:*:function:prod",
                },
            ),
            served(LAMBDA),
        ),
        OF_CI,
        "role app",
        PASSED,
    ),
    "a start on a function whose name is not known yet": (
        (
            role(
                "app",
                iam("iam:PassRole"),
                iam(START, Text(("arn:aws:lambda:*:*:function:", Unknown("a name")))),
            ),
            served(LAMBDA),
        ),
        OF_CI,
        "role app",
        PASSED,
    ),
    "a start that is denied on these": (
        (
            role(
                "app",
                iam("iam:PassRole"),
                iam(START, "arn:aws:lambda:*:*:function:app-*"),
                iam("lambda:*", "arn:aws:lambda:*:*:function:app-*", "Deny"),
            ),
            served(LAMBDA),
        ),
        OF_CI,
        "role app",
        [],
    ),
    "PassRole to the service": (
        (
            role(
                "app",
                iam(START),
                iam("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": LAMBDA}}),
            ),
            served(LAMBDA),
        ),
        OF_CI,
        "role app",
        PASSED,
    ),
    "PassRole to another service": (
        (
            role(
                "app",
                iam(START),
                iam(
                    "iam:PassRole",
                    Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                ),
            ),
            served(LAMBDA),
        ),
        OF_CI,
        "role app",
        [],
    ),
    "a role that no service may take": (
        (role("app", iam(["iam:PassRole", *START])), role("ci", trust=trust(lets(ROOT)))),
        OF_CI,
        "role app",
        [],
    ),
    "a service by its name in a Region": (
        (
            role("app", iam(["iam:PassRole", "states:*"])),
            served("states.eu-central-1.amazonaws.com"),
        ),
        OF_CI,
        "role app",
        PASSED,
    ),
    "a service that the trust policy denies": (
        (
            role("app", iam(["iam:PassRole", *START])),
            role(
                "ci",
                trust=trust(lets({"Service": LAMBDA}), lets({"Service": LAMBDA}, effect="Deny")),
            ),
        ),
        OF_CI,
        "role app",
        [],
    ),
    "and the roles that it may assume": (
        (
            role("app", iam(["iam:PassRole", *START])),
            served(LAMBDA),
            role("db", trust=trust(lets(CI))),
        ),
        key("k", allow(role_arn("db"), DECRYPT)),
        "role app",
        ["PASSED_ROLE, ASSUMED_ROLE: CONDITIONAL via role ci, role db"],
    ),
    "and no other step": (
        (role("app", iam(["iam:PassRole", *START])), served(LAMBDA)),
        key("k", allow(CI, "kms:PutKeyPolicy")),
        "role app",
        [],
    ),
    "a role of another account cannot be passed": (
        (
            role("app", iam(["iam:PassRole", *START])),
            replace(served(LAMBDA), principal=parse_principal(f"arn:aws:iam::{OTHER}:role/ci")),
        ),
        key("k", allow(f"arn:aws:iam::{OTHER}:role/ci", DECRYPT)),
        "role app",
        [],
    ),
}
CASES = {
    f"{rule}: {name}": case
    for rule, cases in (("K159", IMPERSONATION_CASES), ("K161", PASSED_CASES))
    for name, case in cases.items()
}


@pytest.mark.parametrize(
    ("identities", "on", "subject", "expected"), CASES.values(), ids=CASES.keys()
)
def test_who_obtains_decrypt_by_acting_as_another(
    identities: Any, on: Any, subject: str, expected: list[str]
) -> None:
    found = detours(reach(identities, on), subject, DECRYPT)
    assert sorted(told(detour) for detour in found) == expected


def test_a_passed_role_is_a_path_and_says_where_code_runs() -> None:
    search = reach((role("app", iam(["iam:PassRole", *START])), served(LAMBDA)), OF_CI)
    (detour,) = detours(search, "role app", DECRYPT)
    assert detour.kinds == (DetourKind.PASSED_ROLE,)
    assert [reason.text for reason in detour.reasons] == ["runs code in lambda.amazonaws.com"]
    assert [hop.text for hop in detour.proof.hops] == [
        "inline policy Access, statement 1, allows iam:PassRole, lambda:CreateFunction, "
        "lambda:InvokeFunction on *",
        "trust policy of role ci, statement 1, lets service lambda.amazonaws.com assume it",
        "role ci holds kms:Decrypt",
        "key policy, statement 1, allows kms:Decrypt to role/ci",
    ]


def test_the_proof_of_an_impersonation_names_the_action() -> None:
    search = reach((role("app", iam("iam:*")), BOB), key("k", allow(user_arn("bob"), DECRYPT)))
    (detour,) = detours(search, "role app", DECRYPT)
    assert [hop.text for hop in detour.proof.hops] == [
        "inline policy Access, statement 1, allows iam:* on *",
        "iam:CreateAccessKey lets it act as user bob",
        "user bob holds kms:Decrypt",
        "key policy, statement 1, allows kms:Decrypt to user/bob",
    ]
