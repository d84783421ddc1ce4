"""`kms-access explain` in words: each step, what would have to change, the detours."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access.decisions.access_map import access_map
from kms_access.decisions.decision_steps import StepKind
from kms_access.decisions.explanation import Explanation, explain
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Inventory
from kms_access.policies.answers import Truth, any_of
from kms_access.reports.explanation import render_explanation
from tests.builders import allow, key, role_arn
from tests.reports.explanation_cases import MANAGEMENT, QUESTIONS, Question
from tests.rules.check_cases import CASES
from tests.rules.check_cases_detours import ESCALATION_CASES
from tests.rules.check_cases_powers import POWER_CASES


def explanation_of(question: Question) -> Explanation:
    organization = Organization()
    facts = access_map(question.inventory, organization)
    subject, on = find_subject(facts, question.who), find_key(facts, "alias/data")
    return explain(facts, organization, subject, on, question.action)


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_explanation(name: str, snapshot: SnapshotAssertion) -> None:
    question = QUESTIONS[name]
    explanation = explanation_of(question)
    assert explanation.access.state is question.state
    assert render_explanation(explanation) == snapshot


@pytest.mark.parametrize("name", [name for name, q in QUESTIONS.items() if q.changes])
def test_what_would_have_to_change(name: str) -> None:
    question = QUESTIONS[name]
    text = render_explanation(explanation_of(question))
    told = re.findall(r"^  - (.+)$", text[text.index("\nwhat would have to change") :], re.M)
    assert told == list(question.changes)


def test_every_step_stands_there_in_its_order() -> None:
    for question in QUESTIONS.values():
        text = render_explanation(explanation_of(question))
        titles = re.findall(r"^(\d) (.+)$", text, re.M)
        assert [int(number) for number, _ in titles] == list(range(1, 9))
        assert titles[1][1] == "denies"
        assert titles[-1][1] == "result"


def test_no_name_of_a_definition_moves_the_cursor() -> None:
    hostile = key("data", MANAGEMENT, allow(role_arn("app"), "kms:Decrypt", Sid="Use"))
    hostile = replace(hostile, origin=replace(hostile.origin, label="\x1b[2Jdata\n9 result"))
    text = render_explanation(explanation_of(Question(AccessState.ALLOWED, hostile)))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert not re.search(r"^9 result", text, re.M)


def test_the_steps_and_the_decision_agree() -> None:
    """Over every inventory of the tests of the checks: no step tells another story."""
    for case in {**CASES, **POWER_CASES, **ESCALATION_CASES}.values():
        organization = Organization()
        inventory = Inventory(tuple(case.keys), tuple(case.identities), tuple(case.grants))
        facts = access_map(inventory, organization)
        for subject, on in product(facts.subjects, facts.keys):
            explanation = explain(facts, organization, subject, on, "kms:Decrypt")
            state = explanation.access.state
            denied = explanation.step(StepKind.DENIES).answer.truth
            gives = any_of(
                explanation.step(kind).answer for kind in (StepKind.KEY_POLICY, StepKind.GRANTS)
            ).truth
            if state is AccessState.ALLOWED:
                assert (denied, gives) == (Truth.FALSE, Truth.TRUE)
            elif state is AccessState.EXPLICITLY_DENIED:
                assert denied is not Truth.FALSE
            elif state is AccessState.IMPLICITLY_DENIED:
                assert denied is not Truth.TRUE
                assert re.search(
                    r"by default: steps? [\d, and]+ do", render_explanation(explanation)
                )
