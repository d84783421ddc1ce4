"""Policies of the organization: what they may deny stays open, each is told once (K70, K71)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sources.cloudformation.conftest import ACCOUNT, LoadAssembly
from tests.sources.cloudformation.definitions import (
    OPEN_CONDITION,
    document,
    if_prod,
    key,
    notes,
    resource,
    role,
    template,
)

KIND = "AWS::Organizations::Policy"
ELSEWHERE = "999988887777"


def deny(action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*", **more}


NOT_KMS = {"Effect": "Deny", "NotAction": "kms:*", "Resource": "*"}
NOT_S3 = {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}
ALLOW = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}


def control(*statements: Any, targets: Any = (ACCOUNT,), **more: Any) -> dict[str, Any]:
    given = {"Type": "SERVICE_CONTROL_POLICY", "Content": document(*statements), **more}
    listed = {} if targets is None else {"TargetIds": targets}
    return resource(KIND, Name="p", **listed, **given)


TAKING_AWAY: list[tuple[str, dict[str, Any]]] = [
    ("of this account", control(deny("kms:Decrypt"))),
    ("of a unit", control(deny("kms:*"), targets=["ou-ab12-cdefghij"])),
    ("of the root, among others", control(deny("*"), targets=[ELSEWHERE, "r-ab12"])),
    ("of targets that are not known", control(deny("kms:*"), targets=[{"Ref": "Stage"}])),
    ("of targets that a list gives", control(deny("kms:*"), targets={"Ref": "Stage"})),
    ("of targets under a condition", control(deny("kms:*"), targets=if_prod(["r-ab12"]))),
    ("all but S3", control(NOT_S3)),
    ("an action that is not known", control(deny({"Ref": "Stage"}))),
    ("for resources", control(deny("kms:Decrypt", Principal="*"), Type="RESOURCE_CONTROL_POLICY")),
    ("of a type that is not known", control(Type={"Ref": "Stage"})),
    ("text", control(Content=json.dumps(document(deny("kms:Decrypt"))))),
    ("content that cannot be read", control(Content={"Ref": "Stage"})),
    ("properties of a macro", {"Type": KIND, "Properties": {"Fn::Transform": {"Name": "x"}}}),
]


@pytest.mark.parametrize(
    "node", [row[1] for row in TAKING_AWAY], ids=[row[0] for row in TAKING_AWAY]
)
def test_what_may_deny_an_action_of_kms_may_take_access_away(
    load_assembly: LoadAssembly, node: dict[str, Any]
) -> None:
    inventory = load_assembly(S=template(OPEN_CONDITION, K=key(), R=role(), X=node))
    (gap,) = (gap for gap in inventory.not_covered if gap.may_take_access_away)
    assert f"{KIND} for " in gap.reason
    assert not gap.may_change_key_access
    assert inventory.service_control == inventory.resource_control == ()


NOTED: list[tuple[str, dict[str, Any], str]] = [
    ("of another account", control(deny("kms:*"), targets=[ELSEWHERE]), "no key and no identity"),
    ("attached nowhere", control(deny("kms:*"), targets=None), "nothing here attaches it"),
    ("of other services", control(deny("s3:*"), ALLOW), "denies no action of KMS"),
    ("all but KMS", control(NOT_KMS), "denies no action of KMS"),
]


@pytest.mark.parametrize(
    ("node", "reason"), [row[1:] for row in NOTED], ids=[row[0] for row in NOTED]
)
def test_what_takes_nothing_away_here_is_a_note(
    load_assembly: LoadAssembly, node: dict[str, Any], reason: str
) -> None:
    inventory = load_assembly(S=template(K=key(), R=role(), X=node))
    assert reason in notes(inventory)["S/X"]
    assert not any(gap.may_take_access_away for gap in inventory.not_covered)


def test_a_policy_that_is_about_no_access_is_not_mentioned(load_assembly: LoadAssembly) -> None:
    node = control(Type="TAG_POLICY", Content={"tags": {}})
    assert load_assembly(S=template(K=key(), X=node)).not_covered == ()


def test_without_keys_there_is_nothing_to_deny(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(S=template(R=role(), X=control(deny("kms:*"))))
    assert not any(gap.may_take_access_away for gap in inventory.not_covered)
    assert KIND in notes(inventory)["S/X"]
