"""Something that a rule asks about cannot be decided from the definitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kms_access.decisions.access_map import Access
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import SubjectKind
from kms_access.inventory.actions import CAPABILITIES, find_action
from kms_access.inventory.model import Key
from kms_access.policies.answers import Answer, Reason, ReasonKind, Truth
from kms_access.rules.checks.access_facts import counts_as_access
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.lockout import attempts, management_of, reasons_of
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "undecided"
_SHOWN = 4
_FIX = {
    ReasonKind.UNKNOWN_VALUE: "write the value so that it is known before the deployment, "
    "for example an ARN from the account id and an explicit name",
    ReasonKind.UNREADABLE: "supply the policy with the definitions, or write it as AWS accepts it",
    ReasonKind.NOT_ESTABLISHED: "avoid the construct: AWS does not document what it does",
}

_TEAM_FIX = "give it an explicit name, or name it in the rules file by where it is defined"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for key in situation.access_map.keys:
        yield from _open_accesses(situation, key, level)
        if _unknown_deployer(situation, key):
            yield Finding(
                _ID,
                level,
                f"cannot decide who can change the key policy of {key.label}",
                key.label,
                key.origin,
                capability="administer",
                details=(f"open: {reasons_of(situation, key)}",),
                rule="built-in: somebody who lasts can always change a key policy",
                fact="deployer",
                fix='name who deploys in "deployers" of the rules file, and let it use '
                "kms:PutKeyPolicy",
            )
    for item in situation.access_map.inventory.not_covered:
        if item.may_change_key_access:
            yield Finding(
                _ID,
                level,
                f"{item.origin} may change access to keys and is not evaluated",
                item.origin.label or item.origin.identity,
                item.origin,
                details=(f"open: {item.reason}",),
                fact=item.reason,
                rule="built-in: nothing that can open a key is passed over",
                fix="check it by hand, or define the access in a resource that is evaluated",
            )


@dataclass(slots=True)
class _Unknown:
    """One thing that is not known, and every access that hangs on it."""

    reason: Reason
    accesses: list[Access]
    of_team: bool = False


def _unknown_deployer(situation: Situation, key: Key) -> bool:
    """Whether it is open who can manage the key for another reason than an unknown value."""
    if management_of(situation, key) is not AccessState.UNDECIDED:
        return False
    return not any(access.state is AccessState.UNDECIDED for access in attempts(situation, key))


def _open_accesses(situation: Situation, key: Key, level: Level) -> Iterator[Finding]:
    """One finding for each unknown, however many principals hang on it."""
    unknowns: dict[str, _Unknown] = {}
    for subject in situation.access_map.subjects:
        if subject.kind is not SubjectKind.EVERYONE and not situation.rules_for(key):
            continue
        for access in situation.access_map.cell(subject, key):
            permission = situation.permission_for(access)
            if permission.truth is Truth.TRUE:
                continue
            if access.state is AccessState.UNDECIDED:
                for reason in access.decision.reasons:
                    if reason.kind in _FIX:
                        unknown = unknowns.setdefault(reason.text, _Unknown(reason, []))
                        unknown.accesses.append(access)
            elif counts_as_access(access):
                for reason in _open_rules(situation, access, permission):
                    unknown = unknowns.setdefault(reason.text, _Unknown(reason, [], of_team=True))
                    unknown.accesses.append(access)
    if management_of(situation, key) is AccessState.UNDECIDED:
        for access in attempts(situation, key):
            for reason in access.decision.reasons:
                if reason.kind in _FIX:
                    unknown = unknowns.setdefault(reason.text, _Unknown(reason, []))
                    unknown.accesses.append(access)
    for unknown in unknowns.values():
        yield _about(key, unknown, level)


def _open_rules(situation: Situation, access: Access, permission: Answer) -> tuple[Reason, ...]:
    """Why it is open whether the rules allow an access: who is meant, or which key."""
    if permission.truth is Truth.UNKNOWN:
        return permission.reasons
    matches = [matched.answer for matched in situation.rules_for(access.key)]
    if any(answer.truth is Truth.TRUE for answer in matches):
        return ()
    return tuple(reason for answer in matches for reason in answer.reasons)


def _about(key: Key, unknown: _Unknown, level: Level) -> Finding:
    reason, accesses = unknown.reason, unknown.accesses
    subjects = list(dict.fromkeys(access.subject.label for access in accesses))
    infos = (find_action(access.action) for access in accesses)
    found = {info.capability for info in infos if info}
    capabilities = [capability for capability in CAPABILITIES if capability in found]
    rule = f" ({reason.rule})" if reason.rule else ""
    return Finding(
        _ID,
        level,
        f"cannot decide who can use key {key.label}: {reason.text}",
        key.label,
        key.origin,
        details=(
            f"for {_shortened(subjects)}: {_shortened(capabilities)}",
            f"open: {reason.text}{rule}",
        ),
        proof=Proof.of(accesses[0].decision),
        fact=reason.text,
        rule="built-in: undecided is never a pass",
        fix=_TEAM_FIX if unknown.of_team else _FIX[reason.kind],
    )


def _shortened(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


CHECK = Check(_ID, "access cannot be decided from the definitions", Level.ERROR, _find)
