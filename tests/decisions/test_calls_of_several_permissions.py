"""API calls that need several permissions: every single answer, and the weakest of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.api_calls import ApiCalls
from kms_access.decisions.call_access import CallAccess
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.arns import key_arn
from kms_access.inventory.model import Inventory
from kms_access.policies.answers import ReasonKind
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    REGION,
    ROOT,
    allow,
    deny,
    iam,
    key,
    role_arn,
    user,
)
from tests.decisions.calling import ORGANIZATION, calls, single, subject, through, when

APP = role_arn("app")
ALIAS_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/a"
ALLOWED, CONDITIONAL = AccessState.ALLOWED, AccessState.CONDITIONAL
DELEGATED, UNDECIDED = AccessState.DELEGATED, AccessState.UNDECIDED
IMPLICIT, EXPLICIT = AccessState.IMPLICITLY_DENIED, AccessState.EXPLICITLY_DENIED


class TestReEncrypt:
    """K116, K82."""

    @pytest.mark.parametrize(
        ("on_source", "on_destination", "together", "weakest"),
        [
            (allow(APP, "kms:ReEncrypt*"), allow(APP, "kms:ReEncrypt*"), ALLOWED, "ReEncryptFrom"),
            (allow(APP, "kms:ReEncryptFrom"), DELEGATION, IMPLICIT, "ReEncryptTo"),
            (
                allow(APP, "kms:ReEncryptTo"),
                allow(APP, "kms:ReEncrypt*"),
                IMPLICIT,
                "ReEncryptFrom",
            ),
            (
                allow(APP, "kms:ReEncrypt*"),
                allow(APP, "kms:ReEncrypt*", **through("s3")),
                CONDITIONAL,
                "ReEncryptTo",
            ),
            (
                allow(APP, "kms:ReEncrypt*", **through("s3")),
                allow(ROOT, "kms:*", **when("StringEquals", "aws:ResourceTag/a", "b")),
                IMPLICIT,
                "ReEncryptTo",
            ),
            (
                allow(APP, "kms:ReEncrypt*", **through("s3")),
                allow(APP, "kms:*", **when("StringEquals", "aws:ResourceTag/a", "b")),
                UNDECIDED,
                "ReEncryptTo",
            ),
        ],
    )
    def test_both_keys_have_to_allow_their_part(
        self, on_source: Any, on_destination: Any, together: AccessState, weakest: str
    ) -> None:
        keys = key("source", on_source), key("destination", on_destination)
        call = calls(*keys).can_reencrypt(subject(*keys), *keys)
        assert call.state is together
        assert call.weakest.action == f"kms:{weakest}"
        assert bool(call.reasons) is (together in (CONDITIONAL, UNDECIDED))
        assert [(p.action, p.resource) for p in call.permissions] == [
            ("kms:ReEncryptFrom", keys[0].arn),
            ("kms:ReEncryptTo", keys[1].arn),
        ]

    def test_a_deny_is_weaker_than_a_missing_allow(self) -> None:
        keys = key("a", DELEGATION), key("b", deny(APP, "kms:*"))
        call = calls(*keys).can_reencrypt(subject(*keys), *keys)
        assert single(call) == [("ReEncryptFrom", IMPLICIT), ("ReEncryptTo", EXPLICIT)]
        assert (call.state, call.weakest.action) == (EXPLICIT, "kms:ReEncryptTo")
        assert call.reasons == ()

    def test_two_accounts(self) -> None:
        lets_in = allow({"AWS": ACCOUNT}, "kms:ReEncrypt*")
        abroad = key(
            "b", lets_in, account=OTHER, arn=key_arn("aws", REGION, OTHER, "0000"), tags={}
        )
        for identity, state in (((iam("kms:ReEncrypt*"),), ALLOWED), ((), IMPLICIT)):
            keys = key("a", allow(APP, "kms:*")), abroad
            who = subject(*keys, identity=identity)
            call = calls(*keys, identity=identity).can_reencrypt(who, *keys)
            assert single(call) == [("ReEncryptFrom", ALLOWED), ("ReEncryptTo", state)]

    def test_whether_it_is_one_key_is_known(self) -> None:
        only = when("Bool", "kms:ReEncryptOnSameKey", "true")
        keys = key("a", allow(APP, "kms:*", **only)), key("b", allow(APP, "kms:*", **only))
        found = calls(*keys)
        who = subject(*keys)
        assert found.can_reencrypt(who, keys[0], keys[0]).state is ALLOWED
        assert found.can_reencrypt(who, *keys).state is IMPLICIT


class TestConditionsOfSeveralPermissions:
    """K82: a call has one way, and each permission has to be open on it."""

    def together(self, on_source: Any, on_destination: Any) -> CallAccess:
        keys = key("a", *on_source), key("b", *on_destination)
        return calls(*keys).can_reencrypt(subject(*keys), *keys)

    def test_conditions_that_one_call_fulfils(self) -> None:
        mfa = when("Bool", "aws:MultiFactorAuthPresent", "true")
        for on_destination in (through("s3"), mfa):
            call = self.together(
                [allow(APP, "kms:*", **through("s3"))], [allow(APP, "kms:*", **on_destination)]
            )
            assert call.state is CONDITIONAL

    def test_conditions_that_exclude_each_other_are_not_access(self) -> None:
        call = self.together(
            [allow(APP, "kms:*", **through("s3"))], [allow(APP, "kms:*", **through("rds"))]
        )
        assert single(call) == [("ReEncryptFrom", CONDITIONAL), ("ReEncryptTo", CONDITIONAL)]
        assert call.state is UNDECIDED
        assert (call.reasons[0].kind, call.reasons[0].rule) == (ReasonKind.NOT_ESTABLISHED, "K82")

    def test_a_second_way_of_one_permission_is_tried(self) -> None:
        both = when("StringLike", "kms:ViaService", ["rds.*", "s3.*"])
        call = self.together([allow(APP, "kms:*", **both)], [allow(APP, "kms:*", **through("s3"))])
        assert call.state is CONDITIONAL

    def test_each_key_has_its_own_encryption_context(self) -> None:
        call = self.together(
            *(
                [allow(APP, "kms:*", **when("StringEquals", "kms:EncryptionContext:a", value))]
                for value in ("b", "c")
            )
        )
        assert call.state is CONDITIONAL

    def test_each_key_has_its_own_account(self) -> None:
        through_s3 = allow({"AWS": ACCOUNT}, "kms:*", **through("s3"))
        abroad = key("b", through_s3, account=OTHER, arn=key_arn("aws", REGION, OTHER, "0000"))
        keys = key("a", through_s3), abroad
        identity = tuple(
            iam(f"kms:ReEncrypt{part}", **when("StringEquals", "aws:ResourceAccount", account))
            for part, account in (("From", ACCOUNT), ("To", OTHER))
        )
        who = subject(*keys, identity=identity)
        assert calls(*keys, identity=identity).can_reencrypt(who, *keys).state is CONDITIONAL

    @pytest.mark.parametrize(("second", "state"), [("s1", CONDITIONAL), ("s2", UNDECIDED)])
    def test_one_session_makes_the_call(self, second: str, state: AccessState) -> None:
        call = self.together(
            *(
                [allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/app/{session}", "kms:*")]
                for session in ("s1", second)
            )
        )
        assert call.state is state

    def test_one_caller_needs_all_of_it(self) -> None:
        """A user and a role of the account have one half each: nobody has both."""
        halves = [
            allow({"AWS": "*"}, "kms:*", **when("StringEquals", "aws:PrincipalType", kind))
            for kind in ("User", "AssumedRole")
        ]
        keys = key("a", halves[0]), key("b", halves[1])
        everyone, found = subject(*keys, label="everyone"), calls(*keys)
        assert found.can_reencrypt(everyone, *keys).state is IMPLICIT
        for on in keys:
            assert found.can_reencrypt(everyone, on, on).state.is_access


class TestAliases:
    """K113: IAM on the alias, and a permission on every key."""

    ON_ALIAS = iam("kms:*Alias", f"arn:aws:kms:*:{ACCOUNT}:alias/*")
    ON_KEY = iam("kms:*Alias", "arn:aws:kms:*:*:key/*")

    @pytest.mark.parametrize(
        ("identity", "on_alias", "on_key"),
        [
            ((ON_ALIAS, ON_KEY), ALLOWED, ALLOWED),
            ((ON_ALIAS,), ALLOWED, IMPLICIT),
            ((ON_KEY,), IMPLICIT, ALLOWED),
            ((iam("kms:*"), iam("kms:*", ALIAS_ARN, "Deny")), EXPLICIT, ALLOWED),
        ],
    )
    def test_create_and_delete(
        self, identity: Any, on_alias: AccessState, on_key: AccessState
    ) -> None:
        on = key("k", DELEGATION)
        found, who = calls(on, identity=identity), subject(on, identity=identity)
        create = found.can_create_alias(who, "alias/a", on)
        delete = found.can_delete_alias(who, "alias/a", on)
        assert single(create) == [("CreateAlias", on_alias), ("CreateAlias", on_key)]
        assert single(delete) == [("DeleteAlias", on_alias), ("DeleteAlias", on_key)]
        assert [p.resource for p in create.permissions] == [ALIAS_ARN, on.arn]

    def test_the_key_policy_gives_the_key_part_alone(self) -> None:
        on = key("k", allow(APP, "kms:*"))
        call = calls(on).can_create_alias(subject(on), "alias/a", on)
        assert single(call) == [("CreateAlias", IMPLICIT), ("CreateAlias", ALLOWED)]
        assert call.state is IMPLICIT

    def test_update_needs_the_old_key_and_the_new_one(self) -> None:
        old, new = key("old", DELEGATION), key("new", DELEGATION)
        for reached, states in (
            ([old.arn, new.arn], [ALLOWED, ALLOWED, ALLOWED]),
            ([old.arn], [ALLOWED, ALLOWED, IMPLICIT]),
            ([new.arn], [ALLOWED, IMPLICIT, ALLOWED]),
        ):
            identity = (self.ON_ALIAS, iam("kms:UpdateAlias", reached))
            found = calls(old, new, identity=identity)
            call = found.can_update_alias(subject(old, new, identity=identity), "alias/a", old, new)
            assert single(call) == [("UpdateAlias", state) for state in states]

    def test_a_condition_on_the_alias_is_open(self) -> None:
        """K114."""
        condition = when("StringEquals", "aws:RequestedRegion", REGION)
        identity = (iam("kms:CreateAlias", ALIAS_ARN, **condition), self.ON_KEY)
        on = key("k", DELEGATION)
        who = subject(on, identity=identity)
        call = calls(on, identity=identity).can_create_alias(who, "alias/a", on)
        assert (call.state, call.weakest.resource) == (UNDECIDED, ALIAS_ARN)
        assert [reason.rule for reason in call.reasons] == ["K114"]

    def test_an_alias_of_an_outside_identity_rests_on_its_policies(self) -> None:
        on = key("k", DELEGATION)
        who = subject(on, label=f"any other identity of account {ACCOUNT}")
        assert calls(on).can_create_alias(who, "alias/a", on).state is DELEGATED

    @pytest.mark.parametrize("alias", ["alias/aws/s3", Text(("alias/aws/", Unknown("a name")))])
    def test_names_of_aws_are_for_nobody(self, alias: Any) -> None:
        """K115."""
        on, identity = key("k", allow(APP, "kms:*")), (iam("kms:*"),)
        found, who = calls(on, identity=identity), subject(on, identity=identity)
        assert found.can_create_alias(who, alias, on).state is IMPLICIT
        assert found.can_create_alias(who, "alias/aws-s3", on).state is ALLOWED

    def test_what_is_no_alias_call(self) -> None:
        on, abroad = key("k"), key("l", region="us-east-1")
        found, who = calls(on, abroad), subject(on, abroad)
        with pytest.raises(ValueError, match='"a" is no alias name, which begins with "alias/"'):
            found.can_create_alias(who, "a", on)
        with pytest.raises(ValueError, match='"alias/k" and "alias/l" lie in two accounts or Reg'):
            found.can_update_alias(who, "alias/a", on, abroad)


def test_the_organization_is_known_to_every_part() -> None:
    identity = (iam("kms:*", **when("StringEquals", "aws:PrincipalOrgID", ORGANIZATION.id)),)
    on = key("k", DELEGATION)
    found, who = calls(on, identity=identity), subject(on, identity=identity)
    assert found.can_create_key(who, REGION).state is ALLOWED
    assert found.can_delete_alias(who, "alias/a", replace(on, aliases=())).permissions[1].state is (
        ALLOWED
    )


def test_users_are_asked_like_roles() -> None:
    on = key("k", DELEGATION)
    facts = access_map(Inventory((on,), (user("alice", iam("kms:*")),)))
    alice = next(one for one in facts.subjects if one.label == "user alice")
    assert ApiCalls(facts, Organization()).can_create_alias(alice, "alias/a", on).state is ALLOWED
