"""Roles with access that outsiders may assume, on keys that no rule is for (K160)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kms_access.decisions.detour import Detour, DetourKind
from kms_access.decisions.subjects import Subject
from kms_access.policies.answers import Truth
from kms_access.rules.chain_claims import chain_claim
from kms_access.rules.chains import counts_as_chain
from kms_access.rules.checks.access_facts import when_open
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation


def foreign_chains(situation: Situation, is_foreign: Callable[[Subject], bool]) -> Iterator[Detour]:
    """The first chain of each such subject to each key; where a rule is, `role-chain` speaks."""
    told: set[tuple[str, str]] = set()
    for detour in situation.detours:
        subject, key = detour.subject, detour.key
        pair = (subject.identity, key.origin.identity)
        if detour.kinds[0] is not DetourKind.ASSUMED_ROLE or pair in told or subject.session:
            continue
        if any(m.answer.truth is Truth.TRUE for m in situation.rules_for(key)):
            continue
        if counts_as_chain(detour) and is_foreign(subject) and situation.gained(detour):
            told.add(pair)
            yield detour


def chain_finding(check: str, level: Level, detour: Detour, words: str, rule: str) -> Finding:
    """The finding about one of them; `words` say what is claimed, as for `chain_claim`."""
    subject, key = detour.subject, detour.key
    told = chain_claim(check, words, words, detour)
    return Finding(
        check,
        level,
        told.claim,
        key.label,
        key.origin,
        subject.label,
        subject.origin,
        subject.identity,
        actions=tuple(sorted(detour.actions)),
        when=when_open(detour.reasons),
        proof=detour.proof,
        details=told.details,
        rule=rule,
        fix=f"narrow whom the trust policy of {detour.through[0]} names, or what that role can do",
    )
