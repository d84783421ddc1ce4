"""Detours by roles that somebody may assume (K160): who gets in, and who does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    TRUST_POLICY,
)
from kms_access.policies.parsing import unreadable_policy
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
from tests.decisions.reaching import ANY_OTHER, detours, lets, reach, told, trust

DECRYPT = "kms:Decrypt"
CI = role_arn("ci")
ON_CI = iam("sts:AssumeRole", CI)
MAY = user("alice", iam("sts:AssumeRole"))
PLAIN = user("alice")
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"
OF_GITHUB = "federated provider token.actions.githubusercontent.com"
OF_CORP = "federated provider corp"
BY_TOKEN, BY_SAML = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"
SUB = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}
AUDIENCE = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": "x"}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
OUR_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
OTHER_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}}
PARTNER = f"arn:aws:iam::{OTHER}:role/partner"

SURE = "ASSUMED_ROLE: ALLOWED via role ci"
CONDITIONAL = "ASSUMED_ROLE: CONDITIONAL via role ci"
DELEGATED = "ASSUMED_ROLE: DELEGATED via role ci"
UNDECIDED = "ASSUMED_ROLE: UNDECIDED via role ci"


def ci(*statements: Any, **fields: Any) -> Any:
    return role("ci", trust=trust(*statements), **fields)


def tagged(name: str, **tags: str) -> Any:
    return user(name, iam("sts:AssumeRole"), tags=tags)


def unread(kind: ReasonKind, grammar: Any = IDENTITY_POLICY) -> Policy:
    reason = Reason("a policy", kind, "K83")
    return Policy("policy", unreadable_policy(grammar, reason), Origin("App/Unread"))


UNREADABLE, OUTSIDE = unread(ReasonKind.UNKNOWN_VALUE), unread(ReasonKind.OUTSIDE)
UNREADABLE_TRUST = (unread(ReasonKind.UNREADABLE, TRUST_POLICY),)


def elsewhere(name: str) -> Any:
    """A role that the definitions mention and do not define."""
    return role(name, complete=False)


GENERATED = Text((Unknown("the name of role Dev", "[A-Za-z0-9-]", unique=True),))

# The identities, and the detours of the subject to kms:Decrypt, which the key policy gives to ci.
CASES: dict[str, tuple[Any, str, list[str]]] = {
    "trust names the user itself": ((PLAIN, ci(lets(user_arn("alice")))), "user alice", [SURE]),
    "trust names another user": ((PLAIN, ci(lets(user_arn("bob")))), "user alice", []),
    "trust names the account, and a policy allows it": (
        (user("alice", ON_CI), ci(lets(ROOT))),
        "user alice",
        [SURE],
    ),
    "trust names the account, and no policy allows it": (
        (PLAIN, ci(lets(ROOT))),
        "user alice",
        [],
    ),
    "a policy allows another role": (
        (user("alice", iam("sts:AssumeRole", role_arn("cd"))), ci(lets(ROOT))),
        "user alice",
        [],
    ),
    "a policy allows it, and trust names nobody near": (
        (MAY, ci(lets(f"arn:aws:iam::{OTHER}:root"))),
        "user alice",
        [],
    ),
    "another action is allowed": (
        (user("alice", iam("sts:GetCallerIdentity")), ci(lets(ROOT))),
        "user alice",
        [],
    ),
    "trust gives another action": (
        (MAY, ci(lets(ROOT, BY_SAML))),
        "user alice",
        [],
    ),
    "the own policy denies what trust gives": (
        (user("alice", iam("sts:*", effect="Deny")), ci(lets(user_arn("alice")))),
        "user alice",
        [],
    ),
    "the trust policy denies it to the account": (
        (PLAIN, ci(lets(user_arn("alice")), lets(ROOT, effect="Deny"))),
        "user alice",
        [],
    ),
    "a boundary without the action, trust names the account": (
        (user("alice", ON_CI, boundary=[iam("kms:*")]), ci(lets(ROOT))),
        "user alice",
        [],
    ),
    "a boundary does not limit what names a user (K76)": (
        (user("alice", boundary=[iam("kms:*")]), ci(lets(user_arn("alice")))),
        "user alice",
        [SURE],
    ),
    "a boundary limits what names a role (K76)": (
        (role("dev", boundary=[iam("kms:*")]), ci(lets(role_arn("dev")))),
        "role dev",
        [],
    ),
    "a boundary with the action": (
        (role("dev", boundary=[iam("sts:*")]), ci(lets(role_arn("dev")))),
        "role dev",
        [SURE],
    ),
    "an external id": ((MAY, ci(lets(ROOT, Condition=EXTERNAL_ID))), "user alice", [CONDITIONAL]),
    "multi-factor authentication": (
        (MAY, ci(lets(ROOT, Condition=MFA))),
        "user alice",
        [CONDITIONAL],
    ),
    "our organization, declared": (
        (MAY, ci(lets(ROOT, Condition=OUR_ORGANIZATION))),
        "user alice",
        [SURE],
    ),
    "another organization": ((MAY, ci(lets(ROOT, Condition=OTHER_ORGANIZATION))), "user alice", []),
    "a tag that the user has": (
        (
            tagged("alice", team="a"),
            ci(lets(ROOT, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})),
        ),
        "user alice",
        [SURE],
    ),
    "a tag that the user does not have": (
        (
            tagged("alice", team="b"),
            ci(lets(ROOT, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})),
        ),
        "user alice",
        [],
    ),
    "a tag that a session of the role may have (K134)": (
        (
            role("dev", iam("sts:AssumeRole")),
            ci(lets(ROOT, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})),
        ),
        "role dev",
        [CONDITIONAL],
    ),
    "a tag of the role, in the caller's policy": (
        (
            user(
                "alice",
                iam("sts:AssumeRole", Condition={"StringEquals": {"aws:ResourceTag/open": "yes"}}),
            ),
            ci(lets(ROOT), tags={"open": "yes"}),
        ),
        "user alice",
        [SURE],
    ),
    "a tag that the role does not have": (
        (
            user(
                "alice",
                iam("sts:AssumeRole", Condition={"StringEquals": {"aws:ResourceTag/open": "yes"}}),
            ),
            ci(lets(ROOT)),
        ),
        "user alice",
        [],
    ),
    "another account, whose administrators decide": (
        ci(lets(f"arn:aws:iam::{OTHER}:root")),
        f"account {OTHER}",
        [DELEGATED],
    ),
    "another account with an external id": (
        ci(lets(OTHER, Condition=EXTERNAL_ID)),
        f"account {OTHER}",
        [DELEGATED],
    ),
    "another account that a condition keeps out": (
        ci(lets(OTHER, Condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}})),
        f"account {OTHER}",
        [],
    ),
    "a role of another account": (ci(lets(PARTNER)), "role partner", [DELEGATED]),
    "a user of the account whom the definitions do not hold": (
        ci(lets(user_arn("zoe"))),
        "user zoe",
        [SURE],
    ),
    "any other identity of the account": ((PLAIN, ci(lets(ROOT))), ANY_OTHER, [DELEGATED]),
    "everyone": (ci(lets("*")), "everyone", [SURE]),
    "everyone of our organization": (
        ci(lets("*", Condition=OUR_ORGANIZATION)),
        "our organization",
        [SURE],
    ),
    "everyone but outside of the organization": (
        ci(lets("*", Condition=OUR_ORGANIZATION)),
        "everyone",
        [],
    ),
    "OIDC with a subject": (
        ci(lets({"Federated": GITHUB}, BY_TOKEN, Condition=SUB)),
        OF_GITHUB,
        [CONDITIONAL],
    ),
    "OIDC without a condition": (ci(lets({"Federated": GITHUB}, BY_TOKEN)), OF_GITHUB, [SURE]),
    "OIDC and the action of people": (ci(lets({"Federated": GITHUB})), OF_GITHUB, []),
    "OIDC denied": (
        ci(
            lets({"Federated": GITHUB}, BY_TOKEN),
            lets({"Federated": GITHUB}, BY_TOKEN, "Deny"),
        ),
        OF_GITHUB,
        [],
    ),
    "a provider that only another role names": (
        (
            ci(lets({"Federated": GITHUB}, BY_TOKEN)),
            role("cd", trust=trust(lets({"Federated": SAML}, BY_SAML))),
        ),
        OF_CORP,
        [],
    ),
    "SAML": (ci(lets({"Federated": SAML}, BY_SAML, Condition=AUDIENCE)), OF_CORP, [CONDITIONAL]),
    "SAML and the action of OIDC": (ci(lets({"Federated": SAML}, BY_TOKEN)), OF_CORP, []),
    "a service": (
        (MAY, ci(lets({"Service": "lambda.amazonaws.com"}))),
        "user alice",
        [],
    ),
    "a trust policy that cannot be read": (
        (PLAIN, role("ci", trust=UNREADABLE_TRUST)),
        "user alice",
        [UNDECIDED],
    ),
    "a trust policy that cannot be read, and a Deny": (
        (user("alice", iam("sts:*", effect="Deny")), role("ci", trust=UNREADABLE_TRUST)),
        "user alice",
        [],
    ),
    "a trust policy for somebody who is not known yet": (
        (PLAIN, ci(lets(Text((Unknown("the ARN of a role"),))))),
        "user alice",
        [UNDECIDED],
    ),
    "a role without a trust policy": ((MAY, role("ci")), "user alice", []),
    "a role elsewhere, and a policy allows it": ((MAY, elsewhere("ci")), "user alice", [UNDECIDED]),
    "a role elsewhere, and no policy allows it": ((PLAIN, elsewhere("ci")), "user alice", []),
    "a role elsewhere, and a policy allows another": (
        (user("alice", iam("sts:AssumeRole", role_arn("cd"))), elsewhere("ci")),
        "user alice",
        [],
    ),
    "a role that only the key policy names": (MAY, "user alice", [UNDECIDED]),
    "a role that has a generated name, named as itself": (
        (role(GENERATED), ci(lets(Text((f"arn:aws:iam::{ACCOUNT}:role/", *GENERATED.parts))))),
        "role Unnamed",
        [SURE],
    ),
    "a literal name that a generated name may be": (
        (role(GENERATED), ci(lets(role_arn("x-Dev-1A2B3C4D5E6F")))),
        "role Unnamed",
        [UNDECIDED],
    ),
    "a generated name that a literal name may be": (
        (
            role("x-Dev-1A2B3C4D5E6F"),
            ci(lets(Text((f"arn:aws:iam::{ACCOUNT}:role/", *GENERATED.parts)))),
        ),
        "role x-Dev-1A2B3C4D5E6F",
        [UNDECIDED],
    ),
    "a session of a role": (
        (
            role("dev", iam("sts:AssumeRole")),
            ci(lets(f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/s1")),
        ),
        "session s1 of role dev",
        [SURE],
    ),
    "the role of a session": (
        (
            role("dev", iam("sts:AssumeRole")),
            ci(lets(f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/s1")),
        ),
        "role dev",
        [CONDITIONAL],
    ),
    "an identity policy that cannot be read": (
        (replace(PLAIN, policies=(UNREADABLE,)), ci(lets(ROOT))),
        "user alice",
        [UNDECIDED],
    ),
    "an identity policy that lies outside": (
        (replace(PLAIN, policies=(OUTSIDE,)), ci(lets(ROOT))),
        "user alice",
        [DELEGATED],
    ),
}


@pytest.mark.parametrize(("identities", "subject", "expected"), CASES.values(), ids=CASES.keys())
def test_who_gets_in_by_a_role(identities: Any, subject: str, expected: list[str]) -> None:
    search = reach(identities, key("k", allow(CI, DECRYPT)))
    assert [told(d) for d in detours(search, subject, DECRYPT)] == expected
