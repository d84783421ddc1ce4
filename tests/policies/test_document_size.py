"""A policy past its limit is measured and not read; one of too many errors not to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies.answers import ReasonKind
from kms_access.policies.document import PolicyDocument, Severity
from kms_access.policies.document_size import is_surely_longer
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    MAXIMUM_READ,
    RESOURCE_POLICY,
    PolicyGrammar,
)
from kms_access.policies.json_text import Number, read_json
from kms_access.policies.parsing import MAXIMUM_ERRORS, parse_policy
from kms_access.policies.text import Text, Unknown
from tests.builders import allow, document, iam, user_arn

ALICE = user_arn("alice")


def of_size(size: int) -> dict[str, Any]:
    """A key policy of so many characters without white space."""
    empty = document(allow(ALICE, "kms:Decrypt", Sid=""))
    rest = size - len(compact(empty))
    return document(allow(ALICE, "kms:Decrypt", Sid="x" * rest))


def compact(policy: Any) -> str:
    return json.dumps(policy, separators=(",", ":"))


def is_unread(document: PolicyDocument, rule: str) -> bool:
    (problem,) = document.problems
    reason = document.unreadable
    return (
        problem.rule == rule
        and problem.severity is Severity.ERROR
        and document.statements == ()
        and reason is not None
        and (reason.kind, reason.rule) == (ReasonKind.UNREADABLE, rule)
    )


@pytest.mark.parametrize("as_text", [True, False])
def test_a_key_policy_of_one_byte_too_many_is_not_read(as_text: bool) -> None:
    for size, is_read in ((32_768, True), (32_769, False)):
        policy = of_size(size)
        found = parse_policy(compact(policy) if as_text else policy, KEY_POLICY)
        assert (found.unreadable is None) is is_read
        assert bool(found.statements) is is_read
        assert is_read or is_unread(found, "K29")


def test_bytes_count_and_not_characters() -> None:
    policy = document(allow(ALICE, "kms:Decrypt", Sid="\u00e9" * 16_384))
    assert is_unread(parse_policy(json.dumps(policy, ensure_ascii=False), KEY_POLICY), "K29")
    assert is_unread(parse_policy(policy, KEY_POLICY), "K29")


def test_the_message_says_what_was_found_and_what_is_accepted() -> None:
    text = compact(of_size(40_000))
    (problem,) = parse_policy(text, KEY_POLICY).problems
    assert problem.message == "the policy has 40000 bytes, at most 32768 are accepted"
    assert str(problem.position) == "1:1"
    (problem,) = parse_policy(read_json(text), KEY_POLICY, read_from=text).problems
    assert problem.message == "the policy has more than 32768 bytes, at most 32768 are accepted"


def test_what_is_not_known_yet_does_not_count() -> None:
    """The name of an unknown part says nothing about the length of its value."""
    unknown = Text(("arn:aws:iam::", Unknown("x" * 40_000), ":root"))
    assert parse_policy(document(allow(unknown, "kms:*")), KEY_POLICY).unreadable is None
    long = Text(("x" * 40_000, Unknown("y")))
    assert is_unread(parse_policy(document(allow(long, "kms:*")), KEY_POLICY), "K29")
    source = Text(('{"Version": "2012-10-17", "Statement": "', "x" * 40_000, Unknown("y"), '"}'))
    assert is_unread(parse_policy(source, KEY_POLICY), "K29")


@pytest.mark.parametrize(("grammar", "rule"), [(IDENTITY_POLICY, "K30"), (RESOURCE_POLICY, "K83")])
@pytest.mark.parametrize("as_text", [True, False])
def test_other_policies_are_read_far_past_their_quota(
    grammar: PolicyGrammar, rule: str, as_text: bool
) -> None:
    def parsed(policy: dict[str, Any]) -> PolicyDocument:
        return parse_policy(json.dumps(policy) if as_text else policy, grammar)

    def actions(count: int) -> dict[str, Any]:
        names = [f"kms:Sign{'x' * 1_000}{i:04}" for i in range(count)]
        if grammar is IDENTITY_POLICY:
            return document(iam(names))
        return document(allow(ALICE, names))

    assert parsed(actions(125)).unreadable is None
    assert is_unread(parsed(actions(130)), rule)


def test_white_space_does_not_count_for_other_policies() -> None:
    text = compact(document(iam("kms:Sign")))
    padded = text[:-1] + " \n\t" * MAXIMUM_READ + "}"
    assert parse_policy(padded, IDENTITY_POLICY).problems == ()


def test_a_policy_of_too_many_errors_is_not_read_to_its_end() -> None:
    for count in (MAXIMUM_ERRORS, MAXIMUM_ERRORS + 1, 10_000):
        found = parse_policy(document(*[7] * count, allow(ALICE, "kms:*")), KEY_POLICY)
        if count == MAXIMUM_ERRORS:
            assert found.unreadable is None
            assert len(found.statements) == count + 1
            continue
        assert found.unreadable is not None
        assert found.unreadable.kind is ReasonKind.UNREADABLE
        assert found.statements == ()
        assert len(found.problems) == MAXIMUM_ERRORS + 2
        assert "not read any further" in found.problems[-1].message


def test_warnings_are_no_errors() -> None:
    unknown = [f"kms:NoSuchAction{number}" for number in range(2 * MAXIMUM_ERRORS)]
    found = parse_policy(document(allow(ALICE, unknown), allow(ALICE, "kms:*")), KEY_POLICY)
    assert found.unreadable is None
    assert len(found.statements) == 2


@pytest.mark.parametrize(
    "node",
    [
        "abc",
        "",
        {},
        [],
        {"a": "b", "c": ["d", "", {"e": []}]},
        [[], [[]], {}],
        ["x"] * 50,
        [True, None, 12],
        {"a": Number("12")},
    ],
)
def test_the_quick_look_never_counts_too_much(node: Any) -> None:
    def default(value: Any) -> Any:
        raise AssertionError(value)

    length = len(json.dumps(node, separators=(",", ":"), default=default))
    # A number is a string of its own kind here, which JSON writes without quotes.
    length -= 2 * ("12" in str(node) and isinstance(node, dict))
    assert not is_surely_longer(node, length)
    assert is_surely_longer(["x" * 100, node], 100)
