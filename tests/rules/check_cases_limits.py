"""Permissions for some requests only: `via` services, and `when` a condition holds."""

from __future__ import annotations

from typing import Any

from kms_access.policies.text import Text, Unknown
from tests.builders import OTHER, ROOT, allow, deny, grant, iam, key, role, role_arn, user
from tests.builders import user_arn as user_of
from tests.rules.check_cases import ADMINISTRATION, READER, ROOT_USER, RULES, UNNAMED, Case
from tests.rules.check_cases_detours import trusting

S3, RDS, EC2 = (f"{name}.eu-central-1.amazonaws.com" for name in ("s3", "rds", "ec2"))
BACKUP = "  backup: {principals: [role/backup, role/backup-runner, backup.amazonaws.com]}\n"
TEAMS = RULES.replace("keys:\n", f"{BACKUP}keys:\n", 1)


def limited(permission: str, *more: str) -> str:
    """The rules with one more team, to which this list is allowed."""
    return TEAMS.replace(
        "    require:", f"      backup: [{', '.join((permission, *more))}]\n    require:"
    )


VIA = limited("{decrypt: {via: [s3, rds]}}")
OF_NOBODY = VIA.replace("generated: {definitions: [App/Unnamed]}", "generated: {definitions: [X]}")
ONE_REGION = limited("{decrypt: {via: [s3.eu-central-1.amazonaws.com]}}")
ORDERS = limited('{decrypt: {when: {StringEquals: {"kms:EncryptionContext:app": orders}}}}')
BOTH = limited("{decrypt: {via: [s3], when: {Bool: {aws:MultiFactorAuthPresent: true}}}}")
TWO = limited("{decrypt: {via: [s3]}}", "{decrypt: {via: [rds]}}")
OF_OTHER = VIA.replace("role/backup,", '"444455556666",', 1).replace(
    '["444455556666", logs', "[logs"
)
BACKUP_ROLE = role_arn("backup")
REGION_OF_DEPLOYMENT = Text((Unknown("the Region of the deployment", "[a-z0-9-]"),))
VIA_THERE = Text(("s3.", *REGION_OF_DEPLOYMENT.parts, ".amazonaws.com"))
ANY_SERVICE = Text((Unknown('parameter "Service"'), ".eu-central-1.amazonaws.com"))
BEYOND = "team-access: role backup can decrypt with key alias/data other than via s3 or rds"
CANNOT = "undecided: cannot decide who can use key alias/data: "


def via(*services: Any, operator: str = "StringEquals") -> dict[str, Any]:
    return {"Condition": {operator: {"kms:ViaService": list(services)}}}


