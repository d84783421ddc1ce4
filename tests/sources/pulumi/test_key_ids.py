"""In an update an id is tied to a key of the stack only where it cannot mean another key."""

from __future__ import annotations

import pytest

from kms_access.inventory.model import Inventory
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import ACCOUNT, DELEGATING, KEY_ARN, KEY_ID, resource

GRANTEE = f"arn:aws:iam::{ACCOUNT}:role/logs"
ALIAS = resource("alias", "a", {"name": "alias/logs", "targetKeyId": KEY_ID})
ELSEWHERE = KEY_ARN.replace("eu-central-1", "eu-west-1")


def key(name: str, **inputs: object) -> StackResource:
    return resource("key", name, {"isEnabled": True, **inputs})


def key_policy(key_id: str) -> StackResource:
    return resource("key_policy", "p", {"keyId": key_id, "policy": DELEGATING})


def grant(key_id: str) -> StackResource:
    given = {"keyId": key_id, "granteePrincipal": GRANTEE, "operations": ["Decrypt"]}
    return resource("grant", "g", given)


def so_far(*resources: StackResource) -> Inventory:
    return read_stack(list(resources), preview=False, partial=True)


def labels(inventory: Inventory) -> list[str]:
    """The keys whose policies surely stand in the stack."""
    return [
        key.origin.label
        for key in inventory.keys
        if key.policies and all(policy.document.unreadable is None for policy in key.policies)
    ]


@pytest.mark.parametrize("key_id", [KEY_ID, KEY_ARN])
def test_a_key_policy_belongs_to_the_only_key_without_one(key_id: str) -> None:
    own = key("own", policy=DELEGATING)
    assert labels(so_far(key("bare"), own, key_policy(key_id))) == ["bare", "own"]


@pytest.mark.parametrize(
    ("keys", "key_id"),
    [
        ([key("own", policy=DELEGATING)], KEY_ID),
        ([key("bare"), key("other")], KEY_ID),
        ([key("bare")], ELSEWHERE),
    ],
    ids=["a key that has one", "several keys", "another Region"],
)
def test_otherwise_it_may_be_for_a_key_that_is_defined_elsewhere(
    keys: list[StackResource], key_id: str
) -> None:
    policy = key_policy(key_id)
    added = [k for k in so_far(*keys, policy).keys if k.origin.identity == policy.urn]
    assert len(added) == 1


def test_a_grant_belongs_to_the_only_key_if_an_alias_names_the_id() -> None:
    own = key("own", policy=DELEGATING)
    inventory = so_far(own, ALIAS, grant(KEY_ID))
    (only,) = inventory.keys
    assert inventory.grants[0].key_arn == only.arn
    assert so_far(own, grant(KEY_ID)).grants[0].key_arn == KEY_ARN
    assert so_far(own, ALIAS, grant(ELSEWHERE)).grants[0].key_arn == ELSEWHERE


def test_with_several_keys_a_grant_counts_for_the_alias() -> None:
    inventory = so_far(key("one"), key("two"), ALIAS, grant(KEY_ARN))
    (named,) = [k for k in inventory.keys if k.arn == KEY_ARN]
    assert named.aliases[0] == "alias/logs"
    assert named.policies[0].document.statements == ()
    assert inventory.grants[0].key_arn == KEY_ARN


def test_before_and_after_the_update_the_ids_are_known() -> None:
    inventory = read_stack([key("bare"), key_policy(KEY_ID)])
    assert [k.arn for k in inventory.keys][1:] == [KEY_ARN]
