"""Keys and identities of `aws-native:`: other property names, documents as data, tags as lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kms_access.inventory.model import Inventory
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text
from kms_access.policies.wildcards import Pattern
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import (
    ACCOUNT,
    DECRYPT,
    KEY_ARN,
    KEY_ID,
    ROOT,
    TRUST,
    UNKNOWN,
    document,
    identity,
    key_document,
    only_key,
    resource,
    statement,
    urn,
)

IAM = f"arn:aws:iam::{ACCOUNT}"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ROLE = resource("native_role", "api", {"roleName": "api", "assumeRolePolicyDocument": TRUST})
USER = resource("native_user", "alice", {"userName": "alice"})
GROUP = resource("native_group", "staff", {"groupName": "staff"})


def labels(inventory: Inventory, name: str) -> list[str]:
    return [policy.label for policy in identity(inventory, name).policies]


def data(text: str) -> Any:
    return json.loads(text)


@pytest.mark.parametrize("as_data", [True, False])
def test_a_key_is_read_with_its_policy_alias_and_tags(as_data: bool) -> None:
    policy = key_document(ROOT)
    key = resource(
        "native_key",
        "payments",
        {
            "keyPolicy": data(policy) if as_data else policy,
            "keySpec": "RSA_2048",
            "keyUsage": "SIGN_VERIFY",
            "origin": "EXTERNAL",
            "multiRegion": True,
            "bypassPolicyLockoutSafetyCheck": True,
            "description": "d",
            "tags": [{"key": "team", "value": "payments"}, {"key": "later", "value": UNKNOWN}],
        },
    )
    alias = resource(
        *("native_alias", "a", {"aliasName": "alias/ledger", "targetKeyId": UNKNOWN}),
        depends={"targetKeyId": [key.urn]},
    )
    inventory = read_stack([alias, key])
    found = only_key(inventory)
    assert inventory.not_covered == ()
    assert (found.spec, found.usage, found.origin_of_material) == (
        *("RSA_2048", "SIGN_VERIFY", "EXTERNAL"),
    )
    assert found.multi_region is found.bypasses_lockout_check is True
    assert (found.description, found.aliases) == ("d", ("alias/ledger",))
    assert found.tags["team"] == "payments"
    assert str(found.tags["later"]) == "<the tag later of key aws-native:kms:Key::payments>"
    (read,) = found.policies
    assert read.document.statements[0].principal is not None


def test_an_existing_key_has_its_real_arn_and_keeps_its_policy_in_force() -> None:
    outputs = {"arn": KEY_ARN, "keyId": KEY_ID, "keyPolicy": data(key_document(ROOT))}
    found = only_key(read_stack([resource("native_key", "k", {"enabled": True}, outputs)]))
    assert found.arn == KEY_ARN
    assert [policy.label for policy in found.policies] == ["key policy"]


def test_a_key_without_policy_delegates_to_its_account() -> None:
    found = only_key(read_stack([resource("native_key", "k", {"enabled": True})]))
    assert [policy.label for policy in found.policies] == ["default key policy"]


def test_unknown_leaves_of_a_key_policy_stay_apart() -> None:
    """What Create answers at preview echoes the input, with the same leaves unknown."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            statement(Sid="admin", Principal={"AWS": f"{IAM}:role/admin"}),
            statement("kms:Decrypt", Sid="later", Principal={"AWS": UNKNOWN}),
            statement("kms:Encrypt", Sid="listed", Principal={"AWS": [f"{IAM}:role/a", UNKNOWN]}),
        ],
    }
    inputs, depends = {"keyPolicy": policy}, {"keyPolicy": [urn("native_role", "api")]}
    key = resource("native_key", "k", inputs, {**inputs, "arn": UNKNOWN}, depends=depends)
    inventory = read_stack([key, ROLE])
    (read,) = only_key(inventory).policies
    assert read.document.unreadable is None
    admin, later, listed = read.document.statements
    caller = identity(inventory, "api").principal
    for one, truth in (
        (admin, Truth.FALSE),
        (later, Truth.UNKNOWN),
        (listed, Truth.UNKNOWN),
    ):
        assert one.principal is not None
        assert one.principal.lists(caller).truth is truth


def test_a_policy_that_is_unknown_as_a_whole_names_its_property() -> None:
    key = resource("native_key", "k", {"keyPolicy": UNKNOWN}, depends={"keyPolicy": [ROLE.urn]})
    (policy,) = only_key(read_stack([key, ROLE])).policies
    assert policy.document.unreadable is not None
    assert policy.document.unreadable.text.startswith(
        'the keyPolicy of key "k" depends on role "api", which is created in this deployment; '
        f'build the document from "{IAM}:role/api" instead of the arn attribute'
    )


