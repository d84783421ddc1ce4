"""Replicas and keys with imported material are keys of their own that share what they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.multi_region import is_multi_region, is_related
from kms_access.inventory.model import Inventory, Key
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import (
    ACCOUNT,
    OF_ACCOUNT,
    ROOT,
    UNKNOWN,
    document,
    key_document,
    only_key,
    resource,
    statement,
    urn,
)

ABROAD: Mapping[str, object] = {**OF_ACCOUNT, "region": "us-east-1"}
MRK = "mrk-1234abcd12ab34cd56ef1234567890ab"
PRIMARY_ARN = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{MRK}"
PRIMARY = resource("key", "primary", {"multiRegion": True, "customerMasterKeySpec": "RSA_2048"})
ABOUT: Mapping[str, Mapping[str, object]] = {
    "key_policy": {"policy": key_document(ROOT)},
    "alias": {"name": "alias/a"},
    "grant": {"granteePrincipal": ROOT, "operations": ["Decrypt"]},
}
REPLICAS = ("replica", "external_replica", "native_replica")


def replica(
    kind: str = "replica", name: str = "copy", depends: str = PRIMARY.urn, **inputs: object
) -> StackResource:
    given = {"primaryKeyArn": UNKNOWN, **inputs}
    return resource(
        kind,
        name,
        given,
        depends={"primaryKeyArn": [depends] if depends else []},
        provider=ABROAD,
        provider_urn="urn:pulumi:dev::shop::pulumi:providers:aws::abroad",
    )


def key(inventory: Inventory, label: str) -> Key:
    (found,) = [k for k in inventory.keys if k.origin.label == label]
    return found


@pytest.mark.parametrize("kind", REPLICAS)
def test_a_replica_shares_the_id_of_its_new_primary_key_in_its_own_region(kind: str) -> None:
    inventory = read_stack([replica(kind), PRIMARY])
    copy, primary = key(inventory, "copy"), key(inventory, "primary")
    assert (copy.region, copy.account) == ("us-east-1", ACCOUNT)
    assert str(copy.arn).replace("us-east-1", "eu-central-1") == str(primary.arn)
    assert is_related(copy, primary).truth is Truth.TRUE
    assert is_multi_region(copy).truth is Truth.TRUE
    assert (copy.spec, copy.usage) == ("RSA_2048", "ENCRYPT_DECRYPT")
    assert [policy.label for policy in copy.policies] == ["default key policy"]


@pytest.mark.parametrize("kind", REPLICAS)
def test_a_replica_of_a_key_elsewhere_has_a_predicted_arn(kind: str) -> None:
    copy = only_key(read_stack([replica(kind, primaryKeyArn=PRIMARY_ARN)]))
    assert copy.arn == PRIMARY_ARN.replace("eu-central-1", "us-east-1")
    assert (copy.spec, copy.usage) == (None, None)


@pytest.mark.parametrize("primary_arn", [PRIMARY_ARN, UNKNOWN])
def test_an_existing_primary_key_tells_spec_and_usage_of_a_new_replica(primary_arn: str) -> None:
    inputs = {"multiRegion": True, "customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY"}
    primary = resource("key", "primary", inputs, {"arn": PRIMARY_ARN, "keyId": MRK})
    copy = key(read_stack([replica(primaryKeyArn=primary_arn), primary]), "copy")
    assert copy.arn == PRIMARY_ARN.replace("eu-central-1", "us-east-1")
    assert (copy.spec, copy.usage) == ("RSA_2048", "SIGN_VERIFY")


@pytest.mark.parametrize(
    ("depends", "inputs"),
    [
        ("", {}),
        (urn("key", "elsewhere"), {}),
        (urn("alias", "a"), {}),
        ("", {"primaryKeyArn": "x"}),
    ],
)
def test_an_unclear_primary_key_leaves_the_id_open(depends: str, inputs: dict[str, Any]) -> None:
    inventory = read_stack([replica(depends=depends, **inputs), PRIMARY])
    copy, primary = key(inventory, "copy"), key(inventory, "primary")
    assert is_related(copy, primary).truth is Truth.UNKNOWN
    # Unlike that of a new key, the id may be one that a document spells out.
    assert same(copy.arn, PRIMARY_ARN.replace("eu-central-1", "us-east-1")).truth is Truth.UNKNOWN
    assert same(copy.arn, PRIMARY_ARN).truth is Truth.FALSE


@pytest.mark.parametrize(
    ("primary", "kind", "material"),
    [
        (PRIMARY, "replica", "AWS_KMS"),
        (resource("external_key", "primary", {"multiRegion": True}), "replica", "EXTERNAL"),
        (
            resource("external_key", "primary", {"multiRegion": True}),
            "external_replica",
            "EXTERNAL",
        ),
        (resource("native_key", "primary", {"origin": "EXTERNAL"}), "native_replica", "EXTERNAL"),
        (resource("native_key", "primary", {"multiRegion": True}), "native_replica", "AWS_KMS"),
        (None, "external_replica", "EXTERNAL"),
        (None, "replica", None),
    ],
)
def test_the_material_of_a_replica_is_that_of_its_primary_key(
    primary: StackResource | None, kind: str, material: str | None
) -> None:
    others = [primary] if primary else []
    copy = replica(kind, depends=primary.urn if primary else "")
    found = key(read_stack([copy, *others]), "copy")
    assert found.origin_of_material == material
    assert found.multi_region


def test_outputs_tell_what_an_existing_replica_is() -> None:
    arn = PRIMARY_ARN.replace("eu-central-1", "us-east-1")
    outputs = {"arn": arn, "keyId": MRK, "keySpec": "HMAC_256", "keyUsage": "GENERATE_VERIFY_MAC"}
    existing = resource("replica", "copy", {"primaryKeyArn": PRIMARY_ARN}, outputs, provider=ABROAD)
    copy = only_key(read_stack([existing]))
    assert (copy.arn, copy.spec, copy.usage) == (arn, "HMAC_256", "GENERATE_VERIFY_MAC")


def test_a_key_with_imported_material_is_read_like_any_other() -> None:
    external = resource(
        "external_key",
        "imported",
        {"policy": key_document(ROOT), "keySpec": "HMAC_256", "keyUsage": "GENERATE_VERIFY_MAC"},
    )
    found = only_key(read_stack([external]))
    assert (found.spec, found.usage) == ("HMAC_256", "GENERATE_VERIFY_MAC")
    assert found.origin_of_material == "EXTERNAL"
    assert not found.multi_region
    (policy,) = found.policies
    assert policy.label == "key policy"


def test_the_id_of_an_existing_imported_key_is_its_key_id() -> None:
    external = resource("external_key", "k", {"enabled": True}, {"id": MRK, "arn": UNKNOWN})
    assert only_key(read_stack([external])).arn == PRIMARY_ARN


@pytest.mark.parametrize("kind", ["key_policy", "alias", "grant"])
@pytest.mark.parametrize(("abroad", "label"), [(True, "copy"), (False, "primary")])
@pytest.mark.parametrize("known", [True, False])
def test_an_id_means_the_key_of_the_region_of_the_call(
    kind: str, abroad: bool, label: str, known: bool
) -> None:
    """Primary key and replica share the id, so that only the Region tells them apart."""
    real = {"arn": PRIMARY_ARN, "keyId": MRK} if known else {}
    primary = resource("key", "primary", {"multiRegion": True}, real)
    target = "targetKeyId" if kind == "alias" else "keyId"
    inputs: dict[str, object] = {
        target: MRK if known else UNKNOWN,
        **ABOUT[kind],
    }
    depends = {} if known else {target: [primary.urn]}
    place = {"provider": ABROAD, "provider_urn": "x::y::z::abroad"} if abroad else {}
    about = resource(kind, "about", inputs, depends=depends, **place)  # type: ignore[arg-type]
    copy = replica(primaryKeyArn=PRIMARY_ARN) if known else replica()
    inventory = read_stack([primary, copy, about])
    assert inventory.not_covered == ()
    found, other = key(inventory, label), key(inventory, "primary" if abroad else "copy")
    if kind == "key_policy":
        assert [k.policies[0].label for k in (found, other)] == ["key policy", "default key policy"]
    elif kind == "alias":
        assert [k.aliases for k in (found, other)] == [("alias/a",), ()]
    else:
        assert [grant.key_arn for grant in inventory.grants] == [found.arn]


def test_of_equal_ids_the_key_that_is_surely_in_the_region_is_meant() -> None:
    real = {"arn": PRIMARY_ARN, "keyId": MRK}
    primary = resource("key", "primary", {"multiRegion": True}, real)
    copy = resource(
        *("replica", "copy", {"primaryKeyArn": PRIMARY_ARN}),
        {"keyId": MRK},
        provider={"allowedAccountIds": [ACCOUNT]},
        provider_urn="x::y::z::somewhere",
    )
    alias = resource("alias", "a", {"name": "alias/a", "targetKeyId": MRK})
    inventory = read_stack([primary, copy, alias])
    assert key(inventory, "primary").aliases == ("alias/a",)
    assert key(inventory, "copy").aliases == ()


def test_an_unknown_id_of_another_region_without_replica_is_unclear() -> None:
    policy = resource(
        "key_policy",
        "p",
        {"keyId": UNKNOWN, "policy": key_document(ROOT)},
        depends={"keyId": [PRIMARY.urn]},
        provider=ABROAD,
    )
    (gap,) = read_stack([PRIMARY, policy]).not_covered
    assert gap.may_change_key_access
    assert 'the keyId of keyPolicy "p" depends on "primary"' in gap.reason


def test_access_to_a_replica_is_decided_by_its_own_policy() -> None:
    reader = f"arn:aws:iam::{ACCOUNT}:role/reader"
    policy = document(statement("kms:Decrypt", Principal={"AWS": reader}))
    inventory = read_stack(
        [PRIMARY, replica(policy=policy), resource("role", "reader", {"name": "reader"})]
    )
    facts = {
        (access.key.origin.label, access.action)
        for access in access_map(inventory)
        if access.state.is_access and access.subject.label == "role reader"
    }
    assert facts == {("copy", "kms:Decrypt")}


@pytest.mark.parametrize("flag", ["multiRegion", "bypassPolicyLockoutSafetyCheck"])
def test_a_switch_that_is_not_known_is_said(flag: str) -> None:
    inventory = read_stack([resource("key", "k", {flag: UNKNOWN})])
    (gap,) = inventory.not_covered
    assert gap.may_change_key_access
    assert gap.reason == (
        f'the {flag} of key "k" is not known before the deployment; false is assumed'
    )
