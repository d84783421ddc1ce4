"""What is too large for CloudFormation or for any policy is not resolved, and never passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_access.inventory.key_policies import DEFAULT_KEY_POLICY_LABEL
from kms_access.inventory.model import Inventory
from kms_access.policies.answers import ReasonKind
from kms_access.policies.document import PolicyDocument
from kms_access.policies.text import Text
from kms_access.sources import SourceError, load
from kms_access.sources.cloudformation.policy_reading import MAXIMUM_WRITTEN
from kms_access.sources.cloudformation.template import MAXIMUM_CHARACTERS
from tests.builders import ACCOUNT, allow, document, user_arn

ALICE, BOB = user_arn("alice"), user_arn("bob")
NO_VALUE = {"Ref": "AWS::NoValue"}
OPEN = {
    "Parameters": {f"P{i}": {"Type": "String"} for i in range(100)},
    "Conditions": {f"C{i}": {"Fn::Equals": [{"Ref": f"P{i}"}, "x"]} for i in range(100)},
}


def read(folder: Path, key_policy: Any, **sections: Any) -> Inventory:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key_policy}}
    path = folder / "t.json"
    path.write_text(json.dumps({"Resources": {"Key": key}, **OPEN, **sections}), encoding="utf-8")
    return load([path], account=ACCOUNT)


def policy_of(folder: Path, key_policy: Any, **sections: Any) -> PolicyDocument:
    (key,) = read(folder, key_policy, **sections).keys
    return key.policies[0].document


def sided(sid: str, size: int) -> dict[str, Any]:
    return allow(ALICE, "kms:Decrypt", Sid=sid * size)


def test_readings_of_one_statement_are_not_added_up(tmp_path: Path) -> None:
    """Each of them alone is within the limit: only one of them is in force."""
    choice = {"Fn::If": ["C0", sided("a", 20_000), sided("b", 20_000)]}
    found = policy_of(tmp_path, document(allow(BOB, "kms:*"), choice))
    assert found.problems == ()
    assert found.unreadable is None
    assert len(found.statements) == 3


def test_what_is_there_for_sure_is_measured(tmp_path: Path) -> None:
    choice = {"Fn::If": ["C0", sided("a", 10), NO_VALUE]}
    found = policy_of(tmp_path, document(sided("b", 40_000), choice))
    assert [problem.rule for problem in found.problems] == ["K29"]
    assert found.unreadable is not None


@pytest.mark.parametrize("large_first", [True, False])
def test_a_document_that_may_be_too_large_is_a_finding(tmp_path: Path, large_first: bool) -> None:
    large, small = document(sided("a", 40_000)), document(allow(BOB, "kms:*"))
    branches = [large, small] if large_first else [small, large]
    found = policy_of(tmp_path, {"Fn::If": ["C0", *branches]})
    assert [problem.rule for problem in found.problems] == ["K29"]
    assert found.unreadable is not None


def test_functions_of_a_policy_far_too_large_are_not_resolved(tmp_path: Path) -> None:
    joined = {"Fn::Join": ["", ["a"] * (MAXIMUM_WRITTEN // 4)]}
    found = policy_of(tmp_path, document(allow(ALICE, "kms:*", Condition={"x": joined})))
    assert found.problems == ()
    assert found.unreadable is not None
    assert found.unreadable.kind is ReasonKind.UNREADABLE
    assert f"written with more than {MAXIMUM_WRITTEN} characters" in found.unreadable.text


@pytest.mark.parametrize(
    "node",
    [
        {"Fn::Join": ["", ["a"] * 5_001]},
        {"Fn::Sub": "${P0}" * 5_001},
        {"Fn::FindInMap": ["M", {"Ref": "P0"}, "x"]},
    ],
    ids=["Fn::Join", "Fn::Sub", "Fn::FindInMap"],
)
def test_a_value_past_a_bound_is_unknown(tmp_path: Path, node: Any) -> None:
    rows = {f"r{number}": {"x": "alice"} for number in range(1_001)}
    key = {"Type": "AWS::KMS::Key", "Properties": {"Description": node}}
    path = tmp_path / "t.json"
    path.write_text(
        json.dumps({"Resources": {"Key": key}, "Mappings": {"M": rows}, **OPEN}), encoding="utf-8"
    )
    (found,) = load([path], account=ACCOUNT).keys
    assert isinstance(found.description, Text)
    assert len(found.description.parts) == 1


def test_a_row_of_a_large_map_is_found_by_its_name(tmp_path: Path) -> None:
    rows = {f"r{number}": {"x": user_arn(f"u{number}")} for number in range(2_000)}
    node = {"Fn::FindInMap": ["M", "r1999", "x"]}
    found = policy_of(tmp_path, document(allow({"AWS": node}, "kms:*")), Mappings={"M": rows})
    assert str(found.statements[0].principal.entries[0].source) == user_arn("u1999")  # type: ignore[union-attr]


def test_very_many_optional_items_count_as_one(tmp_path: Path) -> None:
    """Nobody is left out: what stands for them may be anybody, and what is sure stays."""
    for count, expected in ((32, 33), (33, 2), (100, 2)):
        optional = [{"Fn::If": [f"C{i}", user_arn(f"u{i}"), NO_VALUE]} for i in range(count)]
        statement = allow({"AWS": [*optional, ALICE]}, "kms:*")
        found = policy_of(tmp_path, document(statement))
        (read_statement,) = found.statements
        assert read_statement.principal is not None
        entries = [entry.source for entry in read_statement.principal.entries]
        assert len(entries) == expected
        assert ALICE in entries
        assert sum(isinstance(entry, Text) for entry in entries) == expected - 1


def test_a_condition_with_equal_branches_decides_nothing(tmp_path: Path) -> None:
    statement = allow(ALICE, "kms:*")
    found = policy_of(tmp_path, document({"Fn::If": ["C0", statement, statement]}))
    (read_statement,) = found.statements
    assert read_statement.uncertain is None


@pytest.mark.parametrize(
    ("node", "is_default"),
    [
        ({"Fn::If": ["C0", NO_VALUE, ""]}, True),
        ({"Fn::If": ["C0", document(allow(ALICE, "kms:*")), NO_VALUE]}, False),
    ],
)
def test_the_default_policy_is_named_where_no_other_can_be(
    tmp_path: Path, node: Any, is_default: bool
) -> None:
    (key,) = read(tmp_path, node).keys
    assert (key.policies[0].label == DEFAULT_KEY_POLICY_LABEL) is is_default


def test_a_template_too_large_without_its_white_space_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    frame = json.dumps({"Description": "", "Resources": {}}, separators=(",", ":"))
    for added, is_read in ((0, True), (1, False)):
        filler = "x" * (MAXIMUM_CHARACTERS - len(frame) + added)
        text = frame.replace('""', f'"{filler}"')
        path.write_text(text + "\n " * 500_000, encoding="utf-8")
        if is_read:
            assert load([path], account=ACCOUNT).keys == ()
            continue
        with pytest.raises(SourceError) as caught:
            load([path], account=ACCOUNT)
        assert f"there are {MAXIMUM_CHARACTERS + 1} characters" in caught.value.message


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ('{"Fn::Transform": {"Name": "M"}}', "t.json"),
        ('{"\\u0046n::T\\u0072ansform": {"Name": "M"}}', "t.json"),
        ('{"Fn::ForEach::A": ["A", ["x"], {}]}', "t.json"),
        ("!Transform {Name: M}", "t.yaml"),
        ('{"\\x46n::\\x54ransform": {Name: M}}', "t.yaml"),
    ],
)
def test_a_macro_inside_of_a_property_is_noted_however_it_is_written(
    tmp_path: Path, text: str, file: str
) -> None:
    path = tmp_path / file
    tags = '{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Tags": [%s]}}}}'
    path.write_text(tags % text, encoding="utf-8")
    notes = [note.reason for note in load([path], account=ACCOUNT).not_covered]
    assert "a macro or an include fills in a part of this resource" in notes


@pytest.mark.parametrize(
    ("literal", "partition"),
    [("arn:aws-cn:s3:::b", "aws-cn"), ("learn:aws-cn:s3:::b", None), ("(arn:aws-cn:s3", "aws-cn")],
)
def test_only_a_whole_arn_tells_the_partition(
    tmp_path: Path, literal: str, partition: str | None
) -> None:
    path = tmp_path / "t.json"
    key = {"Type": "AWS::KMS::Key", "Properties": {"Description": literal}}
    path.write_text(json.dumps({"Resources": {"Key": key}}), encoding="utf-8")
    (found,) = load([path], account=ACCOUNT).keys
    assert found.partition == partition or (partition is None and isinstance(found.partition, Text))
