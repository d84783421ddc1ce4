"""What cannot be decided about the keys that rules ask about, and what hangs on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kms_access.decisions.detour import Detour
from kms_access.decisions.evaluator import Access
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.policies.answers import Answer, Reason, ReasonKind, Truth
from kms_access.rules.chains import BY_ROLES, counts_as_chain, unknown_gains
from kms_access.rules.checks.lockout import attempts, management_of
from kms_access.rules.delegation import delegated
from kms_access.rules.holdings import counts_as_access, grouped
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_OPEN = (ReasonKind.UNKNOWN_VALUE, ReasonKind.UNREADABLE, ReasonKind.NOT_ESTABLISHED)
_ASKED_WITHOUT_RULES = (SubjectKind.EVERYONE, SubjectKind.SERVICE)
_SELF_ESCALATION = "self-escalation"
_FEW_ACTIONS = 4


@dataclass(frozen=True, slots=True)
class Use:
    """What hangs on an unknown: an access, or a detour to actions that the rules do not allow."""

    source: Access | Detour
    actions: tuple[str, ...]

    @property
    def subject(self) -> Subject:
        """Whose access it is."""
        return self.source.subject

    @property
    def proof(self) -> Proof:
        """The hops that give it."""
        return (
            Proof.of(self.source.decision)
            if isinstance(self.source, Access)
            else (self.source.proof)
        )


@dataclass(slots=True)
class Unknown:
    """One thing that is not known, and everything that hangs on it.

    `of_team` tells that the open question is who or what a rule means.
    """

    reason: Reason
    uses: list[Use]
    of_team: bool = False


class _Collector:
    """The unknowns of each key by what is not known."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.found: dict[str, dict[str, Unknown]] = defaultdict(dict)

    def add(self, key: Key, reasons: Iterable[Reason], use: Use, *, of_team: bool = False) -> None:
        for reason in reasons:
            unknowns = self.found[key.origin.identity]
            unknowns.setdefault(reason.text, Unknown(reason, [], of_team)).uses.append(use)

    def open_access(self, access: Access) -> None:
        reasons = (r for r in access.decision.reasons if r.kind in _OPEN)
        self.add(access.key, reasons, Use(access, (access.action,)))

    def accesses(self, subject: Subject, key: Key, accesses: Iterable[Access]) -> None:
        """Accesses of one subject to one key that are open, or of which the rules are open."""
        if subject.kind not in _ASKED_WITHOUT_RULES and not self.situation.rules_for(key):
            return
        permissions = self.situation.permissions(subject, key)
        accesses = tuple(accesses)
        if sum(access.state is AccessState.UNDECIDED for access in accesses) > _FEW_ACTIONS:
            # Decides actions that nothing tells apart together, and remembers the answers.
            self.situation.access_map.evaluator.cell(subject, key)
        for access in accesses:
            permission = permissions.answer(access.action)
            if permission.truth is Truth.TRUE:
                continue
            if access.state is AccessState.UNDECIDED:
                self.open_access(access)
            elif counts_as_access(access):
                reasons = self._open_rules(key, permission)
                of_team = not permissions.is_limited(access.action)
                self.add(key, reasons, Use(access, (access.action,)), of_team=of_team)

    def detour(self, detour: Detour) -> None:
        """A detour that is open, or of which the rules are open, where it would be an error."""
        key = detour.key
        if not self.situation.rules_for(key) or not self._would_be_told(detour):
            return
        permissions = self.situation.permissions_by(detour)
        gains = sorted(unknown_gains(self.situation, detour))
        answers = {action: permissions.answer(action) for action in gains}
        if detour.state is AccessState.UNDECIDED:
            wanted = tuple(a for a, answer in answers.items() if answer.truth is not Truth.TRUE)
            if wanted and not _is_delegated(detour):
                reasons = (r for r in detour.reasons if r.kind in _OPEN)
                self.add(key, reasons, Use(detour, wanted))
        elif counts_as_chain(detour):
            for action, answer in answers.items():
                of_rules = self._open_rules(key, answer)
                self.add(key, of_rules, Use(detour, (action,)), of_team=True)

    def _would_be_told(self, detour: Detour) -> bool:
        if self.situation.is_beyond_rules(detour.subject, detour.key):
            return False
        if detour.kinds[0] in BY_ROLES:
            return not detour.subject.session
        return self.situation.rules.checks.get(_SELF_ESCALATION) is Level.ERROR

    def _open_rules(self, key: Key, permission: Answer) -> tuple[Reason, ...]:
        """Why it is open whether the rules allow an access: who is meant, or which key."""
        if permission.truth is not Truth.FALSE:
            return permission.reasons
        matches = [matched.answer for matched in self.situation.rules_for(key)]
        if any(answer.truth is Truth.TRUE for answer in matches):
            return ()
        return tuple(reason for answer in matches for reason in answer.reasons)

    def delegation(self, key: Key) -> None:
        """What identity policies can give where it is open whether a rule forbids that."""
        rules = self.situation.rules_for(key)
        forbidding = [m.answer for m in rules if m.rule.delegation_forbidden is not None]
        if forbidding and all(answer.truth is Truth.UNKNOWN for answer in forbidding):
            reasons = tuple(reason for answer in forbidding for reason in answer.reasons)
            for access in delegated(self.situation, key):
                self.add(key, reasons, Use(access, (access.action,)), of_team=True)

    def management(self, key: Key) -> None:
        """Who can change the key policy, where that hangs on something unknown."""
        if management_of(self.situation, key) is AccessState.UNDECIDED:
            for access in attempts(self.situation, key):
                self.open_access(access)


def unknowns_of(situation: Situation) -> Mapping[str, Mapping[str, Unknown]]:
    """One entry for each unknown of a key, however much hangs on it; by the key's identity."""
    collector = _Collector(situation)
    for subject, key, accesses in grouped(situation.access_map):
        collector.accesses(subject, key, accesses)
    for detour in situation.detours:
        collector.detour(detour)
    for key in situation.access_map.keys:
        collector.delegation(key)
        collector.management(key)
    return collector.found


def _is_delegated(detour: Detour) -> bool:
    """Whether a step rests on policies elsewhere in the key's account, whatever the others do."""
    own = detour.subject.account == detour.key.account
    return own and any(reason.kind is ReasonKind.OUTSIDE for reason in detour.reasons)
