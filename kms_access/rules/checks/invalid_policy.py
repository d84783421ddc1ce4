"""A policy or grant that AWS refuses or that has no defined meaning (K13-K41, K93)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.action_masks import actions_of
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Grant, Inventory, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Truth
from kms_access.policies.document import Problem, Severity
from kms_access.policies.overlap import same
from kms_access.rules.checks.interface import Check
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "invalid-policy"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    inventory = situation.access_map.inventory
    for key in inventory.keys:
        for policy in key.policies:
            yield from _of_policy(policy, f"key {key.label}", key.label, key.origin, level)
    seen: set[int] = set()
    for owner, policy in _identity_policies(inventory):
        if id(policy.document) not in seen:
            seen.add(id(policy.document))
            yield from _of_policy(policy, owner, "", policy.origin, level)
    for grant in inventory.grants:
        for problem in (*grant.problems, *_impossible_operations(grant, inventory)):
            claim = f"{grant.label} is not valid: {problem.message}"
            yield _finding(claim, problem, "", grant.origin, level)


def _impossible_operations(grant: Grant, inventory: Inventory) -> Iterator[Problem]:
    """Operations that the key's kind cannot carry out: CreateGrant fails with them (K94)."""
    for key in inventory.keys:
        if same(grant.key_arn, key.arn).truth is Truth.TRUE:
            possible = {*actions_of(key)}
            for index, operation in enumerate(grant.operations):
                info = find_action(f"kms:{operation}")
                if info is not None and info.name not in possible:
                    message = f'key {key.label} cannot carry out "{operation}"'
                    yield Problem("K94", message, ("Operations", index))


def _identity_policies(inventory: Inventory) -> Iterator[tuple[str, Policy]]:
    for identity in inventory.identities:
        for policy in (*identity.policies, *identity.boundary, *identity.trust):
            yield identity.label, policy


def _of_policy(
    policy: Policy, owner: str, key: str, origin: Origin, level: Level
) -> Iterator[Finding]:
    for problem in policy.document.problems:
        # Quotas and likely mistakes are for later checks; here stands what AWS refuses.
        if problem.severity is Severity.ERROR:
            claim = f"the {policy.label} of {owner} is not valid: {problem.message}"
            yield _finding(claim, problem, key, origin, level)


def _finding(claim: str, problem: Problem, key: str, origin: Origin, level: Level) -> Finding:
    place = problem.place or "the document"
    if problem.position is not None:
        place += f" ({problem.position})"
    return Finding(
        _ID,
        level,
        claim,
        key or origin.label or origin.identity,
        origin,
        details=(f"at {place}, rule {problem.rule}",),
        rule="built-in: policies are written as AWS accepts them",
        fix="write the element as the message says",
        fact=f"{problem.rule} {problem.message}",
    )


CHECK = Check(_ID, "a policy is not valid", Level.ERROR, _find)
