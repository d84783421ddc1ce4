"""A principal gets, by way of roles, what the rule for a key does not allow it (K160, K161)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.policies.answers import Truth
from kms_access.rules.chain_claims import chain_claim
from kms_access.rules.chains import Chain, role_chains
from kms_access.rules.checks.access_facts import WORDS, capabilities_of, when_open
from kms_access.rules.checks.interface import Check
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "role-chain"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    told: set[tuple[str, str, str]] = set()
    for chain in role_chains(situation):
        for capability in capabilities_of(chain.forbidden):
            detour = chain.detour
            fact = (detour.subject.identity, detour.key.origin.identity, capability)
            if fact not in told:
                told.add(fact)
                yield _finding(situation, chain, capability, level)


def _finding(situation: Situation, chain: Chain, capability: str, level: Level) -> Finding:
    detour = chain.detour
    subject, key = detour.subject, detour.key
    rules = [m.rule for m in situation.rules_for(key) if m.answer.truth is Truth.TRUE]
    names = ", ".join(f"'{rule.name}'" for rule in rules)
    actions = [a for a in sorted(chain.forbidden) if capabilities_of([a]) == [capability]]
    first = detour.through[0]
    words = f"{{who}} can {WORDS[capability]} key {{key}}"
    told = chain_claim(_ID, words, f"{{who}} gets {capability} on key {{key}} by a role", detour)
    return Finding(
        _ID,
        level,
        told.claim,
        key.label,
        key.origin,
        subject.label,
        subject.origin,
        subject.identity,
        capability,
        tuple(actions),
        when_open(detour.reasons),
        detour.proof,
        told.details,
        rule=f"{rules[0].place} {names} does not allow {capability} to {subject.label}",
        rule_place=rules[0].place,
        fix=f"do not let {subject.label} act as {first}, or allow {capability} to "
        f"{subject.label} there",
    )


CHECK = Check(_ID, "a principal gets access by roles that no rule allows it", Level.ERROR, _find)
