"""Powers over a key: who manages and uses, destroys, creates grants, and comes from outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kms_access.inventory.model import Grant, Key
from kms_access.inventory.origin import Origin
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
from tests.rules.check_cases import READER, RULES, Case

THIRD = "999999999999"
OWN = "any other identity of the account"
MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
DUTIES = ["kms:PutKeyPolicy", "kms:Decrypt"]
SERVICE_GRANTS = {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}


def other(*statements: Any, **fields: Any) -> Key:
    """A key that no rule is for: built-in checks alone speak."""
    return key("other", DELEGATION, *statements, **fields)


def when(operator: str, name: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {name: value}}}


def called(name: str, same: Grant) -> Grant:
    return replace(same, label=f"grant {name}", origin=Origin(f"App/{name}", name, "App"))


TO_APP = grant(other(), GranteePrincipal=role_arn("app-x"), Operations=["Decrypt", "Encrypt"])
LESS = replace(TO_APP, operations=("Decrypt",))
ELSEWHERE = replace(TO_APP, key_arn=key("data").arn)
MADE = replace(
    TO_APP,
    grantee=f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ec2.amazonaws.com/AWSServiceRoleForX",
)

RETIRED = replace(TO_APP, retiring_principal="dynamodb.eu-central-1.amazonaws.com")


def found(check: str, *claims: str) -> list[str]:
    return [f"{check}: {claim} alias/other" for claim in claims]


def duties(who: str) -> list[str]:
    both = "" if who == OWN else "both "
    escalation = f"self-escalation: {who} can change the key policy of alias/other"
    return [
        *found("separation-of-duties", f"{who} can {both}manage and use key"),
        f"{escalation} | so it can give itself every action",
    ]


def rules_for_other(team: str, words: str) -> str:
    """A rule that allows a team something on the key."""
    allowed = f"{{{team}: [{words}], app: [decrypt]}}"
    return f"{RULES}  - {{name: other, match: {{alias: alias/other}}, allow: {allowed}}}\n"


def grants(who: str) -> str:
    return f"grant-delegation: {who} can create grants for anybody on key alias/other"


def uses_by_grant(who: str) -> str:
    opens = f"{who} can create grants that open key alias/other"
    return f"self-escalation: {opens} | so it can give itself use"


POWER_CASES = {
    "separation-of-duties: named by the key policy": Case(
        [other(allow(role_arn("ops"), DUTIES))], findings=duties("role ops")
    ),
    "separation-of-duties: through delegation": Case(
        [other()], [READER, user("eve", iam(DUTIES, key("other").arn))], findings=duties("user eve")
    ),
    "separation-of-duties: use under a condition is use": Case(
        [
            other(
                allow(role_arn("ops"), "kms:ScheduleKeyDeletion"),
                allow(role_arn("ops"), "kms:Sign", **MFA),
                spec="RSA_2048",
                usage="SIGN_VERIFY",
            )
        ],
        findings=[
            *found("separation-of-duties", "role ops can both manage and use key"),
            *found("key-deletion", "role ops can destroy key"),
        ],
    ),
    "separation-of-duties: both under a condition": Case(
        [
            other(
                allow(user_arn("eve"), "kms:DisableKey"),
                allow(user_arn("eve"), "kms:Sign", **MFA),
                spec="RSA_2048",
                usage="SIGN_VERIFY",
            )
        ],
        [user("eve")],
        findings=found("separation-of-duties", "user eve can both manage and use key"),
    ),
    "separation-of-duties: use by a grant": Case(
        [other(allow(role_arn("ops"), "kms:DisableKey"))],
        grants=[grant(other(), GranteePrincipal=role_arn("ops"), Operations=["Decrypt"])],
        findings=found("separation-of-duties", "role ops can both manage and use key"),
    ),
    "separation-of-duties: any identity of the account": Case(
        [other(allow("*", DUTIES, **when("StringEquals", "kms:CallerAccount", ACCOUNT)))],
        findings=duties(OWN),
    ),
    "one duty each": Case(
        [
            other(
                allow(role_arn("ops"), ["kms:EnableKey", "kms:DescribeKey", "kms:TagResource"]),
                allow(role_arn("app-x"), ["kms:Encrypt", "kms:TagResource", "kms:GetKeyPolicy"]),
            )
        ]
    ),
    "who deploys may do both": Case([other(allow(role_arn("deployer"), DUTIES))]),
    "the owner of the rules allows both": Case(
        [other(allow(role_arn("ops"), DUTIES))], rules=rules_for_other("ops", "administer, decrypt")
    ),
    "separation-of-duties: the rules allow one of them": Case(
        [other(allow(role_arn("ops"), DUTIES))],
        rules=rules_for_other("ops", "administer"),
        findings=[
            *found("separation-of-duties", "role ops can both manage and use key"),
            *found("team-access", "role ops can decrypt with key"),
        ],
        code=1,
    ),
    "delegation alone is nobody's power": Case([other()]),
    "key-deletion": Case(
        [other(allow(user_arn("eve"), "kms:DeleteImportedKeyMaterial"))],
        findings=found("key-deletion", "user eve can destroy key"),
    ),
    "key-deletion: through delegation": Case(
        [other()],
        [READER, role("ops", iam("kms:Schedule*"))],
        findings=found("key-deletion", "role ops can destroy key"),
    ),
    "deletion that a rule allows": Case(
        [other(allow(role_arn("ops"), "kms:ScheduleKeyDeletion"))],
        rules=rules_for_other("ops", "delete"),
    ),
    "deletion by who deploys": Case([other(allow(role_arn("deployer"), "kms:Schedule*"))]),
    "deletion that is denied, and one that is undone": Case(
        [
            other(
                allow(role_arn("ops"), ["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]),
                deny("*", "kms:ScheduleKeyDeletion"),
            )
        ]
    ),
    "grant-delegation": Case(
        [other(allow(role_arn("ops"), "kms:CreateGrant"))],
        findings=[grants("role ops"), uses_by_grant("role ops")],
    ),
    "grant-delegation: through delegation, under a condition": Case(
        [other()],
        [READER, user("eve", iam("kms:Create*", **MFA))],
        findings=[grants("user eve"), uses_by_grant("user eve")],
    ),
    "grant-delegation: ForAnyValue lets the other operations through": Case(
        [
            other(
                allow(
                    role_arn("ops"),
                    "kms:CreateGrant",
                    **when("ForAnyValue:StringEquals", "kms:GrantOperations", ["Decrypt"]),
                )
            )
        ],
        findings=[grants("role ops"), uses_by_grant("role ops")],
    ),
    "grant-delegation: a pattern that takes any grantee": Case(
        [
            other(
                allow(
                    role_arn("ops"),
                    "kms:CreateGrant",
                    **when("StringLike", "kms:GranteePrincipal", "arn:aws:iam::*:role/*"),
                )
            )
        ],
        findings=[grants("role ops"), uses_by_grant("role ops")],
    ),
    "grant-delegation: one operation for anybody": Case(
        [
            other(
                allow(
                    role_arn("ops"),
                    "kms:CreateGrant",
                    **when("ForAllValues:StringEquals", "kms:GrantOperations", ["Encrypt"]),
                )
            )
        ],
        findings=[
            grants("role ops"),
            "self-escalation: role ops can create grants that open key alias/other "
            "| so it can give itself encrypt",
        ],
    ),
    "grants that give no use": Case(
        [
            other(
                allow(
                    role_arn("ops"),
                    "kms:CreateGrant",
                    **when("ForAllValues:StringEquals", "kms:GrantOperations", ["DescribeKey"]),
                )
            )
        ]
    ),
    "grants for AWS services alone": Case(
        [other(allow(role_arn("app-x"), ["kms:CreateGrant", "kms:ListGrants"], **SERVICE_GRANTS))]
    ),
    "grants through a service alone": Case(
        [
            other(
                allow(
                    "*",
                    ["kms:CreateGrant", "kms:DescribeKey"],
                    Condition={
                        "StringEquals": {
                            "kms:CallerAccount": ACCOUNT,
                            "kms:ViaService": "rds.eu-central-1.amazonaws.com",
                        }
                    },
                )
            )
        ]
    ),
    "grants for one grantee": Case(
        [
            other(
                allow(
                    role_arn("ops"),
                    "kms:CreateGrant",
                    **when("StringEquals", "kms:GranteePrincipal", role_arn("app-x")),
                )
            )
        ]
    ),
    "two exceptions of one Deny": Case(
        [
            other(
                allow(role_arn("ops"), "kms:CreateGrant"),
                deny(
                    "*",
                    "kms:CreateGrant",
                    Condition={
                        "BoolIfExists": {"kms:GrantIsForAWSResource": "false"},
                        "StringNotEquals": {"kms:GranteePrincipal": role_arn("scaling")},
                    },
                ),
            )
        ]
    ),
    "grants that a rule allows": Case(
        [other(allow(role_arn("ops"), "kms:CreateGrant"))], rules=rules_for_other("ops", "grant")
    ),
    "grants by who deploys": Case([other(allow(role_arn("deployer"), "kms:CreateGrant"))]),
    "a grant to create grants stays within it": Case(
        [other()],
        grants=[
            grant(
                other(),
                GranteePrincipal=role_arn("worker"),
                Operations=["Decrypt", "CreateGrant"],
            )
        ],
    ),
    "grant-delegation: one grant twice": Case(
        [other()],
        grants=[TO_APP, called("H", TO_APP), called("I", TO_APP), called("J", LESS)],
        findings=[
            "grant-delegation: grant G, grant H and grant I give the same "
            "| removing one of them takes nothing away"
        ],
    ),
    "grants that differ, and what a service makes for itself": Case(
        [other()],
        grants=[
            *(TO_APP, called("H", LESS), called("I", ELSEWHERE), MADE, called("K", MADE)),
            *(RETIRED, called("M", RETIRED)),
        ],
    ),
    "grant-delegation: a whole account": Case(
        [other(allow({"AWS": THIRD}, "kms:CreateGrant"))],
        findings=[
            grants(f"account {THIRD}"),
            *found(
                "external-account", f"account {THIRD} can let its identities access key"
            ),
        ],
        code=1,
    ),
    "grant-delegation: everyone, told once": Case(
        [other(allow("*", ["kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]))],
        findings=[
            *found("public-access", "everyone can give or revoke grants on key"),
            grants("everyone"),
            uses_by_grant("everyone"),
        ],
        code=1,
    ),
    "external-account: an identity": Case(
        [other(allow(user_arn("eve", THIRD), ["kms:Decrypt", "kms:Encrypt"]))],
        findings=found(
            "external-account", f"user eve of account {THIRD} has access to key"
        ),
        code=1,
    ),
    "external-account: a session, without accounts in the rules": Case(
        [other(allow(f"arn:aws:sts::{OTHER}:assumed-role/ci/s", "kms:DescribeKey"))],
        rules="version: 1\n",
        findings=found(
            "external-account", f"session s of role ci of account {OTHER} has access to key"
        ),
        code=1,
    ),
    "external-account: by a grant": Case(
        [other()],
        grants=[grant(other(), GranteePrincipal=role_arn("ci", OTHER), Operations=["Encrypt"])],
        findings=found("external-account", f"role ci of account {OTHER} has access to key"),
        code=1,
    ),
    "external-account: an organization that is not the declared one": Case(
        [other(allow("*", "kms:Decrypt", **when(
            "StringEquals", "aws:PrincipalOrgID", ["o-z9y8x7w6v5", "o-a1b2c3d4e5"])))],
        rules=RULES.replace("deployers:", "organization: o-a1b2c3d4e5\ndeployers:"),
        findings=found("external-account", "organization o-z9y8x7w6v5 has access to key"),
        code=1,
    ),
    "an organization, where the rules declare none": Case(
        [other(allow("*", "kms:Decrypt", **when(
            "StringEquals", "aws:PrincipalOrgID", "o-z9y8x7w6v5")))],
        findings=[
            "undecided: organization o-z9y8x7w6v5 has access to key alias/other and may not be "
            "ours"
        ],
        code=3,
    ),
    "another account that has what everyone has": Case(
        [other(allow("*", "kms:Decrypt"), deny("*", "kms:Encrypt", **when(
            "ArnNotEquals", "aws:PrincipalArn", role_arn("ci", OTHER))))],
        findings=found("public-access", "everyone can decrypt with key"),
        code=1,
    ),
    "another account that the rules list": Case(
        [other(allow({"AWS": OTHER}, "kms:Decrypt"), allow(role_arn("ci", OTHER), "kms:Encrypt"))],
        rules=RULES.replace('main: "111122223333"', 'main: "111122223333", more: "444455556666"'),
    ),
    "another account that a rule allows": Case(
        [other(allow({"AWS": OTHER}, "kms:Decrypt"))], rules=rules_for_other("partner", "decrypt")
    ),
    "another account under a condition that never holds": Case(
        [other(allow({"AWS": OTHER}, "kms:Decrypt", **when(
            "StringEquals", "aws:PrincipalAccount", ACCOUNT)))]
    ),
}  # fmt: skip
