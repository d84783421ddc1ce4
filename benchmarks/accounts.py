"""A whole account on disk, as `kms-access snapshot` collects it, and a small plan for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kms_access.sources.account_snapshot.layout import (
    ALIASES,
    GRANTS,
    KEY,
    KEY_POLICY,
    KEYS,
    TAGS,
    AccountFolder,
)

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-central-1"
RULES = f"""
version: 1
accounts: {{main: "{ACCOUNT}"}}
teams:
  payments: {{principals: [role/payments-*]}}
  data: {{principals: [role/data-*, user/analyst-*]}}
  security: {{principals: [role/security-*], tags: {{team: security}}}}
  platform: {{principals: [role/platform-admin-*]}}
keys:
  - name: payments
    match: {{alias: "alias/payments-*"}}
    allow: {{payments: [use, view], platform: [administer, view], security: [view]}}
  - name: data
    match: {{alias: "alias/data-*"}}
    allow: {{data: [use, view], platform: [administer, view]}}
"""
_TEAMS = ("payments", "data", "web", "ops", "search", "mail", "security", "billing")
_SERVICES = ("lambda", "ec2", "ecs-tasks", "states", "glue", "firehose")
_OIDC = "token.actions.githubusercontent.com"


def write_account(folder: Path, *, roles: int, users: int, keys: int) -> Path:
    """The snapshot of one account; a tenth of `users` is as many groups."""
    files = AccountFolder(folder, ACCOUNT)
    _write(files.snapshot, {"version": 1, "account": ACCOUNT, "regions": [REGION]})
    details = {
        "UserDetailList": [_user(i, users) for i in range(users)],
        "GroupDetailList": [_group(i) for i in range(max(1, users // 10))],
        "RoleDetailList": [_role(i, roles, keys) for i in range(roles)],
        "Policies": [_managed(i, keys) for i in range(40)],
    }
    _write(files.authorization_details, details)
    listed = [{"KeyId": _key_id(i), "KeyArn": _key_arn(i)} for i in range(keys)]
    _write(files.in_region(REGION, KEYS), {"Keys": listed, "Truncated": False})
    aliases = [{"AliasName": _alias(i), "TargetKeyId": _key_id(i)} for i in range(keys)]
    _write(files.in_region(REGION, ALIASES), {"Aliases": aliases})
    for number in range(keys):
        for name, response in _of_key(number, roles):
            _write(files.of_key(REGION, _key_id(number), name), response)
    return folder


def write_plan(file: Path) -> Path:
    """A template that gives a role one more permission and changes the policy of one key."""
    trust = _statement("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": _role_name(8),
                "Path": "/",
                "AssumeRolePolicyDocument": _document(trust),
                "Policies": [
                    {
                        "PolicyName": "Use",
                        "PolicyDocument": _document(_statement("kms:Decrypt", _key_arn(0))),
                    }
                ],
            },
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": _document(_delegation(), _users(_role_name(8), _role_name(16)))
            },
        },
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": _alias(5), "TargetKeyId": {"Ref": "Key"}},
        },
    }
    _write(file, {"Resources": resources})
    return file


def _role_name(number: int) -> str:
    if number % 100 == 7:
        return f"platform-admin-{number}"
    return f"{_TEAMS[number % len(_TEAMS)]}-role-{number}"


def _role(number: int, roles: int, keys: int) -> dict[str, Any]:
    name = _role_name(number)
    path = "/" if number % 3 else f"/{_TEAMS[number % len(_TEAMS)]}/"
    inline = [
        {"PolicyName": f"Inline{place}", "PolicyDocument": _document(*statements)}
        for place, statements in enumerate(_inline(number, roles, keys))
    ]
    attached = [_attachment(arn) for arn in _attached(number)]
    role = {
        "Path": path,
        "RoleName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        "AssumeRolePolicyDocument": _document(*_trust(number, roles)),
        "RolePolicyList": inline,
        "AttachedManagedPolicies": attached,
        "Tags": [{"Key": "team", "Value": _TEAMS[number % len(_TEAMS)]}],
    }
    if number % 50 == 11:
        role["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": _policy_arn(39),
        }
    return role


def _inline(number: int, roles: int, keys: int) -> Iterator[list[dict[str, Any]]]:
    """Most roles read a bucket of their own; what they may do with keys varies."""
    bucket = f"arn:aws:s3:::data-{number}"
    yield [_statement(["s3:GetObject", "s3:PutObject", "s3:List*"], [bucket, f"{bucket}/*"])]
    kind = number % 20
    if kind >= 9 and number // 20 % 5:
        return
    use = ["kms:Decrypt", "kms:GenerateDataKey*"]
    team = _TEAMS[number % len(_TEAMS)]
    if kind < 6:
        yield [_statement(use, _key_arn(number % keys))]
    elif kind < 9:
        yield [_statement(use, [_key_arn((number + i) % keys) for i in range(4)])]
    elif kind == 9:
        yield [_statement(["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"])]
    elif kind == 10:
        by_team = {"StringEquals": {"aws:ResourceTag/team": team}}
        yield [_statement("kms:*", Condition=by_team)]
    elif kind == 11:
        via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
        yield [_statement(use, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*", Condition=via)]
    elif kind == 12:
        aliases = {"ForAnyValue:StringLike": {"kms:ResourceAliases": f"alias/{team}-*"}}
        yield [_statement(["kms:Decrypt", "kms:CreateGrant"], Condition=aliases)]
    elif kind == 13:
        target = f"arn:aws:iam::{ACCOUNT}:role/{_role_name((number + 40) % roles)}"
        yield [_statement("sts:AssumeRole", target)]
    elif kind == 14:
        yield [_statement(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"])]
    elif kind == 15:
        yield [_statement("kms:*"), _statement("kms:ScheduleKeyDeletion", Effect="Deny")]


def _attached(number: int) -> Iterator[str]:
    aws = "arn:aws:iam::aws:policy"
    yield _policy_arn(number % 39)
    if number % 100 == 7:
        yield f"{aws}/AdministratorAccess"
    elif number % 200 == 5:
        yield f"{aws}/PowerUserAccess"
    elif number % 20 == 3:
        yield f"{aws}/ReadOnlyAccess"
    elif number % 10 == 4:
        yield f"{aws}/service-role/AWSLambdaBasicExecutionRole"
    elif number % 100 == 19:
        yield f"{aws}/SecurityAudit"
    if number % 1000 == 33:
        yield f"{aws}/IAMFullAccess"


def _trust(number: int, roles: int) -> Iterator[dict[str, Any]]:
    kind = number % 10
    if kind < 7:
        service = f"{_SERVICES[number % len(_SERVICES)]}.amazonaws.com"
        yield _statement("sts:AssumeRole", None, Principal={"Service": service})
    elif kind == 7:
        root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        yield _statement("sts:AssumeRole", None, Principal=root)
    elif kind == 8:
        name = _role_name((number + 5) % roles)
        path = "/" if (number + 5) % roles % 3 else f"/{_TEAMS[(number + 5) % roles % 8]}/"
        taker = {"AWS": f"arn:aws:iam::{ACCOUNT}:role{path}{name}"}
        yield _statement("sts:AssumeRole", None, Principal=taker)
    elif number % 30 == 9:
        repository = {
            "StringLike": {f"{_OIDC}:sub": f"repo:example/app-{number}:*"},
            "StringEquals": {f"{_OIDC}:aud": "sts.amazonaws.com"},
        }
        provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{_OIDC}"}
        yield _statement(
            "sts:AssumeRoleWithWebIdentity", None, Principal=provider, Condition=repository
        )
    else:
        external = {"StringEquals": {"sts:ExternalId": f"id-{number}"}}
        other = {"AWS": f"arn:aws:iam::{OTHER}:root"}
        yield _statement("sts:AssumeRole", None, Principal=other, Condition=external)


def _user(number: int, users: int) -> dict[str, Any]:
    name = f"{'analyst' if number % 4 == 0 else 'user'}-{number}"
    groups = max(1, users // 10)
    return {
        "Path": "/",
        "UserName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "UserPolicyList": [],
        "GroupList": [f"group-{number % groups}"],
        "AttachedManagedPolicies": [_attachment("arn:aws:iam::aws:policy/AdministratorAccess")]
        if number % 60 == 2
        else [],
        "Tags": [{"Key": "team", "Value": _TEAMS[number % len(_TEAMS)]}],
    }


def _group(number: int) -> dict[str, Any]:
    pattern = f"arn:aws:iam::{ACCOUNT}:role/{_TEAMS[number % len(_TEAMS)]}-role-1*"
    statements = [_statement("sts:AssumeRole", pattern)] if number % 5 == 0 else []
    return {
        "GroupName": f"group-{number}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/group-{number}",
        "GroupPolicyList": [
            {
                "PolicyName": "Team",
                "PolicyDocument": _document(
                    _statement(["s3:Get*", "kms:DescribeKey", "kms:ListAliases"]), *statements
                ),
            }
        ],
        "AttachedManagedPolicies": [_attachment("arn:aws:iam::aws:policy/ReadOnlyAccess")]
        if number % 3 == 0
        else [],
    }


def _managed(number: int, keys: int) -> dict[str, Any]:
    statements = [_statement(["logs:*", "cloudwatch:PutMetricData"])]
    if number == 39:
        statements = [_statement(["s3:*", "kms:Decrypt", "kms:DescribeKey", "logs:*"])]
    elif number % 8 == 0:
        statements.append(_statement("kms:Decrypt", _key_arn(number % keys)))
    elif number % 8 == 1:
        statements.append(_statement(["dynamodb:*", "sqs:*"]))
    return {
        "PolicyName": f"shared-{number}",
        "Arn": _policy_arn(number),
        "DefaultVersionId": "v1",
        "PolicyVersionList": [
            {"VersionId": "v1", "IsDefaultVersion": True, "Document": _document(*statements)}
        ],
    }


def _of_key(number: int, roles: int) -> Iterator[tuple[str, dict[str, Any]]]:
    key_id = _key_id(number)
    metadata = {
        "AWSAccountId": ACCOUNT,
        "KeyId": key_id,
        "Arn": _key_arn(number),
        "Enabled": True,
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "KeySpec": "RSA_2048" if number % 25 == 24 else "SYMMETRIC_DEFAULT",
        "KeyUsage": "SIGN_VERIFY" if number % 25 == 24 else "ENCRYPT_DECRYPT",
        "MultiRegion": False,
    }
    yield KEY, {"KeyMetadata": metadata}
    yield KEY_POLICY, {"Policy": json.dumps(_document(*_key_statements(number, roles)))}
    yield GRANTS, {"Grants": list(_grants(number, roles))}
    tag = {"TagKey": "team", "TagValue": _TEAMS[number % len(_TEAMS)]}
    yield TAGS, {"Tags": [tag]}


def _key_statements(number: int, roles: int) -> Iterator[dict[str, Any]]:
    yield _delegation()
    if number % 3 == 1:
        yield _users(*(_role_name((8 * (number + i)) % roles) for i in range(3)))
    if number % 6 == 2:
        admin = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{_role_name(7)}"}
        yield _statement(["kms:Put*", "kms:Create*", "kms:Enable*"], Principal=admin)
    if number % 5 == 3:
        via = {
            "StringEquals": {
                "kms:CallerAccount": ACCOUNT,
                "kms:ViaService": f"s3.{REGION}.amazonaws.com",
            }
        }
        yield _statement(["kms:Encrypt", "kms:Decrypt"], Principal={"AWS": "*"}, Condition=via)
    if number % 20 == 4:
        other = {"AWS": f"arn:aws:iam::{OTHER}:root"}
        yield _statement("kms:Decrypt", Principal=other)
    if number % 15 == 6:
        source = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        yield _statement(
            "kms:GenerateDataKey*",
            Principal={"Service": "logs.amazonaws.com"},
            Condition=source,
        )


def _grants(number: int, roles: int) -> Iterator[dict[str, Any]]:
    if number % 7 == 0:
        name = _role_name((16 * number + 1) % roles)
        yield {
            "KeyId": _key_arn(number),
            "GrantId": f"{number:064x}",
            "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "IssuingAccount": f"arn:aws:iam::{ACCOUNT}:root",
            "Operations": ["Decrypt", "GenerateDataKey"],
            "Constraints": {"EncryptionContextSubset": {"table": f"t{number}"}},
        }


def _delegation() -> dict[str, Any]:
    return _statement("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})


def _users(*names: str) -> dict[str, Any]:
    arns = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in names]
    return _statement(["kms:Decrypt", "kms:GenerateDataKey*"], Principal={"AWS": arns})


def _key_id(number: int) -> str:
    return f"{number:08x}-12ab-34cd-56ef-1234567890ab"


def _key_arn(number: int) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{_key_id(number)}"


def _alias(number: int) -> str:
    return f"alias/{_TEAMS[number % len(_TEAMS)]}-{number}"


def _policy_arn(number: int) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/shared-{number}"


def _attachment(arn: str) -> dict[str, str]:
    return {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    about = {} if resource is None else {"Resource": resource}
    return {"Effect": "Allow", "Action": action, **about, **more}


def _write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
