"""Rules about keys, their policies and their kinds, one test each or more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.lookup import find_key
from kms_access.decisions.queries import can, who_can
from kms_access.decisions.reach import Reach
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.actions import CONDITION_KEY_TYPES, find_action
from kms_access.inventory.arns import key_arn
from kms_access.inventory.model import Inventory, Key
from kms_access.sources.cloudformation import load
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    REGION,
    allow,
    deny,
    document,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)

ORGANIZATION = Organization("o-a1b2c3d4e5", frozenset({ACCOUNT}))
ALLOWED, CONDITIONAL = AccessState.ALLOWED, AccessState.CONDITIONAL
UNDECIDED = AccessState.UNDECIDED
IMPLICIT, EXPLICIT = AccessState.IMPLICITLY_DENIED, AccessState.EXPLICITLY_DENIED
APP = role_arn("app")


def when(operator: str, name: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {name: value}}}


def state(facts: AccessMap, subject: str, action: str, on: Key | str = "alias/k") -> AccessState:
    found = next(one for one in facts.subjects if one.label == subject)
    asked = find_key(facts, on) if isinstance(on, str) else on
    return can(facts, found, action, asked).state


def app_on(*statements: Any, identity: Any = (), **fields: Any) -> Callable[[str], AccessState]:
    """The state of role app on one key, by action."""
    inventory = Inventory((key("k", *statements, **fields),), (role("app", *identity),))
    facts = access_map(inventory, ORGANIZATION)
    return lambda action: state(facts, "role app", action)


class TestKeyPolicy:
    """K2: every key has a key policy."""

    def test_one_that_is_not_supplied_leaves_everything_open(self) -> None:
        facts = access_map(
            Inventory(
                (key("k", policies=()), key("l", DELEGATION)),
                (user("alice"), role("app", iam("kms:*"))),
            )
        )
        for subject in ("user alice", "role app"):
            assert state(facts, subject, "kms:Decrypt") is UNDECIDED
        reasons = who_can(facts, "kms:Decrypt", facts.keys[0])[0].decision.reasons
        assert [(reason.text, reason.rule) for reason in reasons] == [
            ("the key policy of alias/k, which is not supplied", "K2")
        ]
        assert state(facts, "user alice", "kms:Decrypt", "alias/l") is IMPLICIT

    def test_a_deny_of_iam_is_certain_all_the_same(self) -> None:
        """K4."""
        found = app_on(policies=(), identity=(iam("kms:Decrypt", effect="Deny"),))
        assert (found("kms:Decrypt"), found("kms:Encrypt")) == (EXPLICIT, UNDECIDED)

    def test_one_that_a_template_omits_is_the_default(self, tmp_path: Path) -> None:
        """K148."""
        facts = access_map(loaded(tmp_path, {"K": {"Type": "AWS::KMS::Key"}}))
        assert state(facts, "role app", "kms:Decrypt", facts.keys[0]) is ALLOWED


def loaded(folder: Path, resources: dict[str, Any]) -> Inventory:
    """An inventory of these resources and of a role app that IAM allows to decrypt."""
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    )
    own = {"PolicyName": "Access", "PolicyDocument": document(iam("kms:Decrypt"))}
    properties = {"RoleName": "app", "AssumeRolePolicyDocument": trust, "Policies": [own]}
    app = {"Type": "AWS::IAM::Role", "Properties": properties}
    path = folder / "template.json"
    path.write_text(json.dumps({"Resources": {"App": app, **resources}}), encoding="utf-8")
    return load([path])


@pytest.mark.parametrize("enabled", [True, False])
def test_the_state_of_a_key_is_another_matter(tmp_path: Path, enabled: bool) -> None:
    """K10."""
    properties = {"Enabled": enabled, "PendingWindowInDays": 7}
    on = {"Type": "AWS::KMS::Key", "Properties": properties}
    facts = access_map(loaded(tmp_path, {"K": on}))
    assert state(facts, "role app", "kms:Decrypt", facts.keys[0]) is ALLOWED
    assert state(facts, "role app", "kms:Encrypt", facts.keys[0]) is IMPLICIT


def test_the_settled_state_is_decided() -> None:
    """K11: grants, tags and aliases of the definitions count, however new they are."""
    on = key("k", DELEGATION, tags={"team": "a"})
    identity = (
        iam("kms:Encrypt", **when("StringEquals", "aws:ResourceTag/team", "a")),
        iam(
            "kms:GetKeyPolicy", **when("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/k")
        ),
    )
    grants = (grant(on, GranteePrincipal=APP, Operations=["Decrypt"]),)
    facts = access_map(Inventory((on,), (role("app", *identity),), grants))
    for action in ("Decrypt", "Encrypt", "GetKeyPolicy"):
        assert state(facts, "role app", f"kms:{action}") is ALLOWED


def test_the_policy_of_an_endpoint_is_no_ceiling(tmp_path: Path) -> None:
    """K12: it restricts the calls through that endpoint alone."""
    nobody = document({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"})
    endpoint = {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {"ServiceName": f"com.amazonaws.{REGION}.kms", "PolicyDocument": nobody},
    }
    facts = access_map(loaded(tmp_path, {"K": {"Type": "AWS::KMS::Key"}, "E": endpoint}))
    assert state(facts, "role app", "kms:Decrypt", facts.keys[0]) is ALLOWED


VIA_S3 = f"s3.{REGION}.amazonaws.com"
GRANTING, DECRYPTING = "kms:CreateGrant", "kms:Decrypt"


@pytest.mark.parametrize(
    ("operator", "name", "value", "action", "wanted"),
    [
        ("StringLike", "kms:ViaService", "s3.*.amazonaws.com", DECRYPTING, CONDITIONAL),
        ("StringEquals", "kms:ViaService", VIA_S3, DECRYPTING, CONDITIONAL),
        ("Null", "kms:ViaService", "false", DECRYPTING, CONDITIONAL),
        ("StringLike", "kms:EncryptionContext:aws:s3:arn", "arn:*", DECRYPTING, CONDITIONAL),
        ("Null", "kms:EncryptionContext:aws:s3:arn", "true", "kms:DescribeKey", ALLOWED),
        ("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "a", DECRYPTING, CONDITIONAL),
        ("ForAllValues:StringEquals", "kms:EncryptionContextKeys", "a", DECRYPTING, CONDITIONAL),
        ("StringEquals", "aws:ResourceAccount", ACCOUNT, DECRYPTING, ALLOWED),
        ("StringEquals", "aws:ResourceAccount", OTHER, DECRYPTING, IMPLICIT),
        ("StringEquals", "aws:ResourceAccount", "${aws:PrincipalAccount}", DECRYPTING, ALLOWED),
        ("StringEquals", "aws:ResourceTag/team", "a", DECRYPTING, ALLOWED),
        ("StringLike", "aws:ResourceTag/team", "b*", DECRYPTING, IMPLICIT),
        ("Null", "aws:ResourceTag/team", "false", DECRYPTING, ALLOWED),
        ("ForAllValues:StringEquals", "kms:GrantOperations", "Decrypt", GRANTING, CONDITIONAL),
        ("Bool", "kms:GrantIsForAWSResource", "true", GRANTING, CONDITIONAL),
        ("Bool", "kms:GrantIsForAWSResource", "true", DECRYPTING, IMPLICIT),
        (
            "ForAnyValue:StringEquals",
            "aws:CalledVia",
            "athena.amazonaws.com",
            DECRYPTING,
            CONDITIONAL,
        ),
        ("Bool", "aws:ViaAWSService", "true", DECRYPTING, CONDITIONAL),
        (
            "StringEquals",
            "kms:GrantConstraintType",
            "EncryptionContextEquals",
            GRANTING,
            CONDITIONAL,
        ),
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/k", DECRYPTING, ALLOWED),
        ("StringEquals", "kms:CallerAccount", ACCOUNT, DECRYPTING, ALLOWED),
        ("StringEquals", "kms:CallerAccount", OTHER, DECRYPTING, IMPLICIT),
        ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/a*", DECRYPTING, ALLOWED),
        ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/b*", DECRYPTING, IMPLICIT),
        ("StringEquals", "aws:PrincipalOrgID", ORGANIZATION.id, DECRYPTING, ALLOWED),
        ("StringEquals", "aws:PrincipalOrgID", "o-zzzzzzzzzz", DECRYPTING, IMPLICIT),
    ],
)
def test_the_keys_that_policies_use_most_are_decided(
    operator: str, name: str, value: str, action: str, wanted: AccessState
) -> None:
    """K135: none of them leaves a question undecided."""
    statement = iam("kms:*", **when(operator, name, value))
    assert app_on(DELEGATION, identity=(statement,), tags={"team": "a"})(action) is wanted


class TestNetwork:
    """K143: conditions on the network are request data, and hit calls of services as well."""

    @pytest.mark.parametrize(
        ("operator", "name", "value"),
        [
            ("NotIpAddress", "aws:SourceIp", "198.51.100.0/24"),
            ("StringNotEquals", "aws:SourceVpc", "vpc-12345678"),
            ("StringNotEquals", "aws:SourceVpce", "vpce-12345678"),
        ],
    )
    def test_a_deny_leaves_the_calls_from_there(self, operator: str, name: str, value: str) -> None:
        found = app_on(allow(APP, "kms:*"), deny("*", "kms:*", **when(operator, name, value)))
        assert found("kms:Decrypt") is CONDITIONAL

    @pytest.mark.parametrize(
        ("condition", "rules"),
        [
            ({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, ["K143"]),
            ({"StringNotEquals": {"aws:sourcevpce": "vpce-1"}}, ["K143"]),
            (
                {
                    "NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"},
                    "Bool": {"aws:ViaAWSService": "false"},
                },
                [],
            ),
            (
                {
                    "StringNotEquals": {"aws:SourceVpc": "vpc-1"},
                    "Null": {"kms:ViaService": "true"},
                },
                [],
            ),
            ({"Bool": {"aws:SecureTransport": "false"}}, []),
        ],
    )
    def test_a_deny_without_a_way_for_services_is_noted(
        self, condition: dict[str, Any], rules: list[str]
    ) -> None:
        statement = deny("*", "kms:Decrypt", Condition=condition)
        inventory = Inventory((key("k", allow(APP, "kms:*"), statement),), (role("app"),))
        facts = access_map(inventory)
        app = next(one for one in facts.subjects if one.label == "role app")
        for action, wanted in (("kms:Decrypt", rules), ("kms:Encrypt", [])):
            notes = facts.evaluator.notes(app, facts.keys[0], action)
            assert [note.problem.rule for note in notes] == wanted


class TestEndOfAccess:
    """K164: who can destroy, which gives nothing."""

    ENDING = ("ScheduleKeyDeletion", "DeleteImportedKeyMaterial", "DisableKey", "RevokeGrant")

    def facts(self) -> AccessMap:
        names = [f"kms:{name}" for name in self.ENDING]
        return access_map(Inventory((key("k", allow(APP, names)),), (role("app"),)), ORGANIZATION)

    def test_the_capability_is_delete_and_the_others_are_asked_by_name(self) -> None:
        facts = self.facts()
        found = [access.action for access in who_can(facts, "delete", facts.keys[0])]
        assert found == ["kms:DeleteImportedKeyMaterial", "kms:ScheduleKeyDeletion"]
        for name in self.ENDING:
            (access,) = who_can(facts, f"kms:{name}", facts.keys[0])
            assert (access.subject.label, access.state) == ("role app", ALLOWED)

    def test_it_is_no_escalation(self) -> None:
        assert list(Reach(self.facts(), ORGANIZATION)) == []


class TestNewKinds:
    def test_rotation_and_key_agreement(self) -> None:
        """K174."""
        condition = when("NumericLessThanEquals", "kms:RotationPeriodInDays", "180")
        found = app_on(allow(APP, "kms:*", **condition))
        assert found("kms:EnableKeyRotation") is CONDITIONAL
        for action in ("kms:RotateKeyOnDemand", "kms:ListKeyRotations"):
            assert app_on(allow(APP, action))(action) is ALLOWED
        agreed = when("StringEquals", "kms:KeyAgreementAlgorithm", "ECDH")
        agreeing = {"spec": "ECC_NIST_P256", "usage": "KEY_AGREEMENT"}
        found = app_on(allow(APP, "kms:*", **agreed), **agreeing)
        assert found("kms:DeriveSharedSecret") is CONDITIONAL

    @pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_87", "ECC_NIST_EDWARDS25519"])
    def test_new_specs_sign(self, spec: str) -> None:
        """K175."""
        statement = allow(APP, "kms:*", **when("StringEquals", "kms:KeySpec", spec))
        inventory = Inventory(
            (key("k", statement, spec=spec, usage="SIGN_VERIFY"),), (role("app"),)
        )
        facts = access_map(inventory)
        held = facts.states(facts.subjects[0], facts.keys[0])
        assert held["kms:Sign"] is held["kms:GetPublicKey"] is ALLOWED
        assert not {"kms:Encrypt", "kms:GenerateDataKey", "kms:Decapsulate"} & held.keys()

    def test_a_service_as_grantee(self) -> None:
        """K176."""
        on = key("k", DELEGATION)
        source = f"arn:aws:s3:::{ACCOUNT}-data"
        given = grant(
            on,
            GranteeServicePrincipal="logs.amazonaws.com",
            RetiringServicePrincipal="logs.amazonaws.com",
            Operations=["Decrypt"],
            Constraints={"SourceArn": source},
        )
        facts = access_map(Inventory((on,), (role("app"),), (given,)))
        assert given.problems == ()
        assert state(facts, "service logs.amazonaws.com", "kms:Decrypt") is CONDITIONAL
        assert state(facts, "role app", "kms:Decrypt") is IMPLICIT

    @pytest.mark.parametrize(
        ("operator", "name", "value"),
        [
            ("StringEquals", "kms:GranteeServicePrincipal", "logs.amazonaws.com"),
            ("StringEquals", "kms:RetiringServicePrincipal", "logs.amazonaws.com"),
            ("ArnLike", "kms:GrantConstraintSourceArn", "arn:aws:s3:::*"),
        ],
    )
    def test_conditions_on_grants_to_services(self, operator: str, name: str, value: str) -> None:
        """K176."""
        assert name in CONDITION_KEY_TYPES
        found = app_on(allow(APP, "kms:CreateGrant", **when(operator, name, value)))
        assert found("kms:CreateGrant") is CONDITIONAL

    def test_encapsulation(self) -> None:
        """K179: by key policy, by grant and across accounts."""
        kind = {"spec": "ML_KEM_768", "usage": "ENCAPSULATE_DECAPSULATE"}
        for name in ("kms:Encapsulate", "kms:Decapsulate"):
            info = find_action(name)
            assert info is not None
            assert (info.grantable, info.cross_account) == (True, True)
            condition = when("StringEquals", "kms:EncapsulationAlgorithm", "ML_KEM_768")
            assert app_on(allow(APP, name, **condition), **kind)(name) is CONDITIONAL
            lets_in = allow({"AWS": ACCOUNT}, name)
            abroad = {"account": OTHER, "arn": key_arn("aws", REGION, OTHER, "0000"), **kind}
            assert app_on(lets_in, identity=(iam(name),), **abroad)(name) is ALLOWED
        on = key("k", DELEGATION, **kind)
        given = grant(on, GranteePrincipal=user_arn("alice"), Operations=["Decapsulate"])
        facts = access_map(Inventory((on,), (user("alice"),), (given,)))
        assert given.problems == ()
        assert state(facts, "user alice", "kms:Decapsulate") is ALLOWED
