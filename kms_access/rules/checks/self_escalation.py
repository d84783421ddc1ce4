"""A principal can give itself access to a key that no rule allows it (K150, K156-K163)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.detour import Detour, DetourKind
from kms_access.decisions.evaluator import Access
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState, Resolution
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.rules.chains import BY_ROLES
from kms_access.rules.checks.access_facts import obtained, proof_of, when_open, when_resolved
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import change, removal
from kms_access.rules.claims import claim, name_of
from kms_access.rules.findings import Finding
from kms_access.rules.free_grants import free_grant
from kms_access.rules.holdings import CREATE_GRANT, LIFECYCLE, PUT_KEY_POLICY, USE, is_outside
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation
from kms_access.rules.steps import described_step

_ID = "self-escalation"
_POWER = USE | LIFECYCLE | {CREATE_GRANT}
_CREATING = frozenset({CREATE_GRANT})
_WORDS = {
    DetourKind.IMPERSONATION: (
        "act as {through} and so open key {key}",
        "act as another that opens key {key}",
    ),
    DetourKind.IDENTITY_POLICY: (
        "write identity policies that open key {key}",
        "write policies that open key {key}",
    ),
    DetourKind.KEY_POLICY: ("change the key policy of {key}",),
    DetourKind.GRANT: ("create grants that open key {key}",),
    DetourKind.ATTRIBUTE: (
        "set tags or aliases that open key {key}",
        "set attributes that open key {key}",
    ),
    DetourKind.REPLICA: ("make a replica that opens key {key}",),
}
"""What somebody can do who gives itself access."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to more access: its first step, what it gives, and what shows it."""

    subject: Subject
    key: Key
    kinds: tuple[DetourKind, ...]
    through: tuple[str, ...]
    gives: frozenset[str]
    state: AccessState
    can: tuple[str, ...]
    fix: str
    source: Detour | Access
    answer: Detour | Access | Resolution
    """Says when, which may be less often than what `source` proves."""

    @property
    def when(self) -> str:
        """`always`, or what has to hold; worked out for ways that are told alone."""
        if isinstance(self.answer, Detour):
            return when_open(self.answer.reasons)
        return when_resolved(self.answer)

    @property
    def proof(self) -> Proof:
        """What shows it."""
        return self.source.proof if isinstance(self.source, Detour) else proof_of((self.source,))

    @property
    def order(self) -> tuple[object, ...]:
        """The shortest and surest first, and of these the one that gives most."""
        kinds = list(DetourKind)
        steps = [kinds.index(kind) for kind in self.kinds]
        return len(steps), self.state.rank, -len(self.gives), steps


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    ways: dict[tuple[str, str], list[_Way]] = defaultdict(list)
    for way in (*_held(situation), *_detours(situation)):
        ways[way.subject.identity, way.key.origin.identity].append(way)
    for several in ways.values():
        covered: frozenset[str] = frozenset()
        told: set[DetourKind] = set()
        for way in sorted(several, key=lambda way: way.order):
            if way.kinds[0] not in told and not way.gives <= covered:
                told.add(way.kinds[0])
                yield _finding(way, level)
            if way.state is AccessState.ALLOWED:
                covered |= way.gives


def _held(situation: Situation) -> Iterator[_Way]:
    """The powers that are access themselves: to rewrite the key policy, to create grants.

    They count even where the subject has everything already: it can keep what is taken from it.
    """
    obtained_by: dict[tuple[str, str, DetourKind], frozenset[str]] = defaultdict(frozenset)
    for detour in situation.detours:
        if len(detour.kinds) == 1 and detour.state.is_access:
            pair = (detour.subject.identity, detour.key.origin.identity)
            obtained_by[(*pair, detour.kinds[0])] |= detour.actions
    for holding in situation.holdings.powers:
        has = frozenset(access.action for access in holding.accesses if access.state.is_access)
        pair = (holding.subject.identity, holding.key.origin.identity)
        for access in holding.of(_CREATING | {PUT_KEY_POLICY}):
            if not access.state.is_access or _is_known(situation, access):
                continue
            if _is_left_out(situation, access.subject, access.key):
                continue
            if access.action == PUT_KEY_POLICY:
                gives = has | obtained_by[(*pair, DetourKind.KEY_POLICY)]
                yield _way(access, access, DetourKind.KEY_POLICY, gives)
                continue
            free = free_grant(situation, access)
            if free is not None and free.state.is_access:
                gives = (has | obtained_by[(*pair, DetourKind.GRANT)]) & USE
                yield _way(access, free, DetourKind.GRANT, gives)


