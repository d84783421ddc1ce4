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
from kms_access.rules.claims import claim
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "invalid-policy"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    inventory = situation.access_map.inventory
    for key in inventory.keys:
        for policy in key.policies:
            yield from _of_policy(policy, key.label, key.label, key.origin, level)
    seen: set[int] = set()
    for owner, policy in _identity_policies(inventory):
        if id(policy.document) not in seen:
            seen.add(id(policy.document))
            yield from _of_policy(policy, owner, "", policy.origin, level)
    for grant in inventory.grants:
        for problem in (*grant.problems, *_impossible_operations(grant, inventory)):
            yield _finding(grant.label, problem, "", grant.origin, level)


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
            is_own = policy.origin.identity == origin.identity
            where = policy.origin_of_problem(problem) if is_own else origin
            yield _finding(f"{policy.label} of {owner}", problem, key, where, level)


def _finding(what: str, problem: Problem, key: str, origin: Origin, level: Level) -> Finding:
    element = problem.place or "the document"
    place = element if problem.position is None else f"{element} ({problem.position})"
    return Finding(
        _ID,
        level,
        claim(
            _ID,
            "{what} is not valid: {problem}",
            "{what}: {problem}",
            "{what} is not valid",
            what=what,
            problem=problem.message,
        ),
        key or origin.label or origin.identity,
        origin,
        details=(f"at {place}, rule {problem.rule}: {problem.message}",),
        rule="built-in: policies are written as AWS accepts them",
        fix=f"correct {element} in the {what}" if problem.place else f"correct the {what}",
        fact=f"{problem.rule} {problem.message}",
    )


CHECK = Check(_ID, "a policy is not valid", Level.ERROR, _find)
