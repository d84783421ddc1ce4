"""Statements that give nothing, and services that act for anybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kms_access.inventory.arns import key_arn
from kms_access.inventory.model import Identity, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    allow,
    deny,
    document,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.rules.check_cases import READER, Case, custom
from tests.rules.check_cases_powers import other, when

LOGS, LAMBDA = "logs.eu-central-1.amazonaws.com", "lambda.amazonaws.com"
ARN = key("data").arn
OTHER_ARN = key("other").arn
THEIRS = key_arn("aws", "eu-central-1", OTHER, "00000000-0000-0000-0000-000000000000")
ALIAS = f"arn:aws:kms:eu-central-1:{ACCOUNT}:alias/data"
CONTEXT = "kms:EncryptionContext:purpose"
OLD = {"Version": "2008-10-17"}


def deputy(service: str) -> list[str]:
    verb = "can use" if service == LAMBDA else "uses"
    note = "no condition fixes the source of its request"
    return [f"confused-deputy: service {service} {verb} key alias/other for anybody | {note}"]


def for_service(actions: Any, **more: Any) -> Any:
    return allow({"Service": LAMBDA}, actions, **more)


def nothing(claim: str, says: str, number: int = 2) -> str:
    policy = "key policy of alias/other"
    return f"ineffective-statement: {policy} {claim} | statement {number} of the {policy} {says}"


def in_identity(claim: str, says: str, owner: str = "user eve", policy: str = "") -> list[str]:
    """With the name of the policy where the claim has room for it."""
    statement = f"statement 1 of the inline policy Access of {owner} {says}"
    return [f"ineffective-statement: {policy or 'a policy'} of {owner} {claim} | {statement}"]


def not_let(key: str = "alias/data", policy: str = "inline policy Access of user eve") -> str:
    says = f"statement 1 of the {policy} gives nothing: the key policy does not let it"
    return f"ineffective-statement: {policy} gives nothing on key {key} | {says}"


def with_policy(name: str, policy: Policy) -> Identity:
    return replace(user(name), policies=(policy,))


GROUP = Policy(
    "policies of group Readers",
    parse_policy(document(iam("kms:Encrypt", ARN)), IDENTITY_POLICY),
    Origin("App/Readers", "Readers", "App"),
)
OF_AWS = Policy(
    "managed policy arn:aws:iam::aws:policy/Example",
    parse_policy(document(iam(["kms:Decript", "kms:Decrypt"], ALIAS)), IDENTITY_POLICY),
    Origin("App/eve", "eve", "App"),
)


DEPUTY_CASES = {
    "confused-deputy": Case(
        [other(for_service("kms:Decrypt"))], findings=deputy(LAMBDA)
    ),
    "confused-deputy: a condition on something else": Case(
        [other(for_service("kms:Decrypt", **when("StringEquals", "aws:RequestedRegion", "x")),
               for_service("kms:Encrypt", **when(
                   "StringNotEquals", "aws:SourceAccount", OTHER)))],
        findings=deputy(LAMBDA),
    ),
    "confused-deputy: the source with IfExists, and any source": Case(
        [other(for_service("kms:Decrypt", **when(
                   "StringEqualsIfExists", "aws:SourceAccount", ACCOUNT)),
               allow({"Service": LOGS}, "kms:Decrypt", **when(
                   "ArnLike", "aws:SourceArn", "arn:aws:logs:*:*:*")))],
        findings=[*deputy(LAMBDA), *deputy(LOGS)],
    ),
    "a service for the sources of one account, organization or resource": Case(
        [other(
            for_service("kms:Decrypt", **when("StringEquals", "aws:SourceAccount", ACCOUNT)),
            for_service("kms:Encrypt", **when("StringEquals", "aws:SourceOrgID", "o-a1b2c3d4e5")),
            for_service("kms:ReEncrypt*", **when(
                "ArnLike", "aws:SourceArn", f"arn:aws:lambda:*:{ACCOUNT}:function:*")),
            for_service("kms:GenerateDataKey", **when(
                "ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-a1b2c3d4e5/*")),
            for_service("kms:GenerateDataKeyPair", **when(
                "ArnEquals", "aws:SourceArn", "arn:aws:s3:::bucket")),
            for_service("kms:GenerateDataKeyPairWithoutPlaintext", **when(
                "ArnLike", "aws:SourceArn", "arn:aws:s3:::bucket/*")),
        )],
    ),
    "confused-deputy: anybody's bucket": Case(
        [other(for_service("kms:Decrypt", **when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*")))],
        findings=deputy(LAMBDA),
    ),
    "confused-deputy: a name that anybody's bucket can begin with": Case(
        [other(for_service("kms:Decrypt", **when(
            "ArnLike", "aws:SourceArn", "arn:aws:s3:::bucket*")))],
        findings=deputy(LAMBDA),
    ),
    "anybody's bucket, of the own account": Case(
        [other(for_service("kms:Decrypt", Condition={
            "ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT}}))],
    ),
    "confused-deputy: a function of any account": Case(
        [other(for_service("kms:Decrypt", **when(
            "ArnLike", "aws:SourceArn", "arn:aws:lambda:*:*:function:*")))],
        findings=deputy(LAMBDA),
    ),
    "a Deny asks for the source of all requests": Case(
        [other(for_service("kms:Decrypt"), deny("*", "kms:*", Condition={
            "StringNotEqualsIfExists": {"aws:SourceAccount": ACCOUNT},
            "Bool": {"aws:PrincipalIsAWSService": "true"}}))],
    ),
    "encryption context names the resource": Case(
        [other(allow({"Service": LOGS}, ["kms:Decrypt*", "kms:Encrypt*", "kms:Describe*"], **when(
            "ArnLike", "kms:EncryptionContext:aws:logs:arn",
            f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:*")))],
    ),
    "confused-deputy: the encryption context of any account": Case(
        [other(for_service("kms:GenerateDataKey*", **when(
            "StringLike", "kms:EncryptionContext:aws:cloudtrail:arn",
            "arn:aws:cloudtrail:*:*:trail/*")))],
        findings=deputy(LAMBDA),
    ),
    "confused-deputy: any encryption context": Case(
        [other(for_service("kms:Decrypt", **when("StringLike", CONTEXT, "*")))],
        findings=deputy(LAMBDA),
    ),
    "a service that only reads metadata": Case(
        [other(for_service(["kms:Describe*", "kms:Get*", "kms:List*"]))]
    ),
    "services by a statement for everyone are public": Case(
        [other(allow("*", "kms:Decrypt"))],
        findings=["public-access: everyone can decrypt with key alias/other"],
        code=1,
    ),
}  # fmt: skip

STATEMENT_CASES = {
    "ineffective-statement: an unknown action": Case(
        [other(allow(role_arn("a"), ["kms:Decript", "KMS:DECRYPT"]))],
        findings=[nothing('allows "kms:Decript" without effect',
                          'gives nothing by "kms:Decript": no such action is known')],
    ),
    "an action that AWS may add": Case([other(allow(role_arn("a"), "kms:Decript*"))]),
    "ineffective-statement: an unknown action in an identity policy": Case(
        [key("data")],
        [READER, user("eve", iam(["kms:ReEncrypt", "s3:Get"]))],
        findings=in_identity('allows "kms:ReEncrypt" without effect',
                             'gives nothing by "kms:ReEncrypt": no such action is known'),
    ),
    "ineffective-statement: actions without a key": Case(
        [other(allow(role_arn("a"), ["kms:ListKeys", "kms:CreateKey", "kms:DescribeKey"]))],
        findings=[nothing("allows 2 actions without effect",
                          "gives nothing by kms:CreateKey, kms:ListKeys, which have no effect "
                          "in a key policy")],
    ),
    "ineffective-statement: RetireGrant in a key policy": Case(
        [other(allow(role_arn("a"), "kms:RetireGrant"))],
        findings=[nothing("allows kms:RetireGrant without effect",
                          "gives nothing by kms:RetireGrant, which has no effect in a key policy")],
    ),
    "wildcards that cover such actions": Case(
        [other(allow(role_arn("a"), ["kms:List*", "kms:Retire*", "kms:Describe*"]))]
    ),
    "ineffective-statement: across accounts": Case(
        [other(allow([role_arn("ci", OTHER), role_arn("a")], ["kms:PutKeyPolicy", "kms:Decrypt"]))],
        findings=[
            nothing("allows kms:PutKeyPolicy without effect",
                    f"gives account {OTHER} nothing by kms:PutKeyPolicy, which has no effect "
                    "across accounts"),
            f"external-account: role ci of account {OTHER} has access to key alias/other",
            "separation-of-duties: role a can both manage and use key alias/other",
            "self-escalation: role a can change the key policy of alias/other",
        ],
        code=1,
    ),
    "ineffective-statement: DescribeKey under an encryption context": Case(
        [other(allow(role_arn("a"), ["kms:Decrypt", "kms:DescribeKey"], **when(
            "StringEquals", CONTEXT, "x")))],
        findings=[nothing("allows kms:DescribeKey without effect",
                          f'gives nothing by kms:DescribeKey: requests for it do not have '
                          f'"{CONTEXT}"')],
    ),
    "ineffective-statement: an encryption context on an asymmetric key": Case(
        [other(allow(role_arn("a"), ["kms:Decrypt", "kms:Encrypt"], **when(
            "StringEquals", CONTEXT, "x")), spec="RSA_2048")],
        findings=[nothing("allows 2 actions without effect",
                          "gives nothing by kms:Decrypt, kms:Encrypt: requests for them do not "
                          f'have "{CONTEXT}"')],
    ),
    "ineffective-statement: an encryption context in an identity policy": Case(
        [key("data")],
        [READER, role("app-x", iam(["kms:GetPublicKey", "kms:Decrypt", "kms:CreateGrant"],
                                   "*", **when("Null", CONTEXT, "false")))],
        rules="version: 1\ndeployers: [role/deployer]\n",
        findings=[
            *in_identity("allows kms:GetPublicKey without effect",
                         f'gives nothing by kms:GetPublicKey: requests for it do not have '
                         f'"{CONTEXT}"', "role app-x"),
            "grant-delegation: role app-x can create grants for anybody on key alias/data",
            "self-escalation: role app-x can create grants that open key alias/data",
        ],
    ),
    "an encryption context that may be missing": Case(
        [other(allow(role_arn("a"), ["kms:Decrypt", "kms:Describe*"], **when(
            "StringEquals", CONTEXT, "x")),
            allow(role_arn("a"), "kms:DescribeKey", **when(
                "StringEqualsIfExists", CONTEXT, "x")))]
    ),
    "ineffective-statement: the key's tags in a key policy": Case(
        [other(allow(role_arn("a"), "kms:TagResource", **when(
            "StringEquals", "aws:ResourceTag/team", "x")))],
        findings=[nothing('cannot ask for "aws:ResourceTag/team"',
                          'asks for "aws:ResourceTag/team", which is supported in identity '
                          "policies only")],
    ),
    "ineffective-statement: set operators": Case(
        [other(allow(role_arn("a"), "kms:EnableKey", **when(
                   "ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5")),
               allow(role_arn("a"), "kms:EnableKey", **when(
                   "ForAnyValue:StringEquals", "kms:ViaService", "x")),
               allow(role_arn("a"), "kms:EnableKey", **when(
                   "StringEquals", "aws:CalledVia", "x")))],
        findings=[
            nothing('tests "aws:PrincipalOrgID" as a list',
                    'asks for the single value "aws:PrincipalOrgID" with "ForAllValues", which '
                    "any request without it fulfils"),
            nothing('tests "kms:ViaService" as a list',
                    'asks for the single value "kms:ViaService" with "ForAnyValue"', 3),
            nothing('tests "aws:CalledVia" as one value',
                    'asks for the list "aws:CalledVia" with "StringEquals", and AWS does not say '
                    "what that gives", 4),
        ],
    ),
    "set operators where they belong": Case(
        [other(allow(role_arn("a"), "kms:EnableKey", Condition={
            "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"},
            "ForAllValues:StringEquals": {"aws:TagKeys": "x"},
            "ForAnyValue:StringEquals": {"aws:SourceOrgPaths": "x", "custom:Key": "y"}}))]
    ),
    "ineffective-statement: a variable in the old language": Case(
        [key("other", source=OLD | document(
            DELEGATION, allow(role_arn("a"), "kms:EnableKey", **when(
                "StringEquals", "aws:PrincipalTag/team", "${aws:username}"))) | OLD)],
        findings=[nothing("takes a policy variable for plain text",
                          'has no policy variable: "${aws:username}" is plain text in this '
                          "policy version")],
    ),
    "a Deny is never without effect": Case(
        [other(deny(role_arn("a"), ["kms:Decript", "kms:ListKeys", "kms:RetireGrant"], **when(
            "ForAllValues:StringEquals", "kms:ViaService", "x")))]
    ),
    "ineffective-statement: an alias for a key": Case(
        [key("data")],
        [READER, user("eve", iam("kms:Decrypt", [ALIAS, "alias/data"]))],
        findings=[
            *in_identity('gives nothing on "alias/data"',
                         f'gives nothing on "{ALIAS}", which never stands for a key',
                         policy="inline policy Access"),
            *in_identity('gives nothing on "alias/data"',
                         'gives nothing on "alias/data", which never stands for a key',
                         policy="inline policy Access"),
        ],
    ),
    "an alias as an alias": Case(
        [other()],
        [READER, user("eve", iam("kms:UpdateAlias", [ALIAS, OTHER_ARN]),
                      iam("kms:*", ALIAS), iam("s3:GetObject", "bucket"))],
    ),
    "ineffective-statement: a condition on an alias": Case(
        [other()],
        [READER, user("eve", iam("kms:CreateAlias", ALIAS, **when(
            "StringEquals", "aws:RequestedRegion", "eu-central-1")))],
        findings=in_identity('puts a condition on "alias/data"',
                             f'has a condition for "{ALIAS}": condition keys do not work on an '
                             "alias", policy="inline policy Access"),
    ),
    "ineffective-statement: the key policy does not let it": Case(
        [custom()],
        [READER, user("eve", iam("kms:Encrypt", [ARN, OTHER_ARN]))],
        findings=[not_let()],
    ),
    "ineffective-statement: under a condition, and with other actions delegated": Case(
        [custom(DELEGATION | {"Action": "kms:Decrypt"})],
        [READER, user("eve", iam("kms:Enc*", ARN, **when(
            "Bool", "aws:MultiFactorAuthPresent", "true")))],
        findings=[not_let()],
    ),
    "ineffective-statement: half of a permission for another account": Case(
        [key("other", allow({"AWS": OTHER}, "kms:*"), allow({"AWS": ACCOUNT}, "kms:Decrypt"),
             account=OTHER, arn=THEIRS)],
        [READER, user("eve", iam("kms:Encrypt", THEIRS), iam("kms:Decrypt", THEIRS))],
        rules=f"version: 1\naccounts: {{ours: \"{ACCOUNT}\"}}\n",
        findings=[not_let("alias/other")],
    ),
    "the key policy names the identity as well": Case(
        [custom()], [role("app-reader", iam("kms:Decrypt", ARN))]
    ),
    "a part of a statement is delegated": Case(
        [custom(DELEGATION | {"Action": "kms:Encrypt"})],
        [READER, role("app-x", iam(["kms:Encrypt", "kms:Decrypt"], ARN))],
    ),
    "a boundary, not the key policy, stands against it": Case(
        [key("data")], [READER, user("eve", iam("kms:Encrypt", ARN), boundary=[iam("s3:*")])]
    ),
    "a Deny, not the key policy, stands against it": Case(
        [key("data", DELEGATION, deny(user_arn("eve"), "kms:*"))],
        [READER, user("eve", iam("kms:Encrypt", ARN))],
    ),
    "a statement for keys by wildcard": Case(
        [custom()],
        [READER, user("eve", iam("kms:Encrypt"), iam(
            "kms:Encrypt", f"arn:aws:kms:*:{ACCOUNT}:key/*"))],
    ),
    "a group that one of its users makes use of": Case(
        [custom(DELEGATION | {"Action": "kms:Encrypt"} | when(
            "ArnEquals", "aws:PrincipalArn", user_arn("ann")))],
        [READER, with_policy("ann", GROUP), with_policy("bob", GROUP)],
        findings=["team-access: user ann can encrypt with key alias/data"],
        code=1,
    ),
    "ineffective-statement: a group, told once": Case(
        [custom()],
        [READER, with_policy("ann", GROUP), with_policy("bob", GROUP)],
        findings=["ineffective-statement: a policy of user ann and 1 more gives nothing on key "
                  "alias/data | statement 1 of the policies of group Readers of user ann and 1 "
                  "more gives nothing: the key policy does not let it"],
    ),
    "what AWS writes itself": Case([custom()], [READER, with_policy("eve", OF_AWS)]),
    "a set operator that AWS refuses": Case(
        [other(allow(role_arn("a"), "kms:Decrypt", **when(
            "ForAllValues:StringEquals", CONTEXT, "x")))],
        findings=[f'invalid-policy: key policy of alias/other is not valid | rule K40: '
                  f'"ForAllValues" on "{CONTEXT}" is refused as overly permissive'],
        code=1,
    ),
    "a key policy that is not known lets perhaps": Case(
        [key("other", source=Text((Unknown('attribute "Policy" of Custom'),)))],
        [READER, user("eve", iam("kms:Encrypt", OTHER_ARN))],
        findings=[
            'undecided: cannot decide who can use key alias/other: attribute "Policy" of Custom'
        ],
        code=3,
    ),
}  # fmt: skip
