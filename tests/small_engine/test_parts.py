"""The parts of the engine that need no process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.small_engine.aws_types import OPTIONAL_COMPUTED, SCHEMA_DEFAULTS
from tests.small_engine.cloud import BUILDERS
from tests.small_engine.documents import render_policy_document
from tests.small_engine.invokes import invoke
from tests.small_engine.model import EngineError, Resource, RunContext, make_urn
from tests.small_engine.policy_config import PolicyInfo, parse_config, reconcile
from tests.small_engine.project import load_project
from tests.small_engine.provider import Instance, check, create
from tests.small_engine.schema import type_schema
from tests.small_engine.state import export_state, import_state
from tests.small_engine.values import (
    SECRET,
    SIGNATURE,
    UNKNOWN,
    from_struct,
    go_json,
    secret,
    to_struct,
)

CONTEXT = RunContext("shop", "dev", "organization", {}, dry_run=False)


def provider(**settings: Any) -> Instance:
    type_ = "pulumi:providers:aws"
    return Instance(Resource(make_urn(CONTEXT, "", type_, "p"), type_, True, inputs=settings))


def test_policy_document_is_rendered_as_the_provider_does() -> None:
    first = {"Version": "2012-10-17", "Statement": {"Sid": "One", "Effect": "Deny"}}
    override = {"Id": "over", "Statement": [{"Sid": "Two", "Effect": "Deny", "Action": "kms:*"}]}
    rendered = render_policy_document(
        {
            "policyId": "mine",
            "sourcePolicyDocuments": [json.dumps(first)],
            "overridePolicyDocuments": [json.dumps(override)],
            "statements": [
                {"sid": "Two", "actions": ["s3:Get*"]},
                {
                    "effect": "Deny",
                    "notActions": ["kms:Encrypt", "kms:Decrypt"],
                    "notResources": ["arn:aws:kms:*:*:key/&{aws:username}"],
                    "principals": [{"type": "*", "identifiers": ["*"]}],
                    "conditions": [
                        {"test": "StringLike", "variable": "aws:arn", "values": ["a"]},
                        {"test": "StringLike", "variable": "aws:arn", "values": ["b"]},
                    ],
                },
                {
                    "notPrincipals": [
                        {"type": "AWS", "identifiers": ["one"]},
                        {"type": "AWS", "identifiers": ["two"]},
                        {"type": "Service", "identifiers": ["s3.amazonaws.com"]},
                    ]
                },
            ],
        }
    )
    document = {
        "Version": "2012-10-17",
        "Id": "over",
        "Statement": [
            {"Sid": "One", "Effect": "Deny"},
            {"Sid": "Two", "Effect": "Deny", "Action": "kms:*"},
            {
                "Effect": "Deny",
                "NotAction": ["kms:Encrypt", "kms:Decrypt"],
                "NotResource": "arn:aws:kms:*:*:key/${aws:username}",
                "Principal": "*",
                "Condition": {"StringLike": {"aws:arn": ["b", "a"]}},
            },
            {
                "Effect": "Allow",
                "NotPrincipal": {"AWS": ["two", "one"], "Service": "s3.amazonaws.com"},
            },
        ],
    }
    assert json.loads(rendered["json"]) == json.loads(rendered["minifiedJson"]) == document
    assert "\n  " in rendered["json"]
    assert " " not in rendered["minifiedJson"]


@pytest.mark.parametrize(
    "args",
    [
        {"statements": [{"sid": "Twice"}, {"sid": "Twice"}]},
        {"sourcePolicyDocuments": [json.dumps({"Statement": [{"Sid": "Twice"}]})] * 2},
    ],
)
def test_policy_document_refuses_two_statements_of_one_name(args: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="duplicate Sid"):
        render_policy_document(args)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1.0, "a": [True, None, 0.5]}, '{"a":[true,null,0.5],"b":1}'),
        ({"a": "<é&\u2028>"}, '{"a":"\\u003cé\\u0026\\u2028\\u003e"}'),
    ],
)
def test_documents_are_written_like_go_does(value: dict[str, Any], text: str) -> None:
    assert go_json(value) == text


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"Statement": [{"Effect": "Allow"}]}, '{"Statement":[{"Effect":"Allow"}]}'),
        ({"Statement": [UNKNOWN]}, UNKNOWN),
        ({"Statement": [secret("a")]}, secret('{"Statement":["a"]}')),
        (' {"not": "touched"} ', ' {"not": "touched"} '),
        (None, ""),
    ],
)
def test_document_of_a_role_policy_becomes_text(given: Any, seen: Any) -> None:
    news = {"role": "r", "policy": given}
    inputs, failures = check("aws:iam/rolePolicy:RolePolicy", "p", news, None, provider())
    assert failures == []
    assert inputs["policy"] == seen


def test_region_of_a_resource_is_its_own_or_that_of_its_provider() -> None:
    there = provider(region="eu-west-1")
    for token in ("aws:kms/key:Key", "aws:kms/alias:Alias", "aws:kms/grant:Grant"):
        assert check(token, "n", {}, None, there)[0]["region"] == "eu-west-1"
        own = check(token, "n", {"region": "us-west-2"}, None, there)[0]
        assert own["region"] == "us-west-2"
    assert "region" not in check("aws:iam/role:Role", "n", {}, None, there)[0]


def test_inline_policies_get_names_and_keep_them() -> None:
    def inline(given: Any, olds: dict[str, Any] | None = None) -> Any:
        news = {"inlinePolicies": given}
        return check("aws:iam/role:Role", "role", news, olds, provider())[0]["inlinePolicies"]

    given = [{"policy": "{}"}, {"name": "own", "policy": UNKNOWN}]
    made, own = inline(given)
    assert made["name"].startswith("role-")
    assert own == {**given[1], "__defaults": []}
    assert inline(given)[0]["name"] != made["name"]
    assert inline(given, {"inlinePolicies": [made, own]}) == [made, own]
    assert inline(UNKNOWN) == UNKNOWN


@pytest.mark.parametrize(
    ("settings", "account"),
    [
        ({}, "111122223333"),
        ({"allowedAccountIds": '["222233334444"]'}, "222233334444"),
        (
            {"assumeRoles": '[{"roleArn": "arn:aws:iam::333344445555:role/deploy"}]'},
            "333344445555",
        ),
        ({"allowedAccountIds": secret('["444455556666"]')}, "444455556666"),
    ],
)
def test_account_comes_from_the_provider_settings(settings: dict[str, Any], account: str) -> None:
    identity = invoke("aws:index/getCallerIdentity:getCallerIdentity", {}, provider(**settings))
    assert identity["accountId"] == account


@pytest.mark.parametrize(
    ("token", "args", "found"),
    [
        ("aws:index/getPartition:getPartition", {}, {"dnsSuffix": "amazonaws.com.cn"}),
        ("aws:index/getRegion:getRegion", {}, {"region": "cn-north-1"}),
        (
            "aws:iam/getRole:getRole",
            {"name": "app"},
            {"arn": "arn:aws-cn:iam::111122223333:role/app", "name": "app"},
        ),
        (
            "aws:kms/getAlias:getAlias",
            {"name": "alias/a"},
            {"arn": "arn:aws-cn:kms:cn-north-1:111122223333:alias/a"},
        ),
        (
            "aws:kms/getKey:getKey",
            {"keyId": "1-2-3"},
            {"arn": "arn:aws-cn:kms:cn-north-1:111122223333:key/1-2-3", "keyId": "1-2-3"},
        ),
    ],
)
def test_lookups_find_what_they_ask_for(
    token: str, args: dict[str, Any], found: dict[str, Any]
) -> None:
    result = invoke(token, args, provider(region="cn-north-1"))
    assert {key: result.get(key) for key in found} == found


def test_key_behind_an_alias_is_always_the_same() -> None:
    alias = invoke("aws:kms/getAlias:getAlias", {"name": "alias/a"}, provider())
    key = invoke("aws:kms/getKey:getKey", {"keyId": "alias/a"}, provider())
    assert alias["targetKeyArn"] == key["arn"]


@pytest.mark.parametrize(
    ("token", "inputs", "id_", "arn"),
    [
        ("aws:iam/user:User", {"name": "u", "path": "/p/"}, "u", "iam::111122223333:user/p/u"),
        (
            "aws:iam/policy:Policy",
            {"name": "p"},
            "arn:aws:iam::111122223333:policy/p",
            "iam::111122223333:policy/p",
        ),
        (
            "aws:iam/serviceLinkedRole:ServiceLinkedRole",
            {"awsServiceName": "rds.amazonaws.com", "customSuffix": "x"},
            "arn:aws:iam::111122223333:role/aws-service-role/rds.amazonaws.com/"
            "AWSServiceRoleForRds_x",
            "iam::111122223333:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRds_x",
        ),
        (
            "aws:kms/replicaKey:ReplicaKey",
            {"primaryKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/mrk-1"},
            "mrk-1",
            "kms:us-east-1:111122223333:key/mrk-1",
        ),
        ("aws:s3/bucket:Bucket", {"bucket": "b"}, "b", "s3:::b"),
        ("aws:sqs/queue:Queue", {"name": "q"}, "q", "sqs:us-east-1:111122223333:q"),
        (
            "aws:lambda/function:Function",
            {"name": "f"},
            "f",
            "lambda:us-east-1:111122223333:function:f",
        ),
        (
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            {"url": "https://example.com/a"},
            None,
            "iam::111122223333:oidc-provider/example.com/a",
        ),
    ],
)
def test_made_resources_have_ids_and_arns_of_the_common_form(
    token: str, inputs: dict[str, Any], id_: str | None, arn: str
) -> None:
    made_id, outputs = create(token, inputs, provider())
    assert id_ in (made_id, None)
    assert outputs["id"] == made_id
    assert outputs["arn"] == f"arn:aws:{arn}"


@pytest.mark.parametrize("token", sorted({*BUILDERS, *SCHEMA_DEFAULTS, *OPTIONAL_COMPUTED}))
def test_tables_of_types_agree_with_the_sdk(token: str) -> None:
    schema = type_schema(token)
    assert schema.inputs
    assert SCHEMA_DEFAULTS.get(token, {}).keys() <= schema.inputs
    assert OPTIONAL_COMPUTED.get(token, frozenset()) <= schema.inputs


def test_project_settings_become_text(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "__main__.py").write_text("")
    (tmp_path / "Pulumi.yaml").write_text(
        "name: shop\nmain: code\nconfig:\n  size: {default: 3}\n  aws:region: eu-west-1\n"
        "  unset: {type: string}\n"
    )
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config:\n  aws:region: us-west-2\n  shop:list: [a, 1]\n  shop:on: true\n"
    )
    project = load_project(tmp_path, "dev", "unused")
    assert (project.name, project.directory.name) == ("shop", "code")
    assert project.config == {
        "aws:region": "us-west-2",
        "shop:size": "3",
        "shop:list": '["a", 1]',
        "shop:on": "true",
    }
    assert load_project(tmp_path, "other", "unused").config["aws:region"] == "eu-west-1"


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({}, "unable to find main python program"),
        ({"Pulumi.yaml": "name: [shop]"}, "is not a string"),
        ({"Pulumi.yaml": "- shop"}, "does not hold a mapping"),
        (
            {"__main__.py": "", "Pulumi.dev.yaml": "config: {shop:key: {secure: v1}}"},
            '"shop:key" is encrypted',
        ),
    ],
)
def test_project_that_cannot_be_used_is_refused(
    tmp_path: Path, files: dict[str, str], text: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(EngineError, match=text):
        load_project(tmp_path, "dev", "shop")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"environments": ["a"]}, 'policy config: "environments" needs Pulumi Cloud'),
        ({"one": 3}, '"one": 3 is not a valid value'),
        ({"one": {"enforcementLevel": "loud"}}, '"loud" is not a valid enforcement level'),
    ],
)
def test_policy_configuration_of_the_wrong_form_is_refused(
    content: dict[str, object], text: str
) -> None:
    with pytest.raises(EngineError, match=text):
        parse_config(content)


def test_policy_settings_are_merged_by_name_and_checked() -> None:
    schema = {"limit": {"type": "integer", "default": 7}, "names": {"type": "array"}}
    policies = [PolicyInfo("one", "advisory", "", schema, ["names"])]
    initial = parse_config({"one": {"names": ["a"], "limit": 1}})
    given = parse_config({"all": "mandatory", "one": {"limit": 2}})
    settings = reconcile(policies, (initial, given))["one"]
    assert settings.level == "mandatory"
    assert settings.properties == {"limit": 2, "names": ["a"]}
    with pytest.raises(EngineError, match=r"one: \(root\): 'names' is a required property"):
        reconcile(policies, (given,))


def test_values_survive_the_wire_and_the_state() -> None:
    properties = {"a": [1.5, None, {"b": {}}], "c": secret({"d": [UNKNOWN]}), "e": ""}
    assert from_struct(to_struct(properties)) == properties
    resource = Resource("urn:pulumi:dev::shop::t::n", "t", True, "id", properties, properties)
    resource.options.protect = True
    resource.property_dependencies = {"a": ["urn:pulumi:dev::shop::t::o"]}
    exported = json.loads(json.dumps(export_state([resource])))
    assert import_state(exported) == {resource.urn: resource}


ENCRYPTED = {
    "urn": "urn:pulumi:dev::shop::t::n",
    "type": "t",
    "custom": True,
    "inputs": {"a": {SIGNATURE: SECRET, "ciphertext": "v1:abc"}},
}


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ({"version": 2}, "not a version 3 export"),
        ({"version": 3, "deployment": {"resources": [{}]}}, "cannot be read"),
        (
            {"version": 3, "deployment": {"resources": [ENCRYPTED]}},
            "export it with --show-secrets",
        ),
    ],
)
def test_state_that_cannot_be_read_is_refused(state: dict[str, Any], text: str) -> None:
    with pytest.raises(EngineError, match=text):
        import_state(state)
