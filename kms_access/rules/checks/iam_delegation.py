"""A key policy lets identity policies give access although a rule forbids that (K43)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.evaluator import Access
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.rules.checks.access_facts import proof_of, when_of
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import change
from kms_access.rules.claims import claim
from kms_access.rules.delegation import delegated
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation
from kms_access.rules.yaml_nodes import Place

_ID = "iam-delegation"
_BY_GRANT_ALONE = "kms:RetireGrant"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for key in situation.access_map.keys:
        forbidding = [
            (rule.rule.name, rule.rule.delegation_forbidden)
            for rule in situation.rules_for(key)
            if rule.answer.truth is Truth.TRUE and rule.rule.delegation_forbidden is not None
        ]
        accesses = delegated(situation, key) if forbidding else ()
        if accesses:
            name, place = forbidding[0]
            yield _finding(key, accesses, name, place, level)


def _finding(
    key: Key, accesses: Sequence[Access], name: str, place: Place, level: Level
) -> Finding:
    actions = [access.action for access in accesses]
    everything = {*actions} >= {*actions_of(key)} - {_BY_GRANT_ALONE}
    what = "every action" if everything else f"{len(actions)} actions"
    if len(actions) == 1:
        what = actions[0]
    return Finding(
        _ID,
        level,
        claim(_ID, f"identity policies can give {what} on key {{key}}", key=key.label),
        key.label,
        key.origin,
        actions=tuple(actions),
        when=when_of(accesses),
        proof=proof_of(accesses),
        details=(f"these are identity policies of account {key.account}",),
        rule=f"{place} '{name}' forbids iam-delegation",
        rule_place=place,
        fix=change("name the principals instead of the account in {place}", accesses)
        + ", or narrow it to the root user by aws:PrincipalArn",
    )


CHECK = Check(_ID, "a key policy delegates to identity policies", Level.ERROR, _find)
