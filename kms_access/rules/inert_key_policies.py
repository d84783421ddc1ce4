"""Parts of a key policy that give nothing (K20, K31, K102, K112, K120, K129, K138, K140)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.static_facts import takes_encryption_context
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Key, Policy
from kms_access.policies.answers import Truth
from kms_access.policies.document import Statement
from kms_access.policies.overlap import same
from kms_access.policies.principals import EntryKind, PrincipalEntry
from kms_access.policies.text import Value
from kms_access.policies.wildcards import fold_case
from kms_access.rules.inert_parts import (
    InertPart,
    allows_of,
    counted,
    listed,
    literal_actions,
    plain_variables,
    set_operators,
    unknown_actions,
    without_encryption_context,
)

_RETIRE_GRANT = "kms:RetireGrant"
_OF_IDENTITY_POLICIES = ("aws:resourcetag/", "kms:resourcealiases")
_IDENTITY = (EntryKind.ACCOUNT, EntryKind.IDENTITY)


def inert_in_key_policy(key: Key, policy: Policy) -> Iterator[InertPart]:
    """What gives nothing in the Allow statements of one key policy."""
    takes_context = partial(takes_encryption_context, key.spec)
    for statement in allows_of(policy):
        yield from unknown_actions(statement)
        yield from _never_in_key_policies(statement)
        yield from _across_accounts(key, statement)
        yield from without_encryption_context(statement, takes_context)
        yield from _conditions_on_the_key(statement)
        yield from set_operators(statement)
        yield from plain_variables(policy.document, statement)


def _never_in_key_policies(statement: Statement) -> Iterator[InertPart]:
    infos = (find_action(written) for written in literal_actions(statement))
    names = sorted(
        info.name
        for info in infos
        if info is not None and (not info.needs_key or info.name == _RETIRE_GRANT)
    )
    if names:
        rule = "K102" if names == [_RETIRE_GRANT] else "K112"
        verb = "has" if len(names) == 1 else "have"
        yield InertPart(
            statement,
            rule,
            f"gives nothing by {listed(names)}, which {verb} no effect in a key policy",
            f"allows {counted(names)} without effect",
            f"remove {listed(names)}, or allow it in an identity policy",
        )


def _across_accounts(key: Key, statement: Statement) -> Iterator[InertPart]:
    element = statement.principal
    if element is None or element.negated or statement.action is None:
        return
    accounts = sorted({str(_account(e)) for e in element.entries if _is_foreign(e, key)})
    if not accounts:
        return
    names = [
        name
        for name in actions_of(key)
        if statement.action.matches(name).truth is Truth.TRUE and not _works_across(name)
    ]
    if names:
        verb = "has" if len(names) == 1 else "have"
        whom = f"account {accounts[0]}" if len(accounts) == 1 else f"accounts {listed(accounts)}"
        yield InertPart(
            statement,
            "K120",
            f"gives {whom} nothing by {listed(names)}, which {verb} no effect across accounts",
            f"allows {counted(names)} without effect",
            f"leave out {listed(names)}: name the actions that the other account needs",
        )


def _account(entry: PrincipalEntry) -> Value:
    return entry.principal.account if entry.principal is not None else entry.account


def _is_foreign(entry: PrincipalEntry, key: Key) -> bool:
    if entry.kind not in _IDENTITY:
        return False
    return same(_account(entry), key.account).truth is Truth.FALSE


def _works_across(name: str) -> bool:
    info = find_action(name)
    return info is None or info.cross_account


def _conditions_on_the_key(statement: Statement) -> Iterator[InertPart]:
    for condition in statement.conditions:
        if fold_case(condition.key).startswith(_OF_IDENTITY_POLICIES):
            yield InertPart(
                statement,
                "K140",
                f'asks for "{condition.key}", which is supported in identity policies only',
                f'cannot ask for "{condition.key}"',
                "remove the condition: the key policy is for this key alone",
            )
