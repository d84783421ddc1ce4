"""What a key policy lets the identity policies of the key's own account give (K43, K45)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kms_access.decisions.evaluator import Access, Evaluator
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Caller, Subject, SubjectKind
from kms_access.inventory.arns import iam_arn
from kms_access.inventory.model import Inventory, Key, Policy
from kms_access.policies.answers import Truth
from kms_access.policies.document import Effect, Statement
from kms_access.policies.overlap import same
from kms_access.policies.principals import EntryKind, Principal, PrincipalEntry, PrincipalKind
from kms_access.policies.text import Text, Unknown


def delegated(inventory: Inventory, organization: Organization, key: Key) -> tuple[Access, ...]:
    """The actions that an identity policy of the key's account can give, with how; sorted.

    Asked is any user or role of the account to which its identity policies allow everything, under
    the statements that name the account and those that deny. A statement that reaches the root
    user alone delegates nothing (K45).
    """
    alone = replace(key, policies=tuple(_delegating(policy, key) for policy in key.policies))
    evaluator = Evaluator(
        Inventory(
            (alone,),
            service_control=inventory.service_control,
            resource_control=inventory.resource_control,
        ),
        organization,
    )
    cell = evaluator.cell(_any_identity(key), alone)
    return tuple(replace(access, key=key) for access in cell if access.state.is_access)


def _delegating(policy: Policy, key: Key) -> Policy:
    document = policy.document
    statements = tuple(_delegating_statements(document.statements, key))
    return replace(policy, document=replace(document, statements=statements))


def _delegating_statements(statements: tuple[Statement, ...], key: Key) -> Iterator[Statement]:
    for statement in statements:
        if Effect.ALLOW not in statement.effects:
            yield statement
        elif statement.principal is not None and not statement.principal.negated:
            entries = tuple(e for e in statement.principal.entries if _names_account(e, key))
            if entries:
                yield replace(statement, principal=replace(statement.principal, entries=entries))


def _names_account(entry: PrincipalEntry, key: Key) -> bool:
    if entry.kind is not EntryKind.ACCOUNT:
        return False
    return same(entry.account, key.account).truth is not Truth.FALSE


def _any_identity(key: Key) -> Subject:
    """Whoever the account's administrators may give an identity policy."""
    name = Unknown("the name of an identity", of_request=True)
    path = Text(("/", name))
    place = (key.account, key.partition)
    principals = [
        Principal(kind, iam_arn(key.partition, key.account, word, "/", Text((name,))), *place, path)
        for kind, word in ((PrincipalKind.ROLE, "role"), (PrincipalKind.USER, "user"))
    ]
    callers = tuple(Caller(principal, assumed_allowed=True) for principal in principals)
    label = f"any identity of account {key.account}"
    return Subject(SubjectKind.ACCOUNT, label, label, key.account, callers)
