"""A waiver is over, or ends further ahead than is accepted: it excuses nothing."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.rules.checks.interface import Check
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level, Waiver
from kms_access.rules.situation import Situation
from kms_access.rules.waiver_days import ends_too_late, has_expired, title_of

_ID = "expired-waiver"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    most = situation.rules.waivers_at_most_days
    for waiver in situation.rules.waivers:
        if has_expired(waiver, situation.today):
            yield _finding(
                waiver,
                level,
                f"{title_of(waiver)} expired on {waiver.expires}",
                "correct what it excused, or write a new reason and a new day",
            )
        elif ends_too_late(waiver, situation.rules, situation.today):
            yield _finding(
                waiver,
                level,
                f"{title_of(waiver)} expires on {waiver.expires}, more than {most} days ahead",
                f"write a day at most {most} days ahead; waivers-at-most-days sets how many",
            )


def _finding(waiver: Waiver, level: Level, claim: str, fix: str) -> Finding:
    return Finding(
        _ID,
        level,
        claim,
        waiver.key,
        details=(f"reason: {waiver.reason}", f"owner: {waiver.owner}"),
        rule=f"{waiver.place} a waiver excuses until its last day",
        fix=fix,
        fact=waiver.identity,
    )


CHECK = Check(_ID, "a waiver is over or lasts too long", Level.ERROR, _find)
