"""Statements of every form decide who may act as whom: each is asked, none is passed over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.inventory.model import Identity, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import (
    RESOURCE_CONTROL_POLICY,
    SERVICE_CONTROL_POLICY,
    TRUST_POLICY,
)
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    ROOT,
    allow,
    document,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import detours, lets, obtained, reach, told, trust

DECRYPT = "kms:Decrypt"
CI, ALICE = role_arn("ci"), user_arn("alice")
OF_CI = key("k", allow(CI, DECRYPT))
OF_TEAM = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
SURE, CONDITIONAL = "ASSUMED_ROLE: ALLOWED via role ci", "ASSUMED_ROLE: CONDITIONAL via role ci"
UNDECIDED = "ASSUMED_ROLE: UNDECIDED via role ci"


def ci(*statements: Any) -> Identity:
    return role("ci", trust=trust(*(statements or (lets(ROOT),))))


def broken_trust(**elements: Any) -> Identity:
    """The role with one trust statement that AWS would refuse."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **elements}
    parsed = parse_policy(document(statement), TRUST_POLICY)
    return role("ci", trust=(Policy("trust policy", parsed, Origin("App/T")),))


def without(element: str, *statements: Any) -> Any:
    """Statements with the negation of an element, such as NotAction."""
    return [
        {(f"Not{name}" if name == element else name): value for name, value in one.items()}
        for one in statements
    ]


def user_ci(*statements: Any) -> Identity:
    """A user who has the name of the role, in a definition of its own."""
    named = user("ci", *statements)
    return replace(named, origin=replace(named.origin, identity="App/UserCi"))


UNKNOWN_ACTION = Text((Unknown("an action"),))

# The user alice, the role ci, and the detours of alice to what ci can decrypt.
ASSUMING: dict[str, tuple[Identity, Identity, list[str]]] = {
    "every action": (user("alice", iam("*")), ci(), [SURE]),
    "every action of a service in a pattern": (user("alice", iam("st*:*")), ci(), [SURE]),
    "a service in a pattern of one character": (user("alice", iam("st?:*")), ci(), [SURE]),
    "Action and NotAction in one statement": (
        user("alice", {**iam("s3:*"), "NotAction": "s3:*"}),
        ci(),
        [UNDECIDED],
    ),
    "the action in another case (K19)": (user("alice", iam("STS:assumerole")), ci(), [SURE]),
    "NotAction without it": (user("alice", *without("Action", iam("s3:*"))), ci(), [SURE]),
    "NotAction with it": (user("alice", *without("Action", iam("sts:*"))), ci(), []),
    "NotResource without it": (
        user("alice", *without("Resource", iam("sts:*", role_arn("cd")))),
        ci(),
        [SURE],
    ),
    "NotResource with it": (
        user("alice", *without("Resource", iam("sts:*", role_arn("ci")))),
        ci(),
        [],
    ),
    "an action that is not known yet": (user("alice", iam(UNKNOWN_ACTION)), ci(), [UNDECIDED]),
    "a policy variable in the resource": (
        user_ci(iam("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/${{aws:username}}")),
        ci(),
        [SURE],
    ),
    "a source that only services have": (
        user("alice", iam("sts:*")),
        ci(lets(ROOT, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})),
        [],
    ),
    "a tag of a user who has none": (
        user("alice", iam("sts:*")),
        ci(lets(ROOT, Condition=OF_TEAM)),
        [],
    ),
    "a tag of a user who is defined elsewhere": (
        user("alice", iam("sts:*"), complete=False),
        ci(lets(ROOT, Condition=OF_TEAM)),
        [CONDITIONAL],
    ),
    "Principal and NotPrincipal in one statement": (
        user("alice"),
        broken_trust(Principal=ROOT, NotPrincipal=ROOT),
        [UNDECIDED],
    ),
    "NotPrincipal in a trust policy (K39)": (
        user("alice"),
        broken_trust(NotPrincipal={"AWS": user_arn("bob")}),
        [UNDECIDED],
    ),
    "no Principal in a trust policy (K17)": (user("alice", iam("*")), broken_trust(), []),
}


@pytest.mark.parametrize(("subject", "target", "expected"), ASSUMING.values(), ids=ASSUMING.keys())
def test_forms_of_statements_about_assume_role(
    subject: Identity, target: Identity, expected: list[str]
) -> None:
    search = reach((subject, target), OF_CI)
    label = subject.label
    found = [d for d in detours(search, label, DECRYPT) if d.kinds[0].name == "ASSUMED_ROLE"]
    assert [told(d) for d in found] == expected


BOB, EVE = user("bob", tags={"open": "yes"}), user("eve")
OF_USERS = key("k", allow([user_arn("bob"), user_arn("eve")], DECRYPT))
CREATE = "iam:CreateAccessKey"
IF_OPEN = {"StringEquals": {"aws:ResourceTag/open": "yes"}}
IF_UNBOUNDED = {"Null": {"iam:PermissionsBoundary": "true"}}
ONE, BOTH = ["user bob"], ["user bob", "user eve"]