def context(value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return {"Condition": {operator: {"kms:EncryptionContext:app": value}}}


def case(
    *statements: Any,
    rules: str = VIA,
    findings: Any = (),
    identities: Any = (),
    code: int | None = None,
    **fields: Any,
) -> Case:
    """A key with these statements; a finding is an error, one that is undecided asks for more."""
    reader = allow(role_arn("app-reader"), "kms:Decrypt")
    on = key("data", ADMINISTRATION, ROOT_USER, reader, *statements, **fields)
    if code is None:
        code = 0 if not findings else 3 if all(f.startswith("undecided") for f in findings) else 1
    return Case([on], [READER, *identities], findings=findings, code=code, rules=rules)


FOR_US = {"Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}
OWN_ACCOUNT = limited('{decrypt: {when: {StringEquals: {aws:SourceAccount: "111122223333"}}}}')


def beyond(words: str, who: str = "role backup", can: str = "decrypt with") -> str:
    limit = "the limit of the rule" if who == "role backup" else "its limit"
    rule = f"lets it do this only {words}"
    return f"team-access: {who} can {can} key alias/data beyond {limit} | {rule}"


def decrypt(principal: Any = BACKUP_ROLE, **more: Any) -> dict[str, Any]:
    return allow(principal, "kms:Decrypt", **more)


BOB = user("bob", iam("sts:AssumeRole"))
RUNNER = role("backup-runner", iam("sts:AssumeRole"))


def assumable(by: str, *statements: Any) -> Any:
    return trusting(role("backup", *statements), by)


LIMIT_CASES = {
    "via: only through one of the services": case(decrypt(**via(S3, RDS))),
    "via: a pattern for all Regions": case(
        decrypt(**via("s3.*.amazonaws.com", operator="StringLike"))
    ),
    "via: directly": case(decrypt(), findings=[BEYOND]),
    "via: through one more service": case(decrypt(**via(S3, EC2)), findings=[BEYOND]),
    "via: through any service": case(
        decrypt(**via("*.amazonaws.com", operator="StringLike")), findings=[BEYOND]
    ),
    "via: a condition that is also true without the key": case(
        decrypt(**via(S3, operator="StringEqualsIfExists")), findings=[BEYOND]
    ),
    "via: through all but some services": case(
        decrypt(**via(S3, operator="StringNotEquals")), findings=[BEYOND]
    ),
    "via: a deny of everything else": case(
        decrypt(), deny(BACKUP_ROLE, "kms:Decrypt", **via(S3, RDS, operator="StringNotEquals"))
    ),
    "via: a deny of everything else, where it exists": case(
        decrypt(),
        deny(BACKUP_ROLE, "kms:Decrypt", **via(S3, operator="StringNotEqualsIfExists")),
    ),
    "via: another statement without the condition": case(
        decrypt(**via(S3)), decrypt(), findings=[BEYOND]
    ),
    "via: one Region": case(decrypt(**via(S3)), rules=ONE_REGION),
    "via: another Region": case(
        decrypt(**via("s3.us-east-1.amazonaws.com")),
        rules=ONE_REGION,
        findings=[beyond("via s3.eu-central-1.amazonaws.com")],
    ),
    "via: the Region of the deployment": case(
        decrypt(**via(VIA_THERE)), region=REGION_OF_DEPLOYMENT
    ),
    "via: another service in the Region of the deployment": case(
        decrypt(**via(Text(("ec2.", *REGION_OF_DEPLOYMENT.parts, ".amazonaws.com")))),
        region=REGION_OF_DEPLOYMENT,
        findings=[BEYOND],
    ),
    "via: a service that is not known yet": case(
        decrypt(**via(ANY_SERVICE)), findings=[CANNOT + 'parameter "Service"']
    ),
    "via: an action without a limit beside it": case(
        allow(BACKUP_ROLE, "kms:DescribeKey"),
        decrypt(**via(S3)),
        rules=limited("view", "{decrypt: {via: [s3]}}"),
    ),
    "via: an action that is not allowed at all": case(
        allow(BACKUP_ROLE, "kms:Encrypt", **via(S3)),
        findings=["team-access: role backup can encrypt with key alias/data"],
    ),
    "via: identity policies that the key policy lets in": Case(
        [key("data")],
        [READER, role("backup", iam("kms:Decrypt", **via(S3)))],
        rules=VIA,
    ),
    "via: identity policies that are wider": Case(
        [key("data")],
        [READER, role("backup", iam("kms:Decrypt"))],
        findings=[BEYOND],
        code=1,
        rules=VIA,
    ),
    "via: a service of the team calls by itself": case(
        decrypt(
            {"Service": "backup.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}},
        ),
        findings=[beyond("via s3 or rds", "service backup.amazonaws.com")],
    ),
    "via: a team without a limit in another entry": case(
        decrypt(),
        rules=VIA
        + "  - {name: more, match: {alias: alias/data}, allow: {backup: [kms:Decrypt]}}\n",
    ),
    "via: several limits add up": case(decrypt(**via(S3, RDS)), rules=TWO),
    "via: beyond several limits": case(
        decrypt(**via(S3, EC2)),
        rules=TWO,
        findings=[
            "team-access: role backup can decrypt with key alias/data other than via s3 or via rds"
        ],
    ),
    "via: another account may do it directly": case(
        decrypt(role_arn("backup", OTHER)),
        rules=OF_OTHER,
        findings=[
            "external-account: role backup of account 444455556666 has access to key alias/data",
            BEYOND,
        ],
    ),
    "via: another account through the service alone": case(
        decrypt(role_arn("backup", OTHER), **via(S3)), rules=OF_OTHER
    ),
    "via: any identity of another account": case(
        decrypt({"AWS": OTHER}, **via(S3)), rules=OF_OTHER
    ),
    "when: the condition of the rule": case(decrypt(**context("orders")), rules=ORDERS),
    "when: a stricter condition": case(
        decrypt(
            Condition={**context("orders")["Condition"], "Bool": {"aws:SecureTransport": "true"}}
        ),
        rules=ORDERS,
    ),
    "when: another value": case(
        decrypt(**context("bills")),
        rules=ORDERS,
        findings=[beyond('when kms:EncryptionContext:app is "orders"')],
    ),
    "when: a pattern that is wider": case(
        decrypt(**context("orders*", "StringLike")),
        rules=ORDERS,
        findings=[beyond('when kms:EncryptionContext:app is "orders"')],
    ),
    "when: and via, of which both must hold": case(
        decrypt(Condition={**via(S3)["Condition"], "Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        rules=BOTH,
    ),
    "when: and via, of which one is missing": case(
        decrypt(**via(S3)),
        rules=BOTH,
        findings=[beyond("via s3 and when aws:MultiFactorAuthPresent is true")],
    ),
    "when: a tag of the key": case(
        decrypt(),
        rules=limited("{decrypt: {when: {StringEquals: {aws:ResourceTag/data: card}}}}"),
        tags={"data": "card"},
    ),
    "when: another tag of the key": case(
        decrypt(),
        rules=limited("{decrypt: {when: {StringEquals: {aws:ResourceTag/data: card}}}}"),
        tags={"data": "plain"},
        findings=[beyond('when aws:ResourceTag/data is "card"')],
    ),
    "when: the search does not see that two values with a policy variable are the same": case(
        decrypt(**context("${aws:PrincipalTag/app}")),
        rules=limited(
            "{decrypt: {when: {StringEquals: "
            "{'kms:EncryptionContext:app': '${aws:PrincipalTag/app}'}}}}"
        ),
        findings=[
            "undecided: cannot decide who can use key alias/data | open: whether some request "
            "fulfils the conditions: the search found none and is not complete"
        ],
    ),
    "when: another policy variable": case(
        decrypt(**context("${aws:PrincipalTag/stage}")),
        rules=limited(
            "{decrypt: {when: {StringEquals: "
            "{'kms:EncryptionContext:app': '${aws:PrincipalTag/app}'}}}}"
        ),
        findings=[beyond('when kms:EncryptionContext:app is "${aws:PrincipalTag/app}"')],
    ),
    "when: a service of the team for our account": case(
        decrypt({"Service": "backup.amazonaws.com"}, **FOR_US), rules=OWN_ACCOUNT
    ),
    "when: a service of the team for anybody": case(
        decrypt({"Service": "backup.amazonaws.com"}),
        rules=OWN_ACCOUNT,
        findings=[
            "confused-deputy: service backup.amazonaws.com can use key alias/data for anybody",
            beyond('when aws:SourceAccount is "111122223333"', "service backup.amazonaws.com"),
        ],
    ),
    "beyond the limit of one team, and perhaps of a team without one": Case(
        [key("data")],
        [READER, role(UNNAMED, iam("kms:Decrypt"))],
        findings=[f"{CANNOT}the name of role Unnamed"],
        code=3,
        rules=VIA.replace(
            "{principals: [role/backup,", "{definitions: [App/Unnamed], principals: ["
        ).replace("generated: {definitions: [App/Unnamed]}", "generated: {definitions: [App/No]}"),
    ),
    "within the limit of a team, to which it perhaps belongs": Case(
        [key("data")],
        [READER, role(UNNAMED, iam("kms:Decrypt", **via(S3)))],
        findings=[f"{CANNOT}the name of role Unnamed"],
        code=3,
        rules=VIA.replace(
            "generated: {definitions: [App/Unnamed]}", "generated: {definitions: [App/No]}"
        ),
    ),
    "a limit on grants holds through the key policy": case(
        allow(
            BACKUP_ROLE,
            "kms:CreateGrant",
            Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        rules=limited("{kms:CreateGrant: {when: {Bool: {kms:GrantIsForAWSResource: true}}}}"),
    ),
    "a chain of roles within the limit": case(
        decrypt(**via(S3)),
        identities=[RUNNER, assumable(role_arn("backup-runner"))],
    ),
    "a chain of roles beyond the limit is told of both": case(
        decrypt(),
        identities=[RUNNER, assumable(role_arn("backup-runner"))],
        findings=[
            BEYOND,
            "role-chain: role backup-runner can decrypt with key alias/data by assuming role "
            "backup",
        ],
    ),
    "a chain of roles to a team without any permission": case(
        decrypt(**via(S3)),
        identities=[BOB, assumable(user_of("bob"))],
        findings=["role-chain: user bob can decrypt with key alias/data by assuming role backup"],
    ),
    "required access under a limit": case(
        decrypt(**via(S3)), rules=VIA.replace("app: [decrypt]", "backup: [decrypt]")
    ),
    "required access under a limit is lost": case(
        rules=VIA.replace("app: [decrypt]", "backup: [decrypt]"),
        findings=["required-access: team backup cannot surely decrypt with key alias/data"],
    ),
    "required access without a limit is not conditional": case(
        decrypt(**via(S3)),
        rules=limited("decrypt").replace("app: [decrypt]", "backup: [decrypt]"),
        findings=["required-access: team backup cannot surely decrypt with key alias/data"],
    ),
}

ON = key("data")
DELEGATES_DECRYPT = allow(ROOT, "kms:Decrypt")
WRITES_POLICIES = iam("iam:PutRolePolicy")
MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
LIMIT_CASES |= {
    "via: a grant gives it without a limit": Case(
        [ON],
        [READER],
        [grant(ON, GranteePrincipal=BACKUP_ROLE, Operations=["Decrypt"])],
        findings=[BEYOND],
        code=1,
        rules=VIA,
    ),
    "when: a grant with the encryption context of the rule": Case(
        [ON],
        [READER],
        [
            grant(
                ON,
                GranteePrincipal=BACKUP_ROLE,
                Operations=["Decrypt"],
                Constraints={"EncryptionContextSubset": {"app": "orders"}},
            )
        ],
        rules=ORDERS,
    ),
    "a way around the limit": case(
        DELEGATES_DECRYPT,
        identities=[role("backup", iam("kms:Decrypt", **via(S3)), WRITES_POLICIES)],
        findings=[
            "self-escalation: role backup can write identity policies that open key alias/data "
            "| so it can give itself decrypt"
        ],
        code=0,
    ),
    "a chain of roles that goes on around the limit": case(
        DELEGATES_DECRYPT,
        identities=[
            RUNNER,
            assumable(role_arn("backup-runner"), iam("kms:Decrypt", **via(S3)), WRITES_POLICIES),
        ],
        findings=[
            "self-escalation: role backup can write identity policies that open key alias/data "
            "| so it can give itself decrypt",
            "role-chain: role backup-runner can decrypt with key alias/data via role backup "
            "| by assuming role backup, then writing identity policies",
        ],
    ),
    "administration under a limit, and a way around it": case(
        DELEGATES_DECRYPT,
        allow(BACKUP_ROLE, "kms:PutKeyPolicy", **MFA),
        rules=limited("{administer: {when: {Bool: {aws:MultiFactorAuthPresent: true}}}}"),
        identities=[role("backup", WRITES_POLICIES)],
        findings=[
            "self-escalation: role backup can write identity policies that open key alias/data "
            "| so it can give itself decrypt"
        ],
        code=0,
    ),
    "administration under a limit is no power over the key policy": Case(
        [key("data", ADMINISTRATION, ROOT_USER, allow(role_arn("app-reader"), "kms:Decrypt"),
             allow(BACKUP_ROLE, "kms:PutKeyPolicy"))],
        findings=[
            "self-escalation: role backup can change the key policy of alias/data "
            "| so it can give itself every action",
            beyond("when aws:MultiFactorAuthPresent is true", can="administer"),
        ],
        code=1,
        rules=limited("{administer: {when: {Bool: {aws:MultiFactorAuthPresent: true}}}}"),
    ),
}  # fmt: skip
