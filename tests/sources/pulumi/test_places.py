"""Account, region and partition are taken from what tells them for sure, else left unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text, Value
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import (
    ACCOUNT,
    KEY_ARN,
    PROVIDER,
    REGION,
    ROOT,
    UNKNOWN,
    document,
    identity,
    key_document,
    only_key,
    resource,
    statement,
)

OTHER = "444455556666"
SILENT: Mapping[str, object] = {"region": REGION}


def secret(value: object) -> dict[str, object]:
    signature = "4dabf18193072939515e22adb298388d"
    return {signature: "1b47061264138c4ac30d75fd1eb44270", "value": value}


def account_of(*resources: StackResource, account: str = "") -> Value:
    return only_key(read_stack(resources, account=account)).account


def key(
    policy: str = "", provider: Mapping[str, object] = SILENT, **inputs: object
) -> StackResource:
    given = {"isEnabled": True, **({"policy": policy} if policy else {}), **inputs}
    return resource("key", "payments", given, provider=provider)


@pytest.mark.parametrize(
    "provider",
    [
        {"allowedAccountIds": f'["{ACCOUNT}"]'},
        {"allowedAccountIds": [ACCOUNT]},
        {"allowedAccountIds": secret(f'["{ACCOUNT}"]')},
        {"assumeRoles": json.dumps([{"role_arn": f"arn:aws:iam::{ACCOUNT}:role/deploy"}])},
        {"assumeRoles": json.dumps([{"roleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy"}])},
        {
            "assumeRoles": json.dumps(
                [
                    {"roleArn": f"arn:aws:iam::{OTHER}:role/first"},
                    {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/last"},
                ]
            )
        },
    ],
)
def test_the_provider_tells_the_account(provider: Mapping[str, object]) -> None:
    assert account_of(key(provider=provider)) == ACCOUNT


@pytest.mark.parametrize(
    "provider",
    [
        {},
        {"allowedAccountIds": UNKNOWN},
        {"allowedAccountIds": f'["{ACCOUNT}", "{OTHER}"]'},
        {"allowedAccountIds": "no JSON"},
        {"assumeRoles": json.dumps([{"roleArn": UNKNOWN}])},
    ],
)
def test_without_evidence_the_account_is_one_unknown_of_the_provider(
    provider: Mapping[str, object],
) -> None:
    role = resource("role", "api", {"name": "api"}, provider=provider)
    inventory = read_stack([key(provider=provider), role])
    account = only_key(inventory).account
    assert isinstance(account, Text)
    assert identity(inventory, "api").principal.account == account
    assert same(account, OTHER).truth is Truth.UNKNOWN
    assert same(account, "no account").truth is Truth.FALSE


def test_an_existing_resource_tells_the_account_and_beats_the_caller() -> None:
    user = resource(
        "user", "alice", {"name": "alice"}, {"arn": f"arn:aws:iam::{ACCOUNT}:user/alice"}
    )
    assert account_of(key(), user, account=OTHER) == ACCOUNT


def test_the_caller_tells_the_account_where_nothing_else_does() -> None:
    assert account_of(key(), account=OTHER) == OTHER
    assert account_of(key(provider={"allowedAccountIds": [ACCOUNT]}), account=OTHER) == ACCOUNT


@pytest.mark.parametrize(
    ("policy", "inputs", "known"),
    [
        (key_document(ROOT), {}, True),
        (key_document(f"arn:aws:iam::{ACCOUNT}:role/deploy"), {}, True),
        (document(statement("kms:Put*", Principal={"AWS": ACCOUNT})), {}, True),
        # Only decryption is given to the other account, administration stays at home.
        (
            document(
                statement(Principal={"AWS": ROOT}),
                statement("kms:Decrypt", Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}),
            ),
            {},
            True,
        ),
        (key_document(ROOT, f"arn:aws:iam::{OTHER}:root"), {}, False),
        (key_document(ROOT, action="kms:Decrypt"), {}, False),
        (key_document(ROOT), {"bypassPolicyLockoutSafetyCheck": True}, False),
        (key_document("*"), {}, False),
        (document({**statement(Principal={"AWS": ROOT}), "Effect": "Deny"}), {}, False),
    ],
)
def test_who_may_put_the_key_policy_is_of_the_account(
    policy: str, inputs: dict[str, Any], known: bool
) -> None:
    account = account_of(key(policy, **inputs))
    assert account == ACCOUNT if known else isinstance(account, Text)


@pytest.mark.parametrize(
    ("kind", "inputs", "known"),
    [
        ("alias", {"targetKeyId": KEY_ARN}, True),
        ("key_policy", {"keyId": KEY_ARN, "policy": "{}"}, True),
        ("replica", {"primaryKeyArn": KEY_ARN}, True),
        ("role_attachment", {"role": "a", "policyArn": f"arn:aws:iam::{ACCOUNT}:policy/p"}, True),
        ("role_attachment", {"role": "a", "policyArn": "arn:aws:iam::aws:policy/P"}, False),
        ("role_exclusive", {"policyArns": [f"arn:aws:iam::{ACCOUNT}:policy/p"]}, True),
        ("role", {"permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/p"}, True),
        ("native_role", {"managedPolicyArns": [UNKNOWN, f"arn:aws:iam::{ACCOUNT}:policy/p"]}, True),
        ("role", {"managedPolicyArns": [f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", "arn"]}, False),
        # A grant may be on a key of another account.
        ("grant", {"keyId": KEY_ARN, "granteePrincipal": ROOT}, False),
        ("role", {"assumeRolePolicy": document(statement(Principal={"AWS": ROOT}))}, False),
    ],
)
def test_arns_that_can_only_be_of_the_own_account_tell_it(
    kind: str, inputs: dict[str, Any], known: bool
) -> None:
    naming = resource(kind, "x", inputs, provider=SILENT)
    inventory = read_stack([key(), naming], account=OTHER)
    (found,) = [k for k in inventory.keys if k.origin.label == "payments"]
    assert found.account == (ACCOUNT if known else OTHER)


def test_providers_do_not_share_their_accounts() -> None:
    role = resource("role", "api", {"name": "api"}, provider=SILENT, provider_urn=f"{PROVIDER}-2")
    inventory = read_stack([key(key_document(ROOT)), role])
    assert only_key(inventory).account == ACCOUNT
    assert isinstance(identity(inventory, "api").principal.account, Text)


@pytest.mark.parametrize(
    ("inputs", "outputs", "provider", "region", "partition"),
    [
        ({}, {}, {"region": "eu-west-1"}, "eu-west-1", "aws"),
        ({"region": "us-gov-west-1"}, {}, {"region": "eu-west-1"}, "us-gov-west-1", "aws-us-gov"),
        ({}, {"region": "cn-north-1"}, {}, "cn-north-1", "aws-cn"),
        ({}, {"arn": KEY_ARN, "region": REGION}, {}, REGION, "aws"),
    ],
)
def test_the_region_comes_from_the_resource_or_its_provider(
    inputs: Mapping[str, object],
    outputs: Mapping[str, object],
    provider: Mapping[str, object],
    region: str,
    partition: str,
) -> None:
    found = only_key(
        read_stack(
            [resource("key", "k", {"isEnabled": True, **inputs}, outputs, provider=provider)]
        )
    )
    assert (found.region, found.partition) == (region, partition)


def test_an_unknown_region_leaves_region_and_partition_open() -> None:
    found = only_key(read_stack([key(provider={"region": UNKNOWN})]))
    assert same(found.region, "eu-west-1").truth is Truth.UNKNOWN
    assert same(found.partition, "aws-cn").truth is Truth.UNKNOWN


def test_the_role_of_the_provider_creates_the_key() -> None:
    deployer = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    provider = {"assumeRoles": json.dumps([{"roleArn": deployer}])}
    assert only_key(read_stack([key(provider=provider)])).deployers == (deployer,)
    assert only_key(read_stack([key()])).deployers == ()
