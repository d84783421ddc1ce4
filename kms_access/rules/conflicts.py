"""Rules for one key that contradict each other."""

from __future__ import annotations

from kms_access.policies.answers import Truth
from kms_access.rules.situation import Situation


def refuse_conflicts(situation: Situation) -> None:
    """Raise `RulesError` where one rule allows IAM delegation for a key and another forbids it."""
    for key in situation.access_map.keys:
        rules = [m.rule for m in situation.rules_for(key) if m.answer.truth is Truth.TRUE]
        allowing = next((rule for rule in rules if rule.delegation_allowed is not None), None)
        forbidding = next((rule for rule in rules if rule.delegation_forbidden is not None), None)
        if allowing is None or forbidding is None:
            continue
        place, other = forbidding.delegation_forbidden, allowing.delegation_allowed
        assert place is not None
        raise place.error(
            f'"{forbidding.name}" forbids iam-delegation for key {key.label}, and '
            f'"{allowing.name}" allows it at {other}',
            "let only one of the rules that match this key say whether IAM may give access",
        )
