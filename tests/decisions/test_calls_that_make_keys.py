"""API calls that make keys, replicas and primary keys: IAM decides on what is not there yet."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.call_access import CallAccess
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.arns import key_arn
from kms_access.inventory.model import Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import SERVICE_CONTROL_POLICY
from kms_access.policies.parsing import parse_policy
from tests.builders import ACCOUNT, DELEGATION, REGION, allow, document, iam, key, role, role_arn
from tests.decisions.calling import calls, single, subject, when

APP = role_arn("app")
ALLOWED, IMPLICIT = AccessState.ALLOWED, AccessState.IMPLICITLY_DENIED


class TestCreateKey:
    """K119, K80: IAM alone gives it, and it gives nothing on the keys that exist."""

    @pytest.mark.parametrize(
        ("identity", "states"),
        [
            ((iam(["kms:CreateKey", "kms:TagResource"]),), [ALLOWED, ALLOWED]),
            ((iam("kms:CreateKey"),), [ALLOWED, IMPLICIT]),
            ((iam("kms:TagResource"),), [IMPLICIT, ALLOWED]),
            ((iam("kms:CreateKey"), iam("kms:TagResource", "arn:*:kms:*:*:key/*")), [ALLOWED] * 2),
            (
                (iam("kms:CreateKey"), iam("kms:TagResource", key("k").arn)),
                [ALLOWED, IMPLICIT],
            ),
            ((iam("kms:*", "arn:aws:kms:*:*:key/*"),), [IMPLICIT, ALLOWED]),
            ((), [IMPLICIT, IMPLICIT]),
        ],
    )
    def test_iam_decides_on_the_key_and_its_tags(self, identity: Any, states: Any) -> None:
        on = key("k", allow(APP, "kms:*"))
        found, who = calls(on, identity=identity), subject(on, identity=identity)
        with_tags = found.can_create_key(who, REGION, tags=True)
        assert [p.state for p in with_tags.permissions] == states
        assert found.can_create_key(who, REGION).state is states[0]

    def test_the_region_is_known(self) -> None:
        condition = when("StringEquals", "aws:RequestedRegion", REGION)
        identity = (iam("kms:CreateKey", **condition),)
        found, who = calls(key("k"), identity=identity), subject(key("k"), identity=identity)
        assert found.can_create_key(who, REGION).state is ALLOWED
        assert found.can_create_key(who, "us-east-1").state is IMPLICIT

    def test_it_gives_power_over_new_keys_alone(self) -> None:
        on = key("k", DELEGATION)
        facts = access_map(Inventory((on,), (role("app", iam("kms:CreateKey")),)))
        assert [a for a in facts.accesses() if a.subject.label == "role app"] == []

    def test_a_ceiling_of_the_organization_counts(self) -> None:
        parsed = parse_policy(document(iam("s3:*")), SERVICE_CONTROL_POLICY)
        levels = ((Policy("SCP", parsed, Origin("P")),),)
        identity = (iam("kms:*"),)
        on = key("k")
        found = calls(on, identity=identity, service_control=levels)
        assert found.can_create_key(subject(on, identity=identity), REGION).state is IMPLICIT


def multi_region(name: str, region: str, *statements: Any) -> Key:
    arn = key_arn("aws", region, ACCOUNT, "mrk-1234abcd12ab34cd56ef1234567890ab")
    return key(name, *statements, arn=arn, region=region, multi_region=True)


class TestReplicateKey:
    """K117: on the primary key in its Region, and CreateKey by IAM in the other one."""

    def replicate(self, *identity: Any, **more: Any) -> CallAccess:
        primary = multi_region("primary", REGION, more.pop("statement", DELEGATION))
        found = calls(primary, identity=identity)
        who = subject(primary, identity=identity)
        return found.can_replicate(who, primary, "us-east-1", **more)

    def test_both_parts(self) -> None:
        whole = self.replicate(iam(["kms:ReplicateKey", "kms:CreateKey"]))
        assert single(whole) == [("ReplicateKey", ALLOWED), ("CreateKey", ALLOWED)]
        half = self.replicate(iam("kms:ReplicateKey"))
        assert (half.state, half.weakest.action) == (IMPLICIT, "kms:CreateKey")
        assert self.replicate(iam("kms:CreateKey")).weakest.action == "kms:ReplicateKey"

    def test_the_key_policy_gives_the_first_part_alone(self) -> None:
        call = self.replicate(statement=allow(APP, "kms:*"))
        assert single(call) == [("ReplicateKey", ALLOWED), ("CreateKey", IMPLICIT)]

    def test_tags_need_a_third_part(self) -> None:
        call = self.replicate(iam(["kms:ReplicateKey", "kms:CreateKey"]), tags=True)
        assert (call.state, call.weakest.action) == (IMPLICIT, "kms:TagResource")

    @pytest.mark.parametrize(
        ("condition", "state"),
        [
            (when("StringEquals", "kms:ReplicaRegion", "us-east-1"), ALLOWED),
            (when("StringEquals", "kms:ReplicaRegion", "us-west-2"), IMPLICIT),
        ],
    )
    def test_the_region_of_the_replica_is_known(self, condition: Any, state: AccessState) -> None:
        call = self.replicate(iam("kms:CreateKey"), iam("kms:ReplicateKey", **condition))
        assert call.state is state

    @pytest.mark.parametrize(
        ("condition", "state"),
        [
            (when("StringEquals", "aws:RequestedRegion", "us-east-1"), ALLOWED),
            (when("StringEquals", "aws:RequestedRegion", REGION), IMPLICIT),
            (when("Bool", "kms:MultiRegion", "true"), ALLOWED),
            (when("StringEquals", "kms:KeySpec", "RSA_2048"), IMPLICIT),
        ],
    )
    def test_what_is_created_is_known(self, condition: Any, state: AccessState) -> None:
        call = self.replicate(iam("kms:ReplicateKey"), iam("kms:CreateKey", **condition))
        assert call.state is state

    def test_a_single_region_key_has_no_replica(self) -> None:
        with pytest.raises(ValueError, match='"alias/k" is no multi-Region key'):
            calls(key("k")).can_replicate(subject(key("k")), key("k"), "us-east-1")


class TestUpdatePrimaryRegion:
    """K118: on the primary key and on the replica, each in its Region."""

    @pytest.mark.parametrize(
        ("identity", "states"),
        [
            ((iam("kms:UpdatePrimaryRegion"),), [ALLOWED, ALLOWED]),
            (
                (iam("kms:*", **when("StringEquals", "aws:RequestedRegion", REGION)),),
                [ALLOWED, IMPLICIT],
            ),
            ((iam("kms:*", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/mrk-*"),), [IMPLICIT, ALLOWED]),
            (
                (iam("kms:*", **when("StringEquals", "kms:PrimaryRegion", "us-east-1")),),
                [ALLOWED, ALLOWED],
            ),
        ],
    )
    def test_each_key_has_to_allow_it(self, identity: Any, states: Any) -> None:
        keys = multi_region("primary", REGION), multi_region("replica", "us-east-1")
        found = calls(*keys, identity=identity)
        call = found.can_update_primary_region(subject(*keys, identity=identity), *keys)
        assert single(call) == [("UpdatePrimaryRegion", state) for state in states]

    @pytest.mark.parametrize("other", [multi_region("primary", REGION), key("k")])
    def test_keys_that_are_not_related(self, other: Key) -> None:
        primary = multi_region("primary", REGION)
        with pytest.raises(ValueError, match='is no replica of "alias/primary"'):
            calls(primary).can_update_primary_region(subject(primary), primary, other)
