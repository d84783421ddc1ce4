"""A policy of the organization takes access away only where it surely applies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import ACCOUNT, UNKNOWN, document, key_document, resource, statement

MANAGEMENT = "999988887777"
OTHER = "444455556666"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
GUEST = f"arn:aws:iam::{OTHER}:role/guest"
KEY = resource("key", "k", {"policy": key_document(READER, GUEST, action="kms:Decrypt")})
ROLE = resource("role", "reader", {"name": "reader"})
AT_HOME: Mapping[str, Any] = {"provider": {}, "provider_urn": "x::y::z::management"}
DENY: dict[str, object] = {**statement("kms:Decrypt"), "Effect": "Deny"}
NO_DECRYPT = document(DENY)
ONLY_S3 = document(statement("s3:*"))
NOBODY_DECRYPTS = document({**DENY, "Principal": "*"})


def policy(
    content: object = NO_DECRYPT, kind: object = "SERVICE_CONTROL_POLICY", owner: str = MANAGEMENT
) -> StackResource:
    arn = f"arn:aws:organizations::{owner}:policy/o-1/service_control_policy/p-1" if owner else ""
    outputs = {"arn": arn or UNKNOWN, "id": "p-1" if owner else UNKNOWN}
    inputs = {"name": "limit", "content": content, "type": kind}
    return resource("organization_policy", "limit", inputs, outputs, **AT_HOME)


def attached(target: object = ACCOUNT, policy_id: str = "p-1") -> StackResource:
    inputs = {"policyId": policy_id, "targetId": target}
    depends = {"policyId": [policy().urn]} if policy_id == UNKNOWN else {}
    return resource("organization_attachment", "at", inputs, depends=depends, **AT_HOME)


def native(targets: object, content: str = NO_DECRYPT, **outputs: object) -> StackResource:
    inputs = {
        "name": "limit",
        "type": "SERVICE_CONTROL_POLICY",
        "content": content if content == UNKNOWN else json.loads(content),
        "targetIds": targets,
    }
    given = {"arn": f"arn:aws:organizations::{MANAGEMENT}:policy/o-1/x/p-1", "awsId": "p-1"}
    return resource(
        "native_organization_policy",
        "limit",
        inputs,
        {**given, **outputs},
        **AT_HOME,
    )


def state(inventory: Inventory, subject: str) -> AccessState:
    found = {
        (access.subject.label, access.key.origin.label, access.action): access.state
        for access in access_map(inventory)
    }
    return found[subject, "k", "kms:Decrypt"]


@pytest.mark.parametrize(
    "resources",
    [
        [policy(), attached()],
        [policy(), attached(policy_id=UNKNOWN)],
        [native([ACCOUNT])],
        [native([OTHER, ACCOUNT])],
    ],
)
def test_a_service_control_policy_denies_what_principals_of_its_account_do(
    resources: list[StackResource],
) -> None:
    assert state(read_stack([KEY, ROLE]), "role reader") is AccessState.ALLOWED
    inventory = read_stack([KEY, ROLE, *resources])
    assert state(inventory, "role reader") is AccessState.EXPLICITLY_DENIED
    # It does not bind callers of other accounts (K70).
    assert state(inventory, "role guest") is AccessState.DELEGATED


def test_a_resource_control_policy_denies_what_anybody_does_with_the_keys() -> None:
    limit = policy(NOBODY_DECRYPTS, "RESOURCE_CONTROL_POLICY")
    inventory = read_stack([KEY, ROLE, limit, attached()])
    assert inventory.not_covered == ()
    for subject in ("role reader", "role guest"):
        assert state(inventory, subject) is AccessState.EXPLICITLY_DENIED


def test_a_policy_that_lacks_an_allow_takes_nothing_away() -> None:
    inventory = read_stack([KEY, ROLE, policy(ONLY_S3), attached()])
    assert state(inventory, "role reader") is AccessState.ALLOWED


ABROAD: Mapping[str, Any] = {
    "provider": {"allowedAccountIds": [OTHER]},
    "provider_urn": "x::y::z::other",
}
ROLE_ABROAD = resource("role", "abroad", {"name": "abroad"}, **ABROAD)
KEY_ABROAD = resource("key", "abroad", {"isEnabled": True}, **ABROAD)


@pytest.mark.parametrize(
    ("resources", "may_take_away", "reason"),
    [
        ([policy()], False, "it is not known to which accounts it is attached"),
        ([native([])], False, "it is not known to which accounts it is attached"),
        ([attached()], True, "the policy is not part of the definitions"),
        ([policy(), attached("ou-ab12-cd34ef56")], True, "which accounts its target holds"),
        ([policy(), attached("r-ab12")], True, "which accounts its target holds"),
        ([policy(), attached(UNKNOWN)], True, "which accounts its target holds"),
        ([native(UNKNOWN)], True, "which accounts its target holds"),
        ([native([UNKNOWN])], True, "which accounts its target holds"),
        ([policy(), attached(OTHER)], False, f"stack are not all in account {OTHER}"),
        ([policy(), attached(), ROLE_ABROAD], True, f"stack are not all in account {ACCOUNT}"),
        ([policy(), attached(), KEY_ABROAD], True, f"stack are not all in account {ACCOUNT}"),
        ([policy(owner=""), attached(policy_id=UNKNOWN)], True, "the policy does not exist yet"),
        ([native([ACCOUNT], arn=UNKNOWN)], True, "the policy does not exist yet"),
        ([policy(owner=ACCOUNT), attached()], False, f"{ACCOUNT} is the management account"),
        ([policy(UNKNOWN), attached()], True, "its content is not known or is no policy"),
        ([policy("{"), attached()], True, "its content is not known or is no policy"),
        ([policy(""), attached()], True, "its content is not known or is no policy"),
        ([native([ACCOUNT], UNKNOWN)], True, "its content is not known or is no policy"),
        ([policy(ONLY_S3), attached("r-ab12")], False, "which accounts its target holds"),
        ([policy(kind=UNKNOWN), attached()], True, "the type of the policy is not known"),
    ],
)
def test_what_is_not_sure_takes_nothing_away_and_is_noted_once(
    resources: list[StackResource], may_take_away: bool, reason: str
) -> None:
    inventory = read_stack([KEY, ROLE, *resources])
    assert state(inventory, "role reader") is AccessState.ALLOWED
    (gap,) = inventory.not_covered
    assert gap.may_take_access_away is may_take_away
    assert not gap.may_change_key_access
    assert reason in gap.reason
    assert gap.reason.endswith("so more access may be reported than there is")


@pytest.mark.parametrize("kind", ["TAG_POLICY", "BACKUP_POLICY"])
def test_policies_about_other_things_are_no_gap(kind: str) -> None:
    content: Any = document(DENY)
    inventory = read_stack([KEY, ROLE, policy(content, kind), attached()])
    assert inventory.not_covered == ()
    assert state(inventory, "role reader") is AccessState.ALLOWED


def test_a_stack_without_type_makes_a_service_control_policy() -> None:
    inventory = read_stack([KEY, ROLE, policy(kind=None), attached()])
    assert state(inventory, "role reader") is AccessState.EXPLICITLY_DENIED
