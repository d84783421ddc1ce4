"""A team has lost access that a rule requires."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.evaluator import Access
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.rules.checks.access_facts import WORDS, describe_reasons
from kms_access.rules.checks.interface import Check
from kms_access.rules.claims import claim
from kms_access.rules.findings import Finding
from kms_access.rules.model import KeyRule, Level, Permission
from kms_access.rules.situation import Situation

_ID = "required-access"

MEANT_BY = {
    "view": ("kms:DescribeKey",),
    "encrypt": ("kms:Encrypt", "kms:GenerateDataKey", "kms:Encapsulate"),
    "decrypt": ("kms:Decrypt", "kms:Decapsulate"),
    "sign": ("kms:Sign",),
    "verify": ("kms:Verify",),
    "mac": ("kms:GenerateMac",),
    "derive": ("kms:DeriveSharedSecret",),
    "grant": ("kms:CreateGrant",),
    "administer": ("kms:PutKeyPolicy",),
    "delete": ("kms:ScheduleKeyDeletion",),
}
"""The actions of which a team needs one to count as having a capability; `use` needs any of its
capabilities, since no key can carry out all of them (K121)."""


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for key in situation.access_map.keys:
        for matched in situation.rules_for(key):
            if matched.answer.truth is not Truth.TRUE:
                continue
            for team, permissions in matched.rule.require.items():
                for permission in permissions:
                    if not has_required(situation, key, team, permission):
                        yield _finding(situation, key, matched.rule, team, permission, level)


def needed_actions(permission: Permission) -> frozenset[str]:
    """The actions of which one must be possible."""
    if permission.word in MEANT_BY:
        return frozenset(MEANT_BY[permission.word])
    if permission.word == "use":
        meant = frozenset(action for actions in MEANT_BY.values() for action in actions)
        return meant & permission.actions
    return permission.actions


def _accesses(
    situation: Situation, key: Key, team: str, permission: Permission
) -> Iterator[Access]:
    wanted = needed_actions(permission)
    for subject in situation.members(team):
        for access in situation.access_map.cell(subject, key):
            if access.action in wanted:
                yield access


def has_required(situation: Situation, key: Key, team: str, permission: Permission) -> bool:
    """Whether some principal of the team surely has the access.

    A condition is not enough, unless the rules allow the access under a limit only.
    """
    wanted = needed_actions(permission)
    return any(
        _is_enough(situation, subject, key, action)
        for subject in situation.members(team)
        for action in wanted
    )


def _is_enough(situation: Situation, subject: Subject, key: Key, action: str) -> bool:
    state = situation.access_map.states(subject, key).get(action)
    if state is AccessState.CONDITIONAL:
        return situation.permissions(subject, key).is_limited(action)
    return state is AccessState.ALLOWED


def _finding(
    situation: Situation,
    key: Key,
    rule: KeyRule,
    team: str,
    permission: Permission,
    level: Level,
) -> Finding:
    accesses = list(_accesses(situation, key, team, permission))
    order = list(AccessState)
    needed = sorted(needed_actions(permission) & {*actions_of(key)})
    verb = WORDS.get(permission.word)
    what = f"{verb} key {{key}}" if verb else "{word} on key {key}"
    ordered = sorted(accesses, key=lambda a: (order.index(a.state), a.subject.label))
    details = tuple(
        f"{access.subject.label}: {access.action} is {access.state.value}"
        + (f", {describe_reasons(access.decision.reasons)}" if access.decision.reasons else "")
        for access in ordered[:3]
    ) or (f'no principal of team "{team}" is in the definitions or named by the key policy',)
    return Finding(
        _ID,
        level,
        claim(
            _ID,
            f"{{team}} cannot surely {what}",
            team=f"team {team}",
            word=permission.word,
            key=key.label,
        ),
        key.label,
        key.origin,
        f"team {team}",
        None,
        f"team {team}",
        permission.word,
        tuple(needed),
        details=details,
        rule=f"{permission.place} '{rule.name}' requires {permission.word} for {team}",
        rule_place=permission.place,
        fix=_fix(team, permission, needed, ordered),
    )


def _fix(team: str, permission: Permission, needed: list[str], ordered: list[Access]) -> str:
    """What gives the access to the principal of the team that lacks the least."""
    if not needed:
        return f"do not require {permission.word} of this kind of key, which cannot carry it out"
    if not ordered:
        return f"allow {' or '.join(needed)} to a principal of team {team}"
    nearest = ordered[0]
    wanted = f"{nearest.action} to {nearest.subject.label}"
    match nearest.state:
        case AccessState.EXPLICITLY_DENIED:
            return f"do not deny {wanted}: narrow the Deny"
        case AccessState.CONDITIONAL:
            return f"allow {wanted} without a condition"
        case _:
            return f"keep a statement that allows {wanted}"


CHECK = Check(_ID, "a team lacks access that it must have", Level.ERROR, _find)
