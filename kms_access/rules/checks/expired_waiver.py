"""A waiver is over, or ends further ahead than is accepted: it excuses nothing."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.rules.checks.interface import Check
from kms_access.rules.claims import left_out_of, waiver_claim
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level, Waiver
from kms_access.rules.situation import Situation
from kms_access.rules.waiver_days import ends_too_late, has_expired

_ID = "expired-waiver"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    most = situation.rules.waivers_at_most_days
    for waiver in situation.rules.waivers:
        if has_expired(waiver, situation.today):
            yield _finding(
                waiver,
                level,
                f"ended on {waiver.expires}",
                (),
                "correct what it excused, or write a new reason and a new day",
            )
        elif ends_too_late(waiver, situation.rules, situation.today):
            yield _finding(
                waiver,
                level,
                "lasts too long",
                (f"it expires on {waiver.expires}, more than {most} days ahead",),
                f"write a day at most {most} days ahead; waivers-at-most-days sets how many",
            )


def _finding(
    waiver: Waiver, level: Level, words: str, details: tuple[str, ...], fix: str
) -> Finding:
    said = waiver_claim(_ID, waiver, words)
    return Finding(
        _ID,
        level,
        said,
        waiver.key,
        details=(
            *details,
            *left_out_of(said, waiver),
            f"reason: {waiver.reason}",
            f"owner: {waiver.owner}",
        ),
        rule=f"{waiver.place} a waiver excuses until its last day",
        rule_place=waiver.place,
        fix=fix,
        fact=waiver.identity,
    )


CHECK = Check(_ID, "a waiver is over or lasts too long", Level.ERROR, _find)
