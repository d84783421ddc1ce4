"""Condition keys about the parameters of a call: which actions have them, and their defaults."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.request_json import answer, read_request
from kms_access.decisions.request_parameters import ACTIONS_WITH, is_filled, is_lacking
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Inventory
from tests.builders import ACCOUNT, DELEGATION, allow, deny, document, iam, key, role, role_arn

ALLOWED, CONDITIONAL = AccessState.ALLOWED, AccessState.CONDITIONAL
UNDECIDED = AccessState.UNDECIDED
IMPLICIT, EXPLICIT = AccessState.IMPLICITLY_DENIED, AccessState.EXPLICITLY_DENIED
APP = role_arn("app")

BYPASS = "kms:BypassPolicyLockoutSafetyCheck"
PARAMETERS = {
    "kms:BypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
    "kms:EncryptionAlgorithm": "EncryptionAlgorithm",
    "kms:ExpirationModel": "ExpirationModel",
    "kms:KeyOrigin": "Origin",
    "kms:KeySpec": "KeySpec",
    "kms:KeyUsage": "KeyUsage",
    "kms:MessageType": "MessageType",
    "kms:MultiRegion": "MultiRegion",
    "kms:PolicyName": "PolicyName",
    "kms:RotationPeriodInDays": "RotationPeriodInDays",
    "kms:ScheduleKeyDeletionPendingWindowInDays": "PendingWindowInDays",
}
"""The condition keys with a default, and the parameter of the API that each is about."""


def when(operator: str, name: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {name: value}}}


def states(*statements: Any, identity: Any = (), **fields: Any) -> dict[str, AccessState]:
    """What role app can do with one key, by action, with the map and single questions agreeing."""
    on = key("k", *statements, **fields)
    inventory = Inventory((on,), (role("app", *identity),))
    facts = access_map(inventory)
    single = Evaluator(inventory, Organization())
    app = next(subject for subject in facts.subjects if subject.label == "role app")
    found = {access.action: access.state for access in facts.cell(app, on)}
    assert found == {action: single.access(app, on, action).state for action in found}
    return found


def operations_with(parameter: str) -> set[str]:
    """The operations of the KMS API that have a parameter."""
    model = botocore.session.get_session().get_service_model("kms")
    return {
        f"kms:{name}"
        for name in model.operation_names
        if (shape := model.operation_model(name).input_shape) and parameter in shape.members
    }


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_actions_of_a_parameter_are_those_of_the_api(name: str) -> None:
    """K139, K178: ReEncrypt has the algorithm twice, and data keys have one algorithm (K134)."""
    wanted = operations_with(PARAMETERS[name])
    if name == "kms:KeySpec":
        # The spec of a data key goes by the same name, and no condition key is about it.
        wanted -= {"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"}
    if name == "kms:EncryptionAlgorithm":
        wanted |= {"kms:ReEncryptFrom", "kms:ReEncryptTo"}
        wanted |= {a for a in ACTIONS_WITH[name.lower()] if a.startswith("kms:GenerateDataKey")}
    assert ACTIONS_WITH[name.lower()] == wanted
    assert all(is_filled(name, action) for action in wanted)


def test_every_parameter_belongs_to_actions_of_the_catalogue() -> None:
    assert all(find_action(action) for actions in ACTIONS_WITH.values() for action in actions)
    assert not is_lacking(BYPASS, "kms:ActionOfTomorrow")


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize(
    ("name", "action", "without"),
    [
        (BYPASS, "kms:PutKeyPolicy", "kms:GetKeyPolicy"),
        ("kms:ExpirationModel", "kms:ImportKeyMaterial", "kms:GetParametersForImport"),
        ("kms:ScheduleKeyDeletionPendingWindowInDays", "kms:ScheduleKeyDeletion", "kms:DisableKey"),
    ],
)
class TestNullOnAParameterWithDefault:
    """K139: whether `Null` sees the default is not documented, so nothing is decided by it."""

    def test_in_an_allow_of_the_key_policy(
        self, name: str, action: str, without: str, value: str
    ) -> None:
        found = states(allow(APP, "kms:*", **when("Null", name, value)))
        assert found[action] is UNDECIDED
        assert found[without] is (ALLOWED if value == "true" else IMPLICIT)

    def test_in_an_allow_of_an_identity_policy(
        self, name: str, action: str, without: str, value: str
    ) -> None:
        found = states(DELEGATION, identity=(iam("kms:*", **when("Null", name, value)),))
        assert found[action] is UNDECIDED
        assert found[without] is (ALLOWED if value == "true" else IMPLICIT)

    def test_in_a_deny(self, name: str, action: str, without: str, value: str) -> None:
        on_key = (allow(APP, "kms:*"), deny(APP, "kms:*", **when("Null", name, value)))
        found = states(*on_key)
        assert found[action] is UNDECIDED
        assert found[without] is (EXPLICIT if value == "true" else ALLOWED)
        assert states(*on_key, allow(APP, "kms:*"))[action] is UNDECIDED

    def test_where_it_does_not_matter(
        self, name: str, action: str, without: str, value: str
    ) -> None:
        found = states(allow(APP, action), allow(APP, "kms:*", **when("Null", name, value)))
        assert found[action] is ALLOWED


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize(
    ("context", "decisions"),
    [
        ({}, ("depends", "depends")),
        ({"kms:KeySpec": "RSA_2048"}, ("implicitly-denied", "allowed")),
    ],
)
def test_null_at_the_creation_of_a_key(
    context: dict[str, str], decisions: tuple[str, str], value: str
) -> None:
    """K139: what a request surely has is present, and what it does not give may be filled in."""
    request = {
        "principal": APP,
        "action": "kms:CreateKey",
        "resource": "*",
        "account": ACCOUNT,
        "context": context,
        "identityPolicies": [document(iam("kms:*", **when("Null", "kms:KeySpec", value)))],
    }
    found = answer(read_request(json.dumps(request)))
    assert found["decision"] == decisions[value == "false"]


class TestOtherConditionsOnAParameterWithDefault:
    """K139: the key is never absent from a call that has the parameter."""

    def test_a_deny_unless_a_value_is_given_leaves_that_value(self) -> None:
        condition = when("StringNotEquals", "kms:ExpirationModel", "KEY_MATERIAL_EXPIRES")
        found = states(allow(APP, "kms:*"), deny(APP, "kms:*", **condition))
        assert found["kms:ImportKeyMaterial"] is CONDITIONAL
        # No other call has the key, and a negated operator holds without it (K131).
        assert found["kms:EnableKey"] is EXPLICIT

    @pytest.mark.parametrize("operator", ["StringLikeIfExists", "ForAllValues:StringLike"])
    def test_absence_is_no_way_around_a_value(self, operator: str) -> None:
        on_key = (
            allow(APP, "kms:*", **when(operator, "kms:PolicyName", "def*")),
            deny(APP, "kms:*", **when("StringLike", "kms:PolicyName", "d*")),
        )
        found = states(*on_key)
        assert found["kms:GetKeyPolicy"] is EXPLICIT
        assert found["kms:ListKeyPolicies"] is ALLOWED

    def test_a_boolean_has_one_of_two_values(self) -> None:
        on_key = [deny(APP, "kms:*", **when("Bool", BYPASS, value)) for value in ("true", "false")]
        found = states(allow(APP, "kms:*"), *on_key)
        assert found["kms:PutKeyPolicy"] is EXPLICIT
        assert found["kms:GetKeyPolicy"] is ALLOWED


@pytest.mark.parametrize(
    ("statement", "action", "state"),
    [
        (when("StringEquals", "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"), "Decrypt", ALLOWED),
        (when("StringLike", "kms:EncryptionAlgorithm", "RSAES*"), "Decrypt", IMPLICIT),
        (
            when("StringEquals", "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
            "GenerateDataKeyPair",
            ALLOWED,
        ),
        (
            when("StringEquals", "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
            "DescribeKey",
            IMPLICIT,
        ),
    ],
)
def test_a_symmetric_key_has_one_algorithm(
    statement: dict[str, Any], action: str, state: AccessState
) -> None:
    """K134."""
    assert states(allow(APP, "kms:*", **statement))[f"kms:{action}"] is state


def test_an_asymmetric_key_has_several_algorithms() -> None:
    """K134."""
    condition = when("StringLike", "kms:EncryptionAlgorithm", "RSAES*")
    found = states(allow(APP, "kms:*", **condition), spec="RSA_2048")
    assert found["kms:Decrypt"] is CONDITIONAL


class TestAlias:
    """K141: the alias that a call names is request data, of the calls that can name one."""

    @pytest.mark.parametrize("action", ["kms:Decrypt", "kms:ReEncryptTo", "kms:DescribeKey"])
    def test_calls_that_use_a_key_may_name_an_alias(self, action: str) -> None:
        condition = when("StringEquals", "kms:RequestAlias", "alias/k")
        assert states(allow(APP, "kms:*", **condition))[action] is CONDITIONAL

    @pytest.mark.parametrize("action", ["kms:PutKeyPolicy", "kms:CreateGrant"])
    def test_other_calls_name_none(self, action: str) -> None:
        condition = when("StringEquals", "kms:RequestAlias", "alias/k")
        assert states(allow(APP, "kms:*", **condition))[action] is IMPLICIT

    def test_aliases_are_names_and_never_arns(self) -> None:
        arn = "arn:aws:kms:eu-central-1:111122223333:alias/k"
        for value, state in (("alias/k", ALLOWED), (arn, UNDECIDED)):
            condition = when("ForAnyValue:StringEquals", "kms:ResourceAliases", value)
            found = states(DELEGATION, identity=(iam("kms:Decrypt", **condition),))
            assert found["kms:Decrypt"] is state

    def test_the_alias_of_the_call_is_not_the_alias_of_the_key(self) -> None:
        condition = when("StringEquals", "kms:RequestAlias", "alias/other")
        found = states(DELEGATION, identity=(iam("kms:Decrypt", **condition),))
        assert found["kms:Decrypt"] is CONDITIONAL


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("kms:DisableKey", CONDITIONAL),
        ("kms:ScheduleKeyDeletion", CONDITIONAL),
        ("kms:EnableKey", IMPLICIT),
    ],
)
def test_days_without_use_are_data_of_the_calls_that_end_a_key(
    action: str, state: AccessState
) -> None:
    """K180."""
    condition = when("NumericGreaterThan", "kms:TrailingDaysWithoutKeyUsage", "90")
    assert states(allow(APP, "kms:*", **condition))[action] is state


@pytest.mark.parametrize("name", ["ImageSha384", "PCR0", "PCR31", "NitroTPMPCR0", "NitroTPMPCR23"])
def test_an_allow_for_an_attested_enclave_is_conditional(name: str) -> None:
    """K181."""
    condition = when("StringEqualsIgnoreCase", f"kms:RecipientAttestation:{name}", "ab12")
    found = states(allow(APP, "kms:Decrypt", **condition))
    assert found["kms:Decrypt"] is CONDITIONAL
    assert found["kms:Encrypt"] is IMPLICIT
