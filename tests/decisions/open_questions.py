"""One question by role app about one key, under policies in a few words."""

from __future__ import annotations

from typing import Any

from kms_access.decisions.request import ApplicablePolicies, Request, facts_of, request_context
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.context import open_otherwise
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import Principal, parse_principal
from tests.builders import ACCOUNT, arn_id, document, role_arn

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{arn_id('k')}"
APP = role_arn("app")
S3, RDS = "s3.eu-west-1.amazonaws.com", "rds.eu-west-1.amazonaws.com"


def caller() -> Principal:
    principal = parse_principal(APP)
    assert principal is not None
    return principal


def open_question(action: str = "kms:Decrypt") -> Request:
    facts = facts_of(caller(), action, KEY, ACCOUNT)
    return Request(caller(), action, KEY, ACCOUNT, request_context(facts, {}, open_otherwise))


def policies(*key_side: Any, identity: tuple[Any, ...] = ()) -> ApplicablePolicies:
    origin = Origin("App/k")
    on_key = Policy("key policy", parse_policy(document(*key_side), KEY_POLICY), origin)
    own = Policy("inline", parse_policy(document(*identity), IDENTITY_POLICY), origin)
    return ApplicablePolicies((on_key,), (own,) if identity else ())


def when(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def both(*conditions: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for condition in conditions:
        for operator, block in condition["Condition"].items():
            merged.setdefault(operator, {}).update(block)
    return {"Condition": merged}


def through(service: str) -> dict[str, Any]:
    return when("StringEquals", "kms:ViaService", service)
