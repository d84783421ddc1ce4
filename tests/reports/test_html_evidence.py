"""The page decides alike cells once: it shows what asking each question alone gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from benchmarks.inventories import inventory
from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.action_masks import names_in
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.key_coverage import bits
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import SERVICE_CONTROL_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.reports.html_cells import KeyHop
from kms_access.reports.html_evidence import CellEvidence
from tests.builders import DELEGATION, allow, document, iam, key, role, user, user_arn
from tests.decisions.test_bulk import ORGANIZATION, inventories

_OPEN = (AccessState.UNDECIDED, AccessState.DELEGATED)


def shown(facts: AccessMap) -> dict[tuple[str, str, str], object]:
    """All that the evidence says, by subject, key and action; nothing may stand there twice."""
    evidence = CellEvidence(facts)
    found: dict[tuple[str, str, str], object] = {}
    for subject in facts.subjects:
        for view, keys in evidence.row(subject):
            for place in bits(keys):
                for one in view:
                    hops = tuple(
                        evidence.key_hop(hop, place) if isinstance(hop, KeyHop) else hop
                        for hop in one.hops
                    )
                    said = (one.state, hops, one.condition, one.example, one.reasons)
                    for action in names_in(one.actions):
                        name = (subject.identity, facts.keys[place].origin.identity, action)
                        assert name not in found
                        found[name] = said
    return found


def asked(facts: AccessMap) -> dict[tuple[str, str, str], object]:
    """The same by asking each question alone."""
    alone = Evaluator(facts.inventory, ORGANIZATION)
    found: dict[tuple[str, str, str], object] = {}
    for subject in facts.subjects:
        for each in facts.keys:
            for action in facts.states(subject, each):
                answer = alone.resolution(subject, each, action)
                decision = answer.decision
                reasons = dict.fromkeys(reason.text for reason in decision.reasons)
                said = (
                    *(answer.state, Proof.of(decision).hops),
                    *(answer.condition, answer.example),
                    tuple(reasons) if answer.state in _OPEN else (),
                )
                found[subject.identity, each.origin.identity, action] = said
    return found


# One example asks hundreds of questions: a third of the usual number.
@settings(max_examples=settings().max_examples // 3)
@given(inventories())
def test_the_evidence_is_that_of_single_questions(inventory: Inventory) -> None:
    facts = access_map(inventory, ORGANIZATION)
    assert shown(facts) == asked(facts)


VIA = {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
MFA = {"aws:MultiFactorAuthPresent": "true"}
SAME = (
    DELEGATION,
    allow("*", "kms:Sign", Condition={"StringEquals": {"kms:CallerAccount": "111122223333"}}),
)


def alike() -> Inventory:
    """Cells that are alike, and beside each kind of them one that is not."""
    keys = tuple(
        key(name, *({**statement, "Sid": f"{name}{n}"} for n, statement in enumerate(statements)))
        for name, statements in {
            "a": SAME,
            "b": SAME,
            "named": (allow([user_arn("u1"), user_arn("u2")], "kms:Encrypt"), *SAME),
            "tagged": SAME,
            "other": (DELEGATION, allow(user_arn("u1"), "kms:*", Condition=VIA)),
        }.items()
    )
    keys = (*keys[:3], replace(keys[3], tags={"team": "pay"}), keys[4])
    # The same states, by other statements and under other conditions.
    each_by_its_own = [iam("kms:Decrypt", str(one.arn)) for one in keys[:2]]
    more_for_one = {"StringEquals": {"aws:username": "w1"}, "Bool": MFA}
    untagged = {"StringNotEquals": {"aws:ResourceTag/team": "pay"}}
    tagged = {"StringEquals": {"aws:ResourceTag/team": "pay"}}
    people = [
        *(user(f"u{n}", iam("s3:*"), iam("kms:Decrypt")) for n in range(4)),
        *(role(f"r{n}", iam("kms:De*"), iam("kms:Encrypt", Condition=VIA)) for n in range(4)),
        *(role(f"t{n}", iam("kms:Decrypt", Condition=tagged)) for n in range(2)),
        role("own", *each_by_its_own),
        role("any", *(iam("kms:Decrypt", Condition=tags) for tags in (tagged, untagged))),
        *(
            user(f"w{n}", iam("kms:De*", Condition=VIA), iam("kms:De*", Condition=more_for_one))
            for n in range(2)
        ),
        role("half", iam("kms:Decrypt", str(keys[0].arn)), iam("kms:Encrypt", str(keys[1].arn))),
        role("kept", iam("kms:*"), iam("kms:Decrypt", effect="Deny"), boundary=(iam("kms:*"),)),
    ]
    limit = parse_policy(document(iam("*")), SERVICE_CONTROL_POLICY)
    level = (Policy("service control policy", limit, Origin("scp")),)
    return Inventory(keys, tuple(people), service_control=(level,))


@pytest.mark.parametrize("made", [alike(), inventory(12, 40)], ids=["alike", "benchmark"])
def test_alike_cells_show_their_own_statements(made: Inventory) -> None:
    facts = access_map(made, ORGANIZATION)
    assert shown(facts) == asked(facts)


def test_alike_cells_are_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the principals and keys cost no further decision where nothing tells them apart."""
    counted = 0
    whole = Evaluator.resolve

    def resolve(self: Evaluator, *question: object) -> object:
        nonlocal counted
        counted += 1
        return whole(self, *question)  # type: ignore[arg-type]

    def decisions(size: int) -> int:
        nonlocal counted
        keys = tuple(key(f"k{n}", DELEGATION) for n in range(size))
        people = tuple(role(f"r{n}", iam(["kms:Decrypt", "kms:Encrypt"])) for n in range(size))
        facts = access_map(Inventory(keys, people))
        counted = 0
        monkeypatch.setattr(Evaluator, "resolve", resolve)
        assert len(shown(facts)) >= 2 * size * size
        monkeypatch.undo()
        return counted

    assert decisions(30) == decisions(3)
