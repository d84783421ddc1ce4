"""Keys get their policy, aliases and grants, whatever is known of the references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kms_access.inventory.model import Grant, Identity, Key
from kms_access.policies.answers import ReasonKind, Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text
from kms_access.sources.interface import SourceError
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import (
    ACCOUNT,
    DELEGATING,
    KEY_ARN,
    KEY_ID,
    OF_ACCOUNT,
    REGION,
    ROOT,
    UNKNOWN,
    document,
    existing_key,
    identity,
    key_document,
    only_key,
    resource,
    statement,
    urn,
)

NEW_KEY = resource("key", "payments", {"isEnabled": True})


def new_key(**inputs: object) -> StackResource:
    return resource("key", "payments", {"isEnabled": True, **inputs})


def sid(name: str) -> str:
    return document(statement(Principal={"AWS": ROOT}, Sid=name))


def policy_sids(*resources: StackResource) -> list[str]:
    policies = only_key(read_stack(resources)).policies
    return [s.sid for policy in policies for s in policy.document.statements]


def test_a_new_key_has_an_arn_that_no_literal_equals_at_preview() -> None:
    key = only_key(read_stack([NEW_KEY]))
    assert isinstance(key.arn, Text)
    assert same(key.arn, KEY_ARN).truth is Truth.FALSE
    during_update = only_key(read_stack([NEW_KEY], preview=False))
    assert same(during_update.arn, KEY_ARN).truth is Truth.UNKNOWN
    elsewhere = KEY_ARN.replace(REGION, "us-east-1")
    assert same(during_update.arn, elsewhere).truth is Truth.FALSE


def test_an_existing_key_has_its_real_arn() -> None:
    assert only_key(read_stack([existing_key("payments")])).arn == KEY_ARN


def test_properties_of_the_key_are_read() -> None:
    key = only_key(
        read_stack(
            [
                new_key(
                    customerMasterKeySpec="RSA_2048",
                    keyUsage="SIGN_VERIFY",
                    multiRegion=True,
                    bypassPolicyLockoutSafetyCheck=True,
                    description="d",
                    tags={"team": "payments", "later": UNKNOWN},
                )
            ]
        )
    )
    assert (key.spec, key.usage, key.description) == ("RSA_2048", "SIGN_VERIFY", "d")
    assert key.multi_region is key.bypasses_lockout_check is True
    assert key.tags["team"] == "payments"
    assert isinstance(key.tags["later"], Text)
    assert (key.origin.identity, key.origin.label) == (urn("key", "payments"), "payments")
    assert key.origin.container == "dev"


DEFAULTS: Mapping[str, object] = {**OF_ACCOUNT, "defaultTags": '{"tags": {"team": "security"}}'}


@pytest.mark.parametrize("kind", ["key", "role", "native_key", "native_user"])
@pytest.mark.parametrize(
    ("inputs", "outputs", "provider", "tags", "is_open"),
    [
        ({}, {"tagsAll": {"a": "b", "team": "security"}}, {}, "a=b team=security", False),
        ({"tags": {"a": "b"}}, {"tagsAll": {"team": "security"}}, {}, "team=security", False),
        # One unknown value makes the output unknown as a whole (pulumi#7854).
        ({"tags": {"a": "b"}}, {"tagsAll": UNKNOWN}, {}, "a=b", False),
        ({"tags": {"a": "b"}}, {"tagsAll": UNKNOWN}, DEFAULTS, "a=b team=security", False),
        ({"tags": {"team": "payments"}}, {}, DEFAULTS, "team=payments", False),
        ({"tags": {"a": "b"}}, {"tagsAll": {"a": UNKNOWN, "c": "d"}}, {}, "a=b c=d", False),
        ({"tags": {"a": UNKNOWN}}, {}, {}, "a=?", False),
        ({"tags": [{"key": "a", "value": "b"}]}, {}, {}, "a=b", False),
        ({"tags": [{"key": "a", "value": UNKNOWN}]}, {}, {}, "a=?", False),
        ({"tags": [{"key": "a", "value": "b"}, UNKNOWN]}, {}, {}, "a=b", True),
        ({"tags": [{"key": UNKNOWN, "value": "b"}]}, {}, {}, "", True),
        ({"tags": UNKNOWN}, {}, {}, "", True),
        ({"tags": UNKNOWN}, {}, DEFAULTS, "team=security", True),
        ({"tags": {}}, {}, {"defaultTags": UNKNOWN}, "", True),
        ({"tags": None}, {}, {}, "", False),
    ],
)
def test_tags_are_read_with_those_of_the_provider(
    kind: str,
    inputs: Mapping[str, object],
    outputs: Mapping[str, object],
    provider: Mapping[str, object],
    tags: str,
    is_open: bool,
) -> None:
    given = {"forceDestroy": False, **inputs}
    inventory = read_stack([resource(kind, "x", given, outputs, provider=provider)])
    both: list[Key | Identity] = [*inventory.keys, *inventory.identities]
    (found,) = both
    shown = {key: "?" if isinstance(value, Text) else value for key, value in found.tags.items()}
    assert " ".join(f"{key}={value}" for key, value in sorted(shown.items())) == tags
    assert [gap.may_change_key_access for gap in inventory.not_covered] == [True] * is_open
    assert all('"x" are not known before' in gap.reason for gap in inventory.not_covered)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ("GENERATE_VERIFY_MAC", "GENERATE_VERIFY_MAC"),
        ("", "ENCRYPT_DECRYPT"),
        ("ENCRYPT", None),
        (["SIGN_VERIFY"], "<the keyUsage of key aws:kms/key:Key::payments>"),
        (UNKNOWN, "<the keyUsage of key aws:kms/key:Key::payments>"),
    ],
)
def test_a_usage_that_kms_does_not_know_limits_nothing(usage: object, expected: object) -> None:
    found = only_key(read_stack([new_key(keyUsage=usage)])).usage
    assert (found if found is None else str(found)) == expected


@pytest.mark.parametrize(
    ("inputs", "material"),
    [
        ({}, "AWS_KMS"),
        ({"customKeyStoreId": "cks-1"}, "AWS_CLOUDHSM"),
        ({"customKeyStoreId": "cks-1", "xksKeyId": "x"}, "EXTERNAL_KEY_STORE"),
        ({"customKeyStoreId": UNKNOWN}, None),
    ],
)
def test_the_origin_of_the_material_follows_the_key_store(
    inputs: Mapping[str, object], material: str | None
) -> None:
    assert only_key(read_stack([new_key(**inputs)])).origin_of_material == material


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        ({"policy": sid("own")}, {"policy": sid("own")}, ["own"]),
        # An unknown output beside a missing input is the provider's default (K148) ...
        ({"isEnabled": True}, {"policy": UNKNOWN}, ["Enable IAM User Permissions"]),
        ({"policy": ""}, {"policy": UNKNOWN}, ["Enable IAM User Permissions"]),
        # ... and a known one stays in place although the program does not mention it any more.
        ({"isEnabled": True}, {"policy": sid("kept")}, ["kept"]),
        ({"policy": sid("own")}, {"policy": UNKNOWN}, ["own"]),
    ],
)
def test_which_policy_a_key_has(
    inputs: Mapping[str, object], outputs: Mapping[str, object], expected: list[str]
) -> None:
    assert policy_sids(resource("key", "payments", inputs, outputs)) == expected


def test_the_default_policy_delegates_to_the_account_of_the_key() -> None:
    (policy,) = only_key(read_stack([NEW_KEY])).policies
    (entry,) = policy.document.statements[0].principal.entries  # type: ignore[union-attr]
    assert (policy.label, entry.account) == ("default key policy", ACCOUNT)


def test_while_resources_follow_a_key_without_policy_is_open() -> None:
    (policy,) = only_key(read_stack([NEW_KEY], preview=False, partial=True)).policies
    assert policy.document.unreadable is not None
    assert 'the policy of key "payments"' in policy.document.unreadable.text
    assert policy_sids(new_key(policy=sid("own"))) == ["own"]


@pytest.mark.parametrize(
    ("key_policy_of_key", "expected"), [("", ["separate"]), ("own", ["own", "separate"])]
)
def test_a_separate_key_policy_comes_last_and_replaces_the_default(
    key_policy_of_key: str, expected: list[str]
) -> None:
    key = new_key(policy=sid(key_policy_of_key)) if key_policy_of_key else NEW_KEY
    separate = resource(
        "key_policy",
        "separate",
        {"keyId": UNKNOWN, "policy": sid("separate")},
        depends={"keyId": [key.urn]},
    )
    assert policy_sids(separate, key) == expected


def test_a_separate_key_policy_hides_what_the_existing_key_shows() -> None:
    key = resource(
        *("key", "payments", {"isEnabled": True}),
        {"arn": KEY_ARN, "keyId": KEY_ID, "policy": sid("old")},
    )
    separate = resource("key_policy", "separate", {"keyId": KEY_ID, "policy": sid("new")})
    assert policy_sids(key, separate) == ["new"]


def test_the_policy_of_a_key_outside_makes_that_key_known() -> None:
    for key_id in (KEY_ARN, KEY_ID):
        key = only_key(
            read_stack([resource("key_policy", "p", {"keyId": key_id, "policy": DELEGATING})])
        )
        assert (key.arn, key.account, key.region) == (KEY_ARN, ACCOUNT, REGION)
        assert (key.spec, key.usage) == (None, None)
        assert len(key.policies) == 1


def test_a_key_policy_whose_key_is_unclear_is_a_gap() -> None:
    separate = resource(
        "key_policy",
        "separate",
        {"keyId": UNKNOWN, "policy": DELEGATING},
        depends={"keyId": [urn("key", "a"), urn("key", "b")]},
    )
    (gap,) = read_stack([separate]).not_covered
    assert gap.may_change_key_access
    assert gap.origin.identity == separate.urn
    assert 'the keyId of keyPolicy "separate" depends on "a", "b"' in gap.reason


@pytest.mark.parametrize(
    ("value", "depends"),
    [
        (UNKNOWN, {"targetKeyId": [urn("key", "payments")]}),
        (UNKNOWN, {"targetKeyId": [urn("key_policy", "separate")]}),
        (KEY_ID, {}),
        (KEY_ARN, {}),
    ],
)
def test_an_alias_finds_its_key(value: str, depends: Mapping[str, list[str]]) -> None:
    key = NEW_KEY if value == UNKNOWN else existing_key("payments")
    separate = resource(
        "key_policy",
        "separate",
        {"keyId": UNKNOWN, "policy": DELEGATING},
        depends={"keyId": [key.urn]},
    )
    alias = resource("alias", "a", {"name": "alias/ledger", "targetKeyId": value}, depends=depends)
    inventory = read_stack([alias, separate, key])
    found = next(k for k in inventory.keys if k.origin.label == "payments")
    assert found.aliases == ("alias/ledger",)
    assert found.label == "alias/ledger"


@pytest.mark.parametrize("key_id", [KEY_ID, KEY_ARN])
@pytest.mark.parametrize(
    ("kind", "target", "inputs"),
    [
        ("alias", "targetKeyId", {"name": "alias/other"}),
        ("grant", "keyId", {"granteePrincipal": ROOT, "operations": ["Decrypt"]}),
    ],
)
def test_what_is_about_a_key_outside_is_noted(
    kind: str, target: str, inputs: Mapping[str, object], key_id: str
) -> None:
    about = resource(kind, "other", {**inputs, target: key_id})
    inventory = read_stack([NEW_KEY, about])
    assert only_key(inventory).aliases == ()
    (gap,) = inventory.not_covered
    assert not gap.may_change_key_access
    assert gap.origin.identity == about.urn
    assert gap.reason == f'{kind} "other" is about key "{KEY_ARN}", which the stack does not define'
    # The key may be one of the stack, as long as the ids of its keys are not known.
    assert read_stack([NEW_KEY, about], preview=False, partial=True).not_covered == ()


def test_an_alias_belongs_to_the_key_outside_whose_policy_the_stack_sets() -> None:
    policy = resource("key_policy", "p", {"keyId": KEY_ARN, "policy": DELEGATING})
    alias = resource("alias", "a", {"name": "alias/other", "targetKeyId": KEY_ID})
    inventory = read_stack([alias, policy])
    assert only_key(inventory).aliases == ("alias/other",)
    assert inventory.not_covered == ()


def test_while_resources_follow_a_key_may_get_further_aliases() -> None:
    for resources in ([NEW_KEY], [resource("key_policy", "p", {"keyId": KEY_ID, "policy": "{}"})]):
        key = only_key(read_stack(resources, preview=False, partial=True))
        assert same(key.aliases[-1], "alias/any").truth is Truth.UNKNOWN
        assert only_key(read_stack(resources)).aliases == ()


def grant(
    key: StackResource, depends: Mapping[str, list[str]] | None = None, **inputs: object
) -> Grant:
    given = {"keyId": UNKNOWN, "operations": ["Decrypt"], **inputs}
    role = resource("role", "api", {"name": "api"})
    return read_stack([key, role, resource("grant", "g", given, depends=depends or {})]).grants[0]


def test_a_grant_finds_key_and_grantee_through_their_dependencies() -> None:
    depends = {"keyId": [urn("key", "payments")], "granteePrincipal": [urn("role", "api")]}
    found = grant(NEW_KEY, depends, granteePrincipal=UNKNOWN)
    assert found.key_arn == only_key(read_stack([NEW_KEY])).arn
    assert found.grantee == f"arn:aws:iam::{ACCOUNT}:role/api"
    assert (found.operations, found.issuing_account) == (("Decrypt",), ACCOUNT)
    assert (found.uncertain, found.problems) == (None, ())


@pytest.mark.parametrize("key_id", [KEY_ID, KEY_ARN])
def test_a_grant_on_an_existing_key_names_it(key_id: str) -> None:
    found = grant(existing_key("payments"), keyId=key_id, granteePrincipal="logs.amazonaws.com")
    assert (found.key_arn, found.grantee) == (KEY_ARN, "logs.amazonaws.com")


def test_a_grant_whose_references_are_unclear_may_be_for_any_key_and_anyone() -> None:
    both = [urn("role", "api"), urn("role", "other")]
    found = grant(NEW_KEY, {"granteePrincipal": both}, granteePrincipal=UNKNOWN)
    assert same(found.key_arn, KEY_ARN).truth is Truth.UNKNOWN
    assert same(found.grantee, f"arn:aws:iam::{ACCOUNT}:role/any").truth is Truth.UNKNOWN


def test_operations_stay_single_and_constraints_become_one_object() -> None:
    found = grant(
        existing_key("payments"),
        keyId=KEY_ID,
        granteePrincipal=ROOT,
        retiringPrincipal=f"arn:aws:iam::{ACCOUNT}:user/alice",
        operations=["Decrypt", UNKNOWN],
        constraints=[{"encryptionContextEquals": {"tenant": "a", "stage": UNKNOWN}}],
    )
    assert found.operations[0] == "Decrypt"
    assert isinstance(found.operations[1], Text)
    pairs = found.constraints.encryption_context_equals
    assert pairs is not None
    assert pairs["tenant"] == "a"
    assert isinstance(pairs["stage"], Text)
    assert found.constraints.encryption_context_subset is None
    assert found.retiring_principal == f"arn:aws:iam::{ACCOUNT}:user/alice"


@pytest.mark.parametrize(
    "inputs", [{"operations": UNKNOWN}, {"constraints": UNKNOWN}, {"constraints": [UNKNOWN]}]
)
def test_unknown_lists_of_a_grant_keep_it_open(inputs: dict[str, Any]) -> None:
    found = grant(existing_key("payments"), keyId=KEY_ID, granteePrincipal=ROOT, **inputs)
    assert found.uncertain is not None


def test_a_new_key_left_out_by_targets_is_no_key_with_the_default_policy() -> None:
    inventory = read_stack([resource("key", "payments", {})])
    assert inventory.keys == ()
    (gap,) = inventory.not_covered
    assert not gap.may_change_key_access
    assert 'key "payments"' in gap.reason


def test_a_key_of_an_unconfigured_provider_is_no_phantom() -> None:
    provider = {"assumeRoles": UNKNOWN}
    key = only_key(read_stack([resource("key", "payments", {}, provider=provider)]))
    assert [p.label for p in key.policies] == ["default key policy"]


def test_the_role_in_a_real_document_is_the_predicted_role() -> None:
    # During the update documents hold real ARNs, while the inputs of the role hold names only.
    role = resource("role", "api", {"name": "api-1a2b3c4", "path": "/service/"})
    real = f"arn:aws:iam::{ACCOUNT}:role/service/api-1a2b3c4"
    key = new_key(policy=key_document(real))
    inventory = read_stack([role, key], preview=False, partial=True)
    assert identity(inventory, "api").principal.arn == real
    (statement_,) = only_key(inventory).policies[0].document.statements
    assert statement_.principal is not None
    caller = identity(inventory, "api").principal
    assert statement_.principal.lists(caller).truth is Truth.TRUE


def test_what_is_no_urn_is_refused() -> None:
    with pytest.raises(SourceError, match='"key" is no URN of a Pulumi resource'):
        read_stack([StackResource("key", "aws:kms/key:Key", {"isEnabled": True})])


def test_the_reason_of_an_unknown_policy_is_an_unknown_value() -> None:
    (policy,) = only_key(read_stack([new_key(policy=UNKNOWN)])).policies
    assert policy.document.unreadable is not None
    assert policy.document.unreadable.kind is ReasonKind.UNKNOWN_VALUE
