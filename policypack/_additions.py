"""What one more resource brings in an update: only what it changes is judged again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kms_access.inventory.model import Identity, Inventory, Key
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.principals import PrincipalKind
from kms_access.rules import Finding, Rules
from policypack._evaluation import errors_of

SETTLED_AT_THE_END = frozenset(
    {
        "required-access",
        "lockout",
        "undecided",
        "unmatched-key",
        "ineffective-statement",
        "expired-waiver",
    }
)
"""Checks whose findings a resource that registers later can still take back."""
_STEPS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


def errors_of_addition(before: Inventory, after: Inventory, rules: Rules) -> list[Finding]:
    """The errors of `after` that hang on keys, grants and identities that `before` has not.

    All other accesses are as they were. Left out is what a later resource may still take back,
    apart from a Deny.
    """
    errors = dict.fromkeys(_errors(before, after, rules))
    return [finding for finding in errors if not _may_be_settled(finding, rules)]


def _errors(before: Inventory, after: Inventory, rules: Rules) -> Iterator[Finding]:
    keys = _changed_keys(before, after)
    if keys:
        yield from errors_of(replace(after, keys=keys, not_covered=()), rules)
    identities = _changed_identities(before, after)
    if not identities:
        return
    changed = {identity.origin.identity for identity in identities}
    if any(map(_may_lead_on, identities)):
        # Then others may get what it has, or it may get what others have.
        for finding in errors_of(replace(after, not_covered=()), rules):
            hops = {hop.origin.identity for hop in finding.proof.hops}
            if _is_about(finding, changed) or hops & changed:
                yield finding
        return
    for finding in errors_of(replace(after, identities=identities, not_covered=()), rules):
        # Of the identities that are left out only their names are known there.
        if _is_about(finding, changed):
            yield finding


def _is_about(finding: Finding, changed: set[str]) -> bool:
    return finding.principal_identity in changed or finding.check == "invalid-policy"


def _may_lead_on(identity: Identity) -> bool:
    """Whether the identity may be a step from one identity to another; rather yes than no.

    Judging the whole stack for each identity takes long, and most roles are for services alone.
    """
    trust = [policy.document for policy in identity.trust]
    own = [policy.document for policy in identity.policies]
    if any(document.unreadable is not None for document in (*trust, *own)):
        return True
    return any(
        statement.principal is None
        or statement.principal.negated
        or any(
            entry.principal is None or entry.principal.kind is not PrincipalKind.SERVICE
            for entry in statement.principal.entries
        )
        for document in trust
        for statement in document.statements
    ) or any(
        statement.action is None or statement.action.matches(action).truth is not Truth.FALSE
        for document in own
        for statement in document.statements
        for action in _STEPS
    )


def _changed_keys(before: Inventory, after: Inventory) -> tuple[Key, ...]:
    old_keys = {key.origin.identity: key for key in before.keys}
    old_grants = {grant.origin.identity: grant for grant in before.grants}
    grants = [g for g in after.grants if old_grants.get(g.origin.identity) != g]
    return tuple(
        key
        for key in after.keys
        if old_keys.get(key.origin.identity) != key
        or any(same(grant.key_arn, key.arn).truth is not Truth.FALSE for grant in grants)
    )


def _changed_identities(before: Inventory, after: Inventory) -> tuple[Identity, ...]:
    old = {identity.origin.identity: identity for identity in before.identities}
    return tuple(i for i in after.identities if old.get(i.origin.identity) != i)


def _may_be_settled(finding: Finding, rules: Rules) -> bool:
    if finding.check in SETTLED_AT_THE_END:
        return True
    # Who is only mentioned may still get the tags or the place by which a team means it.
    open_teams = any(team.tags or team.definitions for team in rules.teams.values())
    return open_teams and finding.check == "team-access" and finding.principal_origin is None
