"""Questions to the map."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.evaluator import Access
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.queries import can, what_can, who_can
from kms_access.inventory.actions import expand_capability
from kms_access.inventory.model import Inventory
from tests.builders import DELEGATION, allow, deny, iam, key, role, role_arn, user

S3 = {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}}


def facts(*statements: Any, reader: Any = "kms:Decrypt") -> AccessMap:
    return access_map(
        Inventory(
            (key("data", DELEGATION, *statements), key("other", DELEGATION)),
            (role("reader", iam(reader)), user("alice")),
        )
    )


def shown(accesses: tuple[Access, ...]) -> list[tuple[str, str, str]]:
    return [(a.subject.label, a.action.removeprefix("kms:"), a.state.value) for a in accesses]


def test_one_question() -> None:
    found = facts()
    subject, on = find_subject(found, "role reader"), find_key(found, "alias/data")
    assert can(found, subject, "kms:Decrypt", on).state.value == "allowed"
    assert can(found, subject, "kms:Encrypt", on).state.value == "denied by default"


def test_who_can_do_an_action_in_any_case() -> None:
    found = facts(allow(role_arn("app"), "kms:Encrypt", **S3))
    on = find_key(found, "alias/data")
    assert shown(who_can(found, "KMS:ENCRYPT", on)) == [
        ("role app", "Encrypt", "allowed under a condition"),
        ("any other identity of account 111122223333", "Encrypt", "delegated"),
    ]


def test_who_can_use_means_every_action_of_the_capability() -> None:
    found = facts(allow(role_arn("app"), "kms:*"))
    actions = {a.action for a in who_can(found, "use", find_key(found, "alias/data"))}
    assert actions <= expand_capability("use")
    assert {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"} <= actions


WITH_THE_PUBLIC_KEY = {
    ("encrypt", "RSA_2048", "ENCRYPT_DECRYPT"): True,
    ("use", "RSA_2048", "ENCRYPT_DECRYPT"): True,
    ("decrypt", "RSA_2048", "ENCRYPT_DECRYPT"): False,
    ("encrypt", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): False,
    ("encrypt", "ML_KEM_768", "ENCAPSULATE_DECAPSULATE"): True,
    ("verify", "RSA_2048", "SIGN_VERIFY"): True,
    ("sign", "RSA_2048", "SIGN_VERIFY"): False,
    ("derive", "ECC_NIST_P256", "KEY_AGREEMENT"): False,
    ("use", "ECC_NIST_P256", "KEY_AGREEMENT"): False,
    ("encrypt", "RSA_2048", None): True,
    ("verify", None, None): True,
    ("sign", None, None): False,
}


@pytest.mark.parametrize(("what", "spec", "usage"), WITH_THE_PUBLIC_KEY)
def test_the_public_key_is_enough_to_encrypt_and_to_verify(
    what: str, spec: str | None, usage: str | None
) -> None:
    """K122: outside KMS, and only where the kind of key makes it of use."""
    on = key("data", allow(role_arn("reader"), "kms:GetPublicKey"), spec=spec, usage=usage)
    found = access_map(Inventory((on,), (role("reader"),)))
    actions = [access.action for access in who_can(found, what, on)]
    expected = WITH_THE_PUBLIC_KEY[what, spec, usage]
    assert actions == (["kms:GetPublicKey"] if expected else [])


def test_a_denied_access_is_no_answer() -> None:
    found = facts(deny(role_arn("reader"), "kms:Decrypt"))
    on = find_key(found, "alias/data")
    assert "role reader" not in [a.subject.label for a in who_can(found, "kms:Decrypt", on)]


def test_what_one_subject_can_do() -> None:
    found = facts(deny(role_arn("reader"), "kms:Decrypt"))
    reader = find_subject(found, "role reader")
    assert [(a.key.label, a.action) for a in what_can(found, reader)] == [
        ("alias/other", "kms:Decrypt")
    ]
    assert what_can(found, find_subject(found, "user alice")) == ()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("kms:Decript", 'unknown action or capability "kms:Decript", did you mean "kms:Decrypt"?'),
        ("everything", 'unknown action or capability "everything", capabilities are view, encrypt'),
    ],
)
def test_an_unknown_word_is_refused(word: str, message: str) -> None:
    found = facts()
    with pytest.raises(ValueError, match="unknown action or capability") as caught:
        who_can(found, word, found.keys[0])
    assert str(caught.value).startswith(message)
