"""A plan joined with what is deployed: one case for each row of the table of `joined`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kms_access.inventory.arns import key_arn, unknown_key_id
from kms_access.inventory.joining import joined
from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import Origin
from kms_access.policies.text import Text
from tests.builders import ACCOUNT, REGION, role
from tests.inventory.joining_cases import (
    CASES,
    LITERAL,
    OF_PLANNED,
    deployed,
    deployed_key,
    inventory,
    managed,
    planned_key,
)


@pytest.mark.parametrize(
    ("name", "claim"), [(name, claim) for name, case in CASES.items() for claim in case.expected]
)
def test_joined(name: str, claim: str) -> None:
    case = CASES[name]
    assert case.expected[claim](joined(case.planned, case.deployed))


def test_without_a_deployment_the_plan_stays_as_it_is() -> None:
    plan = inventory(planned_key(), role("api", OF_PLANNED))
    assert joined(plan, Inventory()) == plan


def test_without_a_plan_all_is_as_deployed() -> None:
    there = inventory(deployed_key(), deployed(role("api", LITERAL)), managed("Shared"))
    assert joined(Inventory(), there) == there


def test_two_planned_keys_with_one_alias_are_not_guessed() -> None:
    second = replace(
        planned_key(),
        origin=Origin("App/second", "second", "App"),
        arn=key_arn("aws", REGION, ACCOUNT, Text((unknown_key_id("App/second"),))),
    )
    found = joined(inventory(planned_key(), second), inventory(deployed_key()))
    assert len(found.keys) == 3


def test_shared_policies_stay_shared() -> None:
    shared = managed("Shared", OF_PLANNED).policy
    roles = [replace(role(name), policies=(shared,)) for name in ("a", "b")]
    found = joined(inventory(planned_key(), *roles), inventory(deployed_key()))
    first, second = (one.policies[0].document for one in found.identities)
    assert first is second
    assert first != shared.document
