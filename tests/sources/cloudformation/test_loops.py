"""Fn::ForEach of `AWS::LanguageExtensions`: carried out where the collection is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_access.inventory.model import Inventory
from kms_access.sources.cloudformation import load
from kms_access.sources.cloudformation.template import MAXIMUM_RESOURCES
from tests.sources.cloudformation.conftest import LoadTemplates
from tests.sources.cloudformation.definitions import (
    allow,
    allowed,
    blocking,
    get,
    identity,
    key,
    key_of,
    key_policy,
    may,
    named,
    policy,
    resource,
    role,
    template,
)

EXTENSIONS = {"Transform": "AWS::LanguageExtensions"}
LIST = {"Parameters": {"Teams": {"Type": "CommaDelimitedList", "Default": "red"}}}
TEAMS = ["red", "blue"]


def loop(collection: Any, fragment: dict[str, Any], name: str = "Loop") -> dict[str, Any]:
    return {f"Fn::ForEach::{name}": ["Team", collection, fragment]}


def labels(inventory: Inventory) -> list[str]:
    origins = [key.origin for key in inventory.keys]
    origins += [found.origin for found in inventory.identities]
    return [origin.label for origin in origins]


def load_loop(
    load_templates: LoadTemplates, resources: dict[str, Any], **sections: Any
) -> Inventory:
    return load_templates(S={**EXTENSIONS, **LIST, **sections, "Resources": resources})


def test_each_item_makes_its_resources(load_templates: LoadTemplates) -> None:
    fragment = {
        "Key${Team}": key(
            allow(get("Role${Team}")), Description={"Fn::Sub": "of ${Team} in ${AWS::StackName}"}
        ),
        "Role${Team}": role(
            RoleName={"Fn::Join": ["-", ["app", {"Ref": "Team"}]]},
            Tags=[{"Key": "team", "Value": "${Team}"}],
        ),
        "Policy${Team}": policy(
            may("kms:Decrypt", get("Key${Team}")), Roles=[{"Ref": {"Fn::Sub": "Role${Team}"}}]
        ),
    }
    inventory = load_loop(load_templates, {**loop(TEAMS, fragment), "Keyred2": key()})
    assert labels(inventory) == ["Keyblue", "Keyred", "Keyred2", "Roleblue", "Rolered"]
    assert inventory.not_covered == ()
    for team in TEAMS:
        found = identity(inventory, f"Role{team}")
        assert (found.principal.name, found.tags) == (f"app-{team}", {"team": team})
        assert named(key_policy(inventory, f"Key{team}"), found)
        made = key_of(inventory, f"Key{team}")
        assert allowed(found.policies) == {("kms:Decrypt", str(made.arn))}
        assert str(made.description) == f"of {team} in <the name of stack S>"


def test_loops_stand_in_loops(load_templates: LoadTemplates) -> None:
    inner = {"Fn::ForEach::In": ["Use", ["data", "logs"], {"Key${Team}${Use}": key()}]}
    inventory = load_loop(load_templates, loop(TEAMS, {**inner, "Role${Team}": role()}))
    assert labels(inventory) == [
        *("Keybluedata", "Keybluelogs", "Keyreddata", "Keyredlogs", "Roleblue", "Rolered")
    ]


def test_a_name_takes_the_letters_and_digits_of_an_item(load_templates: LoadTemplates) -> None:
    arns = ["arn:aws:iam::444455556666:role/a-b", "arn:aws:iam::444455556666:role/c"]
    inventory = load_loop(load_templates, loop(arns, {"K&{Team}": key(allow("${Team}"))}))
    assert labels(inventory) == [
        "Karnawsiam444455556666roleab",
        "Karnawsiam444455556666rolec",
    ]
    statement = inventory.keys[0].policies[0].document.statements[0]
    assert statement.principal is not None
    assert [str(entry.source) for entry in statement.principal.entries] == arns[:1]


def test_loops_stand_in_outputs_conditions_and_properties(load_templates: LoadTemplates) -> None:
    prod = loop(TEAMS, {"Is${Team}": {"Fn::Equals": ["${Team}", "red"]}})
    exports = loop(
        TEAMS, {"Arn${Team}": {"Value": "${Team}", "Export": {"Name": "of-${Team}"}}}, "Exports"
    )
    parts = loop(["Key${Team}"], {"AliasName": "alias/${Team}", "TargetKeyId": {"Ref": "Keyred"}})
    resources = {
        **loop(TEAMS, {"Key${Team}": key(condition="Is${Team}")}),
        "A": {"Type": "AWS::KMS::Alias", "Properties": parts},
        "L": key(Description={"Fn::ImportValue": "of-blue"}),
    }
    inventory = load_loop(load_templates, resources, Conditions=prod, Outputs=exports)
    assert labels(inventory) == ["Keyred", "L"]
    assert key_of(inventory, "L").description == "blue"
    assert key_of(inventory, "Keyred").aliases == ("alias/Key${Team}",)


def test_functions_choose_a_condition(load_templates: LoadTemplates) -> None:
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    chosen = {"Fn::FindInMap": ["Of", "Condition", "${Team}", {"DefaultValue": {"Ref": "AWS::NoValue"}}]}  # fmt: skip  # noqa: E501
    made = loop(TEAMS, {"Key${Team}": {**key(), "Condition": chosen}})
    mappings = {"Of": {"Condition": {"blue": "Never"}}}
    inventory = load_loop(load_templates, made, Conditions=conditions, Mappings=mappings)
    assert labels(inventory) == ["Keyred"]
    assert key_of(inventory, "Keyred").policies[0].document.statements[0].uncertain is None


def test_a_collection_is_a_parameter(project: Path) -> None:
    made = loop({"Ref": "Teams"}, {"Key${Team}": key()})
    path = Path("S.json")
    path.write_text(json.dumps({**EXTENSIONS, **LIST, "Resources": made}), encoding="utf-8")
    given = load([path], parameters={"Teams": "red, blue"})
    assert (labels(given), given.with_defaults) == (["Keyblue", "Keyred"], None)
    assert blocking(given) == {}
    # Without a value the default alone may convict, so that the loop itself stays open.
    inventory = load([path])
    assert labels(inventory) == []
    assert "what it makes is not known" in blocking(inventory)["S/Fn::ForEach::Loop"]
    assert inventory.with_defaults is not None
    assert labels(inventory.with_defaults) == ["Keyred"]


def test_what_a_loop_makes_stands_at_its_line(project: Path) -> None:
    text = """\
