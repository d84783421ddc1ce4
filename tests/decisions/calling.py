"""Calls that need several permissions in a few words, for the tests of them."""

from __future__ import annotations

from typing import Any

from kms_access.decisions.access_map import access_map
from kms_access.decisions.api_calls import ApiCalls
from kms_access.decisions.call_access import CallAccess
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Subject
from kms_access.inventory.model import Inventory, Key
from tests.builders import ACCOUNT, REGION, role

ORGANIZATION = Organization("o-a1b2c3d4e5", frozenset({ACCOUNT}))


def calls(*keys: Key, identity: Any = (), **fields: Any) -> ApiCalls:
    """Calls over the keys, with a role app that has the statements of `identity`."""
    inventory = Inventory(keys, (role("app", *identity),), **fields)
    return ApiCalls(access_map(inventory, ORGANIZATION), ORGANIZATION)


def subject(*keys: Key, identity: Any = (), label: str = "role app", **fields: Any) -> Subject:
    facts = access_map(Inventory(keys, (role("app", *identity),), **fields), ORGANIZATION)
    return next(one for one in facts.subjects if one.label == label)


def when(operator: str, name: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {name: value}}}


def through(service: str) -> dict[str, Any]:
    return when("StringEquals", "kms:ViaService", f"{service}.{REGION}.amazonaws.com")


def single(call: CallAccess) -> list[tuple[str, AccessState]]:
    return [(p.action.removeprefix("kms:"), p.state) for p in call.permissions]