@pytest.mark.parametrize("as_data", [True, False])
def test_a_role_has_trust_policy_boundary_inline_and_managed_policies(as_data: bool) -> None:
    def written(text: str) -> object:
        return data(text) if as_data else text

    limit = resource(
        "native_policy", "limit", {"managedPolicyName": "limit", "policyDocument": written(DECRYPT)}
    )
    role = resource(
        "native_role",
        "api",
        {
            "roleName": "api",
            "path": "/service/",
            "assumeRolePolicyDocument": written(TRUST),
            "policies": [
                {"policyName": "known", "policyDocument": written(DECRYPT)},
                {"policyName": "later", "policyDocument": UNKNOWN},
                UNKNOWN,
            ],
            "managedPolicyArns": [READ_ONLY],
            "permissionsBoundary": UNKNOWN,
            "tags": [{"key": "team", "value": "payments"}],
        },
        depends={"permissionsBoundary": [limit.urn], "policies": [urn("key", "k")]},
    )
    found = identity(read_stack([role, limit, resource("key", "k")]), "api")
    assert found.principal.arn == f"{IAM}:role/service/api"
    assert {policy.label: policy.document.unreadable is None for policy in found.policies} == {
        "inline policy known": True,
        "inline policy later": False,
        "inline policy of unknown name": False,
        "managed policy ReadOnlyAccess": True,
    }
    assert [policy.label for policy in found.boundary] == ["managed policy limit"]
    assert found.boundary[0].document.unreadable is None
    assert len(found.trust) == 1
    assert found.tags == {"team": "payments"}


def test_known_inline_policies_are_complete_although_they_depend_on_new_resources() -> None:
    """Unlike `aws:`, this provider drops no element."""
    policies = [{"policyName": "known", "policyDocument": data(DECRYPT)}]
    role = resource(
        *("native_role", "api", {"roleName": "api", "policies": policies}),
        depends={"policies": [urn("key", "k")]},
    )
    assert labels(read_stack([role, resource("key", "k")]), "api") == ["inline policy known"]


def test_a_managed_policy_says_to_whom_it_is_attached() -> None:
    policy = resource(
        "native_policy",
        "reading",
        {
            "managedPolicyName": "reading",
            "policyDocument": data(DECRYPT),
            "roles": [UNKNOWN],
            "users": ["alice"],
            "groups": ["staff", UNKNOWN],
        },
        depends={"roles": [ROLE.urn], "groups": []},
    )
    member = resource(
        *("native_user", "bob", {"userName": "bob", "groups": [UNKNOWN]}),
        depends={"groups": [GROUP.urn]},
    )
    inventory = read_stack([policy, ROLE, USER, GROUP, member])
    for name in ("api", "alice", "bob"):
        assert labels(inventory, name) == ["managed policy reading"]
    (gap,) = inventory.not_covered
    assert gap.may_change_key_access
    assert gap.reason == (
        'the groups of managedPolicy "reading" is not known before the deployment, so it is not '
        "known which group gets the policy"
    )


def test_an_existing_managed_policy_is_found_by_its_arn() -> None:
    """An update at preview shows the ARN as unknown; then name and path tell it."""
    arn = f"{IAM}:policy/team/reading"
    given = {"managedPolicyName": "reading", "policyDocument": data(DECRYPT)}
    role = resource("native_role", "api", {"roleName": "api", "managedPolicyArns": [arn]})
    for inputs, outputs in (
        (given, {"policyArn": arn}),
        ({**given, "path": "/team/"}, {"policyArn": UNKNOWN}),
    ):
        policy = resource("native_policy", "reading", inputs, outputs)
        assert labels(read_stack([role, policy]), "api") == ["managed policy reading"]
        (found,) = identity(read_stack([role, policy]), "api").policies
        assert found.document.unreadable is None


def test_policies_of_a_group_reach_its_members() -> None:
    group = resource(
        "native_group",
        "staff",
        {
            "groupName": "staff",
            "policies": [{"policyName": "own", "policyDocument": data(DECRYPT)}],
            "managedPolicyArns": [READ_ONLY],
        },
    )
    member = resource("native_user", "alice", {"userName": "alice", "groups": ["staff"]})
    assert labels(read_stack([group, member]), "alice") == [
        "inline policy own",
        "managed policy ReadOnlyAccess",
    ]


