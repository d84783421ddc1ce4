"""One principal both manages a key and uses it (K149, K150)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.evaluator import Access
from kms_access.decisions.subjects import SubjectKind
from kms_access.policies.answers import Truth
from kms_access.rules.checks.access_facts import finding_about
from kms_access.rules.checks.interface import Check
from kms_access.rules.claims import claim, name_of
from kms_access.rules.findings import Finding
from kms_access.rules.holdings import LIFECYCLE, USE, Holding
from kms_access.rules.inert_parts import listed
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "separation-of-duties"
_IDENTITIES = (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE, SubjectKind.ACCOUNT)


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for holding in situation.holdings.powers:
        subject, key = holding.subject, holding.key
        if subject.kind not in _IDENTITIES or situation.governs(subject, key):
            continue
        manages = _told_here(situation, holding, LIFECYCLE)
        uses = _told_here(situation, holding, USE)
        if manages and uses and not (_allowed(situation, manages) and _allowed(situation, uses)):
            yield finding_about(
                _ID,
                level,
                (*manages, *uses),
                claim(
                    _ID,
                    "{who} can both manage and use key {key}",
                    "{who} can manage and use key {key}",
                    who=name_of(subject, key),
                    key=key.label,
                ),
                "built-in: who manages a key does not use it",
                f"give {_named(manages)} or {_named(uses)} to another principal, or let a rule "
                "allow both to its team",
            )


def _told_here(
    situation: Situation, holding: Holding, actions: frozenset[str]
) -> tuple[Access, ...]:
    return tuple(
        access
        for access in holding.of(actions)
        if access.state.is_access and not situation.is_told_elsewhere(access)
    )


def _named(accesses: tuple[Access, ...]) -> str:
    return listed(access.action for access in accesses)


def _allowed(situation: Situation, accesses: tuple[Access, ...]) -> bool:
    """Whether a rule lets a team of the subject have some of this: then it is meant."""
    return any(situation.permission_for(a).truth is not Truth.FALSE for a in accesses)


CHECK = Check(_ID, "one principal both manages and uses a key", Level.WARNING, _find)
