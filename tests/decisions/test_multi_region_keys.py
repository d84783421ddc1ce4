"""Multi-Region keys: each ARN is decided alone, and what one key protects all of them open."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.lookup import find_key
from kms_access.decisions.multi_region import is_multi_region, is_related
from kms_access.decisions.queries import can, what_can, who_can, who_can_read_data
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.arns import KEY_ID_SHAPE, key_arn, unknown_key_id
from kms_access.inventory.model import Inventory, Key
from kms_access.policies.answers import Truth
from kms_access.policies.text import Text, Unknown, Value
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    allow,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)

ALLOWED, CONDITIONAL = AccessState.ALLOWED, AccessState.CONDITIONAL
UNDECIDED, DENIED = AccessState.UNDECIDED, AccessState.IMPLICITLY_DENIED
MRK = "mrk-1234abcd12ab34cd56ef1234567890ab"
REGIONS = {"primary": "eu-central-1", "replica": "us-east-1"}
SYNCHRONIZER = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/mrk.kms.amazonaws.com/"
    "AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
)


def mrk(name: str, *statements: Any, key_id: Value = MRK, **fields: Any) -> Key:
    region = fields.pop("region", REGIONS.get(name, "ap-south-1"))
    arn = key_arn("aws", region, fields.get("account", ACCOUNT), key_id)
    return key(name, *statements, arn=arn, region=region, multi_region=True, **fields)


def state(facts: AccessMap, subject: str, on: str, action: str = "kms:Decrypt") -> AccessState:
    found = next(one for one in facts.subjects if one.label == subject)
    return can(facts, found, action, find_key(facts, f"alias/{on}")).state


def readers(facts: AccessMap, on: str) -> list[tuple[str, str, str]]:
    """Subject, key and state of everybody who can read."""
    found = who_can_read_data(facts, find_key(facts, f"alias/{on}"))
    rows = (
        (one.access.subject.label, one.access.key.label.removeprefix("alias/"), one.state.value)
        for one in found
    )
    return list(dict.fromkeys(rows))


def test_each_arn_is_decided_alone() -> None:
    """K165: own key policy, grants, tags and aliases."""
    primary = mrk("primary", allow(user_arn("alice"), "kms:Decrypt"), tags={"team": "a"})
    replica = mrk("replica", DELEGATION)
    tagged: Any = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
    people = (user("alice"), role("ci"), role("app", iam("kms:Decrypt", **tagged)))
    grants = (grant(primary, GranteePrincipal=role_arn("ci"), Operations=["Decrypt"]),)
    facts = access_map(Inventory((primary, replica), people, grants))
    for subject in ("user alice", "role ci"):
        assert state(facts, subject, "primary") is ALLOWED
        assert state(facts, subject, "replica") is DENIED
    assert state(facts, "role app", "replica") is DENIED


@pytest.mark.parametrize(
    ("resource", "reached"),
    [
        (f"arn:aws:kms:*:{ACCOUNT}:key/{MRK}", {"primary", "replica"}),
        (f"arn:aws:kms:*:{ACCOUNT}:key/mrk-*", {"primary", "replica"}),
        ("arn:aws:kms:*:*:key/*", {"primary", "replica", "single"}),
        (f"arn:aws:kms:us-*:{ACCOUNT}:key/{MRK}", {"replica"}),
        (f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{MRK}", {"primary"}),
    ],
)
def test_iam_reaches_related_keys_by_patterns(resource: str, reached: set[str]) -> None:
    """K168."""
    keys = (mrk("primary"), mrk("replica"), key("single"))
    facts = access_map(Inventory(keys, (role("app", iam("kms:Decrypt", resource)),)))
    app = next(subject for subject in facts.subjects if subject.label == "role app")
    found = {access.key.label.removeprefix("alias/") for access in what_can(facts, app)}
    assert found == reached


def test_a_replica_without_policy_is_open_to_iam() -> None:
    """K167: it has the default key policy, not that of its primary key."""
    primary, replica = mrk("primary", allow(user_arn("alice"), "kms:*")), mrk("replica")
    people = (user("alice"), role("app", iam("kms:Decrypt")))
    facts = access_map(Inventory((primary, replica), people))
    assert state(facts, "role app", "primary") is DENIED
    assert state(facts, "role app", "replica") is ALLOWED
    assert state(facts, "user alice", "replica") is DENIED


@pytest.mark.parametrize("on", ["primary", "replica"])
def test_data_is_read_with_any_related_key(on: str) -> None:
    """K166: the union over the set, whichever key the question is about."""
    keys = (
        mrk("primary", allow(user_arn("alice"), ["kms:Decrypt", "kms:Encrypt"])),
        mrk("replica", allow(role_arn("app"), "kms:ReEncryptFrom")),
        mrk("stranger", allow(user_arn("bob"), "kms:*"), key_id="mrk-" + "0" * 32),
        key("single", allow(user_arn("bob"), "kms:*")),
    )
    facts = access_map(Inventory(keys, (user("alice"), user("bob"), role("app"))))
    assert readers(facts, on) == [
        ("user alice", "primary", "allowed"),
        ("role app", "replica", "allowed"),
    ]
    assert {subject for subject, *_ in readers(facts, "single")} == {"user bob"}


def test_shared_secrets_open_data_as_well() -> None:
    agreeing = key(
        "k", allow(user_arn("alice"), "kms:*"), spec="ECC_NIST_P256", usage="KEY_AGREEMENT"
    )
    facts = access_map(Inventory((agreeing,), (user("alice"),)))
    assert [one.access.action for one in who_can_read_data(facts, agreeing)] == [
        "kms:DeriveSharedSecret"
    ]


def test_a_key_that_may_be_a_replica_is_undecided_at_best() -> None:
    """K166: the primary key of a replica is not always among the definitions."""
    unknown = Text((Unknown("the id of the replica's primary key", shape=KEY_ID_SHAPE),))
    keys = (
        mrk("primary", allow(user_arn("alice"), "kms:Decrypt")),
        mrk("replica", allow(role_arn("app"), "kms:Decrypt"), DELEGATION, key_id=unknown),
    )
    facts = access_map(Inventory(keys, (user("alice"), role("app"))))
    assert readers(facts, "primary") == [
        ("user alice", "primary", "allowed"),
        ("role app", "replica", "undecided"),
        (f"any other identity of account {ACCOUNT}", "replica", "delegated"),
    ]
    app = who_can_read_data(facts, find_key(facts, "alias/primary"))[1]
    assert [reason.text for reason in app.reasons] == ["the id of the replica's primary key"]


UNRELATED = {
    "another id": mrk("replica", key_id="mrk-" + "0" * 32),
    "another account": mrk("replica", account=OTHER),
    "another partition": mrk("replica", partition="aws-cn"),
    "the same Region": mrk("replica", region=REGIONS["primary"]),
    "a single-Region key": key("other", region="us-east-1"),
}


@pytest.mark.parametrize("name", UNRELATED)
def test_keys_that_are_not_related(name: str) -> None:
    """K165."""
    primary = mrk("primary")
    assert is_related(primary, UNRELATED[name]).truth is Truth.FALSE
    assert is_related(primary, mrk("replica")).truth is Truth.TRUE


def test_a_single_region_key_is_no_replica_of_an_unknown_one() -> None:
    """K165: its id is not known before it exists, but its kind is."""
    own = Text((unknown_key_id("App/single"),))
    shared = Text((Unknown("the id of the primary key", shape=KEY_ID_SHAPE),))
    single = key("single", arn=key_arn("aws", REGIONS["primary"], ACCOUNT, own))
    assert is_related(single, mrk("replica", key_id=shared)).truth is Truth.FALSE


def test_the_id_tells_a_multi_region_key() -> None:
    """A key that is defined elsewhere is known by its ARN alone."""
    elsewhere = key("k", arn=key_arn("aws", "us-east-1", ACCOUNT, MRK), region="us-east-1")
    assert is_multi_region(elsewhere).truth is Truth.TRUE
    assert is_related(mrk("primary"), elsewhere).truth is Truth.TRUE
    unknown = key("k", arn=Text((Unknown("the ARN of a key"),)), region="us-east-1")
    assert is_multi_region(unknown).truth is Truth.UNKNOWN
    assert is_related(mrk("primary"), unknown).truth is Truth.UNKNOWN


def test_the_role_that_synchronizes_keys_is_nobody() -> None:
    """K169: neither as a user of the key nor by the action that is for it alone."""
    keys = (mrk("primary", allow([SYNCHRONIZER, user_arn("alice")], "kms:*")),)
    facts = access_map(Inventory(keys, (user("alice"),)))
    on = keys[0]
    assert [access.subject.label for access in who_can(facts, "kms:Decrypt", on)] == ["user alice"]
    assert {reader.access.subject.label for reader in who_can_read_data(facts, on)} == {
        "user alice"
    }
    assert who_can(facts, "kms:SynchronizeMultiRegionKey", on) == ()


@pytest.mark.parametrize(
    ("operator", "value", "multi_region", "wanted"),
    [
        ("StringEquals", "PRIMARY", False, DENIED),
        ("StringEquals", "PRIMARY", True, UNDECIDED),
        ("StringEquals", "SECONDARY", True, DENIED),
        ("StringNotEquals", "PRIMARY", False, ALLOWED),
        ("Null", "false", False, DENIED),
        ("Null", "false", True, ALLOWED),
        ("StringEqualsIfExists", "PRIMARY", False, ALLOWED),
    ],
)
def test_primary_or_replica_is_open_because_it_changes(
    operator: str, value: Any, multi_region: bool, wanted: AccessState
) -> None:
    """K147: the key exists on multi-Region keys alone, and UpdatePrimaryRegion changes it."""
    condition = {"Condition": {operator: {"kms:MultiRegionKeyType": value}}}
    statement = allow(user_arn("alice"), "kms:Decrypt", **condition)
    on = mrk("primary", statement) if multi_region else key("primary", statement)
    facts = access_map(Inventory((on,), (user("alice"),)))
    assert state(facts, "user alice", "primary") is wanted
