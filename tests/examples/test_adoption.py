"""Adoption of the examples: `init` starts green, and no change of a policy or grant slips through.

The states are those after an update by the small engine.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from kms_access.decisions.access_difference import difference
from kms_access.decisions.access_facts import facts_of_inventory
from kms_access.decisions.access_map import access_map
from kms_access.decisions.reach import Reach
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Inventory
from kms_access.rules import Rules, assess, load_rules
from kms_access.rules.suggested_rules import Suggestion, suggested_rules
from kms_access.rules.suggested_text import suggested_text
from kms_access.sources import load
from tests.builders import ACCOUNT, allow, iam, role_arn
from tests.small_engine import Engine

EXAMPLES = Path(__file__).parents[2] / "examples"
FORMS = [
    (name, stack)
    for name in ("three_keys_four_users", "payments_platform")
    for stack in ("clean", "broken")
]
ORGANIZATION = Organization("", frozenset({ACCOUNT}))
Json = Any


@cache
def state_of(example: str, stack: str) -> Json:
    outcome = Engine(program=EXAMPLES / example, stack=stack).up(skip_preview=True)
    assert outcome.error == ""
    return outcome.state


def read(state: Json) -> Inventory:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.json"
        path.write_text(json.dumps(state), encoding="utf-8")
        return load([path])


def loaded(suggestion: Suggestion) -> Rules:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "access-rules.yaml"
        path.write_text(suggested_text(suggestion), encoding="utf-8")
        return load_rules(path)


@pytest.mark.parametrize(("example", "stack"), FORMS)
def test_the_suggested_rules_start_green(example: str, stack: str) -> None:
    inventory = read(state_of(example, stack))
    suggestion = suggested_rules(inventory)
    assessment = assess(inventory, loaded(suggestion))
    assert assessment.exit_code == 0
    assert assessment.findings == suggestion.assessment.findings
    assert {finding.check for finding in assessment.findings} <= {"lockout", "undecided"}
    assert suggestion.unnamed == ()
    assert assessment.keys_without_rule == ()


def test_the_broken_example_is_blocked_by_the_rules_of_the_clean_one() -> None:
    for example in ("three_keys_four_users", "payments_platform"):
        rules = loaded(suggested_rules(read(state_of(example, "clean"))))
        assert assess(read(state_of(example, "broken")), rules).exit_code == 1


INTRUDER = role_arn("intruder")
DOCUMENTS = {
    "aws:kms/key:Key": ("policy", allow(INTRUDER, "kms:Decrypt")),
    "aws:iam/rolePolicy:RolePolicy": ("policy", iam("kms:*")),
    "aws:iam/role:Role": (
        "assumeRolePolicy",
        {"Effect": "Allow", "Principal": {"AWS": INTRUDER}, "Action": "sts:AssumeRole"},
    ),
}
GRANT_CHANGES: dict[str, Json] = {
    "another grantee": {"granteePrincipal": INTRUDER},
    "another operation": {"operations": ["Decrypt", "DescribeKey", "Encrypt"]},
    "no constraints": {"constraints": []},
    "other constraints": {"constraints": [{"encryptionContextSubset": {"service": "cards"}}]},
}


def changed(state: Json, index: int, fields: Json) -> Json:
    """The state in which one resource has other inputs and outputs."""
    other = copy.deepcopy(state)
    resource = other["deployment"]["resources"][index]
    for side in ("inputs", "outputs"):
        resource[side] = {**resource[side], **fields}
    return other


def mutations(state: Json) -> Iterator[tuple[str, Json]]:
    for index, resource in enumerate(state["deployment"]["resources"]):
        name = resource["urn"].rpartition("::")[2]
        if resource["type"] == "aws:kms/grant:Grant":
            for what, fields in GRANT_CHANGES.items():
                yield f"{name}: {what}", changed(state, index, fields)
            yield f"{name}: a second grant", with_second_grant(state, resource)
        if resource["type"] not in DOCUMENTS:
            continue
        field, added = DOCUMENTS[resource["type"]]
        statements = json.loads(resource["inputs"][field])["Statement"]
        more = [*statements, added]
        yield f"{name}: {field} adds", changed(state, index, {field: document(more)})
        for place, statement in enumerate(statements):
            for what, wider in (
                ("no condition", {k: v for k, v in statement.items() if k != "Condition"}),
                ("every action", {**statement, "Action": "kms:*"}),
            ):
                if wider != statement and (field == "policy" or "Condition" in statement):
                    others = [*statements[:place], wider, *statements[place + 1 :]]
                    text = document(others)
                    yield f"{name}: {place} {what}", changed(state, index, {field: text})


def document(statements: list[Json]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def with_second_grant(state: Json, resource: Json) -> Json:
    other = copy.deepcopy(state)
    second = copy.deepcopy(resource)
    second["urn"] += "-2"
    second["id"] += "-2"
    for side in ("inputs", "outputs"):
        second[side] |= {"granteePrincipal": INTRUDER, "name": "second"}
    other["deployment"]["resources"].append(second)
    return other


def test_no_change_of_the_payments_platform_slips_through() -> None:
    state = state_of("payments_platform", "clean")
    inventory = read(state)
    rules, baseline = (
        loaded(suggested_rules(inventory)),
        facts_of_inventory(inventory, ORGANIZATION),
    )
    names = []
    for name, mutated in mutations(state):
        names.append(name)
        after = read(mutated)
        step = difference(baseline, facts_of_inventory(after, ORGANIZATION))
        blocks = assess(after, rules, baseline=baseline).blocks
        is_more = bool(step.gained) or not step.is_decided
        assert blocks is is_more, name
        assert is_more is (name not in CHANGES_NOTHING), name
        if not is_more:
            assert cells(after) == cells(inventory), name
    assert len(names) >= 45
    assert set(names) >= CHANGES_NOTHING


CHANGES_NOTHING = {
    "ledger: 0 every action",
    "data-reporting: 0 every action",
    "payments-api: 1 no condition",
    "security-admin: 0 no condition",
}
"""The ledger allows all actions already, and no other key leaves anything to these policies."""


def cells(inventory: Inventory) -> set[tuple[object, ...]]:
    """The access map and the reach, looked at without access facts."""
    facts = access_map(inventory, ORGANIZATION)
    direct = {
        (a.subject.identity, a.key.origin.identity, a.action, a.state, a.condition)
        for a in facts.accesses()
    }
    chains = {
        (d.subject.identity, d.key.origin.identity, d.kinds, d.through, d.actions, d.state)
        for d in Reach(facts, ORGANIZATION)
    }
    return {*direct, *chains}
