"""Delegation that a rule forbids, and keys that only deletable principals keep."""

from __future__ import annotations

from typing import Any

from kms_access.policies.text import Text, Unknown
from tests.builders import ACCOUNT, DELEGATION, OTHER, allow, deny, grant, key, role_arn, user_arn
from tests.rules.check_cases import (
    ADMINISTRATION,
    READER,
    ROOT_USER,
    RULES,
    UNKNOWN_ARN,
    Case,
    custom,
)
from tests.rules.check_cases_powers import other, when

FORBIDDING = RULES + "    iam-delegation: forbidden\n"
READING = allow(role_arn("app-reader"), "kms:Decrypt")
NO_RULES = "version: 1\ndeployers: [role/deployer, role/ops]\n"


def delegates(what: str) -> str:
    note = f"these are identity policies of account {ACCOUNT}"
    return f"iam-delegation: identity policies can give {what} on key alias/data | {note}"


def narrowed(operator: str, name: str, value: Any, actions: Any = "kms:*") -> dict[str, Any]:
    """Delegation under a condition on the caller."""
    return DELEGATION | {"Action": actions} | when(operator, name, value)


def lasting(names: str, *statements: Any, rules: str = NO_RULES, **more: Any) -> Case:
    claims = [f"lockout: only {names}"] if names else []
    return Case([key("other", *statements)], findings=claims, rules=rules, **more)


KEY_CASES = {
    "iam-delegation": Case(
        [key("data")], rules=FORBIDDING, findings=[delegates("every action")], code=1
    ),
    "iam-delegation: some actions": Case(
        [custom(DELEGATION | {"Action": ["kms:Encrypt", "kms:ReEncrypt*"]})],
        rules=FORBIDDING,
        findings=[delegates("3 actions")],
        code=1,
    ),
    "iam-delegation: to some identities": Case(
        [custom(narrowed("ArnLike", "aws:PrincipalArn", role_arn("app-*"), "kms:Encrypt"))],
        rules=FORBIDDING,
        findings=[delegates("kms:Encrypt")],
        code=1,
    ),
    "iam-delegation: beside named principals": Case(
        [custom(allow([ACCOUNT, role_arn("app-x")], "kms:Encrypt"))],
        rules=FORBIDDING,
        findings=[delegates("kms:Encrypt")],
        code=1,
    ),
    "iam-delegation: a Deny leaves some": Case(
        [custom(DELEGATION | {"Action": ["kms:Encrypt", "kms:Decrypt"]},
                deny("*", "kms:Decrypt", **when(
                    "ArnNotEquals", "aws:PrincipalArn", role_arn("app-reader"))),
                deny("*", "kms:Encrypt"))],
        rules=FORBIDDING,
        findings=[delegates("kms:Decrypt")],
        code=1,
    ),
    "no delegation: the root user alone": Case(
        [custom(narrowed("StringEquals", "aws:PrincipalType", "Account"))], rules=FORBIDDING
    ),
    "no delegation: named principals, everyone of the account, grants, other accounts": Case(
        [
            custom(
                allow(role_arn("app-x"), "kms:Encrypt"),
                allow({"AWS": OTHER}, "kms:Decrypt"),
                allow("*", "kms:DescribeKey", **when("StringEquals", "kms:CallerAccount", ACCOUNT)),
            )
        ],
        grants=[grant(custom(), GranteePrincipal=role_arn("app-y"), Operations=["Encrypt"])],
        rules=FORBIDDING + 'checks: {external-account: "off", team-access: "off"}\n',
    ),
    "no delegation: all of it denied": Case(
        [custom(DELEGATION | {"Action": "kms:Encrypt"}, deny({"AWS": ACCOUNT}, "kms:Encrypt"))],
        rules=FORBIDDING,
    ),
    "delegation that a rule allows, and without a rule": Case(
        [key("data"), other()], rules=RULES + "    iam-delegation: allowed\n"
    ),
    "undecided: whether a rule forbids delegation": Case(
        [key("data", DELEGATION, aliases=(Text(("alias/", Unknown("the alias"))),))],
        [],
        rules=FORBIDDING.replace("    require:\n      app: [decrypt]\n", ""),
        findings=["undecided: cannot decide who can use key data: the alias"],
        code=3,
    ),
    "lockout: one role keeps the key policy": lasting(
        "role deployer can change the key policy of alias/other",
        ADMINISTRATION, READING,
    ),
    "lockout: several keep it": lasting(
        "role deployer and role ops can change the key policy of alias/other",
        allow([role_arn("ops"), role_arn("deployer")], "kms:PutKeyPolicy"),
    ),
    "lockout: many keep it": lasting(
        "user a, user b, user c and 2 more can change the key policy of alias/other",
        allow([user_arn(name) for name in "abcde"], "kms:PutKeyPolicy"),
        rules="version: 1\ndeployers: [user/*]\n",
    ),
    "lockout: the root user is denied": lasting(
        "role deployer can change the key policy of alias/other",
        ADMINISTRATION,
        allow("*", "kms:PutKeyPolicy", **when("StringEquals", "aws:PrincipalType", "Account")),
        deny({"AWS": ACCOUNT}, "kms:PutKeyPolicy", **when(
            "StringEquals", "aws:PrincipalType", "Account")),
    ),
    "somebody who is not known yet keeps it perhaps": Case(
        [key("other", ADMINISTRATION, allow(UNKNOWN_ARN, "kms:PutKeyPolicy"))],
        findings=[
            'self-escalation: role <parameter "Reader"> can change the key policy of alias/other '
            "| so it can give itself every action"
        ],
        rules=NO_RULES,
    ),
    "the root user keeps it": lasting("", ADMINISTRATION, ROOT_USER),
    "identities of the account keep it": lasting("", ADMINISTRATION, DELEGATION, deny(
        "*", "kms:PutKeyPolicy", **when("StringEquals", "aws:PrincipalType", "Account"))),
    "whoever has that name keeps it": lasting(
        "",
        READING,
        allow("*", "kms:PutKeyPolicy", **when(
            "ArnEquals", "aws:PrincipalArn", role_arn("deployer"))),
    ),
    "lockout off is off for the wider question": lasting(
        "", ADMINISTRATION, rules=NO_RULES + 'checks: {lockout: "off"}\n'
    ),
    "lockout: an error stays one, and the wider question a warning": Case(
        [
            key("other", ADMINISTRATION),
            key("data", allow(role_arn("app-reader"), "kms:Decrypt")),
        ],
        [READER],
        rules=NO_RULES + "checks: {lockout: error}\n",
        findings=[
            "lockout: role deployer cannot change the key policy of alias/data",
            "lockout: only role deployer can change the key policy of alias/other",
        ],
        code=1,
    ),
}  # fmt: skip
