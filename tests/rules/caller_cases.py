"""Callers that hide in conditions, exceptions and grants: each must be caught."""

from __future__ import annotations

from typing import Any

from kms_access.policies.text import Text, Unknown
from tests.builders import ACCOUNT, DELEGATION, OTHER, allow, deny, grant, key, role_arn, user_arn
from tests.rules.check_cases import READER, RULES, Case, custom

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
OWN = "any other identity of the account"
PUBLIC = "public-access: everyone can decrypt with key alias/data"
OUTSIDE = f"external-account: role ci of account {OTHER} has access to key alias/data"
OUTSIDE_ACCOUNT = f"external-account: account {OTHER} can let its identities access key alias/data"
PARTNER = Text((Unknown('parameter "Partner"', "[0-9]"),))


def when(operator: str, name: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {name: value}}}


def decrypts(who: str) -> str:
    return f"team-access: {who} can decrypt with key alias/data"


def case(*statements: Any, findings: list[str], code: int = 1, **more: Any) -> Case:
    return Case([custom(*statements)], findings=findings, code=code, **more)


CALLER_CASES = {
    "a condition is not hidden by delegation": case(
        DELEGATION,
        allow(role_arn("ci"), "kms:Decrypt", Condition=MFA),
        findings=[decrypts("role ci")],
    ),
    "tags of a user that is defined elsewhere": case(
        allow(user_arn("eve"), "kms:Decrypt", **when("StringEquals", "aws:PrincipalTag/a", "b")),
        findings=[decrypts("user eve")],
    ),
    "public to users": case(
        allow("*", "kms:Decrypt", **when("StringEquals", "aws:PrincipalType", "User")),
        findings=[PUBLIC],
    ),
    "public to root users": case(
        allow("*", "kms:Decrypt", **when("StringEquals", "aws:PrincipalType", "Account")),
        findings=[PUBLIC],
    ),
    "public by a user name": case(
        allow("*", "kms:Decrypt", **when("StringLike", "aws:username", "a*")),
        findings=[PUBLIC],
    ),
    "public by a pattern over all accounts": case(
        allow("*", "kms:Decrypt", **when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*")),
        findings=[PUBLIC],
    ),
    "not public: a pattern in one account": case(
        allow(
            "*",
            "kms:Decrypt",
            **when("StringLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/app-*"),
        ),
        findings=[decrypts(OWN)],
    ),
    "not public: organization paths": case(
        allow(
            "*",
            "kms:Decrypt",
            **when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-1/*"),
        ),
        findings=[
            decrypts(OWN),
            decrypts("role deployer"),
            decrypts("organization o-a1b2c3d4e5"),
        ],
    ),
    "an identity that a condition of delegation names": case(
        allow({"AWS": OTHER}, "kms:Encrypt", **when(
            "ArnEquals", "aws:PrincipalArn", role_arn("ci", OTHER))),
        findings=[OUTSIDE, "team-access: role ci can encrypt with key alias/data"],
    ),
    "users that a condition of the own account names": case(
        allow(
            "*",
            "kms:Encrypt",
            Condition={"StringEquals": {"aws:username": "eve", "kms:CallerAccount": ACCOUNT}},
        ),
        findings=["team-access: user eve can encrypt with key alias/data"],
    ),
    "any service by a pattern": case(
        allow("*", "kms:Decrypt", **when("StringLike", "aws:PrincipalServiceName", "s*")),
        findings=[decrypts("any AWS service")],
    ),
    "an identity that a Deny spares": case(
        allow({"AWS": OTHER}, "kms:Encrypt"),
        deny("*", "kms:Encrypt", **when("ArnNotEquals", "aws:PrincipalArn", role_arn("ci", OTHER))),
        findings=[OUTSIDE, "team-access: role ci can encrypt with key alias/data"],
    ),
    "an organization that a Deny spares": case(
        allow("*", "kms:Encrypt"),
        deny("*", "kms:Encrypt", **when("StringNotEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5")),
        findings=[
            "team-access: organization o-a1b2c3d4e5 can encrypt with key alias/data",
            "undecided: cannot decide who can use alias/data: "
            f"the organization of account {ACCOUNT}",
        ],
    ),
    "the identities of a pattern in another account": case(
        allow("*", "kms:Encrypt", **when(
            "ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OTHER}:role/*")),
        findings=[OUTSIDE_ACCOUNT, f"team-access: account {OTHER} can encrypt with key alias/data"],
    ),
    "services that a statement for everyone admits": case(
        allow("*", "kms:Decrypt", **when("StringEquals", "aws:SourceAccount", OTHER)),
        findings=[decrypts("any AWS service")],
    ),
    "a service that a condition names": case(
        allow("*", "kms:Decrypt", **when(
            "StringEquals", "aws:PrincipalServiceName", "sns.amazonaws.com")),
        findings=[decrypts("service sns.amazonaws.com")],
    ),
    "a service whose name is not known": case(
        allow({"Service": Text(("logs.", Unknown("the Region", "[a-z0-9-]"), ".amazonaws.com"))},
              "kms:Decrypt"),
        findings=[
            "confused-deputy: service logs.<the Region>.amazonaws.com can use key alias/data for "
            "anybody",
            decrypts("service logs.<the Region>.amazonaws.com")],
    ),
    "a key that a rule may be for": Case(
        [custom(allow(user_arn("eve"), "kms:Decrypt"),
                aliases=(Text(("alias/", Unknown("the alias"))),))],
        findings=["undecided: cannot decide who can use key data: the alias"],
        code=3,
    ),
    "a role of an account that is not known": Case(
        [custom()],
        grants=[grant(
            custom(),
            GranteePrincipal=Text(("arn:aws:iam::", *PARTNER.parts, ":role/app-x")),
            Operations=["Decrypt"],
        )],
        findings=['undecided: cannot decide who can use key alias/data: parameter "Partner"'],
        code=3,
    ),
    "a grantee given as an account id": Case(
        [custom()],
        grants=[grant(custom(), GranteePrincipal=OTHER, Operations=["Encrypt"])],
        findings=[OUTSIDE_ACCOUNT, f"team-access: account {OTHER} can encrypt with key alias/data"],
        code=1,
    ),
    "a session of a role that its team lists by ARN": case(
        allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/ops-1/s", "kms:PutKeyPolicy"),
        findings=[],
        code=0,
        rules=f"""\
version: 1
deployers: [role/deployer]
teams: {{ops: {{principals: ["{role_arn('ops-1')}"]}}, app: {{principals: [role/app-*]}}}}
keys:
  - {{name: d, match: {{alias: alias/data}}, allow: {{ops: [administer], app: [decrypt]}}}}
""",
    ),
    "public access as a warning leaves the findings about principals": case(
        allow("*", "kms:Decrypt"),
        findings=[
            PUBLIC,
            decrypts(OWN),
            decrypts("role deployer"),
            decrypts("any AWS service"),
        ],
        rules="""\
version: 1
deployers: [role/deployer]
teams: {app: {principals: [role/app-*]}}
keys: [{name: data, match: {alias: alias/data}, allow: {app: [use, view]}}]
checks: {public-access: warning}
""",
    ),
    "lockout undecided: only the root user is named": Case(
        [key("data", allow(role_arn("app-reader"), "kms:Decrypt"),
             DELEGATION | when("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:root"))],
        [READER],
        findings=["undecided: cannot decide who can change the key policy of alias/data"],
        code=3,
    ),
    "lockout undecided: an unknown role may be the deployer": Case(
        [key("data", allow(role_arn("app-reader"), "kms:Decrypt"),
             DELEGATION | when("ArnEquals", "aws:PrincipalArn",
                               Text((role_arn(""), Unknown('parameter "R"', "[a-z]")))))],
        [READER],
        findings=["undecided: cannot decide who can change the key policy of alias/data"],
        code=3,
    ),
    "lockout undecided: who deploys may fulfil a condition": Case(
        [key("data", allow(role_arn("app-reader"), "kms:Decrypt"),
             allow("*", "kms:PutKeyPolicy", **when(
                 "ArnLike", "aws:PrincipalArn", role_arn("deployer*"))))],
        [READER],
        findings=[
            f"self-escalation: {OWN} can change the key policy of alias/data "
            "| so it can give itself every action",
            f"team-access: {OWN} can administer key alias/data",
            "undecided: cannot decide who can change the key policy of alias/data",
        ],
        code=1,
    ),
    "public-access under a condition that does not fix the caller": Case(
        [
            key(
                "other",
                DELEGATION,
                allow(
                    "*",
                    "kms:Decrypt",
                    Condition={"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}},
                ),
            )
        ],
        findings=["public-access: everyone can decrypt with key alias/other"],
        code=1,
    ),
    "public-access: a negated condition on a key that outsiders lack": Case(
        [
            key(
                "other",
                DELEGATION,
                allow(
                    "*", "kms:Decrypt", Condition={"StringNotEquals": {"aws:username": "nobody"}}
                ),
            )
        ],
        findings=["public-access: everyone can decrypt with key alias/other"],
        code=1,
    ),
    "not public: the caller's account is fixed": Case(
        [
            key(
                "other",
                DELEGATION,
                allow(
                    "*", "kms:Decrypt", Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}}
                ),
            )
        ],
    ),
    "not public: the organization is fixed": Case(
        [
            key(
                "other",
                DELEGATION,
                allow(
                    "*",
                    "kms:Decrypt",
                    Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
                ),
            )
        ],
        rules=RULES.replace("teams:", "organization: o-a1b2c3d4e5\nteams:"),
    ),
    "public after all: the organization with IfExists": Case(
        [
            key(
                "other",
                DELEGATION,
                allow(
                    "*",
                    "kms:Decrypt",
                    Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
                ),
            )
        ],
        findings=["public-access: everyone can decrypt with key alias/other"],
        code=1,
    ),
}  # fmt: skip
