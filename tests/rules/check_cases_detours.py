"""Access by a detour: what principals can give themselves, and what roles lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kms_access.inventory.model import Identity, Policy
from kms_access.policies.grammar import TRUST_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    allow,
    document,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.rules.check_cases import READER, ROOT_USER, RULES, UNNAMED, Case, custom
from tests.rules.check_cases_powers import MFA, other, rules_for_other, when

PLAIN = key("plain", ROOT_USER, allow(role_arn("deployer"), "kms:PutKeyPolicy"))
"""A key that delegates nothing: identity policies give nothing on it."""
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


def trusting(identity: Identity, principal: Any, action: str = "sts:AssumeRole") -> Identity:
    """A role that this principal may assume."""
    element = principal if isinstance(principal, dict) else {"AWS": principal}
    statement = {"Effect": "Allow", "Principal": element, "Action": action}
    parsed = parse_policy(document(statement), TRUST_POLICY)
    return replace(identity, trust=(Policy("trust policy", parsed, identity.origin),))


def itself(who: str, what: str, step: str, name: str = "other") -> str:
    return f"self-escalation: {who} can {step} alias/{name} | so it can give itself {what}"


def chain(who: str, what: str, steps: str, role: str = "") -> str:
    """With the first role where the claim has no room for all steps."""
    way = f"via {role} | by {steps}" if role else f"by {steps}"
    return f"role-chain: {who} can {what} key alias/data {way}"


BOB = user("bob", iam("sts:AssumeRole"))
OPENED = trusting(READER, user_arn("bob"))
READS = chain("user bob", "decrypt with", "assuming role app-reader")

PERHAPS_ANN = Case(
    [key("data", ROOT_USER, allow(role_arn("deployer"), "kms:PutKeyPolicy"),
         allow(user_arn("app-ann"), "kms:Decrypt"))],
    [user("app-ann"), user("bob", iam(
        "iam:CreateAccessKey", Text((user_arn(""), Unknown('parameter "User"')))))],
    rules=RULES.replace("[role/app-*]", "[user/app-*]"),
)  # fmt: skip

ESCALATION_CASES = {
    "self-escalation: under a condition, and by a second power": Case(
        [other(allow(role_arn("ops"), "kms:PutKeyPolicy", **MFA),
               allow(role_arn("ops"), "kms:CreateGrant"))],
        findings=[
            itself("role ops", "every action", "change the key policy of"),
            itself("role ops", "use", "create grants that open key"),
            "grant-delegation: role ops can create grants for anybody on key alias/other",
        ],
    ),
    "self-escalation: a Deny beside the key policy holds": Case(
        [other(allow(user_arn("eve"), "kms:PutKeyPolicy"))],
        [user("eve", iam("kms:Decrypt", effect="Deny"))],
        findings=[itself("user eve", "encrypt, decrypt, grant, administer and delete",
                         "change the key policy of")],
    ),
    "self-escalation: grants to itself for one operation": Case(
        [other(allow(role_arn("ops"), "kms:CreateGrant", Condition={
            "StringEquals": {"kms:GranteePrincipal": role_arn("ops")},
            "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "DescribeKey"]}}))],
        findings=[itself("role ops", "decrypt", "create grants that open key")],
    ),
    "grants that a rule allows, to itself": Case(
        [other(allow(role_arn("ops"), "kms:CreateGrant", **when(
            "StringEquals", "kms:GranteePrincipal", role_arn("ops"))))],
        rules=rules_for_other("ops", "grant"),
    ),
    "who may change the key policy may have everything": Case(
        [other(allow(role_arn("ops"), ["kms:PutKeyPolicy", "kms:EnableKey"]))],
        [READER, role("ops", iam(["iam:PutRolePolicy", "iam:CreateAccessKey"]))],
        rules=rules_for_other("ops", "administer"),
    ),
    "who deploys may have everything": Case(
        [other(allow(role_arn("deployer"), ["kms:PutKeyPolicy", "kms:CreateGrant"]))]
    ),
    "self-escalation: identity policies, where they count": Case(
        [other(), PLAIN],
        [user("iam", iam("iam:PutUserPolicy"))],
        findings=[itself("user iam", "every action", "write identity policies that open key")],
    ),
    "self-escalation: an administrator, told once": Case(
        [other()],
        [user("root", iam("*")), user("ann", iam("kms:Decrypt"))],
        findings=[
            itself("user root", "every action", "change the key policy of"),
            "separation-of-duties: user root can both manage and use key alias/other",
            "grant-delegation: user root can create grants for anybody on key alias/other",
            "key-deletion: user root can destroy key alias/other",
        ],
    ),
    "self-escalation: what the greatest power covers is not told": Case(
        [other(allow(user_arn("help"), "kms:PutKeyPolicy"))],
        [user("help", iam("iam:CreateAccessKey")), user("ann", iam("kms:Decrypt"))],
        findings=[itself("user help", "every action", "change the key policy of")],
    ),
    "grants within a grant give no more than it": Case(
        [PLAIN],
        [role("worker")],
        grants=[grant(
            PLAIN,
            GranteePrincipal=role_arn("worker"),
            Operations=["Decrypt", "CreateGrant"],
            Constraints={"EncryptionContextSubset": {"purpose": "a"}},
        )],
    ),
    "self-escalation: another user": Case(
        [other(), PLAIN],
        [user("help", iam("iam:CreateAccessKey")), user("ann", iam("kms:Decrypt"))],
        findings=[itself("user help", "decrypt", "act as user ann and so open key")],
    ),
    "self-escalation: tags": Case(
        [other(allow(user_arn("tags"), "kms:TagResource"))],
        [user("tags", iam("kms:Encrypt", **when("StringEquals", "aws:ResourceTag/team", "a")))],
        findings=[itself("user tags", "encrypt", "set tags or aliases that open key")],
    ),
    "self-escalation: a replica": Case(
        [key("other", DELEGATION, multi_region=True)],
        [user("copy", iam(["kms:ReplicateKey", "kms:CreateKey"]))],
        findings=[itself("user copy", "use", "make a replica that opens key")],
    ),
    "a replica that needs a multi-Region key": Case(
        [other()], [user("copy", iam(["kms:ReplicateKey", "kms:CreateKey"]))]
    ),
    "what a rule allows is not obtained": Case(
        [other()],
        [user("help", iam("iam:CreateAccessKey")), user("ann", iam("kms:Decrypt"))],
        rules="""\
