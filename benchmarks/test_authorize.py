"""How many requests a second the evaluator decides: `make bench`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request_json import answer, read_request
from kms_access.inventory.model import Inventory
from tests.builders import ACCOUNT, DELEGATION, allow, deny, document, iam, key, role, role_arn

KEYS = [key(f"key-{i}", DELEGATION, allow(role_arn(f"role-{i}"), "kms:Decrypt")) for i in range(10)]
ROLES = [
    role(f"role-{i}", iam("kms:Decrypt", KEYS[i % 10].arn), iam("s3:GetObject")) for i in range(40)
]
LINE = json.dumps(
    {
        "principal": role_arn("app"),
        "action": "kms:Decrypt",
        "resource": KEYS[0].arn,
        "account": ACCOUNT,
        "resourcePolicy": document(
            DELEGATION, allow(role_arn("app"), "kms:Encrypt"), deny(role_arn("x"), "kms:*")
        ),
        "identityPolicies": [
            document(iam("s3:*")), document(iam("kms:Decrypt")), document(iam("ec2:*"))
        ],
    }
)  # fmt: skip


@pytest.mark.benchmark(group="one request")
def test_authorize_with_parsed_policies(benchmark: Any) -> None:
    stated = read_request(LINE)
    decision = benchmark(authorize, stated.request, stated.policies)
    assert decision.verdict.value == "allowed"


@pytest.mark.benchmark(group="one request")
def test_authorize_from_text(benchmark: Any) -> None:
    assert benchmark(lambda: answer(read_request(LINE)))["decision"] == "allowed"


@pytest.mark.benchmark(group="map")
def test_map_of_ten_keys_and_forty_roles(benchmark: Any) -> None:
    inventory = Inventory(tuple(KEYS), tuple(ROLES))
    assert len(benchmark(access_map, inventory).subjects) == 41
