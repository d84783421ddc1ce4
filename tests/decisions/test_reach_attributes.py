"""Setting the tags or aliases that conditions ask for (K163)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import (
    ACCOUNT,
    DELEGATION,
    REGION,
    allow,
    deny,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import detours, lets, reach, told, trust

DECRYPT = "kms:Decrypt"
ALICE = user_arn("alice")
KEY = key("k", DELEGATION)
TAGGED = key("k", DELEGATION, tags={"team": "b"})
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def if_tag(operator: str = "StringEquals", value: str = "a", effect: str = "Allow") -> Any:
    return iam(DECRYPT, effect=effect, Condition={operator: {"aws:ResourceTag/team": value}})


def if_alias(value: str, operator: str = "ForAnyValue:StringLike", effect: str = "Allow") -> Any:
    return iam(DECRYPT, effect=effect, Condition={operator: {"kms:ResourceAliases": value}})


def alias_arn(name: str) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/{name}"


OF_TEAM = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
SURE, CONDITIONAL = ["ATTRIBUTE: ALLOWED"], ["ATTRIBUTE: CONDITIONAL"]
TAGGING = iam("kms:TagResource")

CASES: dict[str, tuple[Any, Any, str, list[str]]] = {
    "a tag that one can set": (user("alice", if_tag(), TAGGING), KEY, "user alice", SURE),
    "a tag that one can overwrite": (user("alice", if_tag(), TAGGING), TAGGED, "user alice", SURE),
    "a tag that one cannot set": (user("alice", if_tag()), KEY, "user alice", []),
    "a tag that one can only remove": (
        user("alice", if_tag(), iam("kms:UntagResource")),
        TAGGED,
        "user alice",
        [],
    ),
    "another key's tags": (
        user("alice", if_tag(), iam("kms:TagResource", key("other").arn)),
        KEY,
        "user alice",
        [],
    ),
    "the tag is there": (
        user("alice", if_tag(), TAGGING),
        key("k", DELEGATION, tags={"team": "a"}),
        "user alice",
        [],
    ),
    "no condition asks for a tag": (
        user("alice", iam("kms:Encrypt"), TAGGING),
        TAGGED,
        "user alice",
        [],
    ),
    "tagging under a condition": (
        user("alice", if_tag(), iam("kms:TagResource", Condition=MFA)),
        KEY,
        "user alice",
        CONDITIONAL,
    ),
    "a further condition beside the tag": (
        user(
            "alice",
            TAGGING,
            iam(DECRYPT, Condition={**MFA, "StringEquals": {"aws:ResourceTag/team": "a"}}),
        ),
        KEY,
        "user alice",
        CONDITIONAL,
    ),
    "a Deny that asks for a tag": (
        user("alice", iam(DECRYPT), if_tag(value="b", effect="Deny"), TAGGING),
        TAGGED,
        "user alice",
        SURE,
    ),
    "a Deny that asks for a tag, which one can remove": (
        user("alice", iam(DECRYPT), if_tag(value="b", effect="Deny"), iam("kms:UntagResource")),
        TAGGED,
        "user alice",
        SURE,
    ),
    "a Deny that asks for a tag, which one cannot change": (
        user("alice", iam(DECRYPT), if_tag(value="b", effect="Deny")),
        TAGGED,
        "user alice",
        [],
    ),
    "another Deny stays": (
        user("alice", if_tag(), TAGGING, iam(DECRYPT, effect="Deny")),
        KEY,
        "user alice",
        [],
    ),
    "the boundary asks for the tag": (
        user("alice", iam(DECRYPT), TAGGING, boundary=[if_tag(), TAGGING]),
        KEY,
        "user alice",
        SURE,
    ),
    "the boundary does not allow the tagging": (
        user("alice", iam(DECRYPT), TAGGING, boundary=[if_tag()]),
        KEY,
        "user alice",
        [],
    ),
    "a key that does not delegate": (
        user("alice", if_tag()),
        key("k", allow(ALICE, "kms:TagResource")),
        "user alice",
        [],
    ),
    "a tag that equals the own one": (
        user(
            "alice",
            TAGGING,
            iam(
                DECRYPT,
                Condition={"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
            ),
            tags={"team": "a"},
        ),
        TAGGED,
        "user alice",
        SURE,
    ),
    "an alias that one can give": (
        user("alice", if_alias("alias/app-*"), iam("kms:CreateAlias")),
        KEY,
        "user alice",
        SURE,
    ),
    "an alias that one cannot give": (
        user("alice", if_alias("alias/app-*"), iam("kms:CreateAlias", KEY.arn)),
        KEY,
        "user alice",
        [],
    ),
    "aliases of other names": (
        user(
            "alice",
            if_alias("alias/app-*"),
            iam("kms:CreateAlias", [KEY.arn, alias_arn("dev-*")]),
        ),
        KEY,
        "user alice",
        [],
    ),
    "aliases of such names": (
        user(
            "alice",
            if_alias("alias/app-*"),
            iam("kms:CreateAlias", [KEY.arn, alias_arn("app-*")]),
        ),
        KEY,
        "user alice",
        SURE,
    ),
    "no permission on the key (K113)": (
        user("alice", if_alias("alias/app-*"), iam("kms:CreateAlias", alias_arn("*"))),
        KEY,
        "user alice",
        [],
    ),
    "an alias that a Deny asks for, and one can delete (K141)": (
        user(
            "alice",
            iam(DECRYPT),
            if_alias("alias/k", effect="Deny"),
            iam("kms:DeleteAlias"),
        ),
        KEY,
        "user alice",
        ["ATTRIBUTE: UNDECIDED"],
    ),
    "an alias that a Deny asks for, and one cannot delete": (
        user("alice", iam(DECRYPT), if_alias("alias/k", effect="Deny")),
        KEY,
        "user alice",
        [],
    ),
    "own tags of a user": (
        user("alice", iam(DECRYPT, Condition=OF_TEAM), iam("iam:TagUser")),
        KEY,
        "user alice",
        SURE,
    ),
    "tags of other users": (
        user("alice", iam(DECRYPT, Condition=OF_TEAM), iam("iam:TagUser", user_arn("bob"))),
        KEY,
        "user alice",
        [],
    ),
    "the user has the tag": (
        user("alice", iam(DECRYPT, Condition=OF_TEAM), iam("iam:TagUser"), tags={"team": "a"}),
        KEY,
        "user alice",
        [],
    ),
    "the surest of two ways": (
        user(
            "alice",
            iam(DECRYPT),
            if_tag(value="b", effect="Deny"),
            iam("kms:TagResource", Condition=MFA),
            iam("kms:UntagResource"),
        ),
        TAGGED,
        "user alice",
        SURE,
    ),
    "own tags that the key policy asks for": (
        user("alice", iam("iam:TagUser")),
        key("k", allow(ALICE, DECRYPT, Condition=OF_TEAM)),
        "user alice",
        SURE,
    ),
    "own tags of a role, conditional in the map": (
        role("app", iam(DECRYPT, Condition=OF_TEAM), iam("iam:TagRole")),
        KEY,
        "role app",
        SURE,
    ),
    "no own tags of a role": (
        role("app", iam(DECRYPT, Condition=OF_TEAM)),
        KEY,
        "role app",
        [],
    ),
    "tags of users, by a role": (
        role("app", iam(DECRYPT, Condition=OF_TEAM), iam("iam:TagUser")),
        KEY,
        "role app",
        [],
    ),
    "tags of the session (K134)": (
        (
            user("alice"),
            role(
                "app",
                iam(DECRYPT, Condition=OF_TEAM),
                trust=trust(lets(ALICE, ["sts:AssumeRole", "sts:TagSession"])),
            ),
        ),
        KEY,
        "user alice",
        [
            "ASSUMED_ROLE: CONDITIONAL via role app",
            "ASSUMED_ROLE, ATTRIBUTE: ALLOWED via role app",
        ],
    ),
    "tags of the session at the end of a chain": (
        (
            user("alice"),
            role("ci", trust=trust(lets(ALICE))),
            role(
                "app",
                iam(DECRYPT, Condition=OF_TEAM),
                trust=trust(lets(role_arn("ci"), ["sts:AssumeRole", "sts:TagSession"])),
            ),
        ),
        KEY,
        "user alice",
        [
            "ASSUMED_ROLE, ASSUMED_ROLE: CONDITIONAL via role ci, role app",
            "ASSUMED_ROLE, ASSUMED_ROLE, ATTRIBUTE: ALLOWED via role ci, role app",
        ],
    ),
    "no tags of the session": (
        (
            user("alice"),
            role("app", iam(DECRYPT, Condition=OF_TEAM), trust=trust(lets(ALICE))),
        ),
        KEY,
        "user alice",
        ["ASSUMED_ROLE: CONDITIONAL via role app"],
    ),
    "after a role": (
        (user("alice"), role("app", if_tag(), TAGGING, trust=trust(lets(ALICE)))),
        KEY,
        "user alice",
        ["ASSUMED_ROLE, ATTRIBUTE: ALLOWED via role app"],
    ),
}


@pytest.mark.parametrize(
    ("identities", "on", "subject", "expected"), CASES.values(), ids=CASES.keys()
)
def test_who_obtains_decrypt_by_attributes(
    identities: Any, on: Any, subject: str, expected: list[str]
) -> None:
    """K163."""
    found = detours(reach(identities, on), subject, DECRYPT)
    assert [told(detour) for detour in found] == expected


UPDATE = "kms:UpdateAlias"
MOVES = {
    "an alias of another key, which one can move here": (if_alias("alias/app"), iam(UPDATE), SURE),
    "an alias of another key, which one may not move": (
        if_alias("alias/app"),
        iam(UPDATE, [KEY.arn, alias_arn("*")]),
        [],
    ),
    "an alias of a name that no key has": (if_alias("alias/db"), iam(UPDATE), []),
}


@pytest.mark.parametrize(("condition", "moving", "expected"), MOVES.values(), ids=MOVES.keys())
def test_an_alias_moves_with_permission_on_both_keys(
    condition: Any, moving: Any, expected: list[str]
) -> None:
    """K113."""
    search = reach(user("alice", condition, moving), KEY, key("app", DELEGATION))
    assert [told(d) for d in detours(search, "user alice", DECRYPT)] == expected


def test_an_alias_moves_within_a_region() -> None:
    far = key("app", DELEGATION, region="us-east-1")
    search = reach(user("alice", if_alias("alias/app"), iam(UPDATE)), KEY, far)
    assert detours(search, "user alice", DECRYPT) == []


def test_tags_in_a_key_policy_have_no_established_effect() -> None:
    """K140: nobody is said to obtain more by them."""
    statement = allow(ALICE, DECRYPT, Condition={"StringEquals": {"aws:ResourceTag/team": "a"}})
    search = reach(user("alice", TAGGING), key("k", DELEGATION, statement))
    assert detours(search, "user alice", DECRYPT) == []
    denied = key("k", DELEGATION, deny(ALICE, DECRYPT))
    assert detours(reach(user("alice", if_tag(), TAGGING), denied), "user alice", DECRYPT) == []


def test_the_proof_names_the_attribute_that_is_set() -> None:
    search = reach(role("app", if_tag(), TAGGING), KEY)
    (detour,) = detours(search, "role app", DECRYPT)
    assert [hop.text for hop in detour.proof.hops] == [
        f"key policy, statement 1, lets account {ACCOUNT} delegate kms:*",
        "inline policy Access, statement 2, allows kms:TagResource on *",
        "kms:TagResource lets it set the tags of alias/k",
        "inline policy Access, statement 1, allows kms:Decrypt on *",
    ]
    assert detour.reasons == ()
    assert role_arn("app") == str(detour.subject.arn)
