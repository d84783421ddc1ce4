"""Definitions under a rules file, and what each check says about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kms_access.inventory.model import Grant, Identity, Key
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
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

RULES = """\
version: 1
accounts: {main: "111122223333"}
deployers: [role/deployer]
teams:
  app: {principals: [role/app-*]}
  ops: {principals: [role/ops], tags: {team: ops}}
  partner: {principals: ["444455556666", logs.amazonaws.com]}
  generated: {definitions: [App/Unnamed]}
keys:
  - name: data
    match: {alias: alias/data}
    allow:
      app: [use, view]
      ops: [administer, view, grant]
      partner: [decrypt]
      generated: [decrypt]
    require:
      app: [decrypt]
"""
READER = role("app-reader", iam("kms:Decrypt"))
ADMINISTRATION = allow(role_arn("deployer"), "kms:PutKeyPolicy")
ROOT_USER = DELEGATION | {
    "Condition": {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:root"}}
}
"""Keeps the key manageable whoever is deleted, and delegates nothing (K45, K154)."""
UNNAMED = Text((Unknown("the name of role Unnamed", "[a-z-]", unique=True),))
UNKNOWN_ARN = Text(("arn:aws:iam::111122223333:role/", Unknown('parameter "Reader"')))
UNKNOWN_ACCOUNT = Unknown("the account of the deployment", "[0-9]")


@dataclass
class Case:
    """`findings` are checks with claims; after ` | ` stands a part of the notes or of the rule."""

    keys: Sequence[Key]
    identities: Sequence[Identity] = (READER,)
    grants: Sequence[Grant] = ()
    findings: Sequence[str] = ()
    code: int = 0
    rules: str = RULES
    not_covered: Sequence[NotCovered] = field(default=())


def custom(*statements: Any, **fields: Any) -> Key:
    """The matched key with a key policy of its own that keeps the deployer and the reader."""
    reader = allow(role_arn("app-reader"), "kms:Decrypt")
    return key("data", ADMINISTRATION, ROOT_USER, reader, *statements, **fields)


CASES = {
    "a team member with what its team may do": Case([key("data")]),
    "team-access through delegation": Case(
        [key("data")],
        [READER, user("mallory", iam("kms:Decrypt"))],
        findings=["team-access: user mallory can decrypt with key alias/data"],
        code=1,
    ),
    "team-access named by the key policy alone": Case(
        [custom(allow(user_arn("eve"), "kms:Encrypt"))],
        findings=["team-access: user eve can encrypt with key alias/data"],
        code=1,
    ),
    "a team member beyond what its team may do": Case(
        [key("data")],
        [READER, role("app-admin", iam(["kms:Decrypt", "kms:PutKeyPolicy"]))],
        findings=[
            "separation-of-duties: role app-admin can both manage and use key alias/data",
            "self-escalation: role app-admin can change the key policy of alias/data "
            "| so it can give itself every action",
            "team-access: role app-admin can administer key alias/data",
        ],
        code=1,
    ),
    "one finding for each capability": Case(
        [key("data")],
        [READER, user("mallory", iam(["kms:Decrypt", "kms:ReEncrypt*"]))],
        findings=[
            "team-access: user mallory can decrypt with key alias/data",
            "team-access: user mallory can encrypt with key alias/data",
        ],
        code=1,
    ),
    "a key that no rule matches is not judged by team-access": Case(
        [key("other"), key("data")], [READER, role("x", iam("kms:Encrypt", key("other").arn))]
    ),
    "an explicit deny keeps the rule": Case(
        [custom(DELEGATION, deny(user_arn("mallory"), "kms:*"))],
        [READER, user("mallory", iam("kms:*"))],
    ),
    "a boundary keeps the rule": Case(
        [key("data")],
        [READER, user("mallory", iam("kms:*"), boundary=[iam("s3:*")])],
    ),
    "team-access through a grant": Case(
        [custom()],
        grants=[grant(custom(), GranteePrincipal=user_arn("eve"), Operations=["Decrypt"])],
        findings=["team-access: user eve can decrypt with key alias/data"],
        code=1,
    ),
    "access under a condition is access": Case(
        [
            custom(
                allow(
                    user_arn("eve"),
                    "kms:Decrypt",
                    Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}},
                )
            )
        ],
        findings=["team-access: user eve can decrypt with key alias/data"],
        code=1,
    ),
    "a condition that never holds is no access": Case(
        [
            custom(
                allow(
                    user_arn("eve"),
                    "kms:Decrypt",
                    Condition={"StringEquals": {"aws:PrincipalAccount": OTHER}},
                )
            )
        ],
    ),
    "an identity of another account that the key policy names": Case(
        [custom(allow(role_arn("ci", OTHER), "kms:Encrypt"))],
        findings=[
            "external-account: role ci of account 444455556666 has access to key alias/data",
            "team-access: role ci can encrypt with key alias/data",
        ],
        code=1,
    ),
    "another account that the rules allow": Case(
        [custom(allow({"AWS": OTHER}, "kms:Decrypt"))],
    ),
    "another account beyond its rules": Case(
        [custom(allow({"AWS": OTHER}, ["kms:Decrypt", "kms:CreateGrant"]))],
        findings=[
            "external-account: account 444455556666 can let its identities access key alias/data",
            "grant-delegation: account 444455556666 can create grants for anybody on key "
            "alias/data",
            "team-access: account 444455556666 can give or revoke grants on key alias/data",
        ],
        code=1,
    ),
    "a service that the rules allow, and one that they do not": Case(
        [custom(allow({"Service": ["logs.amazonaws.com", "sns.amazonaws.com"]}, "kms:Decrypt"))],
        findings=[
            "confused-deputy: service logs.amazonaws.com can use key alias/data for anybody",
            "confused-deputy: service sns.amazonaws.com can use key alias/data for anybody",
            "team-access: service sns.amazonaws.com can decrypt with key alias/data",
        ],
        code=1,
    ),
    "everyone of the own account": Case(
        [
            custom(
                allow(
                    "*", "kms:Decrypt", Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}}
                )
            )
        ],
        findings=[
            "team-access: any other identity of the account can decrypt with key alias/data",
            "team-access: role deployer can decrypt with key alias/data",
        ],
        code=1,
    ),
    "delegation alone is no access of anybody": Case([key("data", DELEGATION)]),
    "a team by tag": Case(
        [key("data")], [READER, role("anything", iam("kms:PutKeyPolicy"), tags={"team": "ops"})]
    ),
    "a team by definition, for a generated name": Case(
        [key("data")], [READER, role(UNNAMED, iam("kms:Decrypt"))]
    ),
    "undecided whether a generated name belongs to a team": Case(
        [key("data")],
        [READER, role(UNNAMED, iam("kms:Encrypt"))],
        findings=["undecided: cannot decide who can use key alias/data: the name of role Unnamed"],
        code=3,
    ),
    "required-access: nobody of the team is left": Case(
        [key("data")],
        [user("bob")],
        findings=["required-access: team app cannot surely decrypt with key alias/data"],
        code=1,
    ),
    "required-access: taken away by a deny": Case(
        [custom(deny("*", "kms:Decrypt"))],
        findings=["required-access: team app cannot surely decrypt with key alias/data"],
        code=1,
    ),
    "required-access: a condition is not enough": Case(
        [key("data")],
        [
            role(
                "app-reader",
                iam("kms:Decrypt", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            )
        ],
        findings=["required-access: team app cannot surely decrypt with key alias/data"],
        code=1,
    ),
    "lockout: the deployer is not named and nothing is delegated": Case(
        [key("data", allow(role_arn("app-reader"), "kms:Decrypt"))],
        findings=["lockout: nobody can change the key policy of alias/data"],
        code=1,
    ),
    "lockout: only somebody else may": Case(
        [
            key(
                "data",
                allow(role_arn("app-reader"), "kms:Decrypt"),
                allow(role_arn("ops"), "kms:PutKeyPolicy"),
            )
        ],
        findings=["lockout: nobody can change the key policy of alias/data"],
        code=1,
    ),
    "lockout: a deployer of the definitions without the permission": Case(
        [key("data")],
        [READER, role("deployer", iam("kms:CreateKey"))],
        findings=[
            "lockout: role deployer cannot change the key policy of alias/data "
            "| KMS refuses such a key policy (K151)"
        ],
        code=1,
    ),
    "lockout: everything denied to everyone": Case(
        [key("data", DELEGATION, deny("*", "kms:*"))],
        findings=[
            "lockout: nobody can change the key policy of alias/data",
            "required-access: team app cannot surely decrypt with key alias/data",
        ],
        code=1,
    ),
    "lockout: the bypass flag": Case(
        [custom(bypasses_lockout_check=True)],
        findings=["lockout: key alias/data is made without AWS's lock-out check"],
        code=1,
    ),
    "lockout undecided without a deployer": Case(
        [
            key(
                "data",
                allow(role_arn("app-reader"), "kms:Decrypt"),
                allow(role_arn("ops"), "kms:PutKeyPolicy"),
            )
        ],
        rules=RULES.replace("deployers: [role/deployer]\n", ""),
        findings=["undecided: cannot decide who can change the key policy of alias/data"],
        code=3,
    ),
    "public-access": Case(
        [custom(allow("*", "kms:Decrypt"))],
        findings=[
            "public-access: everyone can decrypt with key alias/data",
        ],
        code=1,
    ),
    "undecided: a principal that is not known yet": Case(
        [custom(allow(UNKNOWN_ARN, "kms:Decrypt"))],
        [READER, user("bob")],
        findings=['undecided: cannot decide who can use key alias/data: parameter "Reader"'],
        code=3,
    ),
    "undecided: a principal in an account that is not known": Case(
        [custom(allow(Text(("arn:aws:iam::", UNKNOWN_ACCOUNT, ":role/x")), "kms:Decrypt"))],
        findings=[
            "undecided: cannot decide who can use key alias/data: the account of the deployment"
        ],
        code=3,
    ),
    "undecided: a principal that may be somebody who must not": Case(
        [custom(allow(UNKNOWN_ARN, "kms:Decrypt"))],
        [READER, role("spy")],
        findings=['undecided: cannot decide who can use key alias/data: parameter "Reader"'],
        code=3,
    ),
    "undecided: a key policy that is not known": Case(
        [key("other", source=Text((Unknown('attribute "Policy" of Custom'),)))],
        findings=[
            'undecided: cannot decide who can use key alias/other: attribute "Policy" of Custom',
        ],
        code=3,
    ),
    "undecided: something that is not evaluated": Case(
        [key("data")],
        not_covered=[NotCovered(Origin("App/Macro", "Macro", "App"), "a macro", True)],
        findings=["undecided: Macro (stack App) may change access to keys and is not evaluated"],
        code=3,
    ),
    "a note about something that cannot touch a key": Case(
        [key("data")],
        not_covered=[NotCovered(Origin("App/Dns", "Dns", "App"), "not read", False)],
    ),
    "invalid-policy": Case(
        [
            key(
                "other",
                source=document(
                    DELEGATION, {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
                ),
            )
        ],
        findings=[
            "invalid-policy: key policy of alias/other is not valid: the statement has no Principal"
        ],
        code=1,
    ),
    "a violation outweighs what is undecided": Case(
        [key("data")],
        [READER, user("mallory", iam("kms:Decrypt"))],
        not_covered=[NotCovered(Origin("App/Macro", "Macro", "App"), "a macro", True)],
        findings=[
            "team-access: user mallory can decrypt with key alias/data",
            "undecided: Macro (stack App) may change access to keys and is not evaluated",
        ],
        code=1,
    ),
    "a level of the rules file": Case(
        [key("data")],
        [READER, user("mallory", iam("kms:Decrypt"))],
        rules=RULES + "checks: {team-access: warning}\n",
        findings=["team-access: user mallory can decrypt with key alias/data"],
        code=0,
    ),
    "a check that is off": Case(
        [key("data")],
        [READER, user("mallory", iam("kms:Decrypt"))],
        rules=RULES + 'checks: {team-access: "off"}\n',
        code=0,
    ),
}
