"""What one more resource brings in an update: only what it changes is judged again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kms_access.inventory.model import Identity, Inventory, Key
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
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
    if identities:
        changed = {identity.origin.identity for identity in identities}
        for finding in errors_of(replace(after, identities=identities, not_covered=()), rules):
            # Of the identities that are left out only their names are known there.
            if finding.principal_identity in changed or finding.check == "invalid-policy":
                yield finding


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