version: 1
deployers: [role/deployer]
teams: {all: {principals: [user/*]}}
keys: [{name: o, match: {alias: alias/other}, allow: {all: [decrypt]}}]
""",
    ),
}  # fmt: skip

CHAIN_CASES = {
    "role-chain": Case([custom()], [OPENED, BOB], findings=[READS], code=1),
    "role-chain: the trust policy alone lets it": Case(
        [custom()], [OPENED, user("bob")], findings=[READS], code=1
    ),
    "role-chain: two roles": Case(
        [custom()],
        [
            trusting(READER, role_arn("middle")),
            trusting(role("middle", iam("sts:AssumeRole")), user_arn("bob")),
            BOB,
        ],
        findings=[
            chain("user bob", "decrypt with",
                  "assuming role middle, then assuming role app-reader", "role middle"),
            chain("role middle", "decrypt with", "assuming role app-reader"),
        ],
        code=1,
    ),
    "role-chain: a passed role": Case(
        [custom()],
        [
            trusting(READER, {"Service": "lambda.amazonaws.com"}),
            user("bob", iam(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"])),
        ],
        findings=[
            chain("user bob", "decrypt with",
                  "passing role app-reader to a service that runs its code", "role app-reader")
        ],
        code=1,
    ),
    "role-chain: another account": Case(
        [custom()],
        [trusting(READER, OTHER)],
        rules=RULES.replace('"444455556666", ', ""),
        findings=[chain(f"account {OTHER}", "decrypt with", "assuming role app-reader",
                        "role app-reader")],
        code=1,
    ),
    "role-chain: a role that can change the key policy, told once": Case(
        [custom(allow(role_arn("ops"), "kms:PutKeyPolicy"))],
        [READER, trusting(role("ops"), user_arn("bob")), BOB],
        findings=[chain("user bob", "administer", "assuming role ops")],
        code=1,
    ),
    "role-chain: a role that writes identity policies": Case(
        [custom(DELEGATION | {"Action": "kms:Encrypt"})],
        [READER, trusting(role("iam", iam("iam:PutRolePolicy")), user_arn("bob")), BOB],
        findings=[
            chain("user bob", "encrypt with", "assuming role iam, then writing identity policies",
                  "role iam"),
            itself("role iam", "encrypt", "write identity policies that open key", "data"),
        ],
        code=1,
    ),
    "a role that the team of its caller may be": Case(
        [custom()], [trusting(READER, user_arn("app-ann")), user("app-ann")],
        rules=RULES.replace("[role/app-*]", "[role/app-*, user/app-*]"),
    ),
    "the role that deploys": Case(
        [custom()], [READER, trusting(role("deployer"), role_arn("ci")), role("ci")]
    ),
    "a role of which the account decides": Case(
        [custom()], [trusting(READER, ACCOUNT), user("bob")]
    ),
    "a role for a service, and for a provider": Case(
        [custom(allow({"Service": "lambda.amazonaws.com"}, "kms:DescribeKey"))],
        [
            trusting(READER, {"Service": "lambda.amazonaws.com"}),
            trusting(role("app-ci"), {"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity"),
        ],
        rules=RULES.replace("logs.amazonaws.com", "lambda.amazonaws.com").replace(
            "partner: [decrypt]", "partner: [view]"
        ),
    ),
    "roles that lead to a key without a rule": Case(
        [other()],
        [trusting(role("x", iam("kms:Decrypt")), user_arn("bob")), BOB],
    ),
    "undecided: whether a rule is for the key that a role leads to": Case(
        [custom(aliases=(Text(("alias/", Unknown("the alias"))),))],
        [OPENED, BOB],
        findings=["undecided: cannot decide who can use key data: the alias"],
        code=3,
    ),
    "undecided: whether the caller of a role belongs to a team": Case(
        [custom()],
        [trusting(READER, "arn:aws:iam::111122223333:root"),
         role(UNNAMED, iam("sts:AssumeRole"))],
        findings=["undecided: cannot decide who can use key alias/data: the name of role Unnamed"],
        code=3,
    ),
    "whom one may act as is open, which a warning does not ask": PERHAPS_ANN,
    "undecided: whom one may act as, where the rules make it an error": replace(
        PERHAPS_ANN,
        rules=PERHAPS_ANN.rules + "checks: {self-escalation: error}\n",
        findings=['undecided: cannot decide who can use key alias/data: parameter "User"'],
        code=3,
    ),
    "undecided: whom a role trusts": Case(
        [custom()],
        [trusting(READER, Text((Unknown('parameter "Caller"'),))), BOB],
        findings=['undecided: cannot decide who can use key alias/data: parameter "Caller"'],
        code=3,
    ),
    "external-account: a role that another account may assume, without a rule": Case(
        [key("free")],
        [trusting(role("reader", iam("kms:Decrypt")), {"AWS": OTHER})],
        findings=[
            f"external-account: account {OTHER} has access to key alias/free by assuming role "
            "reader"
        ],
        code=1,
    ),
    "external-account: a role of another account, by two roles": Case(
        [key("free")],
        [trusting(role("reader", iam("kms:Decrypt")), role_arn("hop")),
         trusting(role("hop", iam("sts:AssumeRole")), role_arn("ci", OTHER))],
        findings=[
            f"external-account: role ci of account {OTHER} has access to key alias/free via role "
            "hop | by assuming role hop, then assuming role reader"
        ],
        code=1,
    ),
    "a role that an account of the rules may assume": Case(
        [key("free")],
        [trusting(role("reader", iam("kms:Decrypt")), {"AWS": OTHER})],
        rules=RULES.replace('main: "111122223333"', f'main: "111122223333", more: "{OTHER}"'),
    ),
    "another account may assume a role without access": Case(
        [key("free")], [trusting(role("reader", iam("s3:*")), {"AWS": OTHER})]
    ),
    "public-access: a role that everyone may assume": Case(
        [key("free")],
        [trusting(role("reader", iam("kms:Decrypt")), "*")],
        findings=["public-access: everyone can use key alias/free by assuming role reader"],
        code=1,
    ),
}  # fmt: skip
