"""Documents of `policypack.documents` at a preview, put together from their components."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.sources.pulumi import StackResource, read_stack
from kms_access.sources.pulumi.tokens import POLICY_DOCUMENT

from .stack import ACCOUNT, ROOT, UNKNOWN, identity, only_key, resource, statement, urn


def reference(name: str, attribute: str = "") -> dict[str, str]:
    known = {"kms-access:attribute": attribute} if attribute else {}
    return {"kms-access:reference": name, **known}


def joined(*parts: object) -> dict[str, object]:
    return {"kms-access:joined": list(parts)}


def component(
    name: str,
    *statements: Mapping[str, object],
    refs: Mapping[str, object] | None = None,
    depends: Mapping[str, Sequence[str]] | None = None,
) -> StackResource:
    inputs = {"document": json.dumps({"Statement": list(statements)}), **(refs or {})}
    return resource(POLICY_DOCUMENT, name, inputs, depends=depends, provider={}, provider_urn="")


def principal(value: object) -> dict[str, object]:
    return statement(Principal={"AWS": value})


def resource_is(value: object) -> dict[str, object]:
    return {**statement("kms:Decrypt"), "Resource": value}


API = resource("role", "api", {"name": "api", "path": "/team/"}, {"arn": UNKNOWN})
KEY = resource("key", "k", {"isEnabled": True}, {"arn": UNKNOWN})


def key_with(*components: str) -> StackResource:
    urns = [urn(POLICY_DOCUMENT, name) for name in components]
    return resource("key", "k", {"policy": UNKNOWN}, {"policy": UNKNOWN}, depends={"policy": urns})


def read(*resources: StackResource) -> Inventory:
    return read_stack([*resources, API])


def principals(inventory: Inventory) -> list[str]:
    (policy,) = only_key(inventory).policies
    return [
        str(entry.source)
        for item in policy.document.statements
        if item.principal
        for entry in item.principal.entries
    ]


def reasons(inventory: Inventory) -> str:
    (policy,) = only_key(inventory).policies
    return str(policy.document.unreadable)


def may_decrypt(inventory: Inventory, key: str) -> bool:
    facts = access_map(inventory)
    subject, found = find_subject(facts, "api"), find_key(facts, key)
    state = facts.evaluator.access(subject, found, "kms:Decrypt").state
    assert state in (AccessState.ALLOWED, AccessState.IMPLICITLY_DENIED)
    return state is AccessState.ALLOWED


ROLE_DEPENDS = {"ref0": [urn("role", "api")]}


def one(leaf: object, value: object = UNKNOWN) -> StackResource:
    return component("d", principal(leaf), refs={"ref0": value}, depends=ROLE_DEPENDS)


@pytest.mark.parametrize(
    ("leaf", "value", "text"),
    [
        (reference("ref0", "arn"), UNKNOWN, f"arn:aws:iam::{ACCOUNT}:role/team/api"),
        (reference("ref0"), ROOT, ROOT),
        (reference("ref0", "arn"), "arn:aws:iam::1:role/x", "arn:aws:iam::1:role/x"),
        (
            joined("arn:aws:iam::1:role/", reference("ref0", "name")),
            UNKNOWN,
            "arn:aws:iam::1:role/api",
        ),
        (
            joined("arn:aws:iam::1:role/", reference("ref0", "id")),
            UNKNOWN,
            "arn:aws:iam::1:role/api",
        ),
        (joined("arn:aws:iam::", reference("ref0"), ":root"), "1", "arn:aws:iam::1:root"),
    ],
)
def test_a_leaf_is_what_every_other_reference_gives(leaf: object, value: object, text: str) -> None:
    # Fully known documents are known themselves: another unknown leaf keeps the property unknown.
    more = principal(reference("ref1"))
    document = component(
        "d",
        principal(leaf),
        more,
        refs={"ref0": value, "ref1": UNKNOWN},
        depends={**ROLE_DEPENDS, "ref1": [urn("role", "api")]},
    )
    found = principals(read(document, key_with("d")))
    assert found[0] == text
    assert "ref1 of policyDocument" in found[1]


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (reference("ref0"), "ref0 of policyDocument"),
        (reference("ref0", "unique_id"), "the unique_id of aws:iam/role:Role::api"),
        (joined("x", reference("ref0")), "which depends on aws:iam/role:Role::api"),
    ],
)
def test_a_leaf_that_is_no_known_attribute_stays_unknown(leaf: object, words: str) -> None:
    (text,) = principals(read(one(leaf), key_with("d")))
    assert words in text


@pytest.mark.parametrize("attribute", ["arn", "key_id", "id"])
def test_attributes_of_keys(attribute: str) -> None:
    leaf = reference("ref0", attribute)
    use = component(
        "use",
        resource_is(leaf if attribute == "arn" else joined("arn:aws:kms:*:*:key/", leaf)),
        refs={"ref0": UNKNOWN},
        depends={"ref0": [urn("key", "k")]},
    )
    policy = resource(
        "role_policy",
        "p",
        {"role": "api", "policy": UNKNOWN},
        depends={"policy": [urn("key", "k"), use.urn]},
    )
    inventory = read(use, policy, KEY)
    assert may_decrypt(inventory, "k")


def test_the_account_follows_from_the_known_parts() -> None:
    nothing: Mapping[str, object] = {}
    document = component(
        "d",
        principal(joined("arn:aws:iam::", reference("ref1"), ":root")),
        {**principal(reference("ref0", "arn")), "Action": "kms:Decrypt"},
        refs={"ref0": UNKNOWN, "ref1": "444455556666"},
        depends=ROLE_DEPENDS,
    )
    key = resource(
        "key",
        "k",
        {"policy": UNKNOWN},
        {"policy": UNKNOWN},
        depends={"policy": [document.urn]},
        provider=nothing,
    )
    role = resource("role", "api", {"name": "api"}, {"arn": UNKNOWN}, provider=nothing)
    inventory = read_stack([document, key, role])
    assert only_key(inventory).account == "444455556666"
    assert principals(inventory)[1] == "arn:aws:iam::444455556666:role/api"


def test_two_components_behind_one_property_decide_nothing() -> None:
    other = component("e", principal(reference("ref0")), refs={"ref0": UNKNOWN})
    inventory = read(one(reference("ref0", "arn")), other, key_with("d", "e"))
    assert principals(inventory) == []
    assert "depends on" in reasons(inventory)


def test_a_component_that_is_known_is_no_unknown_document() -> None:
    known = component("e", principal(reference("ref0")), refs={"ref0": ROOT})
    inventory = read(known, key_with("e"))
    assert principals(inventory) == []


@pytest.mark.parametrize("structure", [UNKNOWN, "{", 7, None])
def test_a_structure_that_cannot_be_read_decides_nothing(structure: object) -> None:
    broken = resource(POLICY_DOCUMENT, "d", {"document": structure, "ref0": UNKNOWN})
    assert principals(read(broken, key_with("d"))) == []


def inline(*policies: object, components: Sequence[str]) -> StackResource:
    urns = [urn(POLICY_DOCUMENT, name) for name in components]
    return resource(
        "role",
        "worker",
        {
            "name": "worker",
            "inlinePolicies": [{"name": f"p{i}", "policy": p} for i, p in enumerate(policies)],
        },
        {"arn": UNKNOWN},
        depends={"inlinePolicies": [*urns, urn("key", "k")]},
    )


def use_of(name: str, attribute: str = "arn") -> StackResource:
    return component(
        name,
        {**resource_is(reference("ref0", attribute)), "Sid": name},
        refs={"ref0": UNKNOWN},
        depends={"ref0": [urn("key", "k")]},
    )


def sids_of_worker(inventory: Inventory) -> list[str]:
    return sorted(
        item.sid or ""
        for policy in identity(inventory, "worker").policies
        for item in policy.document.statements
    )


def test_each_unknown_element_of_a_list_is_one_of_as_many_components() -> None:
    known = json.dumps(
        {"Version": "2012-10-17", "Statement": [{**statement("kms:Sign"), "Sid": "S"}]}
    )
    role = inline(UNKNOWN, known, UNKNOWN, components=["a", "b"])
    inventory = read(role, use_of("a"), use_of("b"), KEY)
    assert sids_of_worker(inventory) == ["S", "a", "b"]
    assert not any(policy.document.unreadable for policy in identity(inventory, "worker").policies)


@pytest.mark.parametrize("components", [["a"], ["a", "b", "c"], []])
def test_another_number_of_components_decides_nothing(components: Sequence[str]) -> None:
    role = inline(UNKNOWN, UNKNOWN, components=components)
    inventory = read(role, use_of("a"), use_of("b"), use_of("c"), KEY)
    assert sids_of_worker(inventory) == []
    assert all(policy.document.unreadable for policy in identity(inventory, "worker").policies)


def test_a_replica_is_named_by_the_arn_that_its_primary_key_gives() -> None:
    primary = resource("key", "k", {"multiRegion": True}, {"arn": UNKNOWN})
    replica = resource(
        "replica",
        "r",
        {"primaryKeyArn": UNKNOWN, "region": "us-east-1"},
        {"arn": UNKNOWN},
        depends={"primaryKeyArn": [urn("key", "k")]},
    )
    use = component(
        "use",
        resource_is(reference("ref0", "arn")),
        refs={"ref0": UNKNOWN},
        depends={"ref0": [urn("replica", "r")]},
    )
    policy = resource(
        "role_policy",
        "p",
        {"role": "api", "policy": UNKNOWN},
        depends={"policy": [urn("replica", "r"), use.urn]},
    )
    inventory = read(primary, replica, use, policy)
    assert may_decrypt(inventory, "r")
    assert not may_decrypt(inventory, "k")
