"""Each intrinsic function, resolved and not (cdk-synthesis, section 10)."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.policies.answers import Truth
from kms_access.policies.arns import ArnPattern
from kms_access.policies.text import DIGIT, NAME_CHARACTER, Text
from tests.sources.cloudformation.conftest import LoadAssembly, LoadTemplates
from tests.sources.cloudformation.definitions import (
    NO_VALUE,
    get,
    if_prod,
    key_of,
    resource,
    template,
)

SECTIONS: dict[str, Any] = {
    "Parameters": {
        "Free": {"Type": "String", "Default": "a-default"},
        "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"]},
        "Account": {"Type": "String", "AllowedPattern": "^[0-9]{12}$"},
        "Given": {"Type": "String", "Default": "a-default"},
        "GivenList": {"Type": "CommaDelimitedList"},
        "GivenSsm": {"Type": "AWS::SSM::Parameter::Value<String>"},
        "GivenSecret": {"Type": "String", "NoEcho": True},
        "FreeList": {"Type": "List<String>"},
    },
    "Mappings": {
        "Regions": {
            "eu-central-1": {"Owner": "111111111111"},
            "us-east-1": {"Owner": "222222222222"},
        },
        "Stages": {"dev": {"Name": "d", "List": ["x", "y"]}, "prod": {"Name": "p"}},
    },
    "Conditions": {
        "Yes": {"Fn::Equals": ["a", "a"]},
        "No": {"Fn::Equals": ["a", "b"]},
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
    },
}
GIVEN = {
    "Given": "given",
    "GivenList": "one, two",
    "GivenSsm": "/name/of/a/parameter",
    "GivenSecret": "hunter2",
}
MORE = {
    "Named": resource("AWS::IAM::Role", RoleName="named", Path="/team/"),
    "Unnamed": resource("AWS::IAM::Role"),
    "User": resource("AWS::IAM::User", UserName="alice"),
    "Group": resource("AWS::IAM::Group", GroupName="staff"),
    "Managed": resource("AWS::IAM::ManagedPolicy", ManagedPolicyName="m"),
    "Profile": resource("AWS::IAM::InstanceProfile", InstanceProfileName="i"),
    "Oidc": resource("AWS::IAM::OIDCProvider", Url="https://token.example.com/a"),
    "CdkOidc": resource("Custom::AWSCDKOpenIdConnectProvider", Url="https://example.com"),
    "OddOidc": resource("AWS::IAM::OIDCProvider", Url={"Ref": "Free"}),
    "Saml": resource("AWS::IAM::SAMLProvider", Name="corp", SamlMetadataDocument="x"),
    "UnnamedSaml": resource("AWS::IAM::SAMLProvider", SamlMetadataDocument="x"),
    "Other": resource("AWS::KMS::Key"),
    "Alias": resource("AWS::KMS::Alias", AliasName="alias/a", TargetKeyId={"Ref": "Other"}),
    "Bucket": resource("AWS::S3::Bucket"),
    "Topic": resource("AWS::SNS::Topic"),
    "Custom": resource("Custom::Thing"),
}
NAMED = "arn:aws:iam::111122223333:role/team/named"
OTHER = "arn:aws:kms:eu-central-1:111122223333:key/<the id of key S/Other>"


def described(load_assembly: LoadAssembly, node: Any) -> Any:
    """What `node` resolves to, as the description of a key."""
    key = resource("AWS::KMS::Key", Description=node)
    stack = template(SECTIONS, K=key, **MORE)
    extra = {"properties": {"parameters": GIVEN}}
    return key_of(load_assembly(S=(stack, extra))).description


RESOLVED: list[tuple[Any, str]] = [
    ({"Ref": "Other"}, "<the id of key S/Other>"),
    ({"Ref": "Alias"}, "alias/a"),
    ({"Ref": "Named"}, "named"),
    ({"Ref": "Unnamed"}, "<the name of role S/Unnamed>"),
    ({"Ref": "User"}, "alice"),
    ({"Ref": "Group"}, "staff"),
    ({"Ref": "Profile"}, "i"),
    ({"Ref": "Managed"}, "arn:aws:iam::111122223333:policy/m"),
    ({"Ref": "Given"}, "given"),
    ({"Ref": "AWS::AccountId"}, "111122223333"),
    ({"Ref": "AWS::Region"}, "eu-central-1"),
    ({"Ref": "AWS::Partition"}, "aws"),
    ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    ({"Ref": "AWS::StackName"}, "S"),
    (NO_VALUE, ""),
    (get("Named"), NAMED),
    ({"Fn::GetAtt": "Named.Arn"}, NAMED),
    (get("Unnamed"), "arn:aws:iam::111122223333:role/<the name of role S/Unnamed>"),
    (get("User"), "arn:aws:iam::111122223333:user/alice"),
    (get("Profile"), "arn:aws:iam::111122223333:instance-profile/i"),
    (get("Managed", "PolicyArn"), "arn:aws:iam::111122223333:policy/m"),
    (get("Other"), OTHER),
    ({"Ref": "Oidc"}, "arn:aws:iam::111122223333:oidc-provider/token.example.com/a"),
    (get("Oidc"), "arn:aws:iam::111122223333:oidc-provider/token.example.com/a"),
    ({"Ref": "CdkOidc"}, "arn:aws:iam::111122223333:oidc-provider/example.com"),
    ({"Ref": "Saml"}, "arn:aws:iam::111122223333:saml-provider/corp"),
    (get("Saml"), "arn:aws:iam::111122223333:saml-provider/corp"),
    (get("Other", "KeyId"), "<the id of key S/Other>"),
    ({"Fn::Join": ["-", ["a", {"Ref": "Given"}, 5, True]]}, "a-given-5-true"),
    ({"Fn::Join": ["/", {"Ref": "GivenList"}]}, "one/two"),
    ({"Fn::Join": ["+", {"Fn::Split": [",", "a,b"]}]}, "a+b"),
    ({"Fn::Join": ["", ["a", NO_VALUE, "b"]]}, "ab"),
    ({"Fn::Sub": "${Given} ${AWS::Region} ${Named.Arn}"}, f"given eu-central-1 {NAMED}"),
    ({"Fn::Sub": ["${Given}${x}", {"x": get("Other", "KeyId"), "Given": "mine"}]},
     "mine<the id of key S/Other>"),
    ({"Fn::Sub": "${!aws:username}"}, "${aws:username}"),
    ("${aws:PrincipalTag/team}", "${aws:PrincipalTag/team}"),
    ({"Fn::Select": [1, ["a", "b"]]}, "b"),
    ({"Fn::Select": ["0", {"Fn::Split": ["/", "a/b"]}]}, "a"),
    ({"Fn::Select": [4, {"Fn::Split": [":", get("Unnamed")]}]}, "111122223333"),
    ({"Fn::Select": [1, {"Fn::Split": ["/", get("Other")]}]}, "<the id of key S/Other>"),
    ({"Fn::Select": [1, {"Fn::Split": ["||", {"Fn::Join": ["||", [get("Named"), get("Other")]]}]}]},
     OTHER),
    ({"Fn::If": ["Yes", "a", "b"]}, "a"),
    ({"Fn::If": ["No", "a", "b"]}, "b"),
    ({"Fn::If": ["No", "a", NO_VALUE]}, ""),
    (if_prod("same", "same"), "same"),
    ({"Fn::Join": ["+", if_prod(["a", "b"], ["a", "b"])]}, "a+b"),
    ({"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "Owner"]}, "111111111111"),
    ({"Fn::FindInMap": ["Stages", "none", "Name", {"DefaultValue": "z"}]}, "z"),
    ({"Fn::Join": ["", {"Fn::FindInMap": ["Stages", "dev", "List"]}]}, "xy"),
    ({"Fn::FindInMap": ["Stages", "none", "Name", {"DefaultValue": NO_VALUE}]}, ""),
    ({"Fn::Length": {"Ref": "GivenList"}}, "2"),
    ({"Fn::Base64": {"Fn::Sub": "${Given}!"}}, "Z2l2ZW4h"),
    ({"Fn::Select": [2, {"Fn::Cidr": ["10.0.0.0/16", 3, "8"]}]}, "10.0.2.0/24"),
    ({"Fn::Join": [" ", {"Fn::Cidr": ["2001:db8::/56", 2, 64]}]},
     "2001:db8::/64 2001:db8:0:1::/64"),
    ({"Ref": {"Fn::Join": ["", ["Gi", "ven"]]}}, "given"),
    ({"Fn::GetAtt": [{"Fn::Join": ["", ["Na", "med"]]}, "Arn"]}, NAMED),
    ({"Fn::ToJsonString": {"a": [1, get("Named"), True]}}, f'{{"a": [1, "{NAMED}", true]}}'),
]  # fmt: skip


@pytest.mark.parametrize(("node", "expected"), RESOLVED, ids=lambda value: str(value)[:60])
def test_known_values_resolve(load_assembly: LoadAssembly, node: Any, expected: str) -> None:
    assert str(described(load_assembly, node)) == expected


UNRESOLVED: list[tuple[Any, str]] = [
    ({"Ref": "Free"}, '<parameter "Free" of S>'),
    ({"Ref": "GivenSsm"}, '<parameter "GivenSsm" of S>'),
    ({"Ref": "GivenSecret"}, '<parameter "GivenSecret" of S>'),
    ({"Ref": "FreeList"}, '<parameter "FreeList" of S>'),
    ({"Ref": "Nobody"}, '<"Nobody", which S does not define>'),
    ({"Ref": "Bucket"}, "<the id of S/Bucket>"),
    ({"Ref": "OddOidc"},
     "arn:aws:iam::111122223333:oidc-provider/<the name of oidc-provider S/OddOidc>"),
    (get("UnnamedSaml"),
     "arn:aws:iam::111122223333:saml-provider/<the name of saml-provider S/UnnamedSaml>"),
    (get("CdkOidc"), "<Arn of S/CdkOidc>"),
    ({"Ref": "AWS::StackId"}, "<AWS::StackId of S>"),
    (get("Named", "RoleId"), "<RoleId of S/Named>"),
    (get("Custom"), "<Arn of S/Custom>"),
    ({"Fn::Sub": "x-${Free}"}, 'x-<parameter "Free" of S>'),
    ({"Fn::Join": ["-", ["a", {"Ref": "Free"}]]}, 'a-<parameter "Free" of S>'),
    ({"Fn::ImportValue": "Network-Key"}, '<export "Network-Key" of 111122223333 in eu-central-1>'),
    ({"Fn::GetStackOutput": {"StackName": "Else", "OutputName": "Key"}},
     '<output "Else.Key" of 111122223333 in eu-central-1>'),
    ({"Fn::GetStackOutput": {"StackName": "Else", "OutputName": "Key", "Region": "us-east-1",
                             "RoleArn": "arn:aws:iam::444455556666:role/r"}},
     '<output "Else.Key" of 444455556666 in us-east-1>'),
    ("{{resolve:ssm:/a/b:1}}", '<dynamic reference "ssm:/a/b:1">'),
    ("a-{{resolve:secretsmanager:s}}-b", 'a-<dynamic reference "secretsmanager:s">-b'),
    ({"Fn::Sub": "{{resolve:ssm:/${Free}/x}}y"},
     '<dynamic reference "ssm:/<parameter "Free" of S>/x">y'),
    (if_prod("a", "b"), '<"a" or "b", by condition "IsProd" of S (parameter "Stage" of S)>'),
    ({"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "Name"]},
     '<"d" or "p", for <parameter "Stage" of S> in map Stages of S>'),
]  # fmt: skip


@pytest.mark.parametrize(("node", "expected"), UNRESOLVED, ids=lambda value: str(value)[:60])
def test_other_values_are_parts_that_say_what_they_stand_for(
    load_assembly: LoadAssembly, node: Any, expected: str
) -> None:
    assert str(described(load_assembly, node)) == expected


OPEN: list[Any] = [
    {"Fn::Join": ["", {"Ref": "FreeList"}]},
    {"Fn::Join": ["", ["a", if_prod("b")]]},
    {"Fn::Join": ["", ["a", {"x": "y"}]]},
    {"Fn::Join": "a"},
    {"Fn::Sub": ["a", "b", "c"]},
    {"Fn::Sub": [{"Ref": "Given"}, {}]},
    {"Fn::Select": [7, ["a", "b"]]},
    {"Fn::Select": [{"Ref": "Free"}, ["a", "b"]]},
    {"Fn::Select": [0, [if_prod("a"), "b"]]},
    {"Fn::Select": [0, {"Fn::Split": [":", {"Ref": "Free"}]}]},
    {"Fn::Split": ["", "a"]},
    {"Fn::If": ["Unheard", "a", "b"]},
    {"Fn::If": ["Yes", "a"]},
    {"Fn::FindInMap": ["Stages", "none", "Name"]},
    {"Fn::FindInMap": ["Nothing", "a", "b"]},
    {"Fn::Length": [if_prod("a"), "b"]},
    {"Fn::ToJsonString": {"a": if_prod("b")}},
    {"Fn::GetAZs": "eu-central-1"},
    {"Fn::Cidr": ["10.0.0.0/16", 2, {"Ref": "Free"}]},
    {"Fn::Cidr": ["10.0.0.0/16", 2, 40]},
    {"Fn::Cidr": ["10.0.0.0/16", 300, 5]},
    {"Fn::Cidr": ["10.0.0.0/24", 3, 7]},
    {"Fn::Cidr": ["no block", 2, 5]},
    {"Fn::Cidr": ["10.0.0.0/16", 2]},
    {"Fn::Base64": {"Ref": "Free"}},
    {"Fn::Base64": ["a"]},
    {"Fn::Transform": {"Name": "AWS::Include"}},
    {"Fn::GetAtt": ["Named"]},
    {"Fn::Sub": "x", "Ref": "Named"},
    {"a": "plain object"},
    ["plain list"],
]


@pytest.mark.parametrize("node", OPEN, ids=str)
def test_what_cannot_be_evaluated_is_wholly_unknown(load_assembly: LoadAssembly, node: Any) -> None:
    value = described(load_assembly, node)
    assert isinstance(value, Text)
    assert len(value.parts) == 1


@pytest.mark.parametrize(
    ("node", "characters"),
    [
        (get("Unnamed"), NAME_CHARACTER),
        (get("Other"), "[0-9a-z-]"),
        ({"Ref": "Account"}, DIGIT),
        ({"Fn::FindInMap": ["Regions", {"Ref": "Stage"}, "Owner"]}, DIGIT),
    ],
    ids=str,
)
def test_parts_have_the_alphabet_of_what_they_stand_for(
    load_assembly: LoadAssembly, node: Any, characters: str
) -> None:
    assert [part.characters for part in described(load_assembly, node).unknowns] == [characters]


def test_different_values_never_share_a_part(load_assembly: LoadAssembly) -> None:
    nodes = [*OPEN, *(node for node, _ in UNRESOLVED), if_prod("c", "d"), if_prod(["c"], ["d"])]
    keys = {f"K{i}": resource("AWS::KMS::Key", Description=n) for i, n in enumerate(nodes)}
    inventory = load_assembly(S=template(SECTIONS, **keys, **MORE))
    descriptions = {key.description for key in inventory.keys if key.origin.identity != "S/Other"}
    assert len(descriptions) == len(nodes)


def test_allowed_values_limit_a_parameter(load_assembly: LoadAssembly) -> None:
    (part,) = described(load_assembly, {"Ref": "Stage"}).unknowns
    assert part.could_be("prod")
    assert not part.could_be("test")


@pytest.mark.parametrize("node", [get("Bucket"), {"Ref": "Topic"}], ids=str)
def test_the_arn_of_another_service_is_never_that_of_a_key(
    load_assembly: LoadAssembly, node: Any
) -> None:
    pattern = ArnPattern.of(node, described(load_assembly, node))
    assert pattern.matches("arn:aws:kms:eu-central-1:111122223333:key/1234").truth is Truth.FALSE
    assert pattern.matches("arn:aws:sns:eu-central-1:111122223333:a").truth is Truth.UNKNOWN


def test_a_format_arn_join_is_the_arn_of_the_key(load_assembly: LoadAssembly) -> None:
    parts = ["arn:", {"Ref": "AWS::Partition"}, ":kms:", {"Ref": "AWS::Region"}, ":",
             {"Ref": "AWS::AccountId"}, ":key/", {"Ref": "K"}]  # fmt: skip
    stack = template(K=resource("AWS::KMS::Key", Description={"Fn::Join": ["", parts]}))
    key = key_of(load_assembly(S=(stack, {"environment": "aws://unknown-account/unknown-region"})))
    assert key.description == key.arn
    assert isinstance(key.arn, Text)


def test_parameters_without_a_manifest_have_no_value(load_templates: LoadTemplates) -> None:
    key = resource("AWS::KMS::Key", Description={"Ref": "Given"})
    assert str(key_of(load_templates(S=template(SECTIONS, K=key))).description) == (
        '<parameter "Given" of S>'
    )
