"""What is not evaluated is listed, and blocks if it can reach a key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sources.cloudformation.conftest import LoadAssembly, LoadTemplates
from tests.sources.cloudformation.definitions import (
    blocking,
    get,
    key,
    notes,
    policy,
    resource,
    role,
    template,
)

OTHER_KEY = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def call(service: str, action: str, **parameters: Any) -> str:
    return json.dumps({"service": service, "action": action, "parameters": parameters})


def custom(create: Any) -> dict[str, Any]:
    return resource("Custom::AWS", Create=create, Update=create)


BLOCKING: list[tuple[Any, str]] = [
    (resource("AWS::SSO::PermissionSet"), "permission sets"),
    (resource("AWS::CloudFormation::StackSet"), "stack sets"),
    (resource("AWS::CloudFormation::Stack", TemplateURL="https://example.com"), "nested stack"),
    (resource("My::Org::Thing::MODULE"), "module"),
    (resource("AWS::Serverless::Function"), "expanded by a macro"),
    (resource("AWS::KMS::Invented"), "AWS::KMS::Invented"),
    (resource("AWS::IAM::Invented"), "AWS::IAM::Invented"),
    (custom(call("KMS", "createGrant")), "KMS createGrant"),
    (custom(call("@aws-sdk/client-kms", "PutKeyPolicy", KeyId="alias/k")), "PutKeyPolicy"),
    (custom(call("iam", "putRolePolicy", RoleName="x")), "iam putRolePolicy"),
    (custom({"Fn::Join": ["", ['{"service":"kms","action":"tagResource","parameters":{"KeyId":"',
                               get("K"), '"}}']]}), "tagResource on arn:aws:kms"),
    (custom(call("kms", "createGrant", KeyId="alias/k")), "createGrant on alias/k"),
    (custom(call("sso-admin", "putInlinePolicyToPermissionSet")), "putInlinePolicy"),
    (custom('{"service": "kms", "service": "s3", "action": "x"}'), "cannot be read"),
    (custom({"Fn::Sub": '{"service":"kms","action":"${Unheard}"}'}), "is not known"),
    (custom("no JSON"), "cannot be read"),
    (custom({"Ref": "Unheard"}), "cannot be read"),
    ({"Type": "Custom::AWS", "Properties": {"Fn::Transform": {"Name": "x"}}}, "macro"),
    (role(Policies=[{"Fn::Transform": {"Name": "AWS::Include"}}]), "macro or an include"),
    ({**role(), "Fn::Transform": {"Name": "AWS::Include"}}, "macro or an include"),
    ({"Properties": {}}, "without a type"),
    ({"Type": {"Ref": "x"}}, "without a type"),
    ("a text", "without a type"),
]  # fmt: skip


@pytest.mark.parametrize(("node", "reason"), BLOCKING, ids=lambda value: str(value)[:70])
def test_what_can_reach_a_key_blocks(load_assembly: LoadAssembly, node: Any, reason: str) -> None:
    alias = resource("AWS::KMS::Alias", AliasName="alias/k", TargetKeyId={"Ref": "K"})
    inventory = load_assembly(S=template(K=key(), A=alias, X=node))
    assert reason in blocking(inventory)["S/X"]


NOTED: list[tuple[Any, str]] = [
    (resource("Custom::Thing"), "custom resource Custom::Thing"),
    (resource("AWS::CloudFormation::CustomResource"), "custom resource"),
    (resource("My::Org::Thing"), "My::Org::Thing"),
    (resource("AWS::ServiceCatalog::CloudFormationProvisionedProduct"), "of the product"),
    (resource("AWS::IAM::ServiceLinkedRole"), "service-linked role"),
    (custom(call("KMS", "createGrant", KeyId=OTHER_KEY)), OTHER_KEY),
    (custom(call("KMS", "createGrant", KeyId="alias/other")), "alias/other"),
]


@pytest.mark.parametrize(("node", "reason"), NOTED, ids=lambda value: str(value)[:70])
def test_other_things_are_notes(load_assembly: LoadAssembly, node: Any, reason: str) -> None:
    inventory = load_assembly(S=template(K=key(), X=node))
    assert blocking(inventory) == {}
    assert reason in notes(inventory)["S/X"]


UNMENTIONED: list[Any] = [
    resource("AWS::CDK::Metadata"),
    resource("AWS::S3::Bucket"),
    resource("AWS::IAM::InstanceProfile"),
    resource("AWS::IAM::OIDCProvider"),
    resource("Custom::AWSCDKCfnJson"),
    custom(call("S3", "putObject")),
    custom(call("kms", "describeKey", KeyId="x")),
    custom(call("kms", "createGrant", KeyId="alias/k", DryRun=True)),
    resource("Custom::AWS", Delete=call("kms", "retireGrant", KeyId="alias/k")),
    {**custom("no JSON"), "Condition": "Never"},
]


@pytest.mark.parametrize("node", UNMENTIONED, ids=lambda value: str(value)[:70])
def test_what_changes_no_access_is_not_mentioned(load_assembly: LoadAssembly, node: Any) -> None:
    sections = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>"}},
        "Rules": {"CheckBootstrapVersion": {"Assertions": []}},
        "Transform": "AWS::LanguageExtensions",
    }
    assert load_assembly(S=template(sections, K=key(), X=node)).not_covered == ()


@pytest.mark.parametrize("kind", ["AWS::SSO::PermissionSet", "AWS::CloudFormation::StackSet"])
def test_without_keys_there_is_nothing_to_reach(load_assembly: LoadAssembly, kind: str) -> None:
    inventory = load_assembly(S=template(X=resource(kind)))
    assert blocking(inventory) == {}
    assert kind in notes(inventory)["S/X"]


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ({"Transform": "AWS::Serverless-2016-10-31"}, "AWS::Serverless-2016-10-31"),
        ({"Transform": ["AWS::LanguageExtensions", "Mine"]}, "Mine"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform"),
        ({"Transform": {"Name": "AWS::Include", "Parameters": {}}}, "AWS::Include"),
    ],
    ids=str,
)
def test_a_macro_blocks_its_template(
    load_assembly: LoadAssembly, sections: dict[str, Any], reason: str
) -> None:
    assert reason in blocking(load_assembly(S=template(sections, K=key())))["S"]


@pytest.mark.parametrize("name", ["Fn::ForEach::Roles", "Fn::Transform"])
def test_resources_that_are_generated_block(load_templates: LoadTemplates, name: str) -> None:
    stack = template()
    stack["Resources"] = {name: ["x", ["a"], {"R${x}": role()}]}
    assert name[:11] in blocking(load_templates(S=stack))[f"S/{name}"]


def test_a_policy_that_a_macro_fills_in_blocks(load_assembly: LoadAssembly) -> None:
    node = {**policy(), "Properties": {"Fn::Transform": {"Name": "AWS::Include"}}}
    assert "S/X" in blocking(load_assembly(S=template(X=node)))
