"""Hostile patterns, deep texts and long numbers, in policies, requests, templates, rules files."""

from __future__ import annotations

import json
from pathlib import Path

from kms_access.decisions.request_json import answer, read_request
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.wildcards import Pattern
from tests.builders import ACCOUNT, allow, document, iam
from tests.cases.hostile.outcomes import (
    ALICE,
    DELEGATED,
    KEY,
    LONG,
    SIBLING,
    STARS,
    Large,
    Outcome,
    asked,
    checked,
    condition,
    loaded,
    nested,
    parsed,
    template,
)

BOMB = "Resources:\n" + "".join(
    f"  k{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'x'}]\n" for i in range(9)
)
RULE_OF_STARS = f"""\
version: 1
keys:
  - name: x
    match: {{alias: "alias/{STARS}"}}
    allow: {{}}
"""

PATTERNS = {
    "few stars": Large(
        "patterns",
        lambda: lambda _: Outcome(Pattern.of("*a*a*a*b").matches("a" * 600).truth.name),
        Outcome("FALSE"),
    ),
    "stars in an action": Large(
        "patterns",
        lambda: asked(action=f"kms:{LONG}", resourcePolicy=document(SIBLING, allow(ALICE, STARS))),
        Outcome("implicitly-denied"),
    ),
    "stars in a resource": Large(
        "patterns",
        lambda: asked(
            resource=KEY + LONG,
            resourcePolicy=document(DELEGATED),
            identityPolicies=[document(iam("kms:*", f"arn:aws:kms:*:*:key/{STARS}"))],
        ),
        Outcome("implicitly-denied"),
    ),
    "stars in a condition": Large(
        "patterns",
        lambda: asked(
            context={"kms:ViaService": LONG},
            resourcePolicy=document(condition("StringLike", "kms:ViaService", STARS)),
        ),
        Outcome("implicitly-denied"),
    ),
    "stars in each segment of an ARN": Large(
        "patterns",
        lambda: asked(
            context={"aws:SourceArn": ":".join(["arn", *[LONG] * 5])},
            resourcePolicy=document(
                condition("ArnLike", "aws:SourceArn", ":".join(["*"] + [STARS] * 5))
            ),
        ),
        Outcome("implicitly-denied"),
    ),
    "stars over a resource of a template": Large(
        "patterns",
        lambda: checked(
            template(
                document(DELEGATED),
                {
                    "U": {
                        "Type": "AWS::IAM::User",
                        "Properties": {
                            "UserName": "u",
                            "Policies": [
                                {
                                    "PolicyName": "p",
                                    "PolicyDocument": document(
                                        iam("kms:*", f"arn:aws:kms:*:*:key/{STARS}")
                                    ),
                                }
                            ],
                        },
                    }
                },
            )
        ),
        Outcome("exit code 0"),
    ),
    "stars in a rules file": Large(
        "patterns",
        lambda: checked(
            template(
                document(DELEGATED),
                {
                    "A": {
                        "Type": "AWS::KMS::Alias",
                        "Properties": {
                            "AliasName": "alias/" + "a" * 250,
                            "TargetKeyId": {"Ref": "Key"},
                        },
                    }
                },
            ),
            rules=RULE_OF_STARS,
        ),
        Outcome("exit code 0"),
    ),
}
DEPTH = {
    "a text of brackets": Large(
        "depth", lambda: parsed("[" * 30_000), Outcome("unreadable", "K83 1:41")
    ),
    "a text of brackets that close": Large(
        "depth", lambda: parsed("[" * 16_000 + "]" * 16_000), Outcome("unreadable", "K83 1:41")
    ),
    "a text of objects": Large(
        "depth", lambda: parsed('{"a":' * 6_000), Outcome("unreadable", "K83 1:201")
    ),
    "a text of brackets that is no key policy": Large(
        "depth",
        lambda: parsed("[" * 100_000, IDENTITY_POLICY),
        Outcome("unreadable", "K83 1:41"),
    ),
    "data": Large(
        "depth",
        lambda: parsed(nested(5_000, lambda x, _: {"Statement": [x]}, {})),
        Outcome("unreadable"),
    ),
    "conditions within a condition": Large(
        "depth",
        lambda: asked(
            resourcePolicy=document(
                SIBLING,
                allow(ALICE, "kms:*", Condition=nested(30, lambda x, _: {"StringEquals": x}, "x")),
            )
        ),
        Outcome("allowed", "K26"),
    ),
    "a line of brackets": Large(
        "depth",
        lambda: asked(resourcePolicy=nested(60, lambda x, _: [x], "x")),
        Outcome("refused", "255: nested more than 40 levels deep"),
    ),
    "a template": Large(
        "depth",
        lambda: checked('{"Resources":\n' + "[" * 5_000 + "]" * 5_000 + "}"),
        Outcome("refused", "2:100 nested more than 100 levels deep"),
    ),
    "a template that never ends": Large(
        "depth",
        lambda: checked('{"Resources":\n' + '{"a":' * 100_000),
        Outcome("refused", "2:496 nested more than 100 levels deep"),
    ),
    "a template in YAML": Large(
        "depth",
        lambda: checked("Resources: " + "[" * 100_000, "t.yaml"),
        Outcome("refused"),
    ),
    "lists in lists in YAML": Large(
        "depth",
        lambda: checked("Resources:\n  " + "- " * 20_000 + "x", "t.yaml"),
        Outcome("refused", "2:201 nested more than 100 levels deep"),
    ),
    "aliases that double in YAML": Large(
        "depth",
        lambda: checked(BOMB, "t.yaml"),
        Outcome("refused", '2:7 the anchor "&a0" is not accepted'),
    ),
    "a rules file": Large(
        "depth", lambda: loaded("version: 1\nteams: " + "[" * 100_000), Outcome("refused")
    ),
    "maps in maps in a rules file": Large(
        "depth",
        lambda: loaded("version: 1\nteams: " + "{a: " * 100_000),
        Outcome("refused", "2:84 the file is too deep or too large"),
    ),
    "aliases that double in a rules file": Large(
        "depth",
        lambda: loaded(BOMB.replace("Resources", "teams")),
        Outcome("refused", '2:7 the anchor "&a0" is not accepted'),
    ),
}
DIGITS = "9" * 5_000
NUMBERS = {
    "5,000 digits in a policy": Large(
        "numbers",
        lambda: parsed('{"Version": ' + DIGITS + ', "Statement": []}'),
        Outcome("0 lost", "K31 1:13"),
    ),
    "5,000 digits in a request": Large(
        "numbers",
        lambda: asked_with_digits,
        Outcome("implicitly-denied"),
    ),
    "5,000 digits in a template": Large(
        "numbers",
        lambda: checked(
            '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"PendingWindowInDays": '
            + DIGITS
            + "}}}}"
        ),
        Outcome("exit code 0"),
    ),
    "5,000 digits in a template in YAML": Large(
        "numbers",
        lambda: checked(
            f"Resources: {{Key: {{Type: AWS::KMS::Key, Properties: {{X: {DIGITS}}}}}}}", "t.yaml"
        ),
        Outcome("exit code 0"),
    ),
    "5,000 digits in a rules file": Large(
        "numbers", lambda: loaded(f"version: {DIGITS}"), Outcome("refused", "1:10 version")
    ),
}


def asked_with_digits(folder: Path) -> Outcome:
    policy = document(condition("NumericLessThan", "aws:MultiFactorAuthAge", "7"))
    line = {"principal": ALICE, "action": "kms:Decrypt", "resource": KEY, "account": ACCOUNT}
    text = json.dumps(line | {"resourcePolicy": policy, "context": {"aws:MultiFactorAuthAge": 0}})
    found = answer(read_request(text.replace(": 0}", f": {DIGITS}}}")))
    return Outcome(found["decision"])
