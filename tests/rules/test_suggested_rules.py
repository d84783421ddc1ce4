"""`init`: exact rules from the access of today, in a file that says what a reader has to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access.inventory.model import Identity, Inventory, Key
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.text import Text, Unknown
from kms_access.rules import Rules, assess, load_rules
from kms_access.rules.model import KeyRule, Level, Limit
from kms_access.rules.suggested_rules import Suggestion, suggested_rules
from kms_access.rules.suggested_text import suggested_text
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    ROOT,
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
from tests.decisions.reaching import lets, trust
from tests.rules.adopted_designs import PAYMENTS

CI = role_arn("ci")
MANAGED = (
    allow(ROOT, "kms:PutKeyPolicy", Condition={"ArnEquals": {"aws:PrincipalArn": ROOT["AWS"]}}),
    allow(CI, "kms:PutKeyPolicy"),
)
"""What leaves nothing open about who can manage a key."""


def managed(name: str, *statements: Any, **fields: Any) -> Key:
    return key(name, *MANAGED, *statements, **{"deployers": (CI,), **fields})


def data(*statements: Any, people: Iterable[Identity] = (), **fields: Any) -> Inventory:
    return Inventory((managed("data", *statements),), tuple(people), **fields)


def suggested(inventory: Inventory, folder: Path) -> tuple[Suggestion, Rules, str]:
    suggestion = suggested_rules(inventory)
    text = suggested_text(suggestion)
    path = folder / "access-rules.yaml"
    path.write_text(text, encoding="utf-8")
    return suggestion, load_rules(path), text


def words(limit: Limit) -> str:
    tests = [
        f"when {operator} {name} {' or '.join(values)}"
        for operator, block in limit.when.items()
        for name, values in block.items()
    ]
    return " and ".join([*(f"via {service}" for service in limit.via), *tests])


def allowed(rules: Rules, name: str = "data") -> dict[str, list[str]]:
    (rule,) = (rule for rule in rules.keys if rule.name == name)
    return {
        team: [f"{p.word} {words(p.limit)}" if p.limit else p.word for p in permissions]
        for team, permissions in rule.allow.items()
        if not team.startswith("root") and team != "ci"
    }


VIA = {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
UNKNOWN = Text((Unknown("the parameter Reader"),))
GREEN: dict[str, tuple[Inventory, dict[str, list[str]]]] = {
    "nothing": (data(), {}),
    "whole capabilities": (
        data(allow(user_arn("a"), "kms:*")),
        {"a": ["use", "view", "grant", "administer", "delete"]},
    ),
    "single actions": (
        data(allow(user_arn("a"), ["kms:Decrypt", "kms:PutKeyPolicy", "kms:CreateGrant"])),
        {"a": ["kms:CreateGrant", "kms:Decrypt", "kms:PutKeyPolicy"]},
    ),
    "one service": (
        data(allow(user_arn("a"), "kms:Decrypt", Condition=VIA)),
        {"a": ["kms:Decrypt via s3.eu-central-1.amazonaws.com"]},
    ),
    "with and without a condition": (
        data(
            allow(user_arn("a"), "kms:Decrypt", Condition=VIA), allow(user_arn("a"), "kms:Encrypt")
        ),
        {"a": ["kms:Decrypt via s3.eu-central-1.amazonaws.com", "kms:Encrypt"]},
    ),
    "either condition": (
        data(
            allow(user_arn("a"), "kms:Decrypt", Condition=VIA),
            allow(user_arn("a"), "kms:Decrypt", Condition={"Bool": {"aws:ViaAWSService": "true"}}),
        ),
        {
            "a": [
                "kms:Decrypt when Bool aws:ViaAWSService true",
                "kms:Decrypt via s3.eu-central-1.amazonaws.com",
            ]
        },
    ),
    "unless denied": (
        data(allow(user_arn("a"), "kms:Decrypt"), deny("*", "kms:*", Condition=VIA)),
        {"a": ["kms:Decrypt when StringNotEquals kms:ViaService s3.eu-central-1.amazonaws.com"]},
    ),
    "an alike pair": (
        data(allow([role_arn("pay-api"), role_arn("pay-worker")], "kms:Decrypt")),
        {"pay": ["kms:Decrypt"]},
    ),
    "an unlike pair": (
        data(allow([role_arn("pay-api"), role_arn("billing")], "kms:Decrypt")),
        {"billing": ["kms:Decrypt"], "pay-api": ["kms:Decrypt"]},
    ),
    "a session": (
        data(allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/x/debug", "kms:Decrypt")),
        {"x": ["kms:Decrypt"]},
    ),
    "a service": (
        data(allow({"Service": "sns.amazonaws.com"}, "kms:Decrypt")),
        {"sns": ["kms:Decrypt"]},
    ),
    "another account": (
        data(allow(f"arn:aws:iam::{OTHER}:root", "kms:Decrypt")),
        {f"account-{OTHER}": ["kms:Decrypt"]},
    ),
    "an organization": (
        data(
            allow(
                "*",
                "kms:Decrypt",
                Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
            )
        ),
        {"o-a1b2c3d4e5": ["kms:Decrypt"]},
    ),
    "a grant": (
        replace(
            data(),
            grants=(
                grant(data().keys[0], GranteePrincipal=role_arn("worker"), Operations=["Decrypt"]),
            ),
        ),
        {"worker": ["kms:Decrypt"]},
    ),
    "a role that can be assumed": (
        data(
            allow(role_arn("app"), "kms:Decrypt"),
            people=(role("app", trust=trust(lets(user_arn("alice")))), user("alice")),
        ),
        {"app": ["kms:Decrypt"], "alice": ["kms:Decrypt"]},
    ),
    "a role without a name": (
        data(
            DELEGATION,
            people=(role(Text((Unknown("a name", unique=True),)), iam("kms:Decrypt")),),
        ),
        {"Unnamed": ["kms:Decrypt"]},
    ),
}


@pytest.mark.parametrize("name", GREEN)
def test_the_rules_are_exact_and_pass(name: str, tmp_path: Path) -> None:
    inventory, expected = GREEN[name]
    suggestion, rules, _ = suggested(inventory, tmp_path)
    assessment = assess(inventory, rules)
    assert assessment.exit_code == 0
    assert assessment.findings == suggestion.assessment.findings
    assert allowed(rules) == expected
    assert not suggestion.unnamed


@pytest.mark.parametrize("name", GREEN)
def test_the_file_says_what_was_suggested(name: str, tmp_path: Path) -> None:
    suggestion, rules, _ = suggested(GREEN[name][0], tmp_path)
    assert _shape(rules) == _shape(suggestion.rules)


def _shape(rules: Rules) -> object:
    def of_key(rule: KeyRule) -> object:
        words = {
            team: [(p.word, str(p.limit)) for p in permissions]
            for team, permissions in rule.allow.items()
        }
        forbidden, delegating = rule.delegation_forbidden, rule.delegation_allowed
        return rule.name, rule.match, words, forbidden is None, delegating is None

    teams = {
        name: ([p.text for p in team.principals], team.definitions, team.tags)
        for name, team in rules.teams.items()
    }
    deployers = [pattern.text for pattern in rules.deployers]
    return rules.accounts, deployers, teams, [*map(of_key, rules.keys)], rules.checks


def test_everyone_stays_a_finding(tmp_path: Path) -> None:
    _, rules, text = suggested(data(allow("*", "kms:Decrypt")), tmp_path)
    assert rules.checks["public-access"] is Level.WARNING
    assert "  # today: everyone can decrypt with key alias/data\n  public-access: warning" in text


def test_what_is_undecided_is_named(tmp_path: Path) -> None:
    inventory = data(allow({"AWS": UNKNOWN}, "kms:Decrypt"))
    item = NotCovered(Origin("App/Custom", "Custom", "App"), "a custom resource", True)
    inventory = replace(inventory, not_covered=(item,))
    _, rules, text = suggested(inventory, tmp_path)
    assert rules.checks["undecided"] is Level.WARNING
    findings = [f for f in assess(inventory, rules).findings if f.check == "undecided"]
    assert len(findings) == 2
    flat = " ".join(text.replace("#", " ").split())
    for finding in findings:
        assert f"today: {finding.claim}" in flat
    assert "Undecided is never a pass" in text


def test_what_passes_today_blocks_tomorrow(tmp_path: Path) -> None:
    _, rules, _ = suggested(data(), tmp_path)
    assert rules.checks["self-escalation"] is Level.ERROR
    assert rules.checks["grant-delegation"] is Level.ERROR
    assert "undecided" not in rules.checks
    assert "public-access" not in rules.checks


def test_a_name_that_is_not_known_yet_does_not_hide_others(tmp_path: Path) -> None:
    """The role of that name may be role app: that is undecided, and team-access stays strict."""
    someone = role(Text((Unknown("a name"),)), iam("kms:Decrypt"))
    inventory = data(DELEGATION, allow(role_arn("app"), "kms:Encrypt"), people=(someone,))
    suggestion, rules, _ = suggested(inventory, tmp_path)
    assert suggestion.unnamed == ()
    assert allowed(rules)["app"] == ["kms:Encrypt"]
    assert rules.checks["undecided"] is Level.WARNING
    assert "team-access" not in rules.checks


def test_delegation_is_forbidden_where_there_is_none(tmp_path: Path) -> None:
    inventory = Inventory((managed("data"), managed("open", DELEGATION)))
    _, rules, text = suggested(inventory, tmp_path)
    forbidden = {rule.name: rule.delegation_forbidden is not None for rule in rules.keys}
    assert forbidden == {"data": True, "open": False}
    assert "the key policy lets identity policies give access" in text


def test_a_chain_is_told(tmp_path: Path) -> None:
    _, _, text = suggested(GREEN["a role that can be assumed"][0], tmp_path)
    assert "# also by assuming role app\n      alice: [kms:Decrypt]" in text


def test_what_no_limit_can_say_is_told(tmp_path: Path) -> None:
    inventory = replace(
        data(),
        grants=(
            grant(
                data().keys[0],
                GranteePrincipal=role_arn("worker"),
                Operations=["Decrypt"],
                Constraints={"EncryptionContextEquals": {"a": "b"}},
            ),
        ),
    )
    _, rules, text = suggested(inventory, tmp_path)
    assert allowed(rules)["worker"] == ["kms:Decrypt when StringEquals kms:encryptioncontext:a b"]
    flat = " ".join(text.replace("#", " ").split())
    assert "wider than today, when: the encryption context has only" in flat
    assert "check --baseline watches it" in flat


def test_two_accounts_are_told_apart(tmp_path: Path) -> None:
    other = managed("other", allow(f"arn:aws:iam::{OTHER}:role/x", "kms:Decrypt"))
    there = replace(other, account=OTHER, arn=f"arn:aws:kms:eu-central-1:{OTHER}:key/1234")
    inventory = Inventory((*data(allow(role_arn("x"), "kms:Encrypt")).keys, there))
    _, rules, _ = suggested(inventory, tmp_path)
    assert set(rules.accounts.values()) == {ACCOUNT, OTHER}
    assert allowed(rules) == {"x": ["kms:Encrypt"]} or allowed(rules) == {"x-2": ["kms:Encrypt"]}
    patterns = {p.text for team in rules.teams.values() for p in team.principals}
    assert {role_arn("x"), f"arn:aws:iam::{OTHER}:role/x"} <= patterns


def test_keys_are_matched_one_by_one(tmp_path: Path) -> None:
    """Two keys of one alias in two stacks, and one without an alias."""
    first, second = managed("data"), managed("data")
    there = replace(second, origin=replace(second.origin, identity="B/data", container="B"))
    bare = replace(managed("bare"), aliases=())
    _, rules, _ = suggested(Inventory((first, there, bare)), tmp_path)
    matches = {rule.name: rule.match for rule in rules.keys}
    assert {name: (m.alias, m.path) for name, m in matches.items()} == {
        "bare": (None, "App/bare"),
        "data": (None, "App/data"),
        "data-2": (None, "B/data"),
    }


def test_a_deployer_is_guessed_only_where_one_is_needed(tmp_path: Path) -> None:
    manages = allow(role_arn("deployer"), "kms:PutKeyPolicy")
    _, rules, text = suggested(Inventory((key("data", manages),)), tmp_path)
    assert [pattern.text for pattern in rules.deployers] == ["role/deployer"]
    assert "Guessed" in text
    _, rules, text = suggested(data(manages), tmp_path)
    assert rules.deployers == ()
    assert "# deployers: [role/NAME]" in text


HOSTILE = (
    "a\nkeys: []",
    "# x",
    "x: y",
    "- a",
    'quo"te',
    "null",
    "yes",
    "{a}",
    "[a, b]",
    "é\u2028x",
    "&a",
    "*a",
    "!a",
    "012345678901",
)


@pytest.mark.parametrize("label", HOSTILE)
def test_no_name_can_change_the_file(label: str, tmp_path: Path) -> None:
    plain = data(allow({"AWS": UNKNOWN}, "kms:Decrypt"))
    (one,) = plain.keys
    odd = replace(one, aliases=(), origin=replace(one.origin, label=label, identity=f"App/{label}"))
    named = Text((Unknown("a name", unique=True),))
    someone = role(named, iam("kms:Decrypt"))
    someone = replace(
        someone, origin=replace(someone.origin, label=label, identity=f"App/R{label}")
    )
    delegating = managed("open", DELEGATION)
    suggestion, rules, _ = suggested(Inventory((odd, delegating), (someone,)), tmp_path)
    assert _shape(rules) == _shape(suggestion.rules)
    assert label in {rule.name for rule in rules.keys}


def test_the_file_of_the_payments_platform(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert suggested(PAYMENTS.load(tmp_path), tmp_path)[2] == snapshot
