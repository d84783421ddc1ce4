"""JSON text of policies with parts that are not known yet."""

from __future__ import annotations

from kms_access.policies.document import Effect
from kms_access.policies.grammar import RESOURCE_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import NAME_CHARACTER, Text, Unknown

NAME = Unknown("the name", NAME_CHARACTER)


def text(*parts: str | Unknown) -> Text:
    return Text(parts)


def test_parts_stand_in_the_strings_of_the_document() -> None:
    source = text('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": '
                  '{"AWS": "arn:aws:iam::111122223333:role/', NAME, '"}, "Action": "kms:*", '
                  '"Resource": "*"}}')  # fmt: skip
    document = parse_policy(source, RESOURCE_POLICY)
    assert document.problems == ()
    (entry,) = document.statements[0].principal.entries  # type: ignore[union-attr]
    assert entry.source == text("arn:aws:iam::111122223333:role/", NAME)


def test_repeated_keys_stay_visible() -> None:
    source = text('{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Effect": "Allow", '
                  '"Principal": {"AWS": "arn:aws:iam::111122223333:role/', NAME, '"}, '
                  '"Action": "kms:*", "Resource": "*"}}')  # fmt: skip
    document = parse_policy(source, RESOURCE_POLICY)
    assert [problem.rule for problem in document.problems] == ["K27"]
    assert document.statements[0].effects == set(Effect)
    assert document.statements[0].uncertain is not None


def test_an_unknown_part_in_a_key_leaves_the_object_open() -> None:
    source = text('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", '
                  '"Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": '
                  '{"aws:PrincipalTag/', NAME, '": "a"}}}}')  # fmt: skip
    document = parse_policy(source, RESOURCE_POLICY)
    assert document.statements[0].uncertain is not None


def test_a_part_that_may_end_its_string_leaves_the_document_unreadable() -> None:
    source = text('{"Version": "', Unknown("anything"), '", "Statement": []}')
    assert parse_policy(source, RESOURCE_POLICY).unreadable is not None


def test_data_that_is_nested_too_deep_is_unreadable() -> None:
    node: dict[str, object] = {"Effect": "Allow"}
    for _ in range(5_000):
        node = {"Statement": [node]}
    assert parse_policy(node, RESOURCE_POLICY).unreadable is not None
