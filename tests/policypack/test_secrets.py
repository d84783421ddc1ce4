"""Secrets reach the pack in plain text and without their mark, and are not shown all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import policy as sdk

from kms_access.sources.pulumi import StackResource
from policypack import _evaluation
from policypack.hidden_values import NOT_SHOWN, hidden_values, without, without_values_of

from .harness import ACCOUNT, KEY, Declared, Pack
from .programs import DELEGATION, allow, document, inline, role

SECRET = "hunter2-Pa$$w0rd"
SIGNATURE = "4dabf18193072939515e22adb298388d"
BILLING = role("billing")


def marked(value: object) -> Mapping[str, object]:
    """A value as the engine sends it when the program calls it a secret."""
    return {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": value}


def open_under(condition: Mapping[str, object]) -> str:
    statement = allow("Users", f"arn:aws:iam::{ACCOUNT}:role/billing", "kms:Decrypt")
    return document(DELEGATION, {**statement, "Condition": condition})


def key(policy: object, **more: object) -> Declared:
    return Declared(KEY, "payments", {"policy": policy, "isEnabled": True, **more})


@pytest.fixture(autouse=True)
def rules(write_rules: Callable[..., Path]) -> None:
    write_rules()


def told(*resources: Declared) -> str:
    return "\n".join(v.message for v in Pack().run(*resources))


CONDITIONS = [
    {"StringEquals": {"kms:EncryptionContext:token": SECRET}},
    {"StringEquals": {"kms:EncryptionContext:token": ["harmless", SECRET]}},
    {"StringNotEquals": {"kms:EncryptionContext:token": SECRET}},
    {"StringLike": {"kms:EncryptionContext:token": SECRET + "*"}},
    {"StringEquals": {"aws:PrincipalTag/password": SECRET}},
    {"StringEquals": {"aws:ResourceTag/password": SECRET}},
    {"StringEquals": {"aws:UserAgent": SECRET}},
    {"StringEquals": {"aws:Referer": SECRET}},
    {"StringEquals": {"sts:ExternalId": SECRET}},
    {"StringEquals": {"kms:EncryptionContext:token": "${aws:PrincipalTag/team}" + SECRET}},
    {"StringEqualsIgnoreCase": {"kms:EncryptionContext:token": SECRET}},
    {"NumericEquals": {"kms:EncryptionContext:token": SECRET}},
    {"DateLessThan": {"aws:TokenIssueTime": SECRET}},
    {"Null": {"kms:EncryptionContext:token": SECRET}},
    {"IpAddress": {"kms:EncryptionContext:token": SECRET}},
    {"StringEqualz": {"kms:EncryptionContext:token": SECRET}},
    {"ForAnyValue:StringEquals": {"kms:EncryptionContext:token": [SECRET]}},
    {SECRET: {"kms:EncryptionContext:token": SECRET}},
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_a_condition_with_a_secret(condition: Mapping[str, object]) -> None:
    found = told(BILLING, key(marked(open_under(condition))))
    assert "role billing" in found or "key policy of payments" in found
    if SECRET not in condition:
        assert SECRET not in found


def test_a_number_that_is_a_secret() -> None:
    found = told(
        BILLING, key(open_under({"StringEquals": {"kms:EncryptionContext:pin": 8271634.50}}))
    )
    assert f"kms:EncryptionContext:pin is {NOT_SHOWN}" in found
    assert "8271634" not in found


def test_names_in_conditions_are_shown() -> None:
    found = told(
        BILLING,
        key(open_under({"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}})),
    )
    assert 'if kms:ViaService is "s3.eu-central-1.amazonaws.com"' in found


def test_a_value_that_is_a_name_elsewhere_hides_no_name() -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:for": ["payments", "Users", SECRET]}}
    found = told(BILLING, key(open_under(condition)))
    assert 'statement "Users", allows kms:Decrypt to role/billing' in found
    assert SECRET not in found


@pytest.mark.parametrize("name", ["description", "customKeyStoreId", "tags", "rotation"])
def test_a_property_with_a_secret(name: str) -> None:
    value = marked({"password": SECRET} if name == "tags" else SECRET)
    assert SECRET not in told(BILLING, key(open_under({}), **{name: value}))


def test_a_grant_with_a_secret() -> None:
    grant = Declared(
        "aws:kms/grant:Grant",
        "grant",
        {
            "keyId": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/payments",
            "granteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/billing",
            "operations": ["Decrypt"],
            "constraints": [{"encryptionContextEquals": {"token": marked(SECRET)}}],
        },
    )
    arn = {"arn": grant.inputs["keyId"], "keyId": "payments", "id": "payments"}
    plain = Declared(KEY, "payments", {"policy": document(DELEGATION)}, arn)
    found = told(BILLING, plain, grant)
    assert "role billing can decrypt with key payments" in found
    assert f":token is {NOT_SHOWN}" in found
    assert SECRET not in found


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f'{{"Version": "2012-10-17", "Statement": [{{"Sid": "A" "{SECRET}"}}]}}',
        json.dumps({"Version": SECRET, "Statement": []}),
        json.dumps({"Statement": SECRET}),
        json.dumps({"Statement": [{"Effect": SECRET, "Action": "kms:*", "Resource": "*"}]}),
    ],
)
def test_a_document_that_is_no_policy(text: str) -> None:
    found = told(
        BILLING,
        key(marked(text)),
        Declared("aws:iam/rolePolicy:RolePolicy", "p", {"role": "billing", "policy": marked(text)}),
    )
    assert "payments" in found
    assert SECRET not in found


@pytest.mark.parametrize("phase", ["preview", "update"])
@pytest.mark.parametrize(
    "text",
    [
        f"'{SECRET}'",
        SECRET,
        f"invalid literal: {SECRET}",
        f'found "{SECRET[2:9]}" at 3',
        json.dumps({"Condition": {"StringEquals": {"x": SECRET}}}),
    ],
)
def test_a_failure_that_quotes_a_secret(
    monkeypatch: pytest.MonkeyPatch, phase: str, text: str
) -> None:
    def assess(inventory: object, rules: object) -> None:
        raise ValueError(text)

    monkeypatch.setattr(_evaluation, "assess", assess)
    monkeypatch.setenv("PULUMI_DRY_RUN", "true" if phase == "preview" else "false")
    policy = open_under({"StringEquals": {"kms:EncryptionContext:token": SECRET}})
    pack = Pack()
    resources = (key(marked(policy)), BILLING, inline("p", "billing"))
    violations = pack.register(*resources) or pack.finish(*resources)
    assert {violation.level for violation in violations} == {"mandatory"}
    assert all("ValueError: " in violation.message for violation in violations)
    found = "\n".join(violation.message for violation in violations)
    assert SECRET not in found
    assert SECRET[2:9] not in found


def test_a_failure_whose_text_cannot_be_checked_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: Any) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(_evaluation, "assess", fail)
    monkeypatch.setattr("policypack.messages.without_values_of", fail)
    (violation,) = Pack().run(key(document(DELEGATION)))
    assert f"ValueError: {NOT_SHOWN}" in violation.message


def resource(policy: str) -> StackResource:
    return StackResource("urn:pulumi:dev::shop::t::n", "t", inputs={"policy": policy})


def test_what_is_hidden_is_found_below_repeated_keys_and_odd_spellings() -> None:
    text = '{"condition": {"a": {"x": "one"}}, "CONDITION": {"a": {"x": ["two"], "x": {"y": 3}}}}'
    assert hidden_values([resource(text)]) == {"one", "two", "3"}
    deep = "[" * 100_000
    assert hidden_values([resource(deep)]) == {deep}


def test_values_are_hidden_where_they_are_quoted() -> None:
    assert without({"pay"}, 'key "pay" of pay') == f"key {NOT_SHOWN} of pay"
    assert without({"a\n"}, '"a\\u000a"') == NOT_SHOWN
    assert without_values_of([{"a": ["secret"]}], "no secret, 'ecr', 'other'") == (
        f"no {NOT_SHOWN}, '{NOT_SHOWN}', 'other'"
    )


def test_the_sdk_still_takes_the_mark_away() -> None:
    # Once it hands the mark on, the pack can tell secrets from other values.
    assert sdk.deserialize_properties({"a": dict(marked(SECRET))}) == {"a": SECRET}
