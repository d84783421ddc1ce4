"""Large hostile inputs: each is one call whose outcome says how it ended.

`benchmarks/test_hostile.py` measures the same calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from kms_access.decisions.request_json import RequestError, answer, read_request
from kms_access.inventory.input_error import InputError
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies.grammar import IDENTITY_POLICY, PolicyGrammar
from kms_access.policies.parsing import parse_policy
from kms_access.policies.wildcards import Pattern
from kms_access.rules import Rules, assess, load_rules
from kms_access.sources import load
from tests.builders import ACCOUNT, allow, document, iam, role_arn, user_arn

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALICE, BOB = user_arn("alice"), user_arn("bob")
SIBLING = allow(ALICE, "kms:Decrypt")
STARS = "*a" * 2_000 + "b"
LONG = "a" * 4_000
ROLES = [role_arn(f"r{number}") for number in range(50_000)]


@dataclass(frozen=True)
class Outcome:
    """How an input ended: a word, and what it says or where."""

    word: str
    says: str = ""


@dataclass(frozen=True)
class Large:
    """A hostile input with what must come of it."""

    row: str
    run: Callable[[Path], Outcome]
    expected: Outcome


def asked(**request: Any) -> Callable[[Path], Outcome]:
    """`kms-access authorize`: the decision and the rules of the findings."""
    stated = {"principal": ALICE, "action": "kms:Decrypt", "resource": KEY, "account": ACCOUNT}
    text = json.dumps(stated | request)

    def run(_: Path) -> Outcome:
        try:
            found = answer(read_request(text))
        except RequestError as error:
            return Outcome("refused", f"{error.column}: {error}"[:40])
        rules = dict.fromkeys(finding["rule"] for finding in found["findings"])
        return Outcome(found["decision"], " ".join(rules))

    return run


def parsed(
    source: object, grammar: PolicyGrammar = KEY_POLICY, statements: int = 0
) -> Callable[[Path], Outcome]:
    """`parse_policy`: the first problem with its place, and that no statement is lost."""

    def run(_: Path) -> Outcome:
        found = parse_policy(source, grammar)
        lost = statements - len(found.statements)
        first = found.problems[0] if found.problems else None
        word = "unreadable" if found.unreadable else f"{lost} lost"
        place = first.position or first.place if first else ""
        return Outcome(word, f"{first.rule} {place}".strip() if first else "")

    return run


def checked(
    written: object, file: str = "t.json", rules: str | None = None
) -> Callable[[Path], Outcome]:
    """`kms-access check`: the exit code and the first finding, or the error with its place."""
    text = written if isinstance(written, str) else json.dumps(written)

    def run(folder: Path) -> Outcome:
        path = folder / file
        path.write_text(text, encoding="utf-8")
        try:
            found = assess(load([path], account=ACCOUNT), read_rules(folder, rules))
        except InputError as error:
            return refusal(error)
        first = found.findings[0].check if found.findings else ""
        return Outcome(f"exit code {found.exit_code}", first)

    return run


def read_rules(folder: Path, text: str | None) -> Rules:
    if text is None:
        return Rules()
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path)


def loaded(text: str) -> Callable[[Path], Outcome]:
    """A rules file."""

    def run(folder: Path) -> Outcome:
        try:
            read_rules(folder, text)
        except InputError as error:
            return refusal(error)
        return Outcome("read")

    return run


def refusal(error: InputError) -> Outcome:
    place = f"{error.line}:{error.column} " if error.line else ""
    return Outcome("refused", f"{place}{error.message}"[:60])


def template(key_policy: Any, resources: Mapping[str, Any] | None = None, **sections: Any) -> Any:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key_policy}}
    return {"Resources": {"Key": key, **(resources or {})}, **sections}


def nested(levels: int, wrap: Callable[[Any, int], Any], inside: Any) -> Any:
    return reduce(wrap, range(levels), inside)


def open_conditions(count: int) -> dict[str, Any]:
    """Sections with conditions C0, C1, … that hang on parameters."""
    equals = {f"C{i}": {"Fn::Equals": [{"Ref": f"P{i}"}, "x"]} for i in range(count)}
    return {"Conditions": equals, "Parameters": {f"P{i}": {"Type": "String"} for i in range(count)}}


def naming_each_other(levels: int) -> dict[str, Any]:
    """Conditions of which each names two of the level below."""
    sections = open_conditions(2)
    found = {"D0": {"Condition": "C0"}, "E0": {"Condition": "C1"}} | sections["Conditions"]
    for level in range(1, levels):
        below = [{"Condition": f"D{level - 1}"}, {"Condition": f"E{level - 1}"}]
        found |= {f"D{level}": {"Fn::Or": below}, f"E{level}": {"Fn::And": below}}
    return {**sections, "Conditions": found}


def for_principal(node: Any) -> Any:
    return document(SIBLING, allow({"AWS": node}, "kms:Encrypt"))


def condition(operator: str, key: str, values: Any) -> dict[str, Any]:
    return allow(ALICE, "kms:Decrypt", Condition={operator: {key: values}})


NO_VALUE = {"Ref": "AWS::NoValue"}
BOMB = "Resources:\n" + "".join(
    f"  k{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'x'}]\n" for i in range(9)
)
ODD = [7] * 10_000
DELEGATED = allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*")

PATTERNS = {
    "few stars": Large(
        "patterns",
        lambda _: Outcome(Pattern.of("*a*a*a*b").matches("a" * 600).truth.name),
        Outcome("FALSE"),
    ),
    "stars in an action": Large(
        "patterns",
        asked(action=f"kms:{LONG}", resourcePolicy=document(SIBLING, allow(ALICE, STARS))),
        Outcome("implicitly-denied"),
    ),
    "stars in a resource": Large(
        "patterns",
        asked(
            resource=KEY + LONG,
            resourcePolicy=document(DELEGATED),
            identityPolicies=[document(iam("kms:*", f"arn:aws:kms:*:*:key/{STARS}"))],
        ),
        Outcome("implicitly-denied"),
    ),
    "stars in a condition": Large(
        "patterns",
        asked(
            context={"kms:ViaService": LONG},
            resourcePolicy=document(condition("StringLike", "kms:ViaService", STARS)),
        ),
        Outcome("implicitly-denied"),
    ),
    "stars in each segment of an ARN": Large(
        "patterns",
        asked(
            context={"aws:SourceArn": ":".join(["arn", *[LONG] * 5])},
            resourcePolicy=document(
                condition("ArnLike", "aws:SourceArn", ":".join(["*"] + [STARS] * 5))
            ),
        ),
        Outcome("implicitly-denied"),
    ),
    "stars over a resource of a template": Large(
        "patterns",
        checked(
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
        checked(
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
            rules=f'version: 1\nkeys:\n  - name: x\n    match: {{alias: "alias/{STARS}"}}\n    allow: {{}}\n',
        ),
        Outcome("exit code 0"),
    ),
}
DEPTH = {
    "a text of brackets": Large("depth", parsed("[" * 100_000), Outcome("unreadable", "K83 1:41")),
    "a text of brackets that close": Large(
        "depth", parsed("[" * 100_000 + "]" * 100_000), Outcome("unreadable", "K83 1:41")
    ),
    "a text of objects": Large(
        "depth", parsed('{"a":' * 100_000), Outcome("unreadable", "K83 1:201")
    ),
    "data": Large(
        "depth", parsed(nested(5_000, lambda x, _: {"Statement": [x]}, {})), Outcome("unreadable")
    ),
    "conditions within a condition": Large(
        "depth",
        asked(
            resourcePolicy=document(
                SIBLING,
                allow(ALICE, "kms:*", Condition=nested(30, lambda x, _: {"StringEquals": x}, "x")),
            )
        ),
        Outcome("allowed", "K26"),
    ),
    "a line of brackets": Large(
        "depth",
        asked(resourcePolicy=nested(60, lambda x, _: [x], "x")),
        Outcome("refused", "255: nested more than 40 levels deep"),
    ),
    "a template": Large(
        "depth",
        checked('{"Resources":\n' + "[" * 5_000 + "]" * 5_000 + "}"),
        Outcome("refused", "2:100 nested more than 100 levels deep"),
    ),
    "a template that never ends": Large(
        "depth",
        checked('{"Resources":\n' + '{"a":' * 100_000),
        Outcome("refused", "2:496 nested more than 100 levels deep"),
    ),
    "a template in YAML": Large(
        "depth",
        checked("Resources: " + "[" * 100_000, "t.yaml"),
        Outcome("refused"),
    ),
    "lists in lists in YAML": Large(
        "depth",
        checked("Resources:\n  " + "- " * 20_000 + "x", "t.yaml"),
        Outcome("refused", "2:201 nested more than 100 levels deep"),
    ),
    "aliases that double in YAML": Large(
        "depth", checked(BOMB, "t.yaml"), Outcome("refused", '2:7 the anchor "&a0" is not accepted')
    ),
    "a rules file": Large(
        "depth", loaded("version: 1\nteams: " + "[" * 100_000), Outcome("refused")
    ),
    "maps in maps in a rules file": Large(
        "depth",
        loaded("version: 1\nteams: " + "{a: " * 100_000),
        Outcome("refused", "2:84 the file is too deep or too large"),
    ),
    "aliases that double in a rules file": Large(
        "depth",
        loaded(BOMB.replace("Resources", "teams")),
        Outcome("refused", '2:7 the anchor "&a0" is not accepted'),
    ),
}
DIGITS = "9" * 5_000
NUMBERS = {
    "5,000 digits in a policy": Large(
        "numbers",
        parsed('{"Version": ' + DIGITS + ', "Statement": []}'),
        Outcome("0 lost", "K31 1:13"),
    ),
    "5,000 digits in a request": Large(
        "numbers",
        lambda folder: asked_with_digits(folder),
        Outcome("implicitly-denied"),
    ),
    "5,000 digits in a template": Large(
        "numbers",
        checked(
            '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"PendingWindowInDays": '
            + DIGITS
            + "}}}}"
        ),
        Outcome("exit code 0"),
    ),
    "5,000 digits in a template in YAML": Large(
        "numbers",
        checked(
            f"Resources: {{Key: {{Type: AWS::KMS::Key, Properties: {{X: {DIGITS}}}}}}}", "t.yaml"
        ),
        Outcome("exit code 0"),
    ),
    "5,000 digits in a rules file": Large(
        "numbers", loaded(f"version: {DIGITS}"), Outcome("refused", "1:10 version")
    ),
}


def asked_with_digits(folder: Path) -> Outcome:
    policy = document(condition("NumericLessThan", "aws:MultiFactorAuthAge", "7"))
    line = {"principal": ALICE, "action": "kms:Decrypt", "resource": KEY, "account": ACCOUNT}
    text = json.dumps(line | {"resourcePolicy": policy, "context": {"aws:MultiFactorAuthAge": 0}})
    found = answer(read_request(text.replace(": 0}", f": {DIGITS}}}")))
    return Outcome(found["decision"])


def padded(size: int, *statements: Any) -> str:
    """A policy as JSON text with white space up to that many characters."""
    text = json.dumps(document(*statements))
    return text[:-1] + " " * (size - len(text)) + "}"


MANY = range(10_000)
SIZES = {
    "a key policy of as many bytes as there may be": Large(
        "sizes", asked(resourcePolicy=padded(32_768, SIBLING)), Outcome("allowed")
    ),
    "a key policy of one byte more": Large(
        "sizes", asked(resourcePolicy=padded(32_769, SIBLING)), Outcome("depends", "K29")
    ),
    "an identity policy past its quota": Large(
        "sizes",
        parsed(document(iam([f"kms:Sign{i:04}" for i in range(600)])), IDENTITY_POLICY, 1),
        Outcome("0 lost", "K30"),
    ),
    "a policy of a million characters": Large(
        "sizes", parsed(padded(1_048_577, SIBLING)), Outcome("unreadable", "K83 1:1")
    ),
    "a request of a million characters": Large(
        "sizes",
        asked(resourcePolicy=padded(1_048_577, SIBLING)),
        Outcome("refused", "1: text of"),
    ),
    "a template of five million characters": Large(
        "sizes",
        checked(json.dumps(template(document(SIBLING))) + " " * 5_000_000),
        Outcome("refused", "the file has"),
    ),
    "a rules file of a million characters": Large(
        "sizes", loaded("version: 1\n" + "#" * 1_048_577), Outcome("refused", "the file has")
    ),
    "60,000 items in a rules file": Large(
        "sizes",
        loaded(f"version: 1\ndeployers: [{', '.join(['x'] * 60_000)}]"),
        Outcome("refused", "2:150003 the file is too deep or too large"),
    ),
    "5,001 resources": Large(
        "sizes",
        checked({"Resources": {f"R{i}": {"Type": "AWS::KMS::Key"} for i in range(5_001)}}),
        Outcome("refused", "no template: there are 5001 resources"),
    ),
    "a Sid of 20,000 characters": Large(
        "sizes", asked(resourcePolicy=document(SIBLING | {"Sid": "x" * 20_000})), Outcome("allowed")
    ),
    "names of 100,000 characters": Large(
        "sizes",
        checked(
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
        parsed(document(*[allow(r, "kms:Encrypt") for r in ROLES[:10_000]]), statements=10_000),
        Outcome("0 lost", "K29"),
    ),
    "10,000 statements as text": Large(
        "many",
        parsed(json.dumps(document(*[{"Effect": "Allow"}] * 10_000)), statements=10_000),
        Outcome("0 lost", "K29 1:1"),
    ),
    "10,000 statements that are numbers": Large(
        "many",
        parsed(json.dumps(document(*ODD, SIBLING)), statements=10_001),
        Outcome("0 lost", "K29"),
    ),
    "5,000 statements in a request": Large(
        "many",
        asked(resourcePolicy=document(*[allow(BOB, "kms:Encrypt")] * 5_000, SIBLING)),
        Outcome("depends", "K29"),
    ),
    "10,000 statements in a template": Large(
        "many",
        checked(template(document(*[SIBLING] * 10_000))),
        Outcome("exit code 1", "invalid-policy"),
    ),
    "50,000 principals": Large(
        "many",
        parsed(document(SIBLING, allow({"AWS": ROLES}, "kms:Encrypt")), statements=2),
        Outcome("0 lost", "K29"),
    ),
    "50,000 principals that KMS refuses": Large(
        "many",
        parsed(
            json.dumps(
                document(SIBLING, allow({"AWS": [f"x{i}" for i in range(50_000)]}, "kms:Encrypt"))
            ),
            statements=2,
        ),
        Outcome("0 lost", "K29 1:1"),
    ),
    "20,000 principals in a request": Large(
        "many",
        asked(resourcePolicy=document(SIBLING, allow({"AWS": ROLES[:20_000]}, "kms:Encrypt"))),
        Outcome("depends", "K29"),
    ),
    "50,000 accounts in a request": Large(
        "many",
        asked(
            resourcePolicy=document(
                SIBLING, allow({"AWS": [f"{i:012}" for i in range(50_000)]}, "kms:Encrypt")
            )
        ),
        Outcome("depends", "K29"),
    ),
    "50,000 actions in a request": Large(
        "many",
        asked(
            resourcePolicy=document(SIBLING, allow(ALICE, [f"kms:x{i}*" for i in range(50_000)]))
        ),
        Outcome("depends", "K29"),
    ),
    "50,000 values of a condition in a request": Large(
        "many",
        asked(
            context={"kms:ViaService": "y"},
            resourcePolicy=document(
                condition("StringLike", "kms:ViaService", [f"x{i}*" for i in range(50_000)])
            ),
        ),
        Outcome("implicitly-denied", "K29"),
    ),
    "keys that repeat 10,000 times": Large(
        "many",
        parsed(
            '{"Version": "2012-10-17", "Statement": [{'
            + ", ".join(['"Effect": "Allow"'] * 10_000)
            + "}]}",
            statements=1,
        ),
        Outcome("0 lost", "K29 1:1"),
    ),
}
INTRINSICS = {
    "Fn::If in Fn::If around a statement": Large(
        "intrinsics",
        checked(
            template(
                document(
                    SIBLING, nested(40, lambda x, i: {"Fn::If": [f"C{i}", x, NO_VALUE]}, DELEGATED)
                ),
                **open_conditions(40),
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::If in both branches of Fn::If": Large(
        "intrinsics",
        checked(
            template(
                document(SIBLING, nested(8, lambda x, i: {"Fn::If": [f"C{i}", x, x]}, DELEGATED)),
                **open_conditions(8),
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "200 conditions side by side": Large(
        "intrinsics",
        checked(
            template(
                document(
                    SIBLING,
                    *[
                        {"Fn::If": [f"C{i}", allow(ALICE, "kms:Encrypt"), NO_VALUE]}
                        for i in range(200)
                    ],
                ),
                **open_conditions(200),
            )
        ),
        Outcome("exit code 1", "lockout"),
    ),
    "200 conditions in one list": Large(
        "intrinsics",
        checked(
            template(
                document(
                    SIBLING,
                    allow(ALICE, [{"Fn::If": [f"C{i}", "kms:Sign", NO_VALUE]} for i in range(200)]),
                ),
                **open_conditions(200),
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "conditions that name two conditions each": Large(
        "intrinsics",
        checked(
            template(
                document(SIBLING, {"Fn::If": ["D39", DELEGATED, NO_VALUE]}), **naming_each_other(40)
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Sub that doubles": Large(
        "intrinsics",
        checked(
            template(
                for_principal(
                    nested(40, lambda x, _: {"Fn::Sub": ["${x}${x}", {"x": x}]}, {"Ref": "P0"})
                ),
                **open_conditions(1),
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Sub of 20,000 places": Large(
        "intrinsics",
        checked(template(for_principal({"Fn::Sub": "${P0}" * 20_000}), **open_conditions(1))),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Join of 100,000 texts": Large(
        "intrinsics",
        checked(template(for_principal({"Fn::Join": ["", ["a"] * 100_000]}))),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Select and Fn::Split in each other": Large(
        "intrinsics",
        checked(
            template(
                for_principal(
                    nested(40, lambda x, _: {"Fn::Select": [0, {"Fn::Split": [",", x]}]}, ALICE)
                )
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "exports that double": Large(
        "intrinsics",
        checked(
            template(
                for_principal({"Fn::ImportValue": "E39"}),
                Outputs={
                    f"O{i}": {
                        "Value": {"Fn::Join": ["", [{"Fn::ImportValue": f"E{i - 1}"}] * 2]},
                        "Export": {"Name": f"E{i}"},
                    }
                    for i in range(40)
                },
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::FindInMap over 5,000 rows": Large(
        "intrinsics",
        checked(
            template(
                document(
                    SIBLING,
                    *[
                        allow(
                            {"AWS": {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "x"]}},
                            "kms:Encrypt",
                        )
                    ]
                    * 100,
                ),
                Mappings={"M": {f"r{i}": {"x": ROLES[i]} for i in range(5_000)}},
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::If around documents of 500 statements": Large(
        "intrinsics",
        checked(
            template(
                {
                    "Fn::If": [
                        "C0",
                        document(*[SIBLING | {"Sid": f"a{i}"} for i in range(500)]),
                        document(*[SIBLING | {"Sid": f"b{i}"} for i in range(500)]),
                    ]
                },
                **open_conditions(1),
            )
        ),
        Outcome("exit code 1", "invalid-policy"),
    ),
    "Fn::If in a list of 20,000 accounts": Large(
        "intrinsics",
        lambda folder: statements_of(
            folder,
            template(
                for_principal(
                    [*(f"{i:012}" for i in range(20_000)), {"Fn::If": ["C0", ALICE, NO_VALUE]}]
                ),
                **open_conditions(1),
            ),
        ),
        Outcome("3 statements"),
    ),
}


def statements_of(folder: Path, written: object) -> Outcome:
    path = folder / "t.json"
    path.write_text(json.dumps(written), encoding="utf-8")
    (key,) = load([path], account=ACCOUNT).keys
    return Outcome(f"{len(key.policies[0].document.statements)} statements")


LARGE = {
    f"{case.row}: {name}": case
    for cases in (PATTERNS, DEPTH, NUMBERS, SIZES, INTRINSICS)
    for name, case in cases.items()
}
