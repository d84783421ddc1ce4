"""Power over a key that gives more of it: key policies and replicas (K156, K162)."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.inventory.actions import possible_for
from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import SERVICE_CONTROL_POLICY
from kms_access.policies.parsing import parse_policy
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    ROOT,
    allow,
    deny,
    document,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import ANY_OTHER, detours, lets, obtained, reach, told, trust

DECRYPT, PUT, CREATE_GRANT = "kms:Decrypt", "kms:PutKeyPolicy", "kms:CreateGrant"
ALICE = user_arn("alice")
PLAIN = user("alice")
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
MAY_PUT = allow(ALICE, PUT)
NO_USE = iam("kms:Decrypt", effect="Deny")
OUR_REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}
ANY_REPLICA = f"arn:aws:kms:*:{ACCOUNT}:key/*"


def replicating(*statements: Any, **fields: Any) -> Any:
    fields.setdefault("multi_region", True)
    return key("k", allow(ALICE, "kms:ReplicateKey"), *statements, **fields)


KEY_POLICY = ["KEY_POLICY: ALLOWED"]
REPLICA = ["REPLICA: ALLOWED"]

# Identities, key, subject, and its detours to kms:Decrypt.
KEY_POLICY_CASES: dict[str, tuple[Any, Any, str, list[str]]] = {
    "the holder": (PLAIN, key("k", MAY_PUT), "user alice", KEY_POLICY),
    "the holder of another action": (
        PLAIN,
        key("k", allow(ALICE, "kms:GetKeyPolicy")),
        "user alice",
        [],
    ),
    "the holder has the action already": (
        PLAIN,
        key("k", allow(ALICE, [PUT, DECRYPT])),
        "user alice",
        [],
    ),
    "the holder has it under a condition": (
        PLAIN,
        key("k", MAY_PUT, allow(ALICE, DECRYPT, Condition=MFA)),
        "user alice",
        KEY_POLICY,
    ),
    "the holder by delegation": (
        user("alice", iam(PUT)),
        key("k", DELEGATION),
        "user alice",
        KEY_POLICY,
    ),
    "no delegation, so no holder": (
        user("alice", iam(PUT)),
        key("k", allow(user_arn("bob"), PUT)),
        "user alice",
        [],
    ),
    "a Deny in the key policy, which the holder rewrites": (
        PLAIN,
        key("k", MAY_PUT, deny(ALICE, DECRYPT)),
        "user alice",
        KEY_POLICY,
    ),
    "a Deny of PutKeyPolicy itself": (
        PLAIN,
        key("k", MAY_PUT, deny(ALICE, "kms:Put*")),
        "user alice",
        [],
    ),
    "a Deny in an identity policy": (user("alice", NO_USE), key("k", MAY_PUT), "user alice", []),
    "a Deny in an identity policy for another key": (
        user("alice", iam(DECRYPT, key("other").arn, "Deny")),
        key("k", MAY_PUT),
        "user alice",
        KEY_POLICY,
    ),
    "a Deny under a condition": (
        user("alice", iam(DECRYPT, effect="Deny", Condition=MFA)),
        key("k", MAY_PUT),
        "user alice",
        ["KEY_POLICY: CONDITIONAL"],
    ),
    "a Deny that spares a tag, which the user lacks": (
        user(
            "alice",
            iam(
                DECRYPT,
                effect="Deny",
                Condition={"StringNotEquals": {"aws:PrincipalTag/team": "a"}},
            ),
        ),
        key("k", MAY_PUT),
        "user alice",
        [],
    ),
    "a Deny in the boundary": (
        user("alice", boundary=[iam("*"), NO_USE]),
        key("k", MAY_PUT),
        "user alice",
        [],
    ),
    "a boundary without the action does not limit what a key policy gives (K76)": (
        role("app", boundary=[iam(PUT)]),
        key("k", allow(role_arn("app"), PUT)),
        "role app",
        KEY_POLICY,
    ),
    "PutKeyPolicy under a condition": (
        PLAIN,
        key("k", allow(ALICE, PUT, Condition=MFA)),
        "user alice",
        ["KEY_POLICY: CONDITIONAL"],
    ),
    "PutKeyPolicy as far as policies elsewhere say": (
        PLAIN,
        key("k", allow(ROOT, PUT)),
        ANY_OTHER,
        ["KEY_POLICY: DELEGATED"],
    ),
    "another account cannot call it (K120)": (
        PLAIN,
        key("k", allow(OTHER, [PUT, "kms:DescribeKey"])),
        f"account {OTHER}",
        [],
    ),
    "after a role": (
        (PLAIN, role("ci", trust=trust(lets(ALICE)))),
        key("k", allow(role_arn("ci"), PUT)),
        "user alice",
        ["ASSUMED_ROLE, KEY_POLICY: ALLOWED via role ci"],
    ),
    "after a role under a condition": (
        (PLAIN, role("ci", trust=trust(lets(ALICE, Condition=MFA)))),
        key("k", allow(role_arn("ci"), PUT)),
        "user alice",
        ["ASSUMED_ROLE, KEY_POLICY: CONDITIONAL via role ci"],
    ),
}
REPLICA_CASES: dict[str, tuple[Any, Any, str, list[str]]] = {
    "both permissions": (user("alice", iam("kms:CreateKey")), replicating(), "user alice", REPLICA),
    "no CreateKey (K117)": (PLAIN, replicating(), "user alice", []),
    "CreateKey in the key policy, which does nothing (K112)": (
        PLAIN,
        replicating(allow(ALICE, "kms:CreateKey")),
        "user alice",
        [],
    ),
    "CreateKey denied": (
        user("alice", iam("kms:CreateKey"), iam("kms:CreateKey", effect="Deny")),
        replicating(),
        "user alice",
        [],
    ),
    "CreateKey in one Region": (
        user(
            "alice",
            iam("kms:CreateKey", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        ),
        replicating(),
        "user alice",
        ["REPLICA: CONDITIONAL"],
    ),
    "a key of a single Region": (
        user("alice", iam("kms:CreateKey")),
        replicating(multi_region=False),
        "user alice",
        [],
    ),
    "no ReplicateKey": (
        user("alice", iam("kms:CreateKey")),
        key("k", allow(ALICE, "kms:DescribeKey"), multi_region=True),
        "user alice",
        [],
    ),
    "a Deny on the key of this Region": (
        user("alice", iam("kms:CreateKey"), iam(DECRYPT, key("k").arn, "Deny")),
        replicating(),
        "user alice",
        ["REPLICA: CONDITIONAL"],
    ),
    "a Deny outside of our Regions": (
        user("alice", iam("kms:CreateKey"), iam("kms:*", effect="Deny", Condition=OUR_REGIONS)),
        replicating(),
        "user alice",
        ["REPLICA: CONDITIONAL"],
    ),
    "a Deny on the keys of all Regions (K168)": (
        user("alice", iam("kms:CreateKey"), iam(DECRYPT, ANY_REPLICA, "Deny")),
        replicating(),
        "user alice",
        [],
    ),
    "a Deny in the key policy of the primary (K165)": (
        user("alice", iam("kms:CreateKey")),
        replicating(deny(ALICE, DECRYPT)),
        "user alice",
        REPLICA,
    ),
}
CASES = {
    f"{kind}: {name}": case
    for kind, cases in (("K156", KEY_POLICY_CASES), ("K162", REPLICA_CASES))
    for name, case in cases.items()
}


@pytest.mark.parametrize(
    ("identities", "on", "subject", "expected"), CASES.values(), ids=CASES.keys()
)
def test_who_obtains_decrypt_by_power_over_the_key(
    identities: Any, on: Any, subject: str, expected: list[str]
) -> None:
    search = reach(identities, on)
    assert [told(d) for d in detours(search, subject, DECRYPT)] == expected


def test_a_key_policy_gives_all_that_the_key_can_do_but_retire_grant() -> None:
    every = possible_for("ENCRYPT_DECRYPT", asymmetric=False)
    search = reach(PLAIN, key("k", MAY_PUT))
    found = obtained(search, "user alice", "KEY_POLICY")
    assert found == every - {PUT, "kms:RetireGrant", "kms:SynchronizeMultiRegionKey"}
    of_signing = reach(PLAIN, key("k", MAY_PUT, spec="ECC_NIST_P256", usage="SIGN_VERIFY"))
    found = obtained(of_signing, "user alice", "KEY_POLICY")
    assert {"kms:Sign", "kms:GetPublicKey"} <= found
    assert DECRYPT not in found


def test_a_replica_gives_what_uses_the_material_and_nothing_over_the_primary() -> None:
    search = reach(user("alice", iam("kms:CreateKey")), replicating())
    found = obtained(search, "user alice", "REPLICA")
    assert {DECRYPT, "kms:Encrypt", "kms:GenerateDataKey"} <= found
    assert found.isdisjoint({PUT, "kms:ScheduleKeyDeletion", CREATE_GRANT})


def test_a_service_control_policy_limits_what_a_key_policy_gives() -> None:
    """K70: a level without an Allow caps the writer of the key policy too."""
    level = parse_policy(document(iam([PUT, "kms:Encrypt"])), SERVICE_CONTROL_POLICY)
    scp = ((Policy("scp", level, Origin("App/Org")),),)
    search = reach(PLAIN, key("k", MAY_PUT), service_control=scp)
    assert obtained(search, "user alice", "KEY_POLICY") == {"kms:Encrypt"}


def test_a_service_control_policy_does_not_bind_another_account() -> None:
    """K70."""
    level = parse_policy(document(iam("*"), iam(DECRYPT, effect="Deny")), SERVICE_CONTROL_POLICY)
    scp = ((Policy("scp", level, Origin("App/Org")),),)
    search = reach(PLAIN, key("k", allow([OTHER, ALICE], CREATE_GRANT)), service_control=scp)
    assert DECRYPT in obtained(search, f"account {OTHER}", "GRANT")
    assert DECRYPT not in obtained(search, "user alice", "GRANT")


def test_two_definitions_of_one_key_policy_leave_the_step_open() -> None:
    """K194."""
    first = key("k", MAY_PUT)
    second = key("k", allow(user_arn("bob"), PUT))
    both = key("k", MAY_PUT, policies=(*first.policies, *second.policies))
    search = reach(PLAIN, both)
    assert [told(d) for d in detours(search, "user alice", DECRYPT)] == ["KEY_POLICY: UNDECIDED"]


def test_the_proof_shows_the_permission_and_what_it_is_used_for() -> None:
    search = reach(PLAIN, key("k", allow(ALICE, [PUT, CREATE_GRANT])))
    by_policy, by_grant = detours(search, "user alice", DECRYPT)
    held = f"key policy, statement 1, allows {PUT}, {CREATE_GRANT} to user/alice"
    texts = [hop.text for hop in by_grant.proof.hops]
    assert texts[0] == held
    assert texts[1].startswith("kms:CreateGrant lets it give itself a grant for kms:Decrypt, ")
    texts = [hop.text for hop in by_policy.proof.hops]
    assert texts[0] == held
    assert texts[1].startswith("kms:PutKeyPolicy lets it write a key policy that gives kms:")
