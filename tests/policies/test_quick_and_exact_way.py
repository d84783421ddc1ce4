"""The quick way through a policy gives what the exact way gives, problems and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies import parsing
from kms_access.policies.document import PolicyDocument
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    RESOURCE_CONTROL_POLICY,
    RESOURCE_POLICY,
    TRUST_POLICY,
    PolicyGrammar,
)
from kms_access.policies.json_text import read_json
from kms_access.policies.ordinary_document import ordinary_document
from kms_access.policies.ordinary_statement import ordinary_statement
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Unknown
from tests.policies.generated_policies import ACCOUNT, KEY, ROOT, as_data, policies, written


@contextmanager
def exact_way() -> Iterator[None]:
    """Every shortcut off."""
    with (
        patch.object(parsing, "ordinary_document", return_value=None),
        patch.object(parsing, "ordinary_statement", return_value=None),
    ):
        yield


def exactly(source: Any, grammar: PolicyGrammar) -> PolicyDocument:
    with exact_way():
        return parse_policy(source, grammar)


@given(policies())
def test_a_policy_as_text_is_read_alike(policy: tuple[Any, PolicyGrammar]) -> None:
    node, grammar = policy
    text = written(node)
    assert parse_policy(text, grammar) == exactly(text, grammar)


@given(policies())
def test_a_policy_as_part_of_a_text_is_read_alike(policy: tuple[Any, PolicyGrammar]) -> None:
    node, grammar = policy
    line = f'{{"policy": {written(node)}}}'
    part = read_json(line)["policy"]
    if isinstance(part, str):
        return
    assert parse_policy(part, grammar, read_from=line) == exactly(part, grammar)


@given(policies(), st.integers(0, 400), st.sampled_from(['"', "{", "]", "\\", "\x01", ",", "NaN"]))
def test_a_broken_text_is_refused_alike(
    policy: tuple[Any, PolicyGrammar], at: int, character: str
) -> None:
    node, grammar = policy
    text = written(node)
    text = text[:at] + character + text[at:]
    assert parse_policy(text, grammar) == exactly(text, grammar)


@given(policies(), st.data())
def test_a_policy_as_data_is_read_alike(
    policy: tuple[Any, PolicyGrammar], data: st.DataObject
) -> None:
    node, grammar = policy
    name = Unknown("the name", "[a-z]")

    def with_unknown_parts(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: with_unknown_parts(value) for key, value in part.items()}
        if isinstance(part, list):
            return [with_unknown_parts(item) for item in part]
        if isinstance(part, str) and part and data.draw(st.integers(0, 9)) == 9:
            return Text((part, name, data.draw(st.sampled_from(["x", "\u20ac"]))))
        return part

    source = with_unknown_parts(as_data(node))
    assert parse_policy(source, grammar) == exactly(source, grammar)


STATEMENT = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
CONDITION = {"StringEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Sid": "Enable IAM User Permissions"},
        {"Effect": "Deny", "Principal": "*", "Condition": CONDITION},
        {"Principal": {"AWS": [ROOT, ACCOUNT], "Service": "s3.amazonaws.com"}},
        {"Action": ["kms:Encrypt", "kms:Re*"], "Condition": {"Bool": {"aws:MultiFactor": True}}},
    ],
)
def test_an_ordinary_statement_takes_the_quick_way(change: dict[str, Any]) -> None:
    statement = ordinary_statement(STATEMENT | change, 0, KEY_POLICY, True)
    document = exactly({"Version": "2012-10-17", "Statement": [STATEMENT | change]}, KEY_POLICY)
    assert statement is not None
    assert document.problems == ()
    assert document.statements == (statement,)


def test_an_ordinary_document_takes_the_quick_way() -> None:
    policy = {"Version": "2012-10-17", "Statement": [STATEMENT, STATEMENT | {"Sid": "A"}]}
    for text in (json.dumps(policy), json.dumps([policy])):
        document = ordinary_document(
            policy, KEY_POLICY, version="2012-10-17", read_from=text, text=None
        )
        assert document == exactly(policy, KEY_POLICY)


class Marked(str):
    """A string of a loader that keeps more with it."""


@pytest.mark.parametrize(
    "data",
    [
        {"Id": Marked("\u20ac")},
        {"Statement": [{"Effect": Marked("\u20ac")}]},
        {"Statement": [{"Condition": {"\u20ac": {}}}]},
        {"Statement": [{"Condition": {"StringEquals": {"a": [Text(("\u20ac", Unknown("b")))]}}}]},
    ],
)
def test_a_refused_character_is_found_wherever_it_stands(data: dict[str, Any]) -> None:
    for source in (data, json.dumps(data, ensure_ascii=False, default=str)):
        rules = [problem.rule for problem in parse_policy(source, RESOURCE_POLICY).problems]
        assert "K29" in rules


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (
            '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
            '"Principal": "*", "Action": "*", "Resource": "*"}]}',
            "Version",
        ),
        ('{"Statement": [{"Effect": "Deny", "Effect": "Allow"}]}', "Statement[0].Effect"),
        (
            '{"Statement": [{"Principal": {"AWS": "*", "AWS": "*"}}]}',
            "Statement[0].Principal.AWS",
        ),
        (
            '{"Statement": [{"Principal": "*", "Condition": {"Bool": {}, "Bool": {}}}]}',
            "Statement[0].Condition.Bool",
        ),
    ],
)
def test_a_repeated_key_is_found_wherever_it_stands(text: str, path: str) -> None:
    for source in (text, read_json(text)):
        document = parse_policy(source, RESOURCE_POLICY, read_from=text)
        assert ("K27", path) in [(problem.rule, problem.place) for problem in document.problems]


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "allow"},
        {"Effect": ["Allow"]},
        {"Effekt": "Allow"},
        {"Sid": 1},
        {"Principal": {}},
        {"Principal": {"aws": ROOT}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}},
        {"NotPrincipal": "*"},
        {"NotAction": "kms:*"},
        {"Action": []},
        {"Action": ["kms:*", 1]},
        {"Resource": KEY},
        {"Condition": {"StringEqual": {"kms:ViaService": "a"}}},
        {"Condition": {"StringEquals": {"kms:ViaService": []}}},
        {"Condition": {"ForAllValues:StringEquals": {"kms:EncryptionContext:a": "b"}}},
    ],
)
def test_an_odd_statement_is_left_to_the_exact_way(change: dict[str, Any]) -> None:
    assert ordinary_statement(STATEMENT | change, 0, KEY_POLICY, True) is None


@pytest.mark.parametrize(
    ("grammar", "statement"),
    [
        (TRUST_POLICY, {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}),
        (TRUST_POLICY, {"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": "*"}),
        (IDENTITY_POLICY, {"Effect": "Allow", "Action": "*"}),
        (IDENTITY_POLICY, STATEMENT),
        (IDENTITY_POLICY, {"Effect": "Deny", "Action": "*", "Resource": "*", "NotResource": KEY}),
        (IDENTITY_POLICY, {"Effect": "Deny", "Sid": "a b", "Action": "*", "Resource": "*"}),
        (RESOURCE_CONTROL_POLICY, STATEMENT),
    ],
)
def test_what_a_policy_may_hold_depends_on_its_kind(
    grammar: PolicyGrammar, statement: dict[str, Any]
) -> None:
    assert ordinary_statement(statement, 0, grammar, True) is None


@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17", "2012"])
def test_whether_variables_count_depends_on_the_version(version: str) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/user": "${aws:username}"}}
    policy = {"Version": version, "Statement": [STATEMENT | {"Condition": condition}]}
    document = parse_policy(policy, KEY_POLICY)
    assert document == exactly(policy, KEY_POLICY)
    (read,) = document.statements[0].conditions
    assert bool(read.templates) is (version == "2012-10-17")
    assert bool(read.values) is (version == "2008-10-17")
    assert bool(read.unreadable_values) is (version == "2012")


@pytest.mark.parametrize("length", [6_143, 6_144, 6_145])
def test_the_size_is_counted_with_numbers_as_strings(length: int) -> None:
    """So the text is shorter than what is counted."""

    def text(last: int) -> str:
        tests = ",".join([f'"k{i}":1' for i in range(500)] + [f'"{"k" * last}":1'])
        condition = f'"Condition":{{"NumericEquals":{{{tests}}}}}'
        statement = f'{{"Effect":"Allow","Action":"kms:*","Resource":"*",{condition}}}'
        return f'{{"Version":"2012-10-17","Statement":[{statement}]}}'

    def counted(last: int) -> int:
        return len(json.dumps(json.loads(text(last), parse_int=str), separators=(",", ":")))

    source = text(1 + length - counted(1))
    assert len(source) < 6_144
    for policy in (source, read_json(source)):
        document = parse_policy(policy, IDENTITY_POLICY, read_from=source)
        rules = [problem.rule for problem in document.problems]
        assert rules == (["K30"] if length > 6_144 else [])


@pytest.mark.parametrize("length", [32_767, 32_768, 32_769])
def test_the_size_of_a_key_policy_is_that_of_its_text(length: int) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
    document = parse_policy(f"{text:{length}}", KEY_POLICY)
    assert [problem.rule for problem in document.problems] == (["K29"] if length > 32_768 else [])


@pytest.mark.parametrize(("grammar", "rules"), [(IDENTITY_POLICY, ["K28"]), (RESOURCE_POLICY, [])])
def test_a_sid_may_have_to_be_unique(grammar: PolicyGrammar, rules: list[str]) -> None:
    statement = {"Sid": "A", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    if grammar is RESOURCE_POLICY:
        statement["Principal"] = "*"
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement, statement]})
    assert [problem.rule for problem in parse_policy(text, grammar).problems] == rules
