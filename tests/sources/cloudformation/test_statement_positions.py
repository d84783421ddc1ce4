"""The hop of a statement gives the line and column where the template writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.matching import Hit
from kms_access.decisions.proof import Proof
from kms_access.inventory.model import Inventory, Policy
from kms_access.policies.answers import YES
from kms_access.policies.document import ALLOW, Statement
from kms_access.policies.json_text import position_at
from kms_access.sources.cloudformation import load
from tests.sources.cloudformation.definitions import OPEN_CONDITION, document, if_prod, key, may
from tests.sources.cloudformation.statement_position_cases import CASES, Case

_MARK = re.compile("«([^»]*)»")
_WITHOUT_COLUMN = {"Looped"}
"""What a loop makes has the line of the loop only."""


def unmarked(case: Case) -> tuple[str, dict[str, tuple[int, int | None]]]:
    """The template, and line and column of each statement by its name."""
    expected: dict[str, tuple[int, int | None]] = {}
    text = ""
    rest = case.text
    while match := _MARK.search(rest):
        text += rest[: match.start()]
        place = position_at(f"{text}x", len(text))
        for name in match.group(1).split():
            expected[name] = place.line, None if name in _WITHOUT_COLUMN else place.column
        rest = rest[match.end() :]
    return text + rest, expected


def policies_of(inventory: Inventory) -> Iterator[Policy]:
    for one in inventory.keys:
        yield from one.policies
    for identity in inventory.identities:
        yield from (*identity.policies, *identity.boundary, *identity.trust)


def place_of_hop(policy: Policy, statement: Statement | None) -> tuple[int | None, int | None]:
    """The place that a proof by one statement shows."""
    hit = Hit(policy, ALLOW, YES, statement)
    (hop,) = Proof.of(Decision(Verdict.ALLOWED, (hit,))).hops
    assert (hop.origin.identity, hop.origin.file) == (policy.origin.identity, policy.origin.file)
    return hop.origin.line, hop.origin.column


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.suffix[1:]}: {case.name}")
def test_the_hop_of_a_statement_stands_where_it_is_written(case: Case, tmp_path: Path) -> None:
    text, expected = unmarked(case)
    file = tmp_path / f"app{case.suffix}"
    file.write_text(text, encoding="utf-8")
    found: dict[str, tuple[int | None, int | None]] = {}
    for policy in policies_of(load([file])):
        for statement in policy.document.statements:
            name = statement.sid or str(statement.index + 1)
            place = place_of_hop(policy, statement)
            assert found.setdefault(name, place) == place, name
    assert found == expected


def key_policy_of(tmp_path: Path, template: object) -> tuple[str, Policy]:
    """The text of a template, one member on each line, and the policy of its key."""
    text = json.dumps(template, indent=1)
    file = tmp_path / "app.json"
    file.write_text(text, encoding="utf-8")
    (found,) = load([file]).keys
    (policy,) = found.policies
    return text, policy


def line_before(text: str, mark: str) -> int:
    """The line before the only one that holds `mark`: there the object begins."""
    (line,) = (n for n, one in enumerate(text.splitlines()) if mark in one)
    return line


GOOD = {"Sid": "Good", **may("kms:Sign"), "Principal": "*"}
BAD = {"Sid": "Bad", **may("kms:Sign"), "Principal": "*", "Extra": 1}


def test_a_problem_stands_at_its_statement(tmp_path: Path) -> None:
    text, policy = key_policy_of(tmp_path, {"Resources": {"Key": key(GOOD, BAD)}})
    (problem,) = policy.document.problems
    assert policy.origin_of_problem(problem).line == line_before(text, '"Bad"')


def test_a_problem_of_the_whole_document_stands_at_the_document(tmp_path: Path) -> None:
    node = key(GOOD)
    node["Properties"]["KeyPolicy"]["Version"] = "2020"
    text, policy = key_policy_of(tmp_path, {"Resources": {"Key": node}})
    (problem,) = policy.document.problems
    assert policy.origin_of_problem(problem).line == line_before(text, '"Version"')


def test_a_problem_in_one_of_several_documents_stands_at_their_choice(tmp_path: Path) -> None:
    """The problem counts statements in its own document, the policy those of all of them."""
    policies = if_prod(document(GOOD), document(BAD, GOOD))
    node = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policies}}
    text, policy = key_policy_of(tmp_path, {**OPEN_CONDITION, "Resources": {"Key": node}})
    (problem,) = policy.document.problems
    (line,) = (n for n, one in enumerate(text.splitlines(), 1) if '"KeyPolicy"' in one)
    assert policy.origin_of_problem(problem).line == line


def test_a_policy_that_cannot_be_read_stands_where_it_is_written(tmp_path: Path) -> None:
    node = {"Type": "AWS::KMS::Key", "Properties": {"Enabled": True, "KeyPolicy": "no policy"}}
    text, policy = key_policy_of(tmp_path, {"Resources": {"Key": node}})
    assert policy.document.unreadable is not None
    line = line_before(text, '"KeyPolicy"') + 1
    assert place_of_hop(policy, None) == (line, text.splitlines()[line - 1].index('"no') + 1)


def test_a_policy_that_nobody_writes_stands_at_its_resource(tmp_path: Path) -> None:
    text, policy = key_policy_of(tmp_path, {"Resources": {"Key": key()}})
    (statement,) = policy.document.statements
    line = line_before(text, '"Type"')
    assert place_of_hop(policy, statement) == (policy.origin.line, None) == (line, None)


def test_places_make_no_difference_to_what_a_policy_is(tmp_path: Path) -> None:
    _, one = key_policy_of(tmp_path, {"Resources": {"Key": key(GOOD)}})
    _, other = key_policy_of(tmp_path, {"Resources": {"Key": key(GOOD)}, "Outputs": {}})
    assert one.places is not other.places
    assert one == other
    assert hash(one) == hash(other)
