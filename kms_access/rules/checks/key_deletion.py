"""A principal that no rule allows it can destroy a key or its material (K164)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.rules.checks.access_facts import facts_of, finding_of
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import removal
from kms_access.rules.claims import claim, name_of
from kms_access.rules.findings import Finding
from kms_access.rules.holdings import DELETION
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "key-deletion"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for holding in situation.holdings.powers:
        unknown = [
            access
            for access in holding.of(DELETION)
            if access.state.is_access
            and not situation.is_known(access)
            and not situation.is_told_elsewhere(access)
        ]
        for fact in facts_of(unknown):
            yield finding_of(
                _ID,
                level,
                fact,
                claim(
                    _ID,
                    "{who} can destroy key {key}",
                    who=name_of(holding.subject, holding.key),
                    key=holding.key.label,
                ),
                "built-in: only principals that a rule allows it destroy keys",
                f"{removal(fact.actions, fact.accesses)}, or let a rule allow delete to its team",
            )


CHECK = Check(_ID, "a principal can destroy a key", Level.WARNING, _find)
