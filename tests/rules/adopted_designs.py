"""Deployments that adopt the rules, as CloudFormation templates that are built in the process."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kms_access.inventory.model import Inventory
from kms_access.sources import load
from tests.builders import ACCOUNT, OTHER, REGION, allow, deny, document, iam, role_arn, user_arn

Json = Any
OWN_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DATA = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"]
ADMINISTRATION = [
    *("kms:Describe*", "kms:Get*", "kms:List*", "kms:Enable*", "kms:Disable*"),
    *("kms:PutKeyPolicy", "kms:UpdateKeyDescription", "kms:TagResource", "kms:UntagResource"),
]
_DOCUMENTS = {"KeyPolicy": "key", "AssumeRolePolicyDocument": "trust", "PolicyDocument": "identity"}


@dataclass(frozen=True)
class Document:
    """A policy document of a design: where it stands, and whether it is a key, trust or identity
    policy."""

    path: tuple[str | int, ...]
    kind: str

    def __str__(self) -> str:
        return f"{self.path[1]}-{self.kind}"


@dataclass(frozen=True)
class Design:
    """One stack in account 111122223333."""

    name: str
    template: Json

    def documents(self) -> Iterator[Document]:
        """Every policy document, in the order of the template."""
        yield from _documents(self.template, ())

    def statements(self, at: Document) -> list[Json]:
        """A copy of the statements of a document."""
        node = self.template
        for step in at.path:
            node = node[step]
        return copy.deepcopy(list(node["Statement"]))

    def with_statements(self, at: Document, statements: list[Json]) -> Design:
        """The design with these statements instead."""
        template = copy.deepcopy(self.template)
        node = template
        for step in at.path[:-1]:
            node = node[step]
        node[at.path[-1]] = document(*statements)
        return Design(self.name, template)

    def without(self, resource: str, field: str) -> Design:
        """The design without a property of a resource."""
        template = copy.deepcopy(self.template)
        del template["Resources"][resource]["Properties"][field]
        return Design(self.name, template)

    def load(self, folder: Path) -> Inventory:
        """What the evaluator reads."""
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(self.template), encoding="utf-8")
        return load([path], account=ACCOUNT)


def _documents(node: Json, path: tuple[str | int, ...]) -> Iterator[Document]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _DOCUMENTS and "Statement" in value:
                yield Document((*path, key), _DOCUMENTS[key])
            else:
                yield from _documents(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _documents(value, (*path, index))


def _arn(key: str) -> Json:
    return {"Fn::GetAtt": [key, "Arn"]}


def _key(name: str, *statements: Json, **more: Json) -> dict[str, Json]:
    """A key with the alias of that name in lower case."""
    return {
        name: {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": document(*statements), **more},
        },
        f"{name}Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": f"alias/{name.lower()}", "TargetKeyId": {"Ref": name}},
        },
    }


def _identity(kind: str, name: str, *statements: Json, **more: Json) -> dict[str, Json]:
    inline = [{"PolicyName": "Access", "PolicyDocument": document(*statements)}]
    policies = {"Policies": inline} if statements else {}
    logical_id = "".join(word.capitalize() for word in name.split("-"))
    return {
        logical_id: {
            "Type": f"AWS::IAM::{kind}",
            "Properties": {f"{kind}Name": name, **policies, **more},
        }
    }


def _user(name: str, *statements: Json, **more: Json) -> dict[str, Json]:
    return _identity("User", name, *statements, **more)


def _role(name: str, taken_by: Json, *statements: Json, **more: Json) -> dict[str, Json]:
    trust = {"Effect": "Allow", "Principal": taken_by, "Action": "sts:AssumeRole"}
    return _identity("Role", name, *statements, AssumeRolePolicyDocument=document(trust), **more)


def _via(service: str) -> Json:
    return {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}


_deployer = allow(
    role_arn("deployer"),
    ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:TagResource"],
    Sid="Administration",
)

THREE_KEYS = Design(
    "three-keys",
    {
        "Resources": {
            **_key("CmkA", allow(OWN_ROOT, "kms:*", Sid="EnableIAM")),
            **_key(
                "CmkB",
                _deployer,
                allow(user_arn("bob"), ["kms:Encrypt", "kms:Decrypt"], Sid="Bob"),
                allow(user_arn("charlie"), "kms:Decrypt", Sid="Charlie"),
            ),
            **_key(
                "CmkC",
                _deployer,
                allow(user_arn("alice"), "kms:Decrypt", Sid="Alice"),
                deny([user_arn(n) for n in ("bob", "charlie", "david")], "kms:*", Sid="NobodyElse"),
            ),
            **_user("alice", iam("kms:*", [_arn("CmkA"), _arn("CmkB")])),
            **_user("bob"),
            **_user("charlie", iam("kms:Encrypt", [_arn("CmkA"), _arn("CmkB")])),
            **_user("david", iam("kms:Decrypt", _arn("CmkB"))),
        }
    },
)
"""`examples/three_keys_four_users`."""

_administration = [
    allow(role_arn("deployer"), ADMINISTRATION, Sid="Deployment"),
    allow(
        role_arn("security-admin"),
        [*ADMINISTRATION, "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"],
        Sid="Administration",
    ),
]

PAYMENTS = Design(
    "payments",
    {
        "Resources": {
            **_key("Ledger", allow(OWN_ROOT, "kms:*", Sid="EnableIAM")),
            **_key(
                "Cards",
                *_administration,
                allow(role_arn("payments-cards"), DATA, Sid="Cards", Condition=_via("dynamodb")),
            ),
            **_key(
                "Backups",
                *_administration,
                allow(role_arn("data-backup"), DATA, Sid="Backup", Condition=_via("backup")),
                allow(
                    role_arn("data-reporting"), "kms:Decrypt", Sid="Exports", Condition=_via("s3")
                ),
                deny(
                    "*",
                    ["kms:Decrypt", "kms:ReEncryptFrom"],
                    Sid="OnlyOurs",
                    Condition={"StringNotEquals": {"kms:CallerAccount": ACCOUNT}},
                ),
            ),
            **_role(
                "payments-api",
                {"Service": "ecs-tasks.amazonaws.com"},
                iam(
                    DATA,
                    _arn("Ledger"),
                    Condition={"StringEquals": {"kms:EncryptionContext:service": "ledger"}},
                ),
                iam("kms:DescribeKey", _arn("Ledger")),
            ),
            **_role("payments-cards", {"Service": "lambda.amazonaws.com"}),
            **_role(
                "security-admin",
                {"AWS": role_arn("staff/Admins")},
                iam([*ADMINISTRATION, "kms:ScheduleKeyDeletion"], _arn("Ledger")),
            ),
            **_role("data-backup", {"Service": "backup.amazonaws.com"}),
            **_role(
                "data-reporting",
                {"Service": "lambda.amazonaws.com"},
                iam("kms:Decrypt", _arn("Backups")),
                iam("kms:*", "*", "Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}),
            ),
            **_role(
                "contractor",
                {"AWS": role_arn("staff/Contractors")},
                iam(["kms:Decrypt", "kms:PutKeyPolicy"], _arn("Ledger")),
                PermissionsBoundary={"Ref": "Ceiling"},
            ),
            "Ceiling": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": document(iam(["kms:Decrypt", "s3:*"]))},
            },
        }
    },
)
"""The keys for data of `examples/payments_platform`, with a permissions boundary and Denies."""

AUDIT = Design(
    "audit",
    {
        "Resources": {
            **_key(
                "Signing",
                *_administration,
                allow(role_arn("payments-signer"), "kms:Sign", Sid="Signer"),
                allow(
                    [role_arn("payments-api"), role_arn("payments-signer")],
                    ["kms:Verify", "kms:GetPublicKey", "kms:DescribeKey"],
                    Sid="Verification",
                ),
                KeySpec="ECC_NIST_P256",
                KeyUsage="SIGN_VERIFY",
            ),
            **_key(
                "Logs",
                *_administration,
                allow(
                    {"Service": f"logs.{REGION}.amazonaws.com"},
                    DATA,
                    Sid="LogGroups",
                    Condition={
                        "StringEquals": {"aws:SourceAccount": ACCOUNT},
                        "ArnLike": {
                            "kms:EncryptionContext:aws:logs:arn": (
                                f"arn:aws:logs:{REGION}:{ACCOUNT}:*"
                            )
                        },
                    },
                ),
                allow(
                    role_arn("security-investigator"),
                    ["kms:Decrypt", "kms:DescribeKey"],
                    Sid="Investigation",
                ),
                allow(
                    f"arn:aws:iam::{OTHER}:role/auditor",
                    ["kms:Decrypt", "kms:DescribeKey"],
                    Sid="Audit",
                ),
            ),
            **_role("payments-signer", {"Service": "lambda.amazonaws.com"}),
            **_role("security-investigator", {"AWS": role_arn("staff/Investigators")}),
            **_role("payments-api", {"Service": "ecs-tasks.amazonaws.com"}),
        }
    },
)
"""The keys for signing and for logs of `examples/payments_platform`."""

DESIGNS = {design.name: design for design in (THREE_KEYS, PAYMENTS, AUDIT)}
