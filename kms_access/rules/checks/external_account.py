"""An account or organization that is not ours has access that no rule allows (K7, K43, K58)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth, any_of
from kms_access.policies.overlap import same
from kms_access.policies.principals import PrincipalKind
from kms_access.rules.checks.access_facts import finding_about
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import removal
from kms_access.rules.claims import claim, name_of
from kms_access.rules.findings import Finding
from kms_access.rules.foreign_chains import chain_finding, foreign_chains
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "external-account"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for holding in situation.holdings.outside:
        subject, key = holding.subject, holding.key
        if not _is_foreign(situation, subject) or situation.governs(subject, key):
            continue
        accesses = [
            access
            for access in holding.accesses
            if situation.permission_for(access).truth is Truth.FALSE
            and not situation.is_public(access)
        ]
        if accesses:
            names = {
                "who": name_of(subject, key),
                "account": str(subject.account),
                "key": key.label,
            }
            said = claim(_ID, _words(subject), **names)
            advice = _advice(subject, removal(("the access",), accesses))
            yield finding_about(_ID, level, accesses, said, *advice)
    for detour in foreign_chains(situation, lambda subject: _is_outsider(situation, subject)):
        rule, _ = _advice(detour.subject, "")
        yield chain_finding(_ID, level, detour, _words(detour.subject, by_roles=True), rule)


def _is_outsider(situation: Situation, subject: Subject) -> bool:
    """Whether a subject of another account, or of another organization, is not ours."""
    kinds = (SubjectKind.ACCOUNT, SubjectKind.ORGANIZATION, SubjectKind.ELSEWHERE)
    if subject.kind not in kinds:
        return False
    own = any(same(subject.account, k.account).truth is not Truth.FALSE for k in _keys(situation))
    return not own and _is_foreign(situation, subject)


def _keys(situation: Situation) -> tuple[Key, ...]:
    return situation.access_map.keys


def _is_foreign(situation: Situation, subject: Subject) -> bool:
    """Whether the rules declare neither the account nor, where they declare one, the organization.

    Without a declared organization the one that a policy names may be ours.
    """
    rules = situation.rules
    if subject.kind is SubjectKind.ORGANIZATION:
        declared = rules.organization
        return bool(declared) and same(declared, subject.arn).truth is Truth.FALSE
    ours = any_of(same(account, subject.account) for account in sorted(rules.accounts.values()))
    return ours.truth is Truth.FALSE


def _words(subject: Subject, *, by_roles: bool = False) -> str:
    """What is claimed about `{who}`, of `{account}`, and `{key}`."""
    if subject.kind is SubjectKind.ACCOUNT and not by_roles:
        return "{who} can let its identities access key {key}"
    is_named = subject.kind in (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)
    is_root = subject.callers[0].principal.kind is PrincipalKind.ROOT
    place = " of account {account}" if is_named and not is_root else ""
    return f"{{who}}{place} has access to key {{key}}"


def _advice(subject: Subject, remove: str) -> tuple[str, str]:
    """The rule and the fix; `remove` says how the access goes away."""
    if subject.kind is SubjectKind.ORGANIZATION:
        return (
            "built-in: a key is for the organization of the rules file",
            f"{remove}, or ask for the organization that the rules file declares",
        )
    return (
        "built-in: a key is for its own account and those of the rules file",
        f"{remove}, or list {subject.account} under accounts of the rules file",
    )


CHECK = Check(
    _ID, "an account or organization that is not ours has access to a key", Level.ERROR, _find
)
