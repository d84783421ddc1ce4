"""Nobody who lasts could change the key policy any more, or KMS would refuse it (K151-K155)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.evaluator import Access
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject, root_user, subject_elsewhere
from kms_access.inventory.model import Key
from kms_access.policies.principals import parse_principal
from kms_access.rules.checks.access_facts import describe_reasons
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import joined
from kms_access.rules.claims import claim
from kms_access.rules.findings import Finding
from kms_access.rules.lasting import only_managers
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "lockout"
ACTION = "kms:PutKeyPolicy"
_SHOWN = 3
_DENIED = (AccessState.IMPLICITLY_DENIED, AccessState.EXPLICITLY_DENIED)


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for key in situation.access_map.keys:
        if key.manager == "AWS":
            continue
        if key.bypasses_lockout_check:
            yield _finding(
                key,
                level,
                claim(_ID, "key {key} is made without AWS's lock-out check", key=key.label),
                ("BypassPolicyLockoutSafetyCheck is true (K155)",),
                "remove BypassPolicyLockoutSafetyCheck",
                "bypass",
            )
        state = management_of(situation, key)
        if state is AccessState.IMPLICITLY_DENIED:
            deployers = deployers_of(situation, key)
            refused = ("KMS refuses such a key policy (K151)",) if deployers else ()
            yield _finding(
                key,
                level,
                _nobody(deployers, key),
                (*refused, *_explain(situation, key)),
                "let the deployer or the account principal use kms:PutKeyPolicy in the key policy",
            )
        elif state is AccessState.ALLOWED:
            yield from _not_lasting(situation, key, level)


def _not_lasting(situation: Situation, key: Key, level: Level) -> Iterator[Finding]:
    """A warning where only principals that can be deleted keep the key policy (K154)."""
    if not _attempt(situation, _root_user(key), key).state.is_denied:
        return
    managers = only_managers(situation, key)
    names = [access.subject.label for access in managers]
    if not names:
        return
    listed = _listed(names)
    is_one = len(names) == 1
    ways = ["only {who} can change the key policy of {key}"]
    if not is_one:
        ways.append(f"only {len(names)} principals can change the key policy of {{key}}")
    said = claim(_ID, *ways, who=listed, key=key.label)
    left_out = () if listed in said else (f"{'it is' if is_one else 'these are'} {listed}",)
    they = "it is" if is_one else "they are"
    yield _finding(
        key,
        Level.OFF if level is Level.OFF else Level.WARNING,
        said,
        (
            *left_out,
            f"if {they} deleted, only AWS Support helps (K154)",
            "a principal that is made again under its old name does not get the access back (K60)",
        ),
        "let the account principal, at least its root user, use kms:PutKeyPolicy too",
        "lasting",
    )


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return joined([*names[:_SHOWN], *([f"{more} more"] if more > 0 else [])])


def _nobody(deployers: list[Subject], key: Key) -> str:
    if len(deployers) == 1:
        way, who = "{who} cannot change the key policy of {key}", deployers[0].label
    elif deployers:
        way, who = "none of {who} can change the key policy of {key}", f"{len(deployers)} deployers"
    else:
        way, who = "{who} can change the key policy of {key}", "nobody"
    return claim(_ID, way, who=who, key=key.label)


def _explain(situation: Situation, key: Key) -> Iterator[str]:
    for access in attempts(situation, key):
        yield f"{access.subject.label}: {ACTION} is {access.state.value}"


def management_of(situation: Situation, key: Key) -> AccessState:
    """Whether the key stays manageable: allowed, undecided, or denied.

    KMS asks whether who deploys can call PutKeyPolicy (K151). Where that hangs on the deployer's
    identity policies elsewhere, or no deployer is known, the account's root user decides: if it
    can, the account's administrators can help themselves (K44). A permission that only somebody
    else holds leaves it undecided who deploys (K152).
    """
    deployers = deployers_of(situation, key)
    states = {_attempt(situation, deployer, key).state for deployer in deployers}
    root = _attempt(situation, _root_user(key), key).state
    if AccessState.ALLOWED in states:
        return AccessState.ALLOWED
    if states & {AccessState.CONDITIONAL, AccessState.UNDECIDED}:
        return AccessState.UNDECIDED
    if deployers and AccessState.DELEGATED not in states:
        return AccessState.IMPLICITLY_DENIED
    ordinary = _others_of_account(situation, key)
    if root is AccessState.ALLOWED and ordinary not in _DENIED:
        return AccessState.ALLOWED
    if root is AccessState.ALLOWED or (situation.rules.deployers and ordinary not in _DENIED):
        # Only the root user, or only those who fulfil a condition: who deploys may be another.
        return AccessState.UNDECIDED
    if root in (AccessState.CONDITIONAL, AccessState.UNDECIDED) or deployers:
        return AccessState.UNDECIDED
    held = any(
        not situation.rules.deployers or situation.may_deploy(access.subject)
        for access in situation.holdings.managers.get(key.origin.identity, ())
    )
    return AccessState.UNDECIDED if held else AccessState.IMPLICITLY_DENIED


def _others_of_account(situation: Situation, key: Key) -> AccessState:
    """Whether an identity of the key's account of which no policy speaks may manage the key."""
    subject = situation.others_of(key.account)
    if subject is None:
        return AccessState.IMPLICITLY_DENIED
    return _attempt(situation, subject, key).state


def reasons_of(situation: Situation, key: Key) -> str:
    """Why it is open who can manage a key."""
    for access in attempts(situation, key):
        if access.state is AccessState.DELEGATED:
            return f"identity policies of the deployer {access.subject.label}"
        if access.decision.reasons:
            return describe_reasons(access.decision.reasons).removeprefix("depending on ")
    return "who deploys the key: no deployer is configured"


def deployers_of(situation: Situation, key: Key) -> list[Subject]:
    """The subjects that create the key."""
    known = situation.deployers(key)
    arns = {subject.arn for subject in known}
    for arn in key.deployers:
        principal = parse_principal(arn) if arn not in arns else None
        if principal is not None:
            known.append(subject_elsewhere(principal))
    return known


def attempts(situation: Situation, key: Key) -> Iterator[Access]:
    """PutKeyPolicy by each deployer and by the root user of the key's account."""
    for subject in [*deployers_of(situation, key), _root_user(key)]:
        yield _attempt(situation, subject, key)


def _attempt(situation: Situation, subject: Subject, key: Key) -> Access:
    return situation.evaluator.access(subject, key, ACTION)


def _root_user(key: Key) -> Subject:
    return subject_elsewhere(root_user(key.account, key.partition))


def _finding(
    key: Key, level: Level, said: str, details: tuple[str, ...], fix: str, fact: str = ""
) -> Finding:
    return Finding(
        _ID,
        level,
        said,
        key.label,
        key.origin,
        capability="administer",
        actions=(ACTION,),
        details=details,
        rule="built-in: somebody who lasts can always change a key policy",
        fix=fix,
        fact=fact,
    )


CHECK = Check(_ID, "a key policy locks out those who must manage the key", Level.ERROR, _find)