Transform: AWS::LanguageExtensions
Resources:
  First:
    Type: AWS::KMS::Key
  Fn::ForEach::Loop:
    - Team
    - [red, blue]
    - Key${Team}:
        Type: AWS::KMS::Key
"""
    path = Path("S.yaml")
    path.write_text(text, encoding="utf-8")
    assert {k.origin.label: k.origin.line for k in load([path]).keys} == {
        "First": 3, "Keyblue": 5, "Keyred": 5
    }  # fmt: skip


FRAGMENT = {"Key${Team}": key()}
KEPT: list[tuple[str, dict[str, Any]]] = [
    ("items that are not known", loop([{"Ref": "AWS::StackId"}], FRAGMENT)),
    ("no list", loop({"Ref": "AWS::Region"}, FRAGMENT)),
    ("no fragment", {"Fn::ForEach::Loop": ["Team", TEAMS]}),
    ("no identifier", {"Fn::ForEach::Loop": [{"a": "b"}, TEAMS, FRAGMENT]}),
    ("a name twice", loop(TEAMS, {"Key": key()})),
    ("a name that is there", {**loop(TEAMS, FRAGMENT), "Keyred": key()}),
    ("a name of another loop", {**loop(["x"], {"Keyred": key()}, "O"), **loop(TEAMS, FRAGMENT)}),
    ("an inner loop that is not known",
     loop(TEAMS, {**FRAGMENT, **loop({"Ref": "Teams"}, {"R${Team}": role()}, "In")})),
    ("too many", loop([str(i) for i in range(MAXIMUM_RESOURCES + 1)], FRAGMENT)),
    ("too many in all",
     loop([str(i) for i in range(80)], {"Fn::ForEach::In": [
         "X", [str(i) for i in range(60)], {"Key${Team}${X}": key(Tags=["x"] * 60)}]})),
    ("too long", loop(["x" * 9_000, "y"], {"Key&{Team}": key(Description="${Team}" * 9_000)})),
    ("too large", loop(["a", "b", "c"], {"Key${Team}": key(Description=["x"] * 100_000)})),
]  # fmt: skip


@pytest.mark.parametrize("resources", [row[1] for row in KEPT], ids=[row[0] for row in KEPT])
def test_a_loop_that_cannot_be_carried_out_blocks(
    load_templates: LoadTemplates, resources: dict[str, Any]
) -> None:
    inventory = load_loop(load_templates, resources)
    assert "Fn::ForEach" in blocking(inventory)["S/Fn::ForEach::Loop"]
    others = [name for name in resources if name == "Keyred"]
    assert [label for label in labels(inventory) if label == "Keyred"] == (
        others or ["Keyred"] * ("Fn::ForEach::O" in resources)
    )


def test_without_the_transform_a_loop_is_none(load_templates: LoadTemplates) -> None:
    inventory = load_templates(S={"Resources": loop(TEAMS, FRAGMENT)})
    assert "S/Fn::ForEach::Loop" in blocking(inventory)


def test_a_loop_in_a_property_that_is_not_known_is_a_part(load_templates: LoadTemplates) -> None:
    made = resource("AWS::KMS::Key", Description=loop({"Ref": "Teams"}, {"a": "b"}))
    inventory = load_loop(load_templates, {"K": made})
    assert "Fn::ForEach" in str(key_of(inventory).description)
    assert "S/K" in blocking(inventory)


def test_other_placeholders_stay(load_templates: LoadTemplates) -> None:
    fragment = {"K${Team}": key(Description="${aws:username} ${!Team} &{Other} ${Team}")}
    inventory = load_loop(load_templates, loop(["a"], fragment))
    assert key_of(inventory, "Ka").description == "${aws:username} ${!Team} &{Other} a"


def test_a_template_with_loops_is_still_one_template(load_templates: LoadTemplates) -> None:
    """Nothing else of it changes."""
    plain = {**EXTENSIONS, **template({"Outputs": {"O": {"Value": get("K")}}}, K=key())}
    inventory = load_templates(S={**plain, "Metadata": {"note": "ForEach"}})
    assert labels(inventory) == ["K"]
