"""Parts of identity policies that give nothing on any key (K20, K24, K31, K114, K129, K138)."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.inventory.actions import KMS_ACTIONS, find_action
from kms_access.inventory.model import Policy
from kms_access.policies.answers import Truth
from kms_access.policies.arns import arn_segments
from kms_access.policies.document import ActionElement, Statement
from kms_access.rules.inert_parts import (
    InertPart,
    allows_of,
    is_about_kms,
    plain_variables,
    set_operators,
    unknown_actions,
    without_encryption_context,
)

_ALIAS_ACTIONS = tuple(
    action.name for action in KMS_ACTIONS.values() if "alias" in action.resource_types
)
_WITH_ENCRYPTION_CONTEXT = frozenset({"encrypt", "decrypt"})


def inert_in_identity_policy(policy: Policy) -> Iterator[InertPart]:
    """What gives nothing on any key in the Allow statements about KMS of one identity policy."""
    for statement in allows_of(policy):
        if not is_about_kms(statement):
            continue
        yield from unknown_actions(statement)
        yield from _no_key(statement)
        yield from _conditioned_alias(statement)
        yield from without_encryption_context(statement, _takes_encryption_context)
        yield from set_operators(statement)
        yield from plain_variables(policy.document, statement)


def _no_key(statement: Statement) -> Iterator[InertPart]:
    """Key ids, alias names and alias ARNs never stand for a key (K24)."""
    if statement.resource is None or statement.resource.negated or statement.action is None:
        return
    for_aliases = _matches_any(statement.action, _ALIAS_ACTIONS)
    for pattern in statement.resource.patterns:
        written = pattern.source
        if not isinstance(written, str):
            continue
        is_alias = _is_alias(written)
        is_bare = not written.startswith("arn:") and "*" not in written and "?" not in written
        if is_bare or (is_alias and not for_aliases):
            yield InertPart(
                statement,
                "K24",
                f'gives nothing on "{written}", which never stands for a key',
                f'gives nothing on "{_name(written)}"',
                "write the ARN of the key, or ask for the alias by kms:ResourceAliases",
            )


def _conditioned_alias(statement: Statement) -> Iterator[InertPart]:
    """Condition keys do not work on an alias (K114)."""
    if statement.resource is None or statement.resource.negated or not statement.conditions:
        return
    if statement.action is None or not _matches_any(statement.action, _ALIAS_ACTIONS):
        return
    aliases = [p.source for p in statement.resource.patterns if _is_alias(str(p.source))]
    if aliases:
        yield InertPart(
            statement,
            "K114",
            f'has a condition for "{aliases[0]}": condition keys do not work on an alias',
            f'puts a condition on "{_name(str(aliases[0]))}"',
            "allow the alias in a statement without condition",
        )


def _name(written: str) -> str:
    """The last part of an ARN, or the whole."""
    segments = arn_segments(written)
    return str(segments[5]) if segments is not None else written


def _is_alias(written: str) -> bool:
    segments = arn_segments(written)
    return segments is not None and segments[2] == "kms" and str(segments[5]).startswith("alias/")


def _matches_any(action: ActionElement, names: tuple[str, ...]) -> bool:
    return any(action.matches(name).truth is not Truth.FALSE for name in names)


def _takes_encryption_context(action: str) -> bool:
    """Whether the action takes encryption context on some key."""
    info = find_action(action)
    if info is None or info.name == "kms:CreateGrant":
        return True
    return info.capability in _WITH_ENCRYPTION_CONTEXT
