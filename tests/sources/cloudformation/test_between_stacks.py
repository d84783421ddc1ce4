"""References between stacks, and between nested stacks (cdk-synthesis, section 11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_access.sources.cloudformation import load
from tests.sources.cloudformation.conftest import LoadAssembly, LoadTemplates
from tests.sources.cloudformation.definitions import (
    OPEN_CONDITION,
    allow,
    blocking,
    document,
    get,
    identity,
    key,
    key_of,
    key_policy,
    named,
    principals,
    resource,
    role,
    template,
)

ABROAD = {"environment": "aws://111122223333/us-east-1"}
PARTNER = {"environment": "aws://444455556666/eu-central-1"}


def producer(export: Any = "Roles:Arn", **more: Any) -> dict[str, Any]:
    output = {"Value": get("R"), "Export": {"Name": export}, **more}
    return template({"Outputs": {"RoleArn": output}}, R=role())


def consumer(reference: Any) -> dict[str, Any]:
    return template({"Parameters": {"Free": {"Type": "String"}}}, K=key(allow(reference)))


def stack_output(**more: Any) -> dict[str, Any]:
    return {"Fn::GetStackOutput": {"StackName": "Roles", "OutputName": "RoleArn", **more}}


IMPORT = {"Fn::ImportValue": "Roles:Arn"}

RECOGNISED: list[tuple[str, Any, Any, Any]] = [
    ("same stack", template(R=role(), K=key(allow(get("R")))), None, {}),
    ("import", producer(), consumer(IMPORT), {}),
    ("import, name built", producer({"Fn::Sub": "${AWS::StackName}:Arn"}),
     consumer({"Fn::ImportValue": {"Fn::Join": [":", ["Roles", "Arn"]]}}), {}),
    ("stack output", producer(), consumer(stack_output()), {}),
    ("stack output, Region of the stack", producer(),
     consumer(stack_output(Region={"Ref": "AWS::Region"})), {}),
    ("stack output of another Region", producer(),
     consumer(stack_output(Region="eu-central-1")), ABROAD),
    ("stack output of another account", producer(),
     consumer(stack_output(RoleArn="arn:aws:iam::111122223333:role/publish")), PARTNER),
    ("output under an open condition",
     {**producer(Condition="IsProd"), **OPEN_CONDITION}, consumer(IMPORT), {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "keys", "place"), [row[1:] for row in RECOGNISED], ids=[row[0] for row in RECOGNISED]
)
def test_a_role_is_recognised_in_a_key_policy(
    load_assembly: LoadAssembly, roles: Any, keys: Any, place: Any
) -> None:
    stacks = {"Roles": roles} if keys is None else {"Roles": roles, "Keys": (keys, place)}
    inventory = load_assembly(**stacks)
    assert named(key_policy(inventory), identity(inventory, "R"))


UNRECOGNISED: list[tuple[str, Any, Any, Any]] = [
    ("import of another name", producer(), consumer({"Fn::ImportValue": "Roles:Other"}), {}),
    ("import in another Region", producer(), consumer(IMPORT), ABROAD),
    ("import in another account", producer(), consumer(IMPORT), PARTNER),
    ("import of an unknown name", producer(), consumer({"Fn::ImportValue": {"Ref": "Free"}}), {}),
    ("export under a false condition",
     {**producer(Condition="Never"), "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}},
     consumer(IMPORT), {}),
    ("stack output of the own Region", producer(), consumer(stack_output()), ABROAD),
    ("stack output of the own account", producer(), consumer(stack_output()), PARTNER),
    ("another output", producer(), consumer(stack_output(OutputName="Other")), {}),
    ("another stack", producer(), consumer(stack_output(StackName="Else")), {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "keys", "place"),
    [row[1:] for row in UNRECOGNISED],
    ids=[row[0] for row in UNRECOGNISED],
)
def test_what_another_stack_does_not_offer_is_a_labelled_part(
    load_assembly: LoadAssembly, roles: Any, keys: Any, place: Any
) -> None:
    inventory = load_assembly(Roles=roles, Keys=(keys, place))
    (statement,) = key_policy(inventory).statements
    (source,) = principals(statement)
    assert source.startswith(("<export ", "<output "))
    assert not named(key_policy(inventory), identity(inventory, "R"))


def test_an_export_of_two_stacks_is_nobodys(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(Roles=producer(), Copy=producer(), Keys=consumer(IMPORT))
    (statement,) = key_policy(inventory).statements
    assert principals(statement)[0].startswith("<export ")


def test_an_output_of_two_stacks_of_one_name_is_nobodys(load_assembly: LoadAssembly) -> None:
    name = {"properties": {"stackName": "Roles"}}
    inventory = load_assembly(
        A=(producer(), name), B=(producer(), name), Keys=consumer(stack_output())
    )
    (statement,) = key_policy(inventory).statements
    assert principals(statement)[0].startswith("<output ")


def test_a_role_name_crosses_stacks(load_assembly: LoadAssembly) -> None:
    outputs = {"Outputs": {"Name": {"Value": {"Ref": "R"}, "Export": {"Name": "name"}}}}
    policy = resource(
        "AWS::IAM::Policy",
        PolicyName="p",
        PolicyDocument=document(),
        Roles=[{"Fn::ImportValue": "name"}],
    )
    inventory = load_assembly(Roles=template(outputs, R=role()), Other=template(P=policy))
    assert len(identity(inventory, "R").policies) == 1


def test_templates_without_an_environment_are_one_deployment(load_templates: LoadTemplates) -> None:
    inventory = load_templates(Roles=producer(), Keys=consumer(IMPORT))
    assert named(key_policy(inventory), identity(inventory, "R"))


def test_exports_over_regions(load_assembly: LoadAssembly) -> None:
    path = "/cdk/exports/Keys/Roles"
    writer = {"region": "us-east-1", "exports": {path: get("R")}}
    reader = resource(
        "Custom::CrossRegionExportReader",
        ReaderProps={"imports": {path: f"{{{{resolve:ssm:{path}}}}}"}},
    )
    keys = template(
        Reader=reader, K=key(allow(get("Reader", path)), allow(get("Reader", f"{path}/x")))
    )
    roles = template(R=role(), W=resource("Custom::CrossRegionExportWriter", WriterProps=writer))
    inventory = load_assembly(Roles=roles, Keys=(keys, ABROAD))
    assert named(key_policy(inventory), identity(inventory, "R"))
    assert principals(key_policy(inventory).statements[1]) == [f"<{path}/x of Keys/Reader>"]
    assert inventory.not_covered == ()


def test_references_in_a_circle_are_no_trouble(load_assembly: LoadAssembly) -> None:
    def stack(exported: str, imported: str) -> dict[str, Any]:
        value = {"Value": {"Fn::ImportValue": imported}, "Export": {"Name": exported}}
        return template({"Outputs": {"O": value}}, K=key(allow({"Fn::ImportValue": imported})))

    inventory = load_assembly(A=stack("a", "b"), B=stack("b", "a"))
    sources = [principals(k.policies[0].document.statements[0])[0] for k in inventory.keys]
    assert all(source.startswith('<output "O" of ') for source in sources)


def nested_assembly(project: Path, metadata: dict[str, Any], url: Any) -> None:
    """A stack with a nested one, which takes a role's ARN and gives back a key's."""
    inner = template(
        {
            "Parameters": {"Role": {"Type": "String"}},
            "Outputs": {"Key": {"Value": get("K")}},
        },
        K=key(allow({"Ref": "Role"})),
    )
    stack = resource("AWS::CloudFormation::Stack", TemplateURL=url, Parameters={"Role": get("R")})
    outer = template(
        N={**stack, "Metadata": metadata},
        R=role(),
        L=key(Description=get("N", "Outputs.Key")),
        M=key(Description=get("N", "Outputs.Other")),
    )
    artifacts = {
        "S": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/eu-central-1",
            "properties": {"templateFile": "S.template.json"},
        },
        "S.assets": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}},
    }
    files = {
        "manifest.json": {"version": "55.0.0", "artifacts": artifacts},
        "S.template.json": outer,
        "N.nested.template.json": inner,
        "S.assets.json": {"files": {"a" * 64: {"source": {"path": "N.nested.template.json"}}}},
    }
    for name, content in files.items():
        (project / name).write_text(json.dumps(content), encoding="utf-8")


URL = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::URLSuffix"}, f"/assets/{'a' * 64}.json"]]}
ASSET_PATH = {"aws:asset:path": "N.nested.template.json"}


@pytest.mark.parametrize(
    ("metadata", "url"),
    [(ASSET_PATH, "https://example.com/t.json"), ({}, URL), ({"aws:asset:path": "gone"}, URL)],
    ids=["asset path", "hash in the URL", "asset path that is not there"],
)
def test_nested_stacks_are_read(project: Path, metadata: dict[str, Any], url: Any) -> None:
    nested_assembly(project, metadata, url)
    inventory = load([Path()])
    assert named(key_policy(inventory), identity(inventory, "R"))
    inner = key_of(inventory)
    assert (inner.origin.identity, inner.origin.container) == ("S/N/K", "S")
    assert key_of(inventory, "L").description == inner.arn
    assert str(key_of(inventory, "M").description) == "<Outputs.Other of S/N>"
    assert inventory.not_covered == ()


@pytest.mark.parametrize(
    ("condition", "keys", "certain"),
    [
        ({"Fn::Equals": ["a", "a"]}, {"S/L", "S/M", "S/N/K"}, True),
        ({"Fn::Equals": ["a", "b"]}, {"S/L", "S/M"}, True),
        ({"Fn::Equals": [{"Ref": "Stage"}, "prod"]}, {"S/L", "S/M", "S/N/K"}, False),
    ],
    ids=["true", "false", "open"],
)
def test_the_condition_of_a_nested_stack_is_that_of_its_resources(
    project: Path, condition: Any, keys: set[str], certain: bool
) -> None:
    nested_assembly(project, ASSET_PATH, "https://example.com")
    file = project / "S.template.json"
    outer = json.loads(file.read_text(encoding="utf-8"))
    outer["Conditions"] = {"C": condition}
    outer["Resources"]["N"]["Condition"] = "C"
    file.write_text(json.dumps({**OPEN_CONDITION, **outer}), encoding="utf-8")
    inventory = load([Path()])
    assert {found.origin.identity for found in inventory.keys} == keys
    nested = [k for k in inventory.keys if k.origin.identity == "S/N/K"]
    doubts = [s.uncertain for k in nested for s in k.policies[0].document.statements]
    assert all((doubt is None) is certain for doubt in doubts)


@pytest.mark.parametrize("url", ["https://example.com/t.json", f"https://x/{'b' * 64}.json"])
def test_a_nested_stack_that_is_not_there_blocks(project: Path, url: str) -> None:
    nested_assembly(project, {}, url)
    inventory = load([Path()])
    assert "nested stack" in blocking(inventory)["S/N"]
    assert str(key_of(inventory, "L").description) == "<Outputs.Key of S/N>"


def test_a_nested_stack_that_contains_itself_blocks(project: Path) -> None:
    nested_assembly(project, {"aws:asset:path": "S.template.json"}, "https://example.com")
    assert "nested stack" in blocking(load([Path()]))["S/N"]


def test_an_asset_path_never_leads_out_of_the_assembly(project: Path) -> None:
    folder = project / "cdk.out"
    folder.mkdir()
    nested_assembly(folder, {"aws:asset:path": "../secret.json"}, "https://example.com")
    (project / "secret.json").write_text(json.dumps(template(K=key())), encoding="utf-8")
    assert "nested stack" in blocking(load([folder]))["S/N"]
