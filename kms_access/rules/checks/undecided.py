"""Something that a rule asks about cannot be decided from the definitions."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import SubjectKind
from kms_access.inventory.actions import CAPABILITIES, find_action
from kms_access.inventory.model import Key
from kms_access.policies.answers import ReasonKind, Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import describe_unknowns
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import removal
from kms_access.rules.checks.lockout import attempts, management_of, reasons_of
from kms_access.rules.checks.open_questions import Unknown, unknowns_of
from kms_access.rules.claims import claim
from kms_access.rules.findings import Finding
from kms_access.rules.holdings import Holding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation
from kms_access.rules.uncovered import leaves_open

_ID = "undecided"
_SHOWN = 4
_FIX = {
    ReasonKind.UNKNOWN_VALUE: "write the value so that it is known before the deployment, "
    "for example an ARN from the account id and an explicit name",
    ReasonKind.UNREADABLE: "supply the policy with the definitions, or write it as AWS accepts it",
    ReasonKind.NOT_ESTABLISHED: "avoid the construct: AWS does not document what it does",
}

_ACCOUNT = "the account of the deployment"
_ACCOUNT_FIX = "give the cdk.out folder, or write the account under accounts of the rules file"
_TEAM_FIX = "give it an explicit name, or name it in the rules file by where it is defined"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    unknowns = unknowns_of(situation)
    for key in situation.access_map.keys:
        for unknown in unknowns[key.origin.identity].values():
            yield _about(key, unknown, level)
        if _unknown_deployer(situation, key):
            yield Finding(
                _ID,
                level,
                claim(_ID, "cannot decide who can change the key policy of {key}", key=key.label),
                key.label,
                key.origin,
                capability="administer",
                details=(f"open: {reasons_of(situation, key)}",),
                rule="built-in: somebody who lasts can always change a key policy",
                fact="deployer",
                fix='name who deploys in "deployers" of the rules file, and let it use '
                "kms:PutKeyPolicy",
            )
    for holding in situation.holdings.outside:
        if _may_be_foreign(situation, holding):
            yield _undeclared(holding, level)
    for item in situation.access_map.inventory.not_covered:
        if leaves_open(situation, item):
            yield Finding(
                _ID,
                level,
                claim(
                    _ID,
                    "{resource} may change access to keys and is not evaluated",
                    "{label} may change access to keys and is not evaluated",
                    resource=str(item.origin),
                    label=item.origin.label or item.origin.identity,
                ),
                item.origin.label or item.origin.identity,
                item.origin,
                details=(f"open: {item.reason}",),
                fact=item.reason,
                rule="built-in: nothing that can open a key is passed over",
                fix="check it by hand, or define the access in a resource that is evaluated",
            )


def _may_be_foreign(situation: Situation, holding: Holding) -> bool:
    """Whether an organization has access of which neither a rule nor another check speaks."""
    declared = situation.rules.organization
    if holding.subject.kind is not SubjectKind.ORGANIZATION:
        return False
    if declared and same(declared, holding.subject.arn).truth is not Truth.UNKNOWN:
        return False
    if any(m.answer.truth is Truth.TRUE for m in situation.rules_for(holding.key)):
        return False
    return not all(situation.is_public(access) for access in holding.accesses)


def _undeclared(holding: Holding, level: Level) -> Finding:
    organization = holding.subject.arn
    is_known = isinstance(organization, str)
    return Finding(
        _ID,
        level,
        claim(
            _ID,
            "{who} has access to key {key} and may not be ours",
            who=holding.subject.label,
            key=holding.key.label,
        ),
        holding.key.label,
        holding.key.origin,
        proof=Proof.of(holding.accesses[0].decision),
        details=(
            "open: the rules file declares no organization"
            if is_known
            else f"open: {describe_unknowns(organization)}",
        ),
        fact=f"organization {organization}",
        rule="built-in: a key is for the organization of the rules file",
        fix=f"write organization: {organization} in the rules file if it is ours, or "
        + removal(("the access",), holding.accesses)
        if is_known
        else "give its value, for a parameter under parameters of the rules file",
    )


def _unknown_deployer(situation: Situation, key: Key) -> bool:
    """Whether it is open who can manage the key for another reason than an unknown value."""
    if management_of(situation, key) is not AccessState.UNDECIDED:
        return False
    return not any(access.state is AccessState.UNDECIDED for access in attempts(situation, key))


def _about(key: Key, unknown: Unknown, level: Level) -> Finding:
    reason, uses = unknown.reason, unknown.uses
    subjects = list(dict.fromkeys(use.subject.label for use in uses))
    infos = (find_action(action) for use in uses for action in use.actions)
    found = {info.capability for info in infos if info}
    capabilities = [capability for capability in CAPABILITIES if capability in found]
    rule = f" ({reason.rule})" if reason.rule else ""
    return Finding(
        _ID,
        level,
        claim(
            _ID,
            "cannot decide who can use key {key}: {reason}",
            "cannot decide who can use {key}: {reason}",
            "cannot decide who can use key {key}",
            key=key.label,
            reason=reason.text,
        ),
        key.label,
        key.origin,
        details=(
            f"for {_shortened(subjects)}: {_shortened(capabilities)}",
            f"open: {reason.text}{rule}",
        ),
        proof=uses[0].proof,
        fact=reason.text,
        rule="built-in: undecided is never a pass",
        fix=_fix_of(unknown),
    )


def _fix_of(unknown: Unknown) -> str:
    if unknown.of_team:
        return _TEAM_FIX
    return _ACCOUNT_FIX if _ACCOUNT in unknown.reason.text else _FIX[unknown.reason.kind]


def _shortened(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


CHECK = Check(_ID, "access cannot be decided from the definitions", Level.ERROR, _find)
