"""A statement, or a part of one, that gives nothing (K3, K20, K24, K102, K112, K120, …)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.decisions.proof import Hop, Proof, statement_name
from kms_access.inventory.model import Identity, Inventory, Policy
from kms_access.policies.document import Statement
from kms_access.policies.wildcards import fold_case
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import is_of_aws
from kms_access.rules.claims import claim
from kms_access.rules.findings import Finding
from kms_access.rules.inert_identity_policies import inert_in_identity_policy
from kms_access.rules.inert_key_policies import inert_in_key_policy
from kms_access.rules.inert_parts import InertPart
from kms_access.rules.model import Level
from kms_access.rules.not_enabled import NotEnabled, not_enabled
from kms_access.rules.situation import Situation

_ID = "ineffective-statement"
_RULE = "built-in: every statement does what it seems to do"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    inventory = situation.access_map.inventory
    for key in inventory.keys:
        for policy in key.policies:
            for part in inert_in_key_policy(key, policy):
                yield _of_part(policy, key.label, part, level)
    for owner, policy in _identity_policies(inventory):
        for part in inert_in_identity_policy(policy):
            yield _of_part(policy, owner.label, part, level)
    for item in not_enabled(situation):
        yield _of_not_enabled(item, level)


def _identity_policies(inventory: Inventory) -> Iterator[tuple[Identity, Policy]]:
    """Each policy once, with the first identity that has it."""
    seen: set[int] = set()
    for identity in inventory.identities:
        for policy in identity.policies:
            if id(policy.document) not in seen and not is_of_aws(policy):
                seen.add(id(policy.document))
                yield identity, policy


def _of_part(policy: Policy, owner: str, part: InertPart, level: Level) -> Finding:
    return Finding(
        _ID,
        level,
        _claim(policy, owner, "{says}", says=part.claim),
        policy.origin.label or policy.origin.identity,
        policy.origin_of(part.statement),
        details=(
            f"{_place(policy, part.statement)} of {owner} {part.says}",
            f"rule {part.rule}",
        ),
        rule=_RULE,
        fix=part.fix,
        fact=part.fact,
    )


def _of_not_enabled(item: NotEnabled, level: Level) -> Finding:
    first, *others = item.holders
    owner = first.label + (f" and {len(others)} more" if others else "")
    key = item.key
    return Finding(
        _ID,
        level,
        _claim(item.policy, owner, "gives nothing on key {key}", key=key.label),
        key.label,
        key.origin,
        first.label,
        first.origin,
        first.identity,
        proof=Proof((Hop.of_statement(_without_effect(item), item.policy, item.statement),)),
        details=(
            f"{_place(item.policy, item.statement)} of {owner} gives nothing: the key policy does "
            "not let it",
            "rule K3",
        ),
        rule=_RULE,
        fix=f"allow it in the key policy of {key.label} as well, or remove the key from "
        f"{_place(item.policy, item.statement)}",
        fact=f"K3 {item.policy.label} {_actions(item.statement)}",
    )


def _claim(policy: Policy, owner: str, words: str, **names: str) -> str:
    """What a policy does; which of its statements does it stands in the details."""
    ways = (f"{{policy}} of {{owner}} {words}", f"a policy of {{owner}} {words}")
    return claim(_ID, *ways, policy=policy.label, owner=owner, **names)


def _without_effect(item: NotEnabled) -> str:
    return f"{item.policy.label}, {statement_name(item.statement)}, has no effect on this key"


def _place(policy: Policy, statement: Statement) -> str:
    return f"{statement_name(statement)} of the {policy.label}"


def _actions(statement: Statement) -> str:
    """The actions: what tells one statement about a key from another."""
    patterns = statement.action.patterns if statement.action is not None else ()
    return " ".join(sorted(fold_case(str(pattern.source)) for pattern in patterns))


CHECK = Check(_ID, "a statement gives nothing", Level.WARNING, _find)
