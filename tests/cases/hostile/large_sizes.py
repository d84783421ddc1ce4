"""Policies, requests, templates and rules files that are too large, or hold too many things."""

from __future__ import annotations

import json
from typing import Any

from kms_access.policies.grammar import IDENTITY_POLICY
from tests.builders import allow, document, iam
from tests.cases.hostile.outcomes import (
    ALICE,
    BOB,
    ROLES,
    SIBLING,
    Large,
    Outcome,
    asked,
    checked,
    condition,
    loaded,
    parsed,
    template,
)

ODD = [7] * 10_000


def padded(size: int, *statements: Any) -> str:
    """A policy as JSON text with white space up to that many characters."""
    text = json.dumps(document(*statements))
    return text[:-1] + " " * (size - len(text)) + "}"


SIZES = {
    "a key policy of as many bytes as there may be": Large(
        "sizes", lambda: asked(resourcePolicy=padded(32_768, SIBLING)), Outcome("allowed")
    ),
    "a key policy of one byte more": Large(
        "sizes", lambda: asked(resourcePolicy=padded(32_769, SIBLING)), Outcome("depends", "K29")
    ),
    "an identity policy past its quota": Large(
        "sizes",
        lambda: parsed(document(iam([f"kms:Sign{i:04}" for i in range(600)])), IDENTITY_POLICY, 1),
        Outcome("0 lost", "K30"),
    ),
    "a policy of a million characters": Large(
        "sizes", lambda: parsed(padded(1_048_577, SIBLING)), Outcome("unreadable", "K29 1:1")
    ),
    "an identity policy that is mostly white space": Large(
        "sizes",
        lambda: parsed(padded(1_048_576, iam("kms:Sign")), IDENTITY_POLICY, 1),
        Outcome("0 lost"),
    ),
    "an identity policy of as many characters as are read": Large(
        "sizes",
        lambda: parsed(
            document(iam([f"kms:Sign{'x' * 2_000}{i:04}" for i in range(64)])), IDENTITY_POLICY, 1
        ),
        Outcome("0 lost", "K30"),
    ),
    "an identity policy of more characters": Large(
        "sizes",
        lambda: parsed(
            document(iam([f"kms:Sign{'x' * 2_000}{i:04}" for i in range(66)])), IDENTITY_POLICY
        ),
        Outcome("unreadable", "K30"),
    ),
    "an identity policy of more characters as text": Large(
        "sizes",
        lambda: parsed(
            json.dumps(document(iam([f"kms:Sign{i:05}" for i in range(50_000)]))), IDENTITY_POLICY
        ),
        Outcome("unreadable", "K30 1:1"),
    ),
    "a template of a million characters": Large(
        "sizes",
        lambda: checked(template(document(SIBLING), Description="x" * 1_048_576)),
        Outcome("refused", "no template: there are 1048"),
    ),
    "a request of a million characters": Large(
        "sizes",
        lambda: asked(resourcePolicy=padded(1_048_577, SIBLING)),
        Outcome("refused", "1: text of"),
    ),
    "a template of five million characters": Large(
        "sizes",
        lambda: checked(json.dumps(template(document(SIBLING))) + " " * 5_000_000),
        Outcome("refused", "the file has"),
    ),
    "a rules file of a million characters": Large(
        "sizes",
        lambda: loaded("version: 1\n" + "#" * 1_048_577),
        Outcome("refused", "the file has"),
    ),
    "60,000 items in a rules file": Large(
        "sizes",
        lambda: loaded(f"version: 1\ndeployers: [{', '.join(['x'] * 60_000)}]"),
        Outcome("refused", "2:149998 the file is too deep or too large"),
    ),
    "5,001 resources": Large(
        "sizes",
        lambda: checked({"Resources": {f"R{i}": {"Type": "AWS::KMS::Key"} for i in range(5_001)}}),
        Outcome("refused", "no template: there are 5001 resources"),
    ),
    "a Sid of 20,000 characters": Large(
        "sizes",
        lambda: asked(resourcePolicy=document(SIBLING | {"Sid": "x" * 20_000})),
        Outcome("allowed"),
    ),
    "names of 100,000 characters": Large(
        "sizes",
        lambda: checked(
            template(
                document(SIBLING, SIBLING | {"Sid": "x" * 100_000}),
                {
                    "R" * 100_000: {
                        "Type": "AWS::IAM::Role",
                        "Properties": {
                            "RoleName": "r" * 100_000,
                            "AssumeRolePolicyDocument": document(),
                        },
                    }
                },
            )
        ),
        Outcome("exit code 1", "invalid-policy"),
    ),
    "10,000 statements": Large(
        "many",
        lambda: parsed(document(*[allow(r, "kms:Encrypt") for r in ROLES[:10_000]])),
        Outcome("unreadable", "K29"),
    ),
    "10,000 statements as text": Large(
        "many",
        lambda: parsed(json.dumps(document(*[{"Effect": "Allow"}] * 10_000))),
        Outcome("unreadable", "K29 1:1"),
    ),
    "10,000 statements that are numbers": Large(
        "many",
        lambda: parsed(json.dumps(document(*ODD, SIBLING))),
        Outcome("unreadable", "K83 1:41"),
    ),
    "10,000 statements without any element": Large(
        "many",
        lambda: parsed('{"Statement":[' + ",".join(["{}"] * 10_000) + "]}"),
        Outcome("unreadable", "K13"),
    ),
    "200 statements that are numbers": Large(
        "many",
        lambda: parsed(document(*[7] * 200, SIBLING), statements=201),
        Outcome("0 lost", "K83"),
    ),
    "5,000 statements in a request": Large(
        "many",
        lambda: asked(resourcePolicy=document(*[allow(BOB, "kms:Encrypt")] * 5_000, SIBLING)),
        Outcome("depends", "K29"),
    ),
    "10,000 statements in a template": Large(
        "many",
        lambda: checked(template(document(*[SIBLING] * 10_000))),
        Outcome("refused", "no template: there are 1"),
    ),
    "5,000 statements in a template": Large(
        "many",
        lambda: checked(template(document(*[SIBLING] * 5_000))),
        Outcome("exit code 1", "invalid-policy"),
    ),
    "50,000 principals": Large(
        "many",
        lambda: parsed(document(SIBLING, allow({"AWS": ROLES}, "kms:Encrypt"))),
        Outcome("unreadable", "K29"),
    ),
    "50,000 principals that KMS refuses": Large(
        "many",
        lambda: parsed(
            json.dumps(
                document(SIBLING, allow({"AWS": [f"x{i}" for i in range(50_000)]}, "kms:Encrypt"))
            )
        ),
        Outcome("unreadable", "K29 1:1"),
    ),
    "3,000 principals that KMS refuses": Large(
        "many",
        lambda: parsed(
            json.dumps(document(SIBLING, allow({"AWS": [f"x{i}" for i in range(3_000)]}, "kms:*")))
        ),
        Outcome("unreadable", "K17"),
    ),
    "20,000 principals in a request": Large(
        "many",
        lambda: asked(
            resourcePolicy=document(SIBLING, allow({"AWS": ROLES[:20_000]}, "kms:Encrypt"))
        ),
        Outcome("depends", "K29"),
    ),
    "50,000 accounts in a request": Large(
        "many",
        lambda: asked(
            resourcePolicy=document(
                SIBLING, allow({"AWS": [f"{i:012}" for i in range(50_000)]}, "kms:Encrypt")
            )
        ),
        Outcome("depends", "K29"),
    ),
    "50,000 actions in a request": Large(
        "many",
        lambda: asked(
            resourcePolicy=document(SIBLING, allow(ALICE, [f"kms:x{i}*" for i in range(50_000)]))
        ),
        Outcome("depends", "K29"),
    ),
    "50,000 values of a condition in a request": Large(
        "many",
        lambda: asked(
            context={"kms:ViaService": "y"},
            resourcePolicy=document(
                condition("StringLike", "kms:ViaService", [f"x{i}*" for i in range(50_000)])
            ),
        ),
        Outcome("depends", "K29"),
    ),
    "keys that repeat 10,000 times": Large(
        "many",
        lambda: parsed(
            '{"Version": "2012-10-17", "Statement": [{'
            + ", ".join(['"Effect": "Allow"'] * 10_000)
            + "}]}"
        ),
        Outcome("unreadable", "K29 1:1"),
    ),
    "keys that repeat 1,500 times": Large(
        "many",
        lambda: parsed(
            '{"Version": "2012-10-17", "Statement": [{'
            + ", ".join(['"Effect": "Allow"'] * 1_500)
            + "}]}",
            statements=1,
        ),
        Outcome("0 lost", "K27"),
    ),
}
