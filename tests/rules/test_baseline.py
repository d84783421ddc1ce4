"""A baseline: what stood before is known, and what is new or undecided blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kms_access.decisions.access_facts import AccessFacts, facts_of_inventory
from kms_access.decisions.saved_map import load_saved_map, saved
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Identity, Inventory
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.text import Text, Unknown
from kms_access.rules import Assessment, Finding, Level, assess, load_rules
from kms_access.rules.baseline import Baseline
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    allow,
    deny,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import lets, trust

RULES = f"""\
version: 1
accounts: {{main: "{ACCOUNT}"}}
deployers: [role/deployer]
teams:
  app: {{principals: [role/app-*]}}
keys:
  - name: data
    match: {{alias: alias/data}}
    allow: {{app: [decrypt]}}
"""
MANAGED = allow(role_arn("deployer"), "kms:PutKeyPolicy")
PEOPLE = (role("app-reader"), role("deployer", iam("sts:*")), user("alice"))


def data(*statements: Any, people: Iterable[Identity] = PEOPLE) -> Inventory:
    return Inventory((key("data", MANAGED, *statements),), tuple(people))


def facts(inventory: Inventory) -> AccessFacts:
    return facts_of_inventory(inventory, Organization("", frozenset({ACCOUNT})))


def checked(
    inventory: Inventory, baseline: Inventory | None, folder: Path, rules: str = RULES
) -> Assessment:
    path = folder / "rules.yaml"
    path.write_text(rules, encoding="utf-8")
    saved_facts = facts(baseline) if baseline is not None else None
    return assess(inventory, load_rules(path), baseline=saved_facts)


def errors(assessment: Assessment) -> list[str]:
    return [f"{f.check}: {f.claim}" for f in assessment.findings if f.level is Level.ERROR]


def known(assessment: Assessment) -> set[str]:
    return {finding.check for finding in assessment.known}


ALICE = allow(user_arn("alice"), "kms:Decrypt")
_CHAINED = data(
    allow(role_arn("app-y"), "kms:Decrypt"),
    people=(*PEOPLE, role("app-y", trust=trust(lets(user_arn("alice"))))),
)
STANDING: dict[str, tuple[str, Inventory]] = {
    "team-access": ("team-access", data(ALICE)),
    "public-access": ("public-access", data(allow("*", "kms:Decrypt"))),
    "external-account": (
        "external-account",
        data(allow(f"arn:aws:iam::{OTHER}:root", "kms:Decrypt")),
    ),
    "grant-delegation": ("grant-delegation", data(allow(user_arn("alice"), "kms:CreateGrant"))),
    "role-chain": ("role-chain", _CHAINED),
    "confused-deputy": (
        "confused-deputy",
        data(allow({"Service": "s3.amazonaws.com"}, "kms:Decrypt")),
    ),
    "lockout": ("lockout", Inventory((key("data", ALICE),), PEOPLE)),
}


@pytest.mark.parametrize("name", STANDING)
def test_what_stands_in_the_baseline_is_known(name: str, tmp_path: Path) -> None:
    check, inventory = STANDING[name]
    without = checked(inventory, None, tmp_path)
    assert check in {finding.check for finding in without.findings}
    assert without.known == ()
    within = checked(inventory, inventory, tmp_path)
    assert check in known(within)
    assert check not in {finding.check for finding in within.findings}
    assert within.exit_code == 0


@pytest.mark.parametrize("name", [name for name in STANDING if name != "lockout"])
def test_it_blocks_where_the_baseline_is_another(name: str, tmp_path: Path) -> None:
    check, inventory = STANDING[name]
    before = data(allow(role_arn("app-reader"), "kms:Decrypt"))
    within = checked(inventory, before, tmp_path)
    assert check in {finding.check for finding in within.findings}
    assert within.blocks


def test_a_lockout_that_is_new_blocks(tmp_path: Path) -> None:
    _, locked = STANDING["lockout"]
    within = checked(locked, data(ALICE), tmp_path)
    assert any(error.startswith("lockout") for error in errors(within))


NEW: dict[str, tuple[Inventory, Inventory, str]] = {
    "a wider capability": (
        data(ALICE),
        data(allow(user_arn("alice"), "kms:*")),
        "team-access: user alice can encrypt with key alias/data",
    ),
    "another principal": (
        data(ALICE),
        data(ALICE, allow(user_arn("bob"), "kms:Decrypt")),
        "team-access: user bob can decrypt with key alias/data",
    ),
    "a weaker condition": (
        data(
            allow(
                user_arn("alice"), "kms:Decrypt", Condition={"Bool": {"aws:ViaAWSService": "true"}}
            )
        ),
        data(ALICE),
        "team-access: user alice can decrypt with key alias/data",
    ),
    "another key": (
        data(ALICE),
        Inventory((*data(ALICE).keys, key("other", MANAGED, ALICE)), PEOPLE),
        "new-access: user alice can decrypt with key alias/other",
    ),
    "identity policies": (
        data(),
        data(DELEGATION),
        "new-access: any other identity of the account can decrypt with key alias/data",
    ),
    "identity policies for one identity": (
        data(),
        data(
            allow(
                f"arn:aws:iam::{ACCOUNT}:root",
                "kms:Decrypt",
                Condition={"ArnEquals": {"aws:PrincipalArn": user_arn("alice")}},
            )
        ),
        f"new-access: identity policies of account {ACCOUNT} can give decrypt on key alias/data",
    ),
    "a detour": (
        data(allow(role_arn("app-y"), "kms:Decrypt"), people=(*PEOPLE, role("app-y"))),
        _CHAINED,
        "role-chain: user alice can decrypt with key alias/data by assuming role app-y",
    ),
}


@pytest.mark.parametrize("name", NEW)
def test_new_access_blocks(name: str, tmp_path: Path) -> None:
    before, after, error = NEW[name]
    assert checked(before, before, tmp_path).exit_code == 0
    assert error in errors(checked(after, before, tmp_path))


def test_what_a_rule_allows_is_no_new_access(tmp_path: Path) -> None:
    after = data(allow(role_arn("app-writer"), "kms:Decrypt"))
    assert errors(checked(after, data(), tmp_path)) == []


def test_what_a_rule_allows_beyond_its_limit_is_new_access(tmp_path: Path) -> None:
    rules = RULES.replace("[decrypt]", "[{decrypt: {via: [s3]}}]")
    limited = {"StringLike": {"kms:ViaService": "s3.*"}}
    within = data(allow(role_arn("app-x"), "kms:Decrypt", Condition=limited))
    beyond = data(allow(role_arn("app-x"), "kms:Decrypt"))
    assert errors(checked(within, data(), tmp_path, rules)) == []
    assert checked(beyond, data(), tmp_path, rules).blocks


def test_a_rule_that_allows_delegation_allows_it_to_begin(tmp_path: Path) -> None:
    rules = RULES + "    iam-delegation: allowed\n"
    found = errors(checked(data(DELEGATION), data(), tmp_path, rules))
    assert not any("identity policies" in error for error in found)


def test_new_access_without_any_rule(tmp_path: Path) -> None:
    rules = f'version: 1\naccounts: {{main: "{ACCOUNT}"}}\ndeployers: [role/deployer]\n'
    after = data(ALICE)
    assert errors(checked(after, after, tmp_path, rules)) == []
    assert errors(checked(after, data(), tmp_path, rules)) == [
        "new-access: user alice can decrypt with key alias/data"
    ]


def test_what_one_can_give_oneself_is_new_access(tmp_path: Path) -> None:
    """Also where the check that tells it only warns."""
    rules = f'version: 1\naccounts: {{main: "{ACCOUNT}"}}\ndeployers: [role/deployer]\n'
    before, after = (
        data(DELEGATION, people=(*PEOPLE, user("bob", iam(actions))))
        for actions in ("s3:*", "iam:PutUserPolicy")
    )
    found = errors(checked(after, before, tmp_path, rules))
    assert "new-access: user bob can decrypt with key alias/data by writing identity policies" in (
        found
    )


def test_who_may_change_the_key_policy_can_obtain_the_rest(tmp_path: Path) -> None:
    rules = RULES.replace("[decrypt]", "[administer]")
    after = data(allow(role_arn("app-admin"), "kms:PutKeyPolicy"))
    assert facts(after).held.keys() - facts(data()).held.keys()
    assert errors(checked(after, data(), tmp_path, rules)) == []


@pytest.mark.parametrize("check", ["undecided", "invalid-policy"])
def test_these_checks_are_never_known(check: str) -> None:
    now = facts(data(ALICE))
    origin = key("data").origin
    finding = Finding(
        "team-access",
        Level.ERROR,
        "user alice can decrypt",
        "alias/data",
        origin,
        principal_identity="App/alice",
        actions=("kms:Decrypt",),
    )
    baseline = Baseline(now, now)
    assert baseline.holds(finding)
    assert not baseline.holds(replace(finding, check=check))
    assert not baseline.holds(replace(finding, principal_identity="App/zoe"))
    assert not baseline.holds(replace(finding, key_origin=None))
    assert not baseline.holds(replace(finding, key_origin=replace(origin, identity="App/other")))


def test_new_access_that_another_finding_tells_is_told_once(tmp_path: Path) -> None:
    found = checked(data(ALICE), data(), tmp_path).findings
    assert [f.check for f in found if f.principal == "user alice"] == ["team-access"]


def test_the_level_of_new_access(tmp_path: Path) -> None:
    rules = RULES + "checks: {new-access: "
    after = data(DELEGATION)
    assert checked(after, data(), tmp_path, RULES).exit_code == 1
    warned = checked(after, data(), tmp_path, f'{rules}"warning"}}\n')
    assert warned.exit_code == 0
    assert "new-access" in {finding.check for finding in warned.findings}
    off = checked(after, data(), tmp_path, f'{rules}"off"}}\n')
    assert "new-access" not in {finding.check for finding in off.findings}
    assert off.silenced >= 1


def test_new_access_has_a_proof_and_a_fix(tmp_path: Path) -> None:
    (finding,) = (
        f
        for f in checked(data(DELEGATION), data(), tmp_path).findings
        if f.check == "new-access" and f.capability == "decrypt" and "other" in f.principal
    )
    assert finding.proof.hops[0].text == (
        f"key policy, statement 2, lets account {ACCOUNT} delegate kms:*"
    )
    assert "kms-access map --output" in finding.fix
    assert finding.actions


UNKNOWN = Text((Unknown("the parameter Reader"),))


def test_what_is_undecided_cannot_be_baselined(tmp_path: Path) -> None:
    open_ = data(allow({"AWS": UNKNOWN}, "kms:Decrypt"))
    assert checked(open_, open_, tmp_path).exit_code == 3
    item = NotCovered(Origin("App/Custom", "Custom", "App"), "a custom resource", True)
    uncovered = replace(data(), not_covered=(item,))
    assert checked(uncovered, uncovered, tmp_path).exit_code == 3


def test_a_document_that_aws_refuses_cannot_be_baselined(tmp_path: Path) -> None:
    refused = data({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"})
    found = checked(refused, refused, tmp_path)
    assert any(error.startswith("invalid-policy") for error in errors(found))


def test_a_deny_that_was_dropped_is_new_access(tmp_path: Path) -> None:
    before = data(ALICE, deny(user_arn("alice"), "kms:Decrypt"))
    assert "team-access: user alice can decrypt with key alias/data" in errors(
        checked(data(ALICE), before, tmp_path)
    )


def test_a_saved_baseline_is_as_good_as_a_live_one(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    for before, after, _ in NEW.values():
        path.write_text(saved(facts(before)), encoding="utf-8")
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULES, encoding="utf-8")
        kept = assess(after, load_rules(rules), baseline=load_saved_map(path))
        live = checked(after, before, tmp_path)
        assert (errors(kept), known(kept)) == (errors(live), known(live))
