"""References are settled by value or by their one dependency, never by a guess."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kms_access.sources.pulumi import StackResource, read_stack

from .stack import DECRYPT, UNKNOWN, identity, resource, urn

ROLE = resource("role", "api", {"name": "api"})
OTHER = resource("role", "other", {"name": "other"})
PROFILE = resource(
    *("profile", "profile", {"role": UNKNOWN}), depends={"role": [urn("role", "api")]}
)
AWS_MANAGED = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POLICIES = [
    resource("policy", name, {"name": name, "policy": DECRYPT}) for name in ("one", "two", "three")
]


def inline(depends: Mapping[str, list[str]], **inputs: object) -> StackResource:
    given = {"role": UNKNOWN, "policy": DECRYPT, **inputs}
    return resource("role_policy", "inline", given, depends=depends)


@pytest.mark.parametrize(
    ("role", "depends", "found"),
    [
        (UNKNOWN, [urn("role", "api")], True),
        # An unknown that comes from a resource which itself refers to the role.
        (UNKNOWN, [urn("role_attachment", "attached")], True),
        (UNKNOWN, [urn("role", "api"), urn("role", "other")], False),
        (UNKNOWN, [urn("policy", "one")], False),
        (UNKNOWN, [urn("role", "missing")], False),
        (UNKNOWN, [], False),
        ("api", [], True),
        ("arn:aws:iam::111122223333:role/api", [], True),
    ],
)
def test_a_role_is_found_by_value_or_by_its_one_dependency(
    role: str, depends: list[str], found: bool
) -> None:
    attached = resource(
        *(
            "role_attachment",
            "attached",
            {"role": UNKNOWN, "policyArn": "arn:aws:iam::aws:policy/A"},
        ),
        depends={"role": [ROLE.urn]},
    )
    inventory = read_stack(
        [ROLE, OTHER, POLICIES[0], attached, inline({"role": depends}, role=role)]
    )
    labels = [policy.label for policy in identity(inventory, "api").policies]
    assert ("inline policy inline" in labels) is found
    assert (inventory.not_covered == ()) is found


def test_references_that_lead_in_a_circle_end() -> None:
    first = resource(
        *("role_policy", "first", {"role": UNKNOWN, "policy": DECRYPT}),
        depends={"role": [urn("role_policy", "second")]},
    )
    second = resource(
        *("role_policy", "second", {"role": UNKNOWN, "policy": DECRYPT}),
        depends={"role": [first.urn]},
    )
    assert len(read_stack([first, second]).not_covered) == 2


@pytest.mark.parametrize(
    ("items", "depends", "known", "open_ones"),
    [
        ([UNKNOWN], ["one"], ["one"], 0),
        ([UNKNOWN, UNKNOWN], ["two", "one"], ["one", "two"], 0),
        (["arn:aws:iam::111122223333:policy/one", UNKNOWN], ["one", "two"], ["one", "two"], 0),
        (["arn:aws:iam::111122223333:policy/three", UNKNOWN], ["one"], ["one", "three"], 0),
        ([UNKNOWN], ["one", "two"], [], 1),
        ([UNKNOWN, UNKNOWN], ["one"], [], 1),
        ([UNKNOWN], [], [], 1),
        # A list that is unknown as a whole may hold a literal, too.
        (UNKNOWN, ["one"], [], 1),
    ],
)
def test_unknown_elements_of_a_list_are_settled_together(
    items: object, depends: list[str], known: list[str], open_ones: int
) -> None:
    role = resource(
        *("role", "api", {"name": "api", "managedPolicyArns": items}),
        depends={"managedPolicyArns": [urn("policy", name) for name in depends]},
    )
    policies = identity(read_stack([role, *POLICIES]), "api").policies
    readable = sorted(p.origin.label for p in policies if p.document.unreadable is None)
    assert readable == known
    assert len(policies) - len(readable) == open_ones


def test_of_equal_names_the_one_of_the_own_account_is_meant() -> None:
    twin = resource(
        *("role", "twin", {"name": "api"}), provider={}, provider_urn="x::y::z::unconfigured"
    )
    inventory = read_stack([twin, ROLE, inline({}, role="api")])
    assert [policy.label for policy in identity(inventory, "api").policies] == [
        "inline policy inline"
    ]
    assert identity(inventory, "twin").policies == ()


def test_two_definitions_of_one_role_are_said() -> None:
    """The inline policy sorts first, and which of the two it means is not clear."""
    double = resource("role", "double", {"name": "api"})
    policy = resource("native_role_policy", "p", {"roleName": "api", "policyDocument": DECRYPT})
    inventory = read_stack([ROLE, double, policy])
    (found,) = inventory.identities
    assert found.complete
    assert [one.label for one in found.policies] == ["inline policy p"]
    (gap,) = inventory.not_covered
    assert gap.may_change_key_access
    assert gap.reason == (
        'role "double" (aws:iam/role:Role) has the name and the account of role "api" '
        "(aws:iam/role:Role), so only one is evaluated"
    )


@pytest.mark.parametrize(("roles", "depends"), [(["api"], []), ([UNKNOWN], [ROLE.urn])])
def test_an_instance_profile_of_the_other_provider_leads_on(
    roles: list[str], depends: list[str]
) -> None:
    profile = resource(
        *("aws-native:iam:InstanceProfile", "profile", {"roles": roles}), depends={"roles": depends}
    )
    inventory = read_stack([ROLE, profile, inline({"role": [profile.urn]})])
    assert inventory.not_covered == ()
    assert len(identity(inventory, "api").policies) == 1