@pytest.mark.parametrize(
    ("attachment", "inputs", "depends"),
    [
        # Each of the two providers finds what the other one makes.
        ("role_attachment", {"role": "api", "policyArn": UNKNOWN}, {"policyArn": "native_policy"}),
        ("role_attachment", {"role": UNKNOWN, "policyArn": f"{IAM}:policy/p"}, {"role": "api"}),
        ("native_role_policy", {"roleName": "api", "policyDocument": data(DECRYPT)}, {}),
        (
            "native_role_policy",
            {"roleName": UNKNOWN, "policyDocument": DECRYPT},
            {"roleName": "api"},
        ),
    ],
)
def test_resources_of_both_providers_refer_to_each_other(
    attachment: str, inputs: Mapping[str, object], depends: Mapping[str, str]
) -> None:
    policy = resource(
        "native_policy", "p", {"managedPolicyName": "p", "policyDocument": data(DECRYPT)}
    )
    urns = {"native_policy": policy.urn, "api": ROLE.urn}
    attached = resource(
        attachment, "x", inputs, depends={key: [urns[name]] for key, name in depends.items()}
    )
    inventory = read_stack([attached, policy, ROLE])
    assert inventory.not_covered == ()
    (found,) = identity(inventory, "api").policies
    assert found.document.unreadable is None
    assert found.document.statements


def test_a_grant_of_one_provider_is_for_key_and_role_of_the_other() -> None:
    key = resource("native_key", "k", {"enabled": True})
    grant = resource(
        "grant",
        "g",
        {"keyId": UNKNOWN, "granteePrincipal": UNKNOWN, "operations": ["Decrypt"]},
        depends={"keyId": [key.urn], "granteePrincipal": [ROLE.urn]},
    )
    inventory = read_stack([grant, key, ROLE])
    (found,) = inventory.grants
    assert (found.key_arn, found.grantee) == (only_key(inventory).arn, f"{IAM}:role/api")


def test_generated_names_are_those_of_the_type() -> None:
    role = resource("native_role", "api", {"roleName": "api-1a2b3c4"})
    key = resource("native_key", "k", {"keyPolicy": data(key_document(f"{IAM}:role/api-1a2b3c4"))})
    inventory = read_stack([role, key])
    caller = identity(inventory, "api").principal
    assert Pattern.of(f"{IAM}:role/api-*").matches(caller.arn).truth is Truth.TRUE
    assert same(caller.arn, f"{IAM}:role/api-1a2b3c4").truth is Truth.FALSE
    (policy,) = only_key(inventory).policies
    (only,) = policy.document.statements
    assert only.principal is not None
    assert only.principal.lists(caller).truth is Truth.TRUE


@pytest.mark.parametrize("given", ["roleId", "arn"])
def test_the_name_of_an_existing_role_is_its_name(given: str) -> None:
    outputs = {given: f"{IAM}:role/api-1a2b3c4" if given == "arn" else "AROA1234"}
    role = resource("native_role", "api", {"roleName": "api-1a2b3c4"}, outputs)
    assert identity(read_stack([role]), "api").principal.arn == f"{IAM}:role/api-1a2b3c4"


@pytest.mark.parametrize(
    "settings",
    [
        {"allowedAccountIds": ["444455556666"]},
        {"allowedAccountIds": '["444455556666"]'},
        {"assumeRole": {"roleArn": "arn:aws:iam::444455556666:role/deploy"}},
        {"assumeRole": '{"roleArn": "arn:aws:iam::444455556666:role/deploy"}'},
        {"roleArn": "arn:aws:iam::444455556666:role/deploy"},
    ],
)
def test_the_settings_of_the_provider_tell_the_account(settings: Mapping[str, object]) -> None:
    key = resource("native_key", "k", {"enabled": True}, provider=settings)
    assert only_key(read_stack([key])).account == "444455556666"


def test_a_key_policy_as_data_tells_the_account() -> None:
    key = resource("native_key", "k", {"keyPolicy": data(key_document(ROOT))}, provider={})
    assert only_key(read_stack([key])).account == ACCOUNT
    # An administrator that is not known yet may be of the account, and the known one a guest.
    later = document(statement(Principal={"AWS": ROOT}), statement(Principal={"AWS": UNKNOWN}))
    open_ = resource("native_key", "k", {"keyPolicy": data(later)}, provider={})
    assert isinstance(only_key(read_stack([open_])).account, Text)


def test_a_new_key_left_out_by_targets_is_no_key() -> None:
    phantoms: list[StackResource] = [resource("native_key", "k", {}), resource("replica", "r", {})]
    inventory = read_stack(phantoms)
    assert inventory.keys == ()
    assert [gap.may_change_key_access for gap in inventory.not_covered] == [False, False]
