"""AWS managed policies: what the vendored data say they give (K65, K182, K185)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.arns import SEGMENTS
from kms_access.policies.document import PolicyDocument
from kms_access.policies.grammar import IDENTITY_POLICY, PolicyGrammar
from kms_access.policies.parsing import CURRENT_VERSION, parse_policy
from kms_access.policies.text import Text, Value, concat, split

_PARTITION = "aws"
_OF_PARTITION = f"arn:{_PARTITION}:"
_RESOURCE = "policy/"


@dataclass(frozen=True, slots=True)
class VendoredPolicies:
    """Which state of AWS the data show: AWS changes its managed policies at any time.

    `newest_change` is the day of the newest change that is in the data, `moto` the release of
    the package that they were read from and `count` the number of AWS managed policies at that
    time. `count_with_kms` of them have a statement that can match KMS, `count_with_detours` one
    that matches an action of `detour_actions`.
    """

    newest_change: date
    moto: str
    count: int
    count_with_kms: int
    count_with_detours: int


def vendored_policies() -> VendoredPolicies:
    """Date, origin and extent of the vendored data."""
    data = _data()
    sources = data["sources"]
    return VendoredPolicies(
        date.fromisoformat(sources["newest_change"]),
        sources["moto"],
        data["number_of_policies"],
        data["number_with_kms"],
        data["number_with_detours"],
    )


def managed_policy(arn: Value, grammar: PolicyGrammar = IDENTITY_POLICY) -> PolicyDocument | None:
    """What the AWS managed policy with that ARN says; None if that is not known.

    The document answers for the actions of KMS on KMS resources, those that AWS may add included,
    and for the actions of `detour_actions.DETOUR_ACTIONS` on any resource. For these it answers
    as AWS's whole policy does; about any other action it says nothing, because statements that
    match none of these are left out, and so is what matches none of these in the Action element
    of the statements that are there. Statements keep their places (`index`) in AWS's policy. A
    policy that gives and denies none of these actions has no statements, which as a permissions
    boundary (`grammar`) allows none of them. Its content is not known where the ARN is none of an
    AWS managed policy, where it has unknown parts other than the partition, where the data lack
    the policy (it may be newer), and in partitions other than `aws`, of which there are no data
    (K185).

    An unknown partition that can be `aws` is taken for it, because a stack without a Region is
    most often deployed there, and nearly every policy exists in all partitions with the same
    purpose. What its statements give or deny then stays open, for they may differ in the partition
    of the deployment; what they do not reach counts as not given.
    """
    segments = split(arn, ":", SEGMENTS - 1)
    if len(segments) != SEGMENTS:
        return None
    prefix, partition, service, region, account, resource = segments
    if (prefix, service, region, account) != ("arn", "iam", "", "aws"):
        return None
    if not isinstance(resource, str) or not resource.startswith(_RESOURCE):
        return None
    if not _can_be_aws(partition):
        return None
    return _document(resource.removeprefix(_RESOURCE), partition, grammar)


def _can_be_aws(partition: Value) -> bool:
    if isinstance(partition, str):
        return partition == _PARTITION
    return len(partition.parts) == 1 and all(u.could_be(_PARTITION) for u in partition.unknowns)


@cache
def _document(name: str, partition: Value, grammar: PolicyGrammar) -> PolicyDocument | None:
    if name in _names_alone():
        return PolicyDocument(grammar, CURRENT_VERSION, ())
    entry = _data()["policies"].get(name)
    if entry is None:
        return None
    statements: Mapping[str, Any] = entry["statements"]
    source = {"Version": CURRENT_VERSION, "Statement": list(map(_written, statements.values()))}
    if isinstance(partition, Text):
        source = _in_partition(source, partition)
    # The quotas of customer managed policies (K29) do not bind AWS, whose policies are larger.
    document = parse_policy(source, replace(grammar, maximum_characters=0, maximum_bytes=0))
    doubt = _doubt(name, partition)
    placed = tuple(
        replace(statement, index=int(place), uncertain=statement.uncertain or doubt)
        for place, statement in zip(statements, document.statements, strict=True)
    )
    return replace(document, grammar=grammar, statements=placed)


def _written(statement: Any) -> Any:
    """A statement of the data; in place of one that stands there before, they have its place."""
    if not isinstance(statement, str):
        return statement
    name, _, place = statement.rpartition("#")
    return _data()["policies"][name]["statements"][place]


def _doubt(name: str, partition: Value) -> Reason | None:
    if isinstance(partition, str):
        return None
    what = f'whether "{name}" of {partition} is the same as that of "{_PARTITION}"'
    return Reason(what, ReasonKind.UNKNOWN_VALUE, "K185")


def _in_partition(node: Any, partition: Text) -> Any:
    """The data with the ARNs of AWS's policy as they are in another partition."""
    if isinstance(node, dict):
        return {key: _in_partition(value, partition) for key, value in node.items()}
    if isinstance(node, list):
        return [_in_partition(item, partition) for item in node]
    if isinstance(node, str) and node.startswith(_OF_PARTITION):
        return concat(("arn:", partition, ":", node.removeprefix(_OF_PARTITION)))
    return node


@cache
def _data() -> Mapping[str, Any]:
    file = resources.files("kms_access.inventory") / "managed_policies.json"
    data: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


@cache
def _names_alone() -> frozenset[str]:
    return frozenset(_data()["names_alone"])
