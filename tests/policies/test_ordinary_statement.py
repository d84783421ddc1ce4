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
    PERMISSIONS_BOUNDARY,
    RESOURCE_CONTROL_POLICY,
    RESOURCE_POLICY,
    SERVICE_CONTROL_POLICY,
    SESSION_POLICY,
    TRUST_POLICY,
    PolicyGrammar,
    Presence,
)
from kms_access.policies.json_text import read_json
from kms_access.policies.ordinary_statement import ordinary_statement
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Unknown

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
GRAMMARS = (
    *(IDENTITY_POLICY, PERMISSIONS_BOUNDARY, SESSION_POLICY, SERVICE_CONTROL_POLICY),
    *(RESOURCE_CONTROL_POLICY, RESOURCE_POLICY, TRUST_POLICY, KEY_POLICY),
)
ODD: tuple[Any, ...] = (
    None,
    True,
    3,
    2.5,
    [],
    {},
    [None],
    ["a", 1],
    "é",
    "\u20ac",
    "\x01",
    "x" * 1_100,
)

actions = ["kms:*", "kms:Decrypt", "KMS:De*", "*", "s3:Get?bject", "", "kms:${aws:username}"]
resources = [
    "*",
    KEY,
    "arn:aws:s3:::b/*",
    "key/1",
    "arn:aws:s3:::b/${aws:username}",
    "${",
    "a:${b}",
]
callers = [
    *("*", ROOT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/app", f"arn:aws:iam::{ACCOUNT}:user/a/b"),
    *(f"arn:aws:iam::{ACCOUNT}:role/*", f"arn:aws:iam::{ACCOUNT}:group/g", "AIDAABCDEFGHIJKLMNOP"),
    *("s3.amazonaws.com", "*.amazonaws.com", "1234", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"),
]
operators = [
    *("StringEquals", "StringLike", "stringEquals", "ForAllValues:StringEquals", "Null", "Bool"),
    *("ForAnyValue:ArnLikeIfExists", "NumericLessThan", "IpAddress", "NullIfExists", "Foo", "a:b"),
]
keys = ["aws:PrincipalArn", "kms:ViaService", "kms:EncryptionContext:a", "aws:SecureTransport"]
values = ["true", "x", "*", "12", "10.0.0.0/8", "${aws:username}", "${", f"{ROOT}"]


class Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as it is written: a key may stand there twice."""


def written(node: Any) -> str:
    if isinstance(node, Pairs):
        return "{" + ", ".join(f"{json.dumps(k)}: {written(v)}" for k, v in node) + "}"
    if isinstance(node, list):
        return "[" + ",\n".join(map(written, node)) + "]"
    return json.dumps(node, ensure_ascii=node not in ("é", "\u20ac"))


def as_data(node: Any) -> Any:
    if isinstance(node, Pairs):
        return {key: as_data(value) for key, value in node}
    return [as_data(item) for item in node] if isinstance(node, list) else node


def seldom(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 24)) == 24


def one_or_more(draw: st.DrawFn, pool: list[str]) -> Any:
    if seldom(draw):
        return draw(st.sampled_from(ODD))
    # Most policies are in order, so that the quick way is taken.
    some = st.sampled_from(pool if draw(st.integers(0, 3)) == 3 else pool[:2])
    return draw(st.one_of(some, st.lists(some, min_size=1, max_size=3)))


_CHANGES = ("twice", "negation", "unknown", "refused", "lower", "missing", "odd")


def in_order_or_not(draw: st.DrawFn, pairs: list[tuple[str, Any]]) -> Any:
    if seldom(draw):
        change = draw(st.sampled_from(["no object", *_CHANGES]))
        at = draw(st.integers(0, len(pairs) - 1))
        name, value = pairs[at]
        if change == "no object":
            return draw(st.sampled_from(ODD))
        pairs[at : at + 1] = {
            "twice": [(name, draw(st.sampled_from(ODD))), (name, value)],
            "negation": [(name, value), (f"Not{name}", value)],
            "unknown": [(f"{name}s", value)],
            "refused": [("\u20ac", value)],
            "lower": [(name.lower(), value)],
            "missing": [],
            "odd": [(name, draw(st.sampled_from(ODD)))],
        }[change]
    return Pairs(pairs)


@st.composite
def statements(draw: st.DrawFn, grammar: PolicyGrammar) -> Any:
    pairs: list[tuple[str, Any]] = [("Effect", draw(st.sampled_from(["Allow", "Deny"])))]
    if draw(st.booleans()):
        pairs.append(("Sid", draw(st.sampled_from(["A", "B1", "", "a b", "é"]))))
    if (grammar.principal is Presence.REQUIRED) is not seldom(draw):
        kind = draw(st.sampled_from(["AWS", "AWS", "AWS", "Service", "Federated", "CanonicalUser"]))
        element = in_order_or_not(draw, [(kind, one_or_more(draw, callers))])
        several = Pairs([("AWS", ROOT), ("Service", "s3.amazonaws.com")])
        principal = draw(st.sampled_from(["*", element, element, several]))
        pairs.append(("NotPrincipal" if seldom(draw) else "Principal", principal))
    pairs.append(("NotAction" if seldom(draw) else "Action", one_or_more(draw, actions)))
    if (grammar.resource is Presence.REQUIRED) is not seldom(draw):
        pool = ["*", "*", *resources] if grammar.resource_is_self else resources
        name = "NotResource" if seldom(draw) else "Resource"
        pairs.append((name, one_or_more(draw, pool)))
    if draw(st.booleans()):
        tests = [
            (one, in_order_or_not(draw, [(draw(st.sampled_from(keys)), one_or_more(draw, values))]))
            for one in draw(st.lists(st.sampled_from(operators), max_size=2))
        ]
        pairs.append(("Condition", in_order_or_not(draw, tests) if tests else Pairs()))
    return in_order_or_not(draw, pairs)


@st.composite
def policies(draw: st.DrawFn) -> tuple[Any, PolicyGrammar]:
    grammar = draw(st.sampled_from(GRAMMARS))
    listed = draw(st.lists(statements(grammar), max_size=3))
    body = listed[0] if listed and seldom(draw) else listed
    version = draw(st.sampled_from(["2012-10-17"] * 5 + ["2008-10-17", "2012"]))
    pairs = [("Version", version), ("Statement", body)]
    if seldom(draw):
        pairs.append(("Id", "id"))
    return in_order_or_not(draw, pairs), grammar


@contextmanager
def exact_way() -> Iterator[None]:
    """Every shortcut off."""
    with (
        patch.object(parsing, "ordinary_statement", return_value=None),
        patch.object(parsing, "_is_plain", return_value=False),
        patch.object(parsing, "_is_surely_small", return_value=False),
        patch.object(parsing, "_ELEMENT_NAMES", frozenset()),
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
        ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', "Version"),
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
    """So the text may be half as long as what is counted."""

    def text(last: int) -> str:
        numbers = ",".join(["1"] * 1_500 + ["1" * last])
        return f'{{"Version":"2012-10-17","Statement":[{numbers}]}}'

    def counted(last: int) -> int:
        return len(json.dumps(json.loads(text(last), parse_int=str), separators=(",", ":")))

    source = text(1 + length - counted(1))
    problems = [problem.rule for problem in parse_policy(source, IDENTITY_POLICY).problems]
    assert ("K30" in problems) is (length > 6_144)
