"""A snapshot in a folder, as the APIs answer: one account, one Region, two keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.builders import ACCOUNT, DELEGATION, REGION, allow, document, iam, role_arn, user_arn

LEDGER, SERVICE = "1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab"
SHARED = f"arn:aws:iam::{ACCOUNT}:policy/app/Shared"
TRUST = document(
    {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
)
DETAILS = "iam/account-authorization-details.json"
HEADER = "snapshot.json"


def key_arn(key_id: str) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"


def of_key(key_id: str, name: str) -> str:
    return f"kms/{REGION}/keys/{key_id}/{name}.json"


def metadata(key_id: str, **more: Any) -> dict[str, Any]:
    fields = {
        "AWSAccountId": ACCOUNT,
        "KeyId": key_id,
        "Arn": key_arn(key_id),
        "Enabled": True,
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": key_id.startswith("mrk-"),
    }
    return {"KeyMetadata": fields | more}


def files() -> dict[str, Any]:
    """The responses by their path in the folder of the account."""
    service = allow("*", "kms:Decrypt", Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}})
    api = {
        "Path": "/service/",
        "RoleName": "api",
        "Arn": role_arn("service/api"),
        "AssumeRolePolicyDocument": TRUST,
        "RolePolicyList": [
            {"PolicyName": "Use", "PolicyDocument": document(iam("kms:Encrypt", key_arn(LEDGER)))}
        ],
        "AttachedManagedPolicies": [{"PolicyName": "Shared", "PolicyArn": SHARED}],
        "Tags": [{"Key": "team", "Value": "payments"}],
    }
    dana = {
        "Path": "/",
        "UserName": "dana",
        "Arn": user_arn("dana"),
        "GroupList": ["auditors"],
        "AttachedManagedPolicies": [],
        "PermissionsBoundary": {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": SHARED,
        },
    }
    auditors = {
        "GroupName": "auditors",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/auditors",
        "GroupPolicyList": [{"PolicyName": "View", "PolicyDocument": document(iam("kms:*"))}],
        "AttachedManagedPolicies": [],
    }
    shared = {
        "PolicyName": "Shared",
        "Arn": SHARED,
        "DefaultVersionId": "v1",
        "PolicyVersionList": [
            {
                "VersionId": "v2",
                "IsDefaultVersion": False,
                "Document": document(iam("kms:*")),
            },
            {
                "VersionId": "v1",
                "IsDefaultVersion": True,
                "Document": document(iam("kms:Decrypt")),
            },
        ],
    }
    grant = {
        "KeyId": key_arn(LEDGER),
        "GrantId": "0c237476b39f8bc44e45212e08498fbe3151305030726c0590dd8d3e9f3d6a60",
        "Name": "backup",
        "GranteePrincipal": role_arn("service/backup"),
        "IssuingAccount": f"arn:aws:iam::{ACCOUNT}:root",
        "CreationDate": "2026-01-01T00:00:00+00:00",
        "Operations": ["Decrypt"],
        "Constraints": {},
    }
    found: dict[str, Any] = {
        HEADER: {"version": 1, "account": ACCOUNT, "regions": [REGION]},
        DETAILS: {
            "UserDetailList": [dana],
            "GroupDetailList": [auditors],
            "RoleDetailList": [api],
            "Policies": [shared],
        },
        f"kms/{REGION}/list-keys.json": {
            "Keys": [{"KeyId": k, "KeyArn": key_arn(k)} for k in (LEDGER, SERVICE)],
            "Truncated": False,
        },
        f"kms/{REGION}/list-aliases.json": {
            "Aliases": [
                {"AliasName": "alias/ledger", "TargetKeyId": LEDGER},
                {"AliasName": "alias/aws/s3", "TargetKeyId": SERVICE},
                {"AliasName": "alias/aws/acm"},
            ]
        },
    }
    for key_id, policy, grants in ((LEDGER, DELEGATION, [grant]), (SERVICE, service, [])):
        manager = {} if key_id == LEDGER else {"KeyManager": "AWS"}
        found |= {
            of_key(key_id, "describe-key"): metadata(key_id, **manager),
            of_key(key_id, "get-key-policy"): {"Policy": json.dumps(document(policy))},
            of_key(key_id, "list-grants"): {"Grants": grants},
            of_key(key_id, "list-resource-tags"): {
                "Tags": [{"TagKey": "team", "TagValue": "payments"}]
            },
        }
    return found


def write(folder: Path, found: dict[str, Any] | None = None, account: str = ACCOUNT) -> Path:
    """Write the files; a string is written as it is, None leaves the file out."""
    for name, value in (files() if found is None else found).items():
        if value is not None:
            file = folder / account / name
            file.parent.mkdir(parents=True, exist_ok=True)
            text = value if isinstance(value, str) else json.dumps(value, indent=2)
            file.write_text(text, encoding="utf-8")
    return folder
