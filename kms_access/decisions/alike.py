"""Actions that no statement, grant or fact tells apart are decided once (design 4.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kms_access.decisions.action_masks import (
    ABOUT_GRANTS,
    ACROSS_ACCOUNTS,
    CREATE_GRANT,
    DESCRIBE,
    GRANTABLE,
    RETIRE,
    listed_in,
    mask_of,
    masks_of,
    names_in,
    split,
    with_encryption_context,
)
from kms_access.decisions.request import ApplicablePolicies
from kms_access.decisions.request_parameters import ACTIONS_WITH
from kms_access.decisions.subjects import Caller
from kms_access.inventory.model import Grant, Key
from kms_access.policies.answers import Truth
from kms_access.policies.document import Statement
from kms_access.policies.overlap import same
from kms_access.policies.principals import Principal, PrincipalKind
from kms_access.policies.variables import keys_of

_ABOUT_CONTEXT = "kms:encryptioncontext"
_WITH_PARAMETER = {name: mask_of(actions) for name, actions in ACTIONS_WITH.items()}


def alike(
    actions: Iterable[str], policies: ApplicablePolicies, principal: Principal, key: Key
) -> list[list[str]]:
    """The actions, which are actions on a key, in groups that have one decision each."""
    statements = [
        statement
        for group in (
            *(policies.resource, policies.identity, policies.boundary, policies.session),
            *policies.service_control,
            *policies.resource_control,
        )
        for policy in group
        for statement in policy.document.statements
    ]
    parts = [mask_of(actions)]
    for statement in statements:
        for mask in masks_of(statement.action):
            parts = split(parts, mask)
    asked = {name for statement in statements for name in condition_keys(statement)}
    for mask in kinds(principal, key, policies.grants, asked):
        parts = split(parts, mask)
    return [list(names_in(part)) for part in parts]


def condition_keys(statement: Statement) -> Iterator[str]:
    """The keys, in lower case, that a statement's conditions and policy variables ask for."""
    for condition in statement.conditions:
        yield from condition.keys
    if statement.resource is not None:
        for _, template in statement.resource.templates:
            yield from keys_of(template)


_IMPERSONAL = (
    *("kms:", "aws:resource", "aws:request", "aws:tagkeys", "aws:calledvia", "aws:viaawsservice"),
    *("aws:sourceip", "aws:sourcevpc", "aws:vpcsourceip", "aws:securetransport"),
    *("aws:multifactorauth", "aws:currenttime", "aws:epochtime"),
)


_TAG_OF_CALLER = "aws:principaltag/"


def is_impersonal(name: str) -> bool:
    """Whether a condition key, in lower case, is sure to say nothing of who the caller is."""
    return name.startswith(_IMPERSONAL)


def is_like_others(caller: Caller) -> bool:
    """Whether identities that nothing names have the same access if their policies say the same.

    Their own tags are no matter where no condition asks for them.
    """
    return (
        caller.principal.kind in (PrincipalKind.USER, PrincipalKind.ROLE)
        and caller.principal.session is None
        and caller.incomplete is None
        and not caller.assumed_allowed
        and all(name.startswith(_TAG_OF_CALLER) for name in caller.facts)
        and all(
            policy.document.unreadable is None for policy in (*caller.identity, *caller.boundary)
        )
    )


def kinds(
    principal: Principal, key: Key, grants: Sequence[Grant], asked: Iterable[str]
) -> Iterator[int]:
    """What the procedure and the facts tell apart among the actions on a key, as masks.

    `asked` are the condition keys, in lower case, that the statements ask for.
    """
    yield RETIRE
    if same(principal.account, key.account).truth is not Truth.TRUE:
        yield ACROSS_ACCOUNTS
    if grants:
        yield GRANTABLE
        # A grant's constraints on the encryption context do not reach this action (K98).
        yield DESCRIBE
        for grant in grants:
            yield from set(listed_in(grant))
    if grants or any(name.startswith(_ABOUT_CONTEXT) for name in asked):
        yield with_encryption_context(key.spec)
    if grants or any(name.startswith("kms:grant") for name in asked):
        yield ABOUT_GRANTS
        yield CREATE_GRANT
    for name in asked:
        if name in _WITH_PARAMETER:
            yield _WITH_PARAMETER[name]
