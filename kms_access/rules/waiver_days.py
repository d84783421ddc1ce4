"""How long a waiver holds, and what messages call it."""

from __future__ import annotations

from datetime import date, timedelta

from kms_access.rules.model import Rules, Waiver


def has_expired(waiver: Waiver, today: date) -> bool:
    """Whether its last day is over."""
    return waiver.expires < today


def ends_too_late(waiver: Waiver, rules: Rules, today: date) -> bool:
    """Whether it expires further ahead than the rules file lets it."""
    return waiver.expires > today + timedelta(days=rules.waivers_at_most_days)


def title_of(waiver: Waiver) -> str:
    """What a waiver accepts: `the waiver of team-access for role/x on key alias/data`."""
    whom = f" for {waiver.principal}" if waiver.principal else ""
    return f"the waiver of {waiver.check}{whom} on key {waiver.key}"
