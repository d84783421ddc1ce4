"""Ways to try a hostile input: each is one call whose outcome says how it ended."""

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
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.parsing import parse_policy
from kms_access.rules import Rules, assess, load_rules
from kms_access.sources import load
from tests.builders import ACCOUNT, allow, role_arn, user_arn

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALICE, BOB = user_arn("alice"), user_arn("bob")
SIBLING = allow(ALICE, "kms:Decrypt")
STARS = "*a" * 2_000 + "b"
LONG = "a" * 4_000
ROLES = [role_arn(f"r{number}") for number in range(50_000)]
NO_VALUE = {"Ref": "AWS::NoValue"}
DELEGATED = allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*")


@dataclass(frozen=True)
class Outcome:
    """How an input ended: a word, and what it says or where."""

    word: str
    says: str = ""


@dataclass(frozen=True)
class Large:
    """A hostile input with what must come of it.

    `make` builds the input and gives the call that tries it in a folder. What `expected` says is
    how the words of the outcome begin.
    """

    row: str
    make: Callable[[], Callable[[Path], Outcome]]
    expected: Outcome

    def ends_as_expected(self, found: Outcome) -> bool:
        return found.word == self.expected.word and found.says.startswith(self.expected.says)


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


def counted(written: object) -> Callable[[Path], Outcome]:
    """How many statements the key policy of a template has."""

    def run(folder: Path) -> Outcome:
        path = folder / "t.json"
        path.write_text(json.dumps(written), encoding="utf-8")
        (key,) = load([path], account=ACCOUNT).keys
        return Outcome(f"{len(key.policies[0].document.statements)} statements")

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


def condition(operator: str, key: str, values: Any) -> dict[str, Any]:
    return allow(ALICE, "kms:Decrypt", Condition={operator: {key: values}})
