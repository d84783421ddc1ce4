"""Access that a baseline does not hold, that no rule allows and no other check blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kms_access.decisions.access_facts import DIRECT, IDENTITY_POLICIES, Place
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.rules.baseline import NEW_ACCESS, Baseline
from kms_access.rules.checks.access_facts import WORDS, capabilities_of
from kms_access.rules.checks.interface import Check
from kms_access.rules.claims import claim, name_of
from kms_access.rules.findings import Finding
from kms_access.rules.holdings import PUT_KEY_POLICY
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    baseline = situation.baseline
    if baseline is None:
        return
    subjects = {subject.identity: subject for subject in situation.reach.subjects}
    subjects |= {subject.identity: subject for subject in situation.access_map.subjects}
    keys = {key.origin.identity: key for key in situation.access_map.keys}
    cells: dict[tuple[str, str, str], list[Place]] = defaultdict(list)
    for place in sorted(baseline.gained):
        if place.key in keys and not _is_meant(situation, place, subjects, keys[place.key]):
            (capability,) = capabilities_of([place.action])
            cells[place.key, place.principal, capability].append(place)
    told = _told(situation)
    for (identity, principal, capability), places in cells.items():
        left = [p for p in places if (principal, identity, p.action) not in told]
        if left:
            yield _finding(
                baseline, keys[identity], subjects.get(principal), left, capability, level
            )


def _told(situation: Situation) -> set[tuple[str, str, str]]:
    """What other findings that block tell of new access."""
    return {
        (finding.principal_identity, finding.key_origin.identity, action)
        for finding in situation.judged
        if finding.level is Level.ERROR and finding.key_origin is not None
        for action in finding.actions
    }


def _is_meant(situation: Situation, place: Place, subjects: dict[str, Subject], key: Key) -> bool:
    """Whether a rule allows the access, or it is a power that is known."""
    if place.principal.startswith(IDENTITY_POLICIES):
        return _is_delegation_allowed(situation, key)
    subject = subjects.get(place.principal)
    if subject is None:
        return False
    if place.way != DIRECT and situation.is_beyond_rules(subject, key):
        return True
    if place.action == PUT_KEY_POLICY and situation.governs(subject, key):
        return True
    if place.way != DIRECT:
        return _is_detour_allowed(situation, place, subject, key)
    return situation.permission(subject, key, place.action).truth is Truth.TRUE


def _is_detour_allowed(situation: Situation, place: Place, subject: Subject, key: Key) -> bool:
    detours = situation.reach.of(subject, key)
    return all(
        situation.permissions_by(detour).answer(place.action).truth is Truth.TRUE
        for detour in detours
        if place.action in detour.actions
    ) and bool(detours)


def _is_delegation_allowed(situation: Situation, key: Key) -> bool:
    return any(
        matched.answer.truth is Truth.TRUE and matched.rule.delegation_allowed is not None
        for matched in situation.rules_for(key)
    )


def _finding(
    baseline: Baseline,
    key: Key,
    subject: Subject | None,
    places: list[Place],
    capability: str,
    level: Level,
) -> Finding:
    first = places[0]
    who = baseline.now.principals[first.principal]
    held = baseline.now.held[first]
    words = f"{{who}} can {WORDS[capability]} key {{key}}"
    if first.principal.startswith(IDENTITY_POLICIES):
        words = f"{{who}} can give {capability} on key {{key}}"
    is_direct = first.way == DIRECT
    said = claim(
        NEW_ACCESS,
        words if is_direct else f"{words} by {{way}}",
        words if is_direct else f"{words} by a detour",
        who=name_of(subject, key) if subject is not None else who.label,
        key=key.label,
        way=first.way,
    )
    return Finding(
        NEW_ACCESS,
        level,
        said,
        key.label,
        key.origin,
        who.label,
        subject.origin if subject is not None else None,
        who.identity,
        capability,
        tuple(sorted({place.action for place in places})),
        "always" if held.state is AccessState.ALLOWED else held.state.value,
        Proof(baseline.now.prove(first)),
        () if is_direct or said.endswith(first.way) else (f"by {first.way}",),
        rule="built-in: with a baseline, nobody gets access that it does not hold and no rule "
        "allows",
        fix="remove the access, allow it in the rules file, or save a new baseline with "
        "kms-access map --output",
    )


CHECK = Check(
    NEW_ACCESS,
    "access that the baseline does not hold and no rule allows",
    Level.ERROR,
    _find,
    of_findings=True,
)
