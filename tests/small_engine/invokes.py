"""The functions of the AWS provider that programs about keys and roles call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .documents import render_policy_document
from .model import EngineError
from .provider import Instance, create
from .values import Properties, text


def invoke(token: str, args: Properties, instance: Instance) -> Properties:
    function = _FUNCTIONS.get(token)
    if function is None:
        raise EngineError(f'the provider stand-in does not know the function "{token}"')
    return function(args, instance)


def _caller_identity(args: Properties, instance: Instance) -> Properties:
    place = instance.place({})
    role = instance.assumed_role().rsplit("/", 1)[-1] or "deployer"
    return {
        "accountId": place.account,
        "arn": f"arn:{place.partition}:sts::{place.account}:assumed-role/{role}/small-engine",
        "id": place.account,
        "userId": "AROADEPLOYERDEPLOYER1:small-engine",
    }


def _region(args: Properties, instance: Instance) -> Properties:
    region = text(args, "region") or text(args, "name") or instance.place({}).region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _partition(args: Properties, instance: Instance) -> Properties:
    partition = instance.place({}).partition
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return {
        "id": partition,
        "partition": partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _existing(token: str, key: str) -> Callable[[Properties, Instance], Properties]:
    """A lookup by name or id that finds whatever it is asked for."""

    def find(args: Properties, instance: Instance) -> Properties:
        wanted = text(args, key) or text(args, "arn")
        id_, found = create(token, dict(args), instance, wanted)
        return {"id": id_, **found}

    return find


def _key(args: Properties, instance: Instance) -> Properties:
    found = _existing("aws:kms/key:Key", "keyId")(args, instance)
    key_id = str(found["arn"]).rsplit("/", 1)[-1]
    return {
        **found,
        "id": key_id,
        "keyId": args["keyId"],
        "awsAccountId": instance.place(args).account,
        "enabled": True,
        "keyManager": "CUSTOMER",
        "keySpec": "SYMMETRIC_DEFAULT",
        "keyState": "Enabled",
        "origin": "AWS_KMS",
    }


def _document(args: Properties, instance: Instance) -> Properties:
    return render_policy_document(args)


_FUNCTIONS: Mapping[str, Callable[[Properties, Instance], Properties]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:iam/getPolicyDocument:getPolicyDocument": _document,
    "aws:iam/getRole:getRole": _existing("aws:iam/role:Role", "name"),
    "aws:iam/getUser:getUser": _existing("aws:iam/user:User", "userName"),
    "aws:iam/getGroup:getGroup": _existing("aws:iam/group:Group", "groupName"),
    "aws:kms/getAlias:getAlias": _existing("aws:kms/alias:Alias", "name"),
    "aws:kms/getKey:getKey": _key,
}
