"""An update stops the resource that completes a chain of roles, whichever registers last."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from .harness import ACCOUNT, ROLE, Declared, Pack
from .programs import document, inline, key_for, role

STAFF = f"arn:aws:iam::{ACCOUNT}:saml-provider/staff"
KEY = key_for("payments-api")
STRANGER = role("stranger")


def trusting(principal: dict[str, object], action: str = "sts:AssumeRole") -> Declared:
    trust = document({"Effect": "Allow", "Action": action, "Principal": principal})
    inputs = {"name": "payments-api", "path": "/", "assumeRolePolicy": trust}
    return Declared(ROLE, "payments-api", inputs)


BY_STAFF = trusting({"Federated": STAFF}, "sts:AssumeRoleWithSAML")
BY_ACCOUNT = trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
BY_STRANGER = trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:role/stranger"})
ASSUME = inline("assume", "stranger", action="sts:AssumeRole")


@pytest.fixture(autouse=True)
def update(write_rules: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    write_rules()
    monkeypatch.setenv("PULUMI_DRY_RUN", "false")


@pytest.mark.parametrize(
    ("pieces", "who"),
    [
        ((KEY, BY_STAFF), "federated provider staff"),
        ((KEY, BY_STRANGER, STRANGER), "role stranger"),
        ((KEY, BY_ACCOUNT, STRANGER, ASSUME), "role stranger"),
    ],
    ids=["from outside", "trusted by name", "trusted as the account"],
)
def test_the_piece_that_completes_a_chain_is_stopped(
    pieces: tuple[Declared, ...], who: str
) -> None:
    for order in permutations(pieces):
        pack = Pack()
        told = [violation.message for violation in pack.register(*order)]
        assert any(
            f"error  role-chain  {who} can decrypt with key payments " in text for text in told
        ), [resource.name for resource in order]


def test_a_chain_is_told_once_and_with_its_last_piece() -> None:
    pack = Pack()
    assert pack.register(KEY, STRANGER, ASSUME) == []
    first = pack.register(BY_ACCOUNT)
    assert [v.level for v in first] == ["mandatory"] * len(first)
    assert first != []
    assert pack.register(role("other"), inline("more", "other", action="s3:GetObject")) == []


def test_roles_of_services_complete_nothing() -> None:
    assert Pack().register(KEY, role("payments-api"), STRANGER, ASSUME) == []
