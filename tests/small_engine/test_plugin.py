"""The provider stand-in as the real engine meets it: a process that speaks the plugin protocol."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from tests.small_engine.processes import ManagedProcess
from tests.small_engine.values import UNKNOWN, from_struct, secret, to_struct

ROOT = Path(__file__).resolve().parents[2]
KEY = "urn:pulumi:dev::shop::aws:kms/key:Key::payments"
ROLE = "urn:pulumi:dev::shop::aws:iam/role:Role::billing"
ACCOUNT = "444455556666"


@pytest.fixture(scope="module")
def stub() -> Iterator[Any]:
    """A configured provider in Frankfurt, started as the engine starts it."""
    process = ManagedProcess(
        "provider",
        [sys.executable, "-u", "-m", "tests.small_engine.plugin", "127.0.0.1:1"],
        ROOT,
        dict(os.environ),
    )
    try:
        address = f"127.0.0.1:{process.first_line(60)}"
        with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
            provider = provider_pb2_grpc.ResourceProviderStub(channel)
            provider.Handshake(proto.ProviderHandshakeRequest())
            given = {"region": "eu-central-1", "allowedAccountIds": json.dumps([ACCOUNT])}
            checked = provider.CheckConfig(proto.CheckRequest(news=to_struct(given)))
            assert from_struct(checked.inputs).items() > given.items()
            configured = provider.Configure(proto.ConfigureRequest(args=checked.inputs))
            assert configured.supportsPreview
            yield provider
    finally:
        process.close()


def checked(stub: Any, urn: str, inputs: dict[str, Any], olds: Any = None) -> dict[str, Any]:
    request = proto.CheckRequest(urn=urn, news=to_struct(inputs))
    if olds is not None:
        request.olds.CopyFrom(to_struct(olds))
    return from_struct(stub.Check(request).inputs)


def test_check_names_a_resource_once_and_writes_documents_as_text(stub: Any) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    first = checked(stub, ROLE, {"assumeRolePolicy": trust})
    assert first["name"].startswith("billing-")
    assert json.loads(first["assumeRolePolicy"]) == trust
    assert checked(stub, ROLE, {"assumeRolePolicy": trust}, first)["name"] == first["name"]
    assert checked(stub, ROLE, {"assumeRolePolicy": trust})["name"] != first["name"]
    unknown = checked(stub, ROLE, {"assumeRolePolicy": {"Version": UNKNOWN}})
    assert unknown["assumeRolePolicy"] == UNKNOWN


def test_check_refuses_a_document_where_the_provider_takes_text_only(stub: Any) -> None:
    request = proto.CheckRequest(urn=KEY, news=to_struct({"policy": {"Statement": []}}))
    (failure,) = stub.Check(request).failures
    assert failure.reason == "policy: expected a string, got an object; use JSON text"


def test_a_previewed_create_knows_the_inputs_alone(stub: Any) -> None:
    inputs = checked(stub, KEY, {"policy": secret("{}")})
    request = proto.CreateRequest(urn=KEY, properties=to_struct(inputs), preview=True)
    planned = stub.Create(request)
    outputs = from_struct(planned.properties)
    assert planned.id == ""
    assert (outputs["policy"], outputs["arn"], outputs["keyId"]) == (secret("{}"), UNKNOWN, UNKNOWN)
    assert not [key for key in outputs if key.startswith("__")]


def test_create_update_and_read_agree_about_a_key(stub: Any) -> None:
    inputs = to_struct(checked(stub, KEY, {"description": "first"}))
    made = stub.Create(proto.CreateRequest(urn=KEY, properties=inputs))
    outputs = from_struct(made.properties)
    assert outputs["arn"] == f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{made.id}"
    news = to_struct({**from_struct(inputs), "description": "second"})
    difference = stub.Diff(
        proto.DiffRequest(id=made.id, urn=KEY, olds=made.properties, old_inputs=inputs, news=news)
    )
    assert difference.changes == proto.DiffResponse.DIFF_SOME
    assert (list(difference.diffs), list(difference.replaces)) == (["description"], [])
    updated = stub.Update(
        proto.UpdateRequest(id=made.id, urn=KEY, olds=made.properties, old_inputs=inputs, news=news)
    )
    changed = from_struct(updated.properties)
    assert changed == {**outputs, "description": "second"}
    read = stub.Read(proto.ReadRequest(id=made.id, urn=KEY, properties=updated.properties))
    assert (read.id, from_struct(read.properties)) == (made.id, changed)


def test_what_aws_cannot_change_is_replaced(stub: Any) -> None:
    olds = to_struct({"name": "billing", "path": "/", "description": "a"})
    news = to_struct({"name": "billing", "path": "/team/", "description": "b"})
    request = proto.DiffRequest(urn=ROLE, old_inputs=olds, news=news)
    assert list(stub.Diff(request).replaces) == ["path"]
    request.ignoreChanges.extend(["path"])
    assert list(stub.Diff(request).replaces) == []
    same = stub.Diff(proto.DiffRequest(urn=ROLE, old_inputs=olds, news=olds))
    assert same.changes == proto.DiffResponse.DIFF_NONE


def test_read_finds_what_the_program_did_not_make(stub: Any) -> None:
    read = stub.Read(proto.ReadRequest(id="legacy", urn=ROLE))
    assert read.id == "legacy"
    assert from_struct(read.properties)["arn"] == f"arn:aws:iam::{ACCOUNT}:role/legacy"


INVOKES = {
    "aws:index/getCallerIdentity:getCallerIdentity": ({}, "accountId", ACCOUNT),
    "aws:index/getRegion:getRegion": ({}, "region", "eu-central-1"),
    "aws:index/getPartition:getPartition": ({}, "partition", "aws"),
    "aws:iam/getPolicyDocument:getPolicyDocument": (
        {"statements": [{"actions": ["kms:Decrypt"], "resources": ["*"]}]},
        "minifiedJson",
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt",'
        '"Resource":"*"}]}',
    ),
}


@pytest.mark.parametrize("token", INVOKES)
def test_functions_answer_for_the_configured_place(stub: Any, token: str) -> None:
    args, key, expected = INVOKES[token]
    answer = stub.Invoke(proto.InvokeRequest(tok=token, args=to_struct(args)))
    assert from_struct(getattr(answer, "return"))[key] == expected


def test_an_unknown_function_is_named(stub: Any) -> None:
    with pytest.raises(grpc.RpcError, match='does not know the function "aws:s3/getNothing'):
        stub.Invoke(proto.InvokeRequest(tok="aws:s3/getNothing:getNothing"))
    assert stub.Cancel(empty_pb2.Empty()) == empty_pb2.Empty()