# Statements and boundary of the role, and as whom it can act.
ACTING: dict[str, tuple[list[Any], Any, list[str]]] = {
    "every user": ([iam(CREATE)], None, BOTH),
    "one user": ([iam(CREATE, user_arn("bob"))], None, ONE),
    "all but one user": (without("Resource", iam(CREATE, user_arn("eve"))), None, ONE),
    "users of a tag": ([iam(CREATE, Condition=IF_OPEN)], None, ONE),
    "users without a boundary": ([iam(CREATE, Condition=IF_UNBOUNDED)], None, BOTH),
    "a Deny on one user": ([iam(CREATE), iam(CREATE, user_arn("eve"), "Deny")], None, ONE),
    "a Deny on users of a tag": (
        [iam(CREATE), iam(CREATE, effect="Deny", Condition=IF_OPEN)],
        None,
        ["user eve"],
    ),
    "a boundary for one user": ([iam(CREATE)], [iam(CREATE, user_arn("bob"))], ONE),
    "every user but not through this action": ([iam("iam:Get*")], None, []),
    "a user whose name is not known yet": (
        [iam(CREATE, Text((f"arn:aws:iam::{ACCOUNT}:user/", Unknown("a name"))))],
        None,
        BOTH,
    ),
}


@pytest.mark.parametrize(("statements", "boundary", "expected"), ACTING.values(), ids=ACTING.keys())
def test_as_whom_somebody_can_act(
    statements: list[Any], boundary: Any, expected: list[str]
) -> None:
    """Where statements tell identities apart, each is asked for alone (K159)."""
    search = reach((role("app", *statements, boundary=boundary), BOB, EVE), OF_USERS)
    found = detours(search, "role app", DECRYPT)
    assert [label for detour in found for label in detour.through] == expected
    assert {detour.kinds[0].name for detour in found} <= {"IMPERSONATION"}


def test_the_surest_of_several_ways_counts() -> None:
    ways = (iam(CREATE, Condition=MFA), iam("iam:CreateLoginProfile"))
    for statements in (ways, ways[::-1]):
        search = reach((role("app", *statements), BOB), key("k", allow(user_arn("bob"), DECRYPT)))
        (detour,) = detours(search, "role app", DECRYPT)
        assert told(detour) == "IMPERSONATION: ALLOWED via user bob"
        assert "iam:CreateLoginProfile lets it act as user bob" in texts(detour)


def texts(detour: Any) -> list[str]:
    return [hop.text for hop in detour.proof.hops]


OPENING = "iam:UpdateAssumeRolePolicy"
OPENED: dict[str, tuple[list[Any], Any, dict[str, Any], list[str]]] = {
    "no limit": ([iam(OPENING)], None, {}, ["IMPERSONATION: ALLOWED via role ci"]),
    "a boundary without AssumeRole, which names no role (K76)": (
        [iam(OPENING)],
        [iam(OPENING)],
        {},
        ["IMPERSONATION: ALLOWED via role ci"],
    ),
    "a boundary that denies AssumeRole": (
        [iam(OPENING)],
        [iam("*"), iam("sts:AssumeRole", effect="Deny")],
        {},
        [],
    ),
    "AssumeRole denied under a condition": (
        [iam(OPENING), iam("sts:AssumeRole", effect="Deny", Condition=MFA)],
        None,
        {},
        ["IMPERSONATION: CONDITIONAL via role ci"],
    ),
    "a service control policy that denies AssumeRole": (
        [iam(OPENING)],
        None,
        {"service_control": ("sts:AssumeRole", SERVICE_CONTROL_POLICY)},
        [],
    ),
    "a service control policy that denies the opening": (
        [iam(OPENING)],
        None,
        {"service_control": (OPENING, SERVICE_CONTROL_POLICY)},
        [],
    ),
    "a resource control policy does not reach IAM (K71)": (
        [iam(OPENING)],
        None,
        {"resource_control": ("iam:*", RESOURCE_CONTROL_POLICY)},
        ["IMPERSONATION: ALLOWED via role ci"],
    ),
}


def level(action: str, grammar: Any) -> Any:
    everything = iam("*")
    denied = iam(action, effect="Deny")
    if grammar is RESOURCE_CONTROL_POLICY:
        denied, everything = denied | {"Principal": "*"}, everything | {"Principal": "*"}
    parsed = parse_policy(document(everything, denied), grammar)
    return ((Policy("level", parsed, Origin("App/Org")),),)