def _is_left_out(situation: Situation, subject: Subject, key: Key) -> bool:
    """Whether the subject may change the key policy anyhow, or is a whole account elsewhere.

    What another account can be given is for `external-account` and `grant-delegation`.
    """
    if subject.kind is SubjectKind.ACCOUNT and is_outside(subject, key):
        return True
    return situation.is_beyond_rules(subject, key)


def _is_known(situation: Situation, access: Access) -> bool:
    return situation.is_known(access) or situation.is_told_elsewhere(access)


def _way(
    access: Access, answer: Access | Resolution, kind: DetourKind, gives: frozenset[str]
) -> _Way:
    if kind is DetourKind.KEY_POLICY:
        fix = f"{removal((access.action,), (access,))}, or let a rule allow administer to its team"
    else:
        limits = "kms:GrantIsForAWSResource or a fixed kms:GranteePrincipal"
        limited = change(f"limit {access.action} in {{place}} by {limits}", (access,))
        fix = f"{limited}, or let a rule allow grant to its team"
    return _Way(
        access.subject,
        access.key,
        (kind,),
        (),
        gives,
        answer.state,
        (access.action,),
        fix,
        access,
        answer,
    )


def _detours(situation: Situation) -> Iterator[_Way]:
    held = {
        (holding.subject.identity, holding.key.origin.identity): holding.of(_CREATING)
        for holding in situation.holdings.powers
    }
    for detour in situation.detours:
        subject, key = detour.subject, detour.key
        first = detour.kinds[0]
        # What begins with a role is for the check role-chain.
        if first in BY_ROLES or first is DetourKind.KEY_POLICY or not detour.state.is_access:
            continue
        if _is_left_out(situation, subject, key):
            continue
        creating = held.get((subject.identity, key.origin.identity), ())
        if first is DetourKind.GRANT and any(_is_known(situation, a) for a in creating):
            continue
        permissions = situation.permissions_by(detour)
        gives = frozenset(
            action
            for action in situation.gained(detour) & _POWER
            if permissions.answer(action).truth is Truth.FALSE
        )
        if gives:
            yield _of_detour(detour, gives)


def _of_detour(detour: Detour, gives: frozenset[str]) -> _Way:
    step = described_step(detour.kinds[0], detour.through[0] if detour.through else "")
    what = obtained(gives, detour.key)
    return _Way(
        detour.subject,
        detour.key,
        detour.kinds,
        detour.through,
        gives,
        detour.state,
        tuple(sorted(gives)),
        f"keep {detour.subject.label} from {step}, or let a rule allow {what} to its team",
        detour,
        detour,
    )


def _finding(way: _Way, level: Level) -> Finding:
    subject, key = way.subject, way.key
    everything = way.gives >= _POWER.intersection(actions_of(key))
    what = "every action" if everything else obtained(way.gives & _POWER, key)
    return Finding(
        _ID,
        level,
        claim(
            _ID,
            *(f"{{who}} can {words}" for words in _WORDS[way.kinds[0]]),
            who=name_of(subject, key),
            key=key.label,
            through=way.through[0] if way.through else "another identity",
        ),
        key.label,
        key.origin,
        subject.label,
        subject.origin,
        subject.identity,
        actions=way.can,
        when=way.when,
        proof=way.proof,
        details=(f"so it can give itself {what}",),
        rule="built-in: nobody gives itself access that no rule allows",
        fix=way.fix,
        fact=way.kinds[0].value,
    )


CHECK = Check(_ID, "a principal can give itself access to a key", Level.WARNING, _find)
