"""The functions of the AWS providers whose answers need no cloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policypack.mocked_program.made_up import MadeUp
from policypack.mocked_program.places import Place
from policypack.mocked_program.policy_document import get_policy_document

Answer = Callable[[Mapping[str, Any], Place, str, MadeUp], dict[str, Any]]


def _caller_identity(
    arguments: Mapping[str, Any], place: Place, provider: str, made_up: MadeUp
) -> dict[str, Any]:
    form = f"arn:{place.partition}:sts::{place.account}:assumed-role/{{0}}/{{0}}"
    return {
        "accountId": place.account,
        "arn": made_up.attribute(provider, "caller ARN", form),
        "id": place.account,
        "userId": made_up.attribute(provider, "caller userId"),
    }


def _region(
    arguments: Mapping[str, Any], place: Place, provider: str, made_up: MadeUp
) -> dict[str, Any]:
    region = arguments.get("region") or arguments.get("name") or place.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": made_up.attribute(provider, f"description of {region}"),
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _partition(
    arguments: Mapping[str, Any], place: Place, provider: str, made_up: MadeUp
) -> dict[str, Any]:
    suffixes = {"aws-cn": "amazonaws.com.cn", "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov"}
    suffix = suffixes.get(place.partition, "amazonaws.com")
    return {
        "id": place.partition,
        "partition": place.partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _account_id(
    arguments: Mapping[str, Any], place: Place, provider: str, made_up: MadeUp
) -> dict[str, Any]:
    return {"accountId": place.account}


def _document(
    arguments: Mapping[str, Any], place: Place, provider: str, made_up: MadeUp
) -> dict[str, Any]:
    return get_policy_document(arguments)


ANSWERS: Mapping[str, Answer] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:iam/getPolicyDocument:getPolicyDocument": _document,
    "aws-native:index:getAccountId": _account_id,
    "aws-native:index:getRegion": _region,
    "aws-native:index:getPartition": _partition,
}
