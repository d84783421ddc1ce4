"""Callers of whom no policy speaks have access (K57-K59)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.subjects import SubjectKind
from kms_access.rules.checks.access_facts import WORDS, facts_of, finding_of
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import change
from kms_access.rules.claims import claim
from kms_access.rules.everyone import PUBLIC_ACCESS
from kms_access.rules.findings import Finding
from kms_access.rules.foreign_chains import chain_finding, foreign_chains
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for subject in situation.access_map.subjects:
        if subject.kind is not SubjectKind.EVERYONE:
            continue
        for key in situation.access_map.keys:
            cell = situation.access_map.cell(subject, key)
            for fact in facts_of(access for access in cell if access.state.is_access):
                yield finding_of(
                    PUBLIC_ACCESS,
                    level,
                    fact,
                    claim(
                        PUBLIC_ACCESS,
                        f"everyone can {WORDS[fact.capability]} key {{key}}",
                        key=key.label,
                    ),
                    "built-in: no key is open to callers of any account",
                    change("name the principals in {place}", fact.accesses)
                    + ", or add a condition that fixes the caller, such as aws:PrincipalOrgID or "
                    "kms:CallerAccount",
                )
    for detour in foreign_chains(situation, lambda subject: subject.kind is SubjectKind.EVERYONE):
        yield chain_finding(
            PUBLIC_ACCESS,
            level,
            detour,
            "everyone can use key {key}",
            "built-in: no key is open to callers of any account",
        )


CHECK = Check(PUBLIC_ACCESS, "a key is open to callers of any account", Level.ERROR, _find)
