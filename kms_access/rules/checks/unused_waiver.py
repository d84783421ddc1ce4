"""A waiver that excuses nothing here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_access.rules.checks.access_facts import capabilities_of
from kms_access.rules.checks.interface import Check
from kms_access.rules.claims import left_out_of, waiver_claim
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation
from kms_access.rules.waivers import Waivers

_ID = "unused-waiver"
_SHOWN = 3


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    waivers = Waivers(situation)
    for waiver in waivers.holding:
        if not any(waivers.accepts(waiver, finding) for finding in situation.judged):
            near = [
                finding
                for finding in situation.judged
                if finding.check == waiver.check and waivers.names_key(waiver, finding)
            ]
            said = waiver_claim(_ID, waiver, "matches no finding")
            yield Finding(
                _ID,
                level,
                said,
                waiver.key,
                details=(*left_out_of(said, waiver), *_described(near)),
                rule=f"{waiver.place} a waiver names a finding",
                rule_place=waiver.place,
                fix="remove it, or write key, principal and capabilities as the finding has them",
                fact=waiver.identity,
            )


def _described(near: Iterable[Finding]) -> Iterator[str]:
    """What would have to be written to accept findings of the check about the key."""
    for finding in list(near)[:_SHOWN]:
        words = [f"principal: {finding.principal}"] if finding.principal else []
        named = capabilities_of(finding.actions) or [finding.capability]
        if any(named):
            words.append(f"capabilities: [{', '.join(named)}]")
        if finding.fact and not finding.principal:
            words.append(f'finding: "{finding.fingerprint}"')
        yield f"{finding.claim}: that would be {', '.join(words)}"


CHECK = Check(_ID, "a waiver matches no finding", Level.WARNING, _find, of_findings=True)
