"""Pulumi programs of the scenarios; each begins with `START`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

START = """
    import json
    import pulumi
    import pulumi_aws as aws

    ACCOUNT = "111122223333"
    TRUST = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "lambda.amazonaws.com"}},
    ]}

    def document(*principals):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
            {"Sid": "Users", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Principal": {"AWS": list(principals)}},
        ]})

    DECRYPT = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "All", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},
    ]})

    def arn_of(name):
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def role(name):
        return aws.iam.Role(name, name=name, assume_role_policy=TRUST)

    def after(*resources):
        return pulumi.ResourceOptions(depends_on=list(resources))
"""
CLEAN = """
    role("payments-api")
    key = aws.kms.Key("payments", policy=document(arn_of("payments-api")))
    aws.kms.Alias("payments", name="alias/payments", target_key_id=key.key_id)
"""
# Every kind of resource that gives access, each to the team that may have it.
COMPLIANT = f"""{CLEAN}    worker = role("payments-worker")
    plain = aws.kms.Key("payments-plain")
    aws.kms.KeyPolicy(
        "payments", key_id=plain.key_id, policy=document(arn_of("payments-worker")),
        opts=after(worker))
    aws.kms.Grant(
        "payments", key_id=key.key_id, grantee_principal=worker.arn, operations=["Decrypt"],
        constraints=[{{"encryption_context_equals": {{"tenant": "one"}}}}])
    aws.iam.RolePolicy("payments", role=worker.id, policy=DECRYPT, opts=after(key))
    policy = aws.iam.Policy("payments", name="payments", policy=DECRYPT)
    aws.iam.RolePolicyAttachment("payments", role=worker.name, policy_arn=policy.arn)
"""
# The random name of this preview is in the document, and stands for the name to come.
AUTONAMED = """
    role = aws.iam.Role("payments-api", assume_role_policy=TRUST)
    key = aws.kms.Key("payments", policy=role.name.apply(lambda name: document(arn_of(name))))
"""
BROKEN = """
    key = aws.kms.Key(
        "payments", policy=document(arn_of("billing")), opts=after(role("billing")))
    aws.kms.Alias("payments", name="alias/payments", target_key_id=key.key_id)
"""
# Only the update knows the ARN of the role.
BY_ARN = """
    owner = role("{role}")
    key = aws.kms.Key("payments", policy=owner.arn.apply(document))
    aws.kms.Grant("grant", key_id=key.key_id, grantee_principal=owner.arn, operations=["Decrypt"])
"""
# Two resources that the program only reads, and what it adds to them.
LEDGER = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
READING = f"""
    ledger = aws.kms.Key.get("ledger", "{LEDGER}")
    aws.kms.Grant("ledger", key_id=ledger.key_id, grantee_principal=arn_of("payments-api"),
                  operations=["Decrypt"])
    aws.kms.Key("payments", policy=document(arn_of("payments-api")))
    legacy = aws.iam.Role.get("legacy", "legacy")
    aws.iam.RolePolicy("legacy", role=legacy.name, policy=DECRYPT)
"""


@dataclass(frozen=True)
class LastPiece:
    """A program in which one resource, the last, completes a forbidden access."""

    source: str
    resource: str
    role: str
    before: frozenset[str]
    """What exists when the resource is stopped."""


def _last(source: str, resource: str, role: str, *before: str) -> LastPiece:
    return LastPiece(source, resource, role, frozenset((f"aws:iam/role:Role {role}", *before)))


LAST_PIECES: Mapping[str, LastPiece] = {
    "key": _last(
        """
        aws.kms.Key("payments-key", policy=document(arn_of("by-key")), opts=after(role("by-key")))
        """,
        "aws:kms/key:Key payments-key",
        "by-key",
    ),
    "key policy": _last(
        """
        key = aws.kms.Key("payments-policy", opts=after(role("by-policy")))
        aws.kms.KeyPolicy("last", key_id=key.key_id, policy=document(arn_of("by-policy")))
        """,
        "aws:kms/keyPolicy:KeyPolicy last",
        "by-policy",
        "aws:kms/key:Key payments-policy",
    ),
    "grant": _last(
        """
        key = aws.kms.Key("payments-grant", policy=document(arn_of("payments-api")))
        alias = aws.kms.Alias("payments", name="alias/payments", target_key_id=key.key_id)
        aws.kms.Grant("last", key_id=alias.target_key_id, grantee_principal=role("by-grant").arn,
                      operations=["Decrypt"],
                      constraints=[{"encryption_context_equals": {"tenant": "one"}}])
        """,
        "aws:kms/grant:Grant last",
        "by-grant",
        "aws:kms/key:Key payments-grant",
        "aws:kms/alias:Alias payments",
    ),
    "role policy": _last(
        """
        key = aws.kms.Key("payments-inline", policy=document(arn_of("payments-api")))
        aws.iam.RolePolicy("last", role=role("by-inline").id, policy=DECRYPT, opts=after(key))
        """,
        "aws:iam/rolePolicy:RolePolicy last",
        "by-inline",
        "aws:kms/key:Key payments-inline",
    ),
    "attachment": _last(
        """
        key = aws.kms.Key("payments-attached", policy=document(arn_of("payments-api")))
        policy = aws.iam.Policy("decrypt", policy=DECRYPT)
        aws.iam.RolePolicyAttachment(
            "last", role=role("by-attachment").name, policy_arn=policy.arn, opts=after(key))
        """,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment last",
        "by-attachment",
        "aws:kms/key:Key payments-attached",
        "aws:iam/policy:Policy decrypt",
    ),
}
EVERY_LAST_PIECE = "".join(dedent(piece.source) for piece in LAST_PIECES.values())


def write_program(project: Path, source: str) -> Path:
    """Make `source` the program of the project."""
    (project / "__main__.py").write_text(dedent(START) + dedent(source))
    return project
