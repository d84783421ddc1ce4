"""What a person reads: whole texts as snapshots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access.decisions.access_map import access_map
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Inventory
from kms_access.reports.access import render_access
from kms_access.reports.table import render_map
from kms_access.reports.text import render
from kms_access.rules import assess, load_rules
from tests.builders import (
    DELEGATION,
    allow,
    deny,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.rules.check_cases import CASES
from tests.rules.test_checks import result_of

SHOWN = (
    "team-access through delegation",
    "team-access through a grant",
    "access under a condition is access",
    "another account beyond its rules",
    "required-access: taken away by a deny",
    "lockout: a deployer of the definitions without the permission",
    "public-access",
    "undecided: a key policy that is not known",
    "undecided: a principal that may be somebody who must not",
    "undecided: something that is not evaluated",
    "invalid-policy",
    "a check that is off",
    "a note about something that cannot touch a key",
    "a team member with what its team may do",
)


@pytest.mark.parametrize("name", SHOWN)
def test_findings(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.chdir(tmp_path)
    assert render(result_of(CASES[name], Path())) == snapshot


KEYS = (
    key("data", DELEGATION, allow(user_arn("bob"), ["kms:Encrypt", "kms:Decrypt"])),
    key("logs", allow({"Service": "logs.eu-central-1.amazonaws.com"}, "kms:*"),
        allow(role_arn("ops"), ["kms:PutKeyPolicy", "kms:GetKeyPolicy"]),
        deny(user_arn("bob"), "kms:*")),
    key("open", allow("*", "kms:Decrypt", Condition={"Bool": {"aws:SecureTransport": "true"}})),
)  # fmt: skip
INVENTORY = Inventory(
    KEYS,
    (
        user("alice", iam("kms:*", KEYS[0].arn)),
        user("bob"),
        role("ops", iam("kms:Describe*"), iam("kms:ScheduleKeyDeletion", effect="Deny")),
    ),
    (grant(KEYS[1], GranteePrincipal=user_arn("alice"), Operations=["Decrypt", "DescribeKey"]),),
)


def test_map(snapshot: SnapshotAssertion) -> None:
    assert render_map(access_map(INVENTORY)) == snapshot


def test_map_without_keys() -> None:
    assert render_map(access_map(Inventory())) == "no KMS key is in the definitions\n"


@pytest.mark.parametrize(
    ("principal", "action", "on"),
    [
        ("alice", "kms:Decrypt", "alias/data"),
        ("alice", "kms:Decrypt", "alias/logs"),
        ("alice", "kms:Encrypt", "alias/logs"),
        ("bob", "kms:Decrypt", "alias/logs"),
        ("ops", "kms:DescribeKey", "alias/data"),
        ("everyone", "kms:Decrypt", "alias/open"),
        ("any other identity of account 111122223333", "kms:Encrypt", "alias/data"),
        ("arn:aws:iam::111122223333:root", "kms:PutKeyPolicy", "alias/data"),
    ],
)
def test_access(principal: str, action: str, on: str, snapshot: SnapshotAssertion) -> None:
    facts = access_map(INVENTORY)
    subject, found = find_subject(facts, principal), find_key(facts, on)
    evaluator = Evaluator(INVENTORY, Organization())
    access = evaluator.access(subject, found, action)
    assert render_access(access, evaluator.notes(subject, found, action)) == snapshot


def test_names_cannot_move_a_terminals_cursor(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("version: 1\nkeys: [{name: all, match: {alias: alias/*}}]\n", encoding="utf-8")
    forged = "data\x1b[2J\nerror  lockout  forged"
    found = key("data", DELEGATION, allow(user_arn("eve"), "kms:Decrypt"))
    inventory = Inventory((replace(found, aliases=(f"alias/{forged}",)),))
    text = render(assess(inventory, load_rules(path))) + render_map(access_map(inventory))
    assert "\x1b" not in text
    assert "alias/data\\u001b[2J\\u000aerror  lockout  forged" in text


def test_the_order_of_definitions_changes_no_text() -> None:
    reordered = Inventory(INVENTORY.keys[::-1], INVENTORY.identities[::-1], INVENTORY.grants)
    assert render_map(access_map(reordered)) == render_map(access_map(INVENTORY))
