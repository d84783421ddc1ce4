"""What stands in the account of the tests: two Regions, three keys, users, roles and a group."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3

HOME, AWAY = "eu-central-1", "us-east-1"


@dataclass(frozen=True)
class Account:
    """The ids that the account has given."""

    id: str
    ledger: str
    signing: str
    away: str

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:iam::{self.id}:{kind}/{name}"


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(actions: Any, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def build(account: str) -> Account:
    """Make everything through the API."""
    kms, iam = boto3.client("kms", region_name=HOME), boto3.client("iam")
    tags = [{"TagKey": "team", "TagValue": "payments"}]
    ledger = kms.create_key(KeyUsage="ENCRYPT_DECRYPT", Description="the ledger", Tags=tags)[
        "KeyMetadata"
    ]["KeyId"]
    kms.create_alias(AliasName="alias/ledger", TargetKeyId=ledger)
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    policy = _document(_allow("kms:*", Principal=root))
    kms.put_key_policy(KeyId=ledger, PolicyName="default", Policy=policy)
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    signing = signing["KeyMetadata"]["KeyId"]
    kms.create_grant(
        KeyId=ledger,
        GranteePrincipal=f"arn:aws:iam::{account}:role/service/backup",
        Operations=["Decrypt"],
        Name="backup",
        Constraints={"EncryptionContextEquals": {"table": "ledger"}},
    )
    away = boto3.client("kms", region_name=AWAY).create_key()["KeyMetadata"]["KeyId"]
    service = {"Service": "ec2.amazonaws.com"}
    trust = _document(
        {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"},
    )
    shared = iam.create_policy(
        PolicyName="Shared", Path="/app/", PolicyDocument=_document(_allow("s3:GetObject"))
    )
    shared = shared["Policy"]["Arn"]
    iam.create_policy_version(
        PolicyArn=shared,
        PolicyDocument=_document(_allow("kms:Decrypt")),
        SetAsDefault=True,
    )
    iam.create_policy_version(PolicyArn=shared, PolicyDocument=_document(_allow("kms:*")))
    iam.create_role(
        RoleName="backup",
        Path="/service/",
        AssumeRolePolicyDocument=trust,
        Tags=[{"Key": "team", "Value": "ops"}],
    )
    iam.create_role(RoleName="api", AssumeRolePolicyDocument=trust, PermissionsBoundary=shared)
    iam.put_role_policy(
        RoleName="api", PolicyName="Use", PolicyDocument=_document(_allow("kms:Encrypt"))
    )
    iam.attach_role_policy(RoleName="api", PolicyArn=shared)
    iam.create_group(GroupName="auditors")
    iam.put_group_policy(
        GroupName="auditors", PolicyName="View", PolicyDocument=_document(_allow("kms:DescribeKey"))
    )
    iam.create_user(UserName="dana")
    iam.add_user_to_group(GroupName="auditors", UserName="dana")
    return Account(account, ledger, signing, away)
