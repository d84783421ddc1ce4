"""Adoption: rules from `init` start green, and every mutation that widens access is blocked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kms_access.decisions.access_difference import difference
from kms_access.decisions.access_facts import AccessFacts, facts_of_inventory
from kms_access.decisions.access_map import access_map
from kms_access.decisions.reach import Reach
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import identity_of
from kms_access.inventory.model import Inventory
from kms_access.rules import Rules, assess, load_rules
from kms_access.rules.suggested_rules import suggested_rules
from kms_access.rules.suggested_text import suggested_text
from tests.rules.adopted_designs import DESIGNS, Design
from tests.rules.statement_mutations import mutations

ORGANIZATION = Organization("", frozenset({"111122223333"}))
MUTATIONS = {
    f"{name}-{mutation}": (name, mutated)
    for name, design in DESIGNS.items()
    for mutation, mutated in mutations(design)
}


@dataclass(frozen=True)
class Adopted:
    """A design with the rules and the baseline that its team starts with."""

    inventory: Inventory
    rules: Rules
    baseline: AccessFacts


def read(design: Design) -> Inventory:
    with TemporaryDirectory() as folder:
        return design.load(Path(folder))


@cache
def adopted(name: str) -> Adopted:
    inventory = read(DESIGNS[name])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "access-rules.yaml"
        path.write_text(suggested_text(suggested_rules(inventory)), encoding="utf-8")
        rules = load_rules(path)
    return Adopted(inventory, rules, facts_of_inventory(inventory, ORGANIZATION))


@pytest.mark.parametrize("name", DESIGNS)
def test_the_suggested_rules_start_green(name: str) -> None:
    start = adopted(name)
    assert assess(start.inventory, start.rules).exit_code == 0
    with_baseline = assess(start.inventory, start.rules, baseline=start.baseline)
    assert with_baseline.exit_code == 0
    assert start.baseline.held


def test_there_are_many_mutations() -> None:
    assert len(MUTATIONS) >= 200


_OF_THE_OWN_ACCOUNT = ("trust-0-for-the-own-account", "trust-add-the-own-account")
NOT_BLOCKED_BY_RULES_ALONE = {
    "three-keys-CmkA-key-add-enable-iam-for-one-name",
    "payments-Ledger-key-add-enable-iam-for-one-name",
    *(name for name in MUTATIONS if name.endswith(_OF_THE_OWN_ACCOUNT)),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_blocked_or_changes_nothing(name: str) -> None:
    design, mutated = MUTATIONS[name]
    start, inventory = adopted(design), read(mutated)
    step = difference(start.baseline, facts_of_inventory(inventory, ORGANIZATION))
    if step.gained or not step.is_decided:
        assert assess(inventory, start.rules, baseline=start.baseline).blocks
        # Rules alone say nothing of what an account leaves to its own identity policies.
        by_rules = assess(inventory, start.rules).blocks
        assert by_rules is not (name in NOT_BLOCKED_BY_RULES_ALONE)
    else:
        assert nothing_more(design, inventory), step.lost


Cell = tuple[str, str, str]


def nothing_more(name: str, after: Inventory) -> bool:
    """Whether map and reach, looked at without access facts, give nothing that was not there.

    A session has what its role has. Who could rewrite the key policy can obtain everything, and a
    detour to what one has gives nothing.
    """
    cells_before, chains_before = before(name)
    if not cells(after) <= cells_before:
        return False
    held = {cell for cell, *_ in cells_before}
    rewriting = {
        (who, key)
        for who, key, action in held | {c for c, *_ in chains_before}
        if action == "kms:PutKeyPolicy"
    }
    return all(cell in held or cell[:2] in rewriting for cell, *_ in chains(after) - chains_before)


@cache
def before(
    name: str,
) -> tuple[set[tuple[Cell, str, str]], set[tuple[Cell, object, object, object]]]:
    inventory = adopted(name).inventory
    return cells(inventory), chains(inventory)


def cells(inventory: Inventory) -> set[tuple[Cell, str, str]]:
    return {
        ((identity_of(a.subject), a.key.origin.identity, a.action), a.state.value, a.condition)
        for a in access_map(inventory, ORGANIZATION).accesses()
    }


def chains(inventory: Inventory) -> set[tuple[Cell, object, object, object]]:
    facts = access_map(inventory, ORGANIZATION)
    return {
        ((d.subject.identity, d.key.origin.identity, action), d.kinds, d.through, d.state)
        for d in Reach(facts, ORGANIZATION)
        for action in d.actions
    }
