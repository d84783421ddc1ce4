"""Changes of one statement that may widen access: what a careless pull request holds."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.builders import ACCOUNT, OTHER, REGION, allow, iam, role_arn
from tests.rules.adopted_designs import Design

Json = Any
FOREIGN = "999999999999"
OWN_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
INTRUDER = role_arn("intruder")
FOREIGN_ROOT = f"arn:aws:iam::{FOREIGN}:root"

ADDED_PRINCIPALS = {
    "an-unknown-role": INTRUDER,
    "the-api-role": role_arn("payments-api"),
    "the-own-account": OWN_ROOT,
    "a-foreign-role": f"arn:aws:iam::{FOREIGN}:role/x",
    "a-foreign-account": FOREIGN_ROOT,
    "a-session": f"arn:aws:sts::{ACCOUNT}:assumed-role/payments-api/debug",
}
ADDED_ACTIONS = ("kms:*", "kms:Decrypt", "kms:PutKeyPolicy", "kms:CreateGrant", "kms:Re*")
ADDED_STATEMENTS: dict[str, dict[str, Json]] = {
    "key": {
        "enable-iam": allow(OWN_ROOT, "kms:*"),
        "enable-iam-to-decrypt": allow(OWN_ROOT, "kms:Decrypt"),
        "enable-iam-for-one-name": allow(
            OWN_ROOT, "kms:Encrypt", Condition={"ArnEquals": {"aws:PrincipalArn": INTRUDER}}
        ),
        "trust-an-account": allow(FOREIGN_ROOT, "kms:Decrypt"),
        "trust-an-account-with-all": allow(FOREIGN_ROOT, "kms:*"),
        "everyone": allow("*", "kms:Decrypt"),
        "everyone-of-the-account": allow(
            "*", "kms:Decrypt", Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}}
        ),
        "an-organization": allow(
            "*", "kms:Decrypt", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
        ),
        "a-service": allow({"Service": "s3.amazonaws.com"}, "kms:GenerateDataKey"),
        "a-service-with-source": allow(
            {"Service": "sns.amazonaws.com"},
            "kms:Decrypt",
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ),
        "grants-for-resources": allow(
            INTRUDER, "kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}
        ),
    },
    "identity": {
        "decrypt": iam("kms:Decrypt"),
        "everything": iam("*"),
        "every-key-action": iam("kms:*"),
        "create-grants": iam("kms:CreateGrant"),
        "replicate": iam("kms:ReplicateKey"),
        "assume-roles": iam("sts:AssumeRole"),
        "write-role-policies": iam("iam:PutRolePolicy"),
        "write-user-policies": iam("iam:PutUserPolicy"),
        "attach-policies": iam(["iam:AttachRolePolicy", "iam:AttachUserPolicy"]),
        "open-trust": iam("iam:UpdateAssumeRolePolicy"),
        "make-access-keys": iam("iam:CreateAccessKey"),
        "pass-roles": iam(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]),
        "something-else": iam("s3:GetObject"),
    },
    "trust": {
        "an-unknown-role": {"AWS": INTRUDER},
        "a-foreign-account": {"AWS": FOREIGN_ROOT},
        "another-account-that-is-known": {"AWS": f"arn:aws:iam::{OTHER}:role/auditor"},
        "the-own-account": {"AWS": OWN_ROOT},
        "everyone": {"AWS": "*"},
        "a-service": {"Service": "ec2.amazonaws.com"},
        "a-provider": {"Federated": "arn:aws:iam::111122223333:saml-provider/idp"},
    },
}
_OTHER_VALUE = f"sqs.{REGION}.amazonaws.com"


def mutations(design: Design) -> Iterator[tuple[str, Design]]:
    """Every mutation of a design, with a name of its own.

    A statement that stands in several documents is changed in the first.
    """
    seen: list[Json] = []
    for at in design.documents():
        statements = design.statements(at)
        for index, statement in enumerate(statements):
            if (at.kind, statement) in seen:
                continue
            seen.append((at.kind, statement))
            for name, changed in _of_statement(statement, at.kind):
                others = copy.deepcopy(statements)
                others[index : index + 1] = [] if changed is None else [changed]
                if others:
                    yield f"{at}-{index}-{name}", design.with_statements(at, others)
        for name, added in ADDED_STATEMENTS[at.kind].items():
            if at.kind == "trust":
                action = "sts:AssumeRoleWithSAML" if "Federated" in added else "sts:AssumeRole"
                added = {"Effect": "Allow", "Principal": added, "Action": action}
            yield f"{at}-add-{name}", design.with_statements(at, [*statements, added])
    for name, node in design.template["Resources"].items():
        if "PermissionsBoundary" in node["Properties"]:
            yield f"{name}-drop-boundary", design.without(name, "PermissionsBoundary")


def _of_statement(statement: Json, kind: str) -> Iterator[tuple[str, Json | None]]:
    if statement["Effect"] == "Deny":
        yield from _of_deny(statement)
        return
    if "Principal" in statement:
        yield from _principals(statement)
    if kind != "trust":
        for action in ADDED_ACTIONS:
            if action not in _listed(statement["Action"]):
                wider = [*_listed(statement["Action"]), action]
                yield f"also-{action.removeprefix('kms:')}", {**statement, "Action": wider}
        yield "not-action", _with_not_action(statement)
    if kind == "identity" and statement["Resource"] != "*":
        yield "every-resource", {**statement, "Resource": "*"}
    yield from _conditions(statement)


def _with_not_action(statement: Json) -> Json:
    rest = {key: value for key, value in statement.items() if key != "Action"}
    return {**rest, "NotAction": "kms:ScheduleKeyDeletion"}


def _principals(statement: Json) -> Iterator[tuple[str, Json]]:
    element = statement["Principal"]
    named = _listed(element.get("AWS", []))
    for name, principal in ADDED_PRINCIPALS.items():
        if principal not in named:
            wider = {**element, "AWS": [*named, principal]}
            yield f"for-{name}", {**statement, "Principal": wider}
    yield "for-everyone", {**statement, "Principal": "*"}
    services = [*_listed(element.get("Service", [])), "ec2.amazonaws.com"]
    yield "for-a-service", {**statement, "Principal": {**element, "Service": services}}


def _conditions(statement: Json) -> Iterator[tuple[str, Json]]:
    block = statement.get("Condition")
    if not block:
        return
    yield "no-condition", {k: v for k, v in statement.items() if k != "Condition"}
    for operator, tests in block.items():
        for key, value in tests.items():
            for name, changed in (
                ("another-value", {operator: {**tests, key: [*_listed(value), _OTHER_VALUE]}}),
                ("any-value", {"StringLike": {key: "*"}}),
                ("if-exists", {f"{operator}IfExists": {key: value}}),
                ("negated", {"StringNotEquals": {key: value}}),
            ):
                rest = {o: dict(t) for o, t in block.items()}
                del rest[operator][key]
                for new, with_tests in changed.items():
                    rest[new] = {**rest.get(new, {}), **with_tests}
                kept = {o: t for o, t in rest.items() if t}
                yield f"{key}-{name}", {**statement, "Condition": kept}


def _of_deny(statement: Json) -> Iterator[tuple[str, Json | None]]:
    yield "dropped", None
    yield (
        "for-vpc-only",
        {
            **statement,
            "Condition": {**statement.get("Condition", {}), "Null": {"aws:SourceVpc": "false"}},
        },
    )
    yield "only-encrypt", {**statement, "Action": "kms:Encrypt"}
    yield "misspelled", {**statement, "Action": "kms:Decript"}
    named = (
        _listed(statement.get("Principal", {}).get("AWS", []))
        if isinstance(statement.get("Principal"), dict)
        else []
    )
    for index, _ in enumerate(named):
        left = [*named[:index], *named[index + 1 :]]
        if left:
            yield f"without-principal-{index}", {**statement, "Principal": {"AWS": left}}


def _listed(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else [value]