@pytest.mark.parametrize(
    ("statements", "boundary", "levels", "expected"), OPENED.values(), ids=OPENED.keys()
)
def test_a_role_whose_trust_policy_can_be_opened(
    statements: list[Any], boundary: Any, levels: dict[str, Any], expected: list[str]
) -> None:
    """K159: the trust policy is one's own; what else stands against AssumeRole stays."""
    ceilings = {name: level(*what) for name, what in levels.items()}
    search = reach((role("app", *statements, boundary=boundary), role("ci")), OF_CI, **ceilings)
    assert [told(d) for d in detours(search, "role app", DECRYPT)] == expected


def test_a_boundary_that_stops_the_write_stops_it_until_it_is_lifted() -> None:
    """K158."""
    power = ["iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"]
    lifting = role("app", iam(power), boundary=[iam("iam:DeleteRolePermissionsBoundary")])
    keeping = role("app", iam(power), boundary=[iam("kms:*")])
    search = reach(lifting, key("k", DELEGATION))
    assert [told(d) for d in detours(search, "role app", DECRYPT)] == ["IDENTITY_POLICY: ALLOWED"]
    assert detours(reach(keeping, key("k", DELEGATION)), "role app", DECRYPT) == []


def test_what_policies_elsewhere_may_say_about_iam_opens_nothing() -> None:
    of_another = role("app", iam("iam:PutRolePolicy", CI), complete=False)
    search = reach(of_another, key("k", allow(ROOT, DECRYPT)))
    assert obtained(search, "role app", "IDENTITY_POLICY") == frozenset()


def test_what_policies_elsewhere_may_say_about_iam_makes_nobody_another() -> None:
    app = role("app", iam(CREATE, Condition=IF_OPEN), complete=False)
    search = reach((app, BOB, EVE), OF_USERS)
    found = detours(search, "role app", DECRYPT)
    assert [told(detour) for detour in found] == ["IMPERSONATION: ALLOWED via user bob"]


def test_a_session_has_tags_only_if_the_trust_policy_lets_it() -> None:
    """K163: permission in the caller's own policies is not enough."""
    conditional = role("ci", iam(DECRYPT, Condition=OF_TEAM), trust=trust(lets(ALICE)))
    search = reach((user("alice", iam("sts:*")), conditional), key("k", DELEGATION))
    assert [told(d) for d in detours(search, "user alice", DECRYPT)] == [CONDITIONAL]
    elsewhere = role("ci", iam(DECRYPT, Condition=OF_TEAM), complete=False)
    search = reach((user("alice", iam("sts:*")), elsewhere), key("k", DELEGATION))
    assert [told(d) for d in detours(search, "user alice", DECRYPT)] == [UNDECIDED]


def test_the_trust_of_a_service_may_hang_on_its_source() -> None:
    passing = role("app", iam(["iam:PassRole", "lambda:*"]))
    source = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    serving = ci(lets({"Service": "lambda.amazonaws.com"}, Condition=source))
    (detour,) = detours(reach((passing, serving), OF_CI), "role app", DECRYPT)
    assert told(detour) == "PASSED_ROLE: CONDITIONAL via role ci"
    assert 'the request key "aws:SourceAccount"' in [reason.text for reason in detour.reasons]


def test_hops_of_a_role_elsewhere_stand_for_it() -> None:
    """Nobody can point into a definition that is not there: the ARN stands in its place."""
    (detour,) = detours(reach(role("app", iam("sts:AssumeRole")), OF_CI), "role app", DECRYPT)
    assert [(hop.text, hop.origin.identity) for hop in detour.proof.hops][1:] == [
        ("inline policy Access, statement 1, allows sts:AssumeRole on *", "App/app"),
        ("role ci holds kms:Decrypt", CI),
        ("key policy, statement 1, allows kms:Decrypt to role/ci", "App/k"),
    ]
    assert detour.proof.hops[0].origin.identity == CI
    (reason,) = detour.reasons
    assert reason.text == "the trust policy of role ci, which the definitions do not hold"


def test_access_that_is_open_is_told_as_such() -> None:
    somebody = allow(Text((Unknown("the ARN of somebody"),)), DECRYPT)
    search = reach((user("alice"), ci(lets(ALICE))), key("k", somebody))
    (detour,) = detours(search, "user alice", DECRYPT)
    assert told(detour) == UNDECIDED
    assert "role ci may hold kms:Decrypt" in texts(detour)


def test_many_actions_are_told_by_the_first() -> None:
    many = ["kms:Encrypt", DECRYPT, "kms:DescribeKey", "kms:GenerateDataKey", "kms:CreateGrant"]
    search = reach((user("alice"), ci(lets(ALICE))), key("k", allow(CI, many)))
    found = [d for d in detours(search, "user alice", DECRYPT) if len(d.kinds) == 1]
    hop = "role ci holds kms:CreateGrant, kms:Decrypt, kms:DescribeKey and 2 more"
    assert [texts(detour)[1] for detour in found] == [hop]
