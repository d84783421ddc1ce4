"""Keys, replicas and aliases."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text
from tests.sources.cloudformation.conftest import LoadAssembly
from tests.sources.cloudformation.definitions import (
    OPEN_CONDITION,
    ROOT,
    allow,
    blocking,
    get,
    if_prod,
    key,
    key_of,
    notes,
    resource,
    template,
)

LITERAL = "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"


def alias(target: Any, name: Any = "alias/a", condition: str | None = None) -> dict[str, Any]:
    return resource("AWS::KMS::Alias", condition, AliasName=name, TargetKeyId=target)


def test_a_key_has_what_its_properties_and_its_stack_say(load_assembly: LoadAssembly) -> None:
    node = key(
        allow(ROOT),
        Description="ledger",
        KeySpec="RSA_2048",
        KeyUsage="SIGN_VERIFY",
        Origin="EXTERNAL",
        MultiRegion=True,
        BypassPolicyLockoutSafetyCheck="true",
        Tags=[{"Key": "team", "Value": {"Ref": "AWS::Region"}}],
    )
    deployer = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/deploy"
    properties = {"cloudFormationExecutionRoleArn": deployer, "tags": {"stage": "prod"}}
    found = key_of(load_assembly(S=(template(K=node), {"properties": properties})))
    assert str(found.arn) == "arn:aws:kms:eu-central-1:111122223333:key/<the id of key S/K>"
    assert (found.account, found.region, found.partition) == (
        "111122223333",
        "eu-central-1",
        "aws",
    )
    assert (found.description, found.spec, found.usage) == ("ledger", "RSA_2048", "SIGN_VERIFY")
    assert (found.origin_of_material, found.multi_region) == ("EXTERNAL", True)
    assert found.bypasses_lockout_check
    assert found.tags == {"team": "eu-central-1", "stage": "prod"}
    assert found.deployers == ("arn:aws:iam::111122223333:role/deploy",)


def test_a_key_without_properties_has_the_defaults(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(S=template(K={"Type": "AWS::KMS::Key"}))
    found = key_of(inventory)
    assert (found.spec, found.usage) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert (found.origin_of_material, found.multi_region) == ("AWS_KMS", False)
    assert (found.bypasses_lockout_check, found.deployers, found.tags) == (False, (), {})
    assert inventory.not_covered == ()


@pytest.mark.parametrize("name", ["MultiRegion", "BypassPolicyLockoutSafetyCheck"])
def test_a_switch_that_is_not_known_blocks(load_assembly: LoadAssembly, name: str) -> None:
    unknown: dict[str, Any] = {name: {"Ref": "Unheard"}}
    inventory = load_assembly(S=template(K=key(allow(ROOT), **unknown)))
    assert name in blocking(inventory)["S/K"]


def test_a_tag_whose_key_is_not_known_blocks(load_assembly: LoadAssembly) -> None:
    tags = [{"Key": {"Ref": "Unheard"}, "Value": "x"}, {"Key": "team", "Value": "a"}]
    inventory = load_assembly(S=template(K=key(allow(ROOT), Tags=tags)))
    assert "Unheard" in blocking(inventory)["S/K"]
    assert key_of(inventory).tags == {"team": "a"}


def test_two_keys_are_never_the_same(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(S=template(K=key(), L=key()), T=template(K=key()))
    arns = [found.arn for found in inventory.keys]
    assert len(set(arns)) == 3
    assert same(arns[0], arns[1]).truth is Truth.FALSE


@pytest.mark.parametrize("target", [{"Ref": "K"}, get("K"), get("K", "KeyId")], ids=str)
def test_an_alias_belongs_to_the_key_that_it_targets(
    load_assembly: LoadAssembly, target: Any
) -> None:
    aliases = {"A": alias(target), "B": alias(target, "alias/b")}
    inventory = load_assembly(S=template(K=key(), L=key(), **aliases))
    assert key_of(inventory).aliases == ("alias/a", "alias/b")
    assert key_of(inventory).label == "alias/a"
    assert key_of(inventory, "L").aliases == ()
    assert inventory.not_covered == ()


def test_an_alias_of_something_else_is_noted(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(S=template(K=key(), A=alias(LITERAL)))
    assert key_of(inventory).aliases == ()
    assert LITERAL in notes(inventory)["S/A"]


def test_an_alias_under_an_open_condition_is_not_certain(load_assembly: LoadAssembly) -> None:
    stack = template(OPEN_CONDITION, K=key(), A=alias({"Ref": "K"}, condition="IsProd"))
    (found,) = key_of(load_assembly(S=stack)).aliases
    assert isinstance(found, Text)
    assert same(found, "alias/a").truth is Truth.UNKNOWN
    assert same(found, "alias/b").truth is Truth.FALSE


def replica(primary: Any) -> dict[str, Any]:
    return resource("AWS::KMS::ReplicaKey", PrimaryKeyArn=primary)


def test_a_replica_has_the_id_of_its_primary_key(load_assembly: LoadAssembly) -> None:
    output = {"Outputs": {"Arn": {"Value": get("K"), "Export": {"Name": "unused"}}}}
    stack_output = {"StackName": "P", "OutputName": "Arn", "Region": "eu-central-1"}
    abroad = {"environment": "aws://111122223333/us-east-1"}
    primary = key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", MultiRegion=True)
    inventory = load_assembly(
        P=template(output, K=primary),
        R=(template(Replica=replica({"Fn::GetStackOutput": stack_output})), abroad),
    )
    found = key_of(inventory, "Replica")
    assert str(found.arn) == "arn:aws:kms:us-east-1:111122223333:key/<the id of key P/K>"
    assert (found.spec, found.usage, found.multi_region) == (
        "HMAC_256",
        "GENERATE_VERIFY_MAC",
        True,
    )


def test_a_replica_of_a_known_key_is_known(load_assembly: LoadAssembly) -> None:
    found = key_of(load_assembly(S=template(K=replica(LITERAL))))
    assert found.arn == LITERAL.replace("us-east-1", "eu-central-1")
    assert (found.spec, found.usage, found.origin_of_material) == (None, None, None)


def test_replicas_of_an_unknown_key_may_share_its_id(load_assembly: LoadAssembly) -> None:
    primary = {"Ref": "Primary"}
    parameters = {"Parameters": {"Primary": {"Type": "String"}}}
    stack = template(parameters, K=replica(primary), L=replica(primary))
    first, second = load_assembly(S=stack).keys
    assert same(first.arn, second.arn).truth is Truth.UNKNOWN


def test_replicas_in_a_circle_are_no_trouble(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(S=template(K=replica(get("L")), L=replica(get("K"))))
    assert len(inventory.keys) == 2


def test_a_name_that_refers_to_itself_is_no_trouble(load_assembly: LoadAssembly) -> None:
    names = {"A": {"Fn::Sub": "${B}-a"}, "B": {"Fn::Sub": "${A}-b"}}
    roles = {i: resource("AWS::IAM::Role", RoleName=name) for i, name in names.items()}
    inventory = load_assembly(S=template(**roles, K=key(Description=if_prod(1, 2))))
    assert [str(i.principal.name) for i in inventory.identities] == [
        "<the name of role S/A>-b-a",
        "<the name of role S/A>-b",
    ]
