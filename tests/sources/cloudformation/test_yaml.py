"""YAML templates: short-form tags, dates, numbers, and the lines of resources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kms_access.inventory.model import Inventory
from kms_access.policies.text import Text
from kms_access.sources.cloudformation import load
from tests.sources.cloudformation.definitions import (
    identity,
    key_of,
    key_policy,
    named,
    principals,
)

TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String}
Mappings:
  Owners:
    dev: {Id: "444455556666"}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsTest: !And [!Condition IsProd, !Not [!Condition IsProd]]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: /team/
      RoleName: !Join ["-", [app, !Ref Stage]]
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          Effect: Allow
          Principal: {Service: ec2.amazonaws.com}
          Action: sts:AssumeRole

  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {AWS: !GetAtt Role.Arn}
            Action: kms:Decrypt
            Resource: "*"
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/team/app-${Stage}"}
            Action: kms:Sign
            Resource: "*"
          - Effect: Allow
            Principal: {AWS: !FindInMap [Owners, dev, Id]}
            Action: kms:Verify
            Resource: "*"
          - !If
            - IsProd
            - {Effect: Deny, Principal: "*", Action: kms:Sign, Resource: "*"}
            - !Ref AWS::NoValue
"""


def load_yaml(text: str) -> Inventory:
    Path("S.yaml").write_text(text, encoding="utf-8")
    return load([Path("S.yaml")])


def test_short_forms_are_the_functions(project: Path) -> None:
    inventory = load_yaml(TEMPLATE)
    found = key_policy(inventory, "Key")
    arn = str(identity(inventory, "Role").principal.arn)
    assert named(found, identity(inventory, "Role"))
    assert [principals(s) for s in found.statements] == [[arn], [arn], ["444455556666"], ["*"]]
    assert [s.uncertain is None for s in found.statements] == [True, True, True, False]
    assert found.version == "2012-10-17"
    assert found.problems == ()


def test_resources_stand_at_their_lines(project: Path) -> None:
    inventory = load_yaml(TEMPLATE)
    lines = TEMPLATE.splitlines()
    for origin, name in (
        (key_of(inventory, "Key").origin, "  Key:"),
        (identity(inventory, "Role").origin, "  Role:"),
    ):
        assert origin.file == "S.yaml"
        assert origin.line is not None
        assert lines[origin.line - 1] == name


def test_json_in_a_yaml_file_is_json(project: Path) -> None:
    inventory = load_yaml('{"Resources": {"K": {"Type": "AWS::KMS::Key"}}}')
    assert key_of(inventory).origin.line == 1


def test_a_flow_mapping_is_yaml(project: Path) -> None:
    assert key_of(load_yaml("{Resources: {K: {Type: AWS::KMS::Key}}}")).origin.identity == "S/K"


def with_description(written: str) -> str:
    properties = f"    Properties:\n      Description: {written}"
    return f"Resources:\n  K:\n    Type: AWS::KMS::Key\n{properties}"


SCALARS: list[tuple[str, Any]] = [
    ("111122223333", "111122223333"),
    ("2012-10-17", "2012-10-17"),
    ("1.50", "1.50"),
    ("true", "true"),
    ("True", "true"),
    ('"yes"', "yes"),
    ("!!str 012", "012"),
    ('"012"', "012"),
    ("'*'", "*"),
    ("null", ""),
    ("~", ""),
    ("", ""),
    ("=", "="),
    ("089", "089"),
]


@pytest.mark.parametrize(("written", "value"), SCALARS)
def test_scalars_are_as_cloudformation_reads_them(project: Path, written: str, value: str) -> None:
    assert key_of(load_yaml(with_description(written))).description == value


@pytest.mark.parametrize(
    "written", ["012345670123", "1_000", "0x1F", "190:20:30", "yes", "off", ".5"]
)
def test_scalars_that_yaml_reads_in_its_own_way_are_unknown(project: Path, written: str) -> None:
    description = key_of(load_yaml(with_description(written))).description
    assert isinstance(description, Text)
    assert f'"{written}" without quotes' in str(description)
