"""Policies of an organization that limit whole accounts (K70, K71)."""

from __future__ import annotations

from kms_access.inventory.actions import KMS_ACTIONS
from kms_access.policies.answers import Truth
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.grammar import (
    RESOURCE_CONTROL_POLICY,
    SERVICE_CONTROL_POLICY,
    PolicyGrammar,
)

GRAMMARS: dict[str, PolicyGrammar] = {
    "SERVICE_CONTROL_POLICY": SERVICE_CONTROL_POLICY,
    "RESOURCE_CONTROL_POLICY": RESOURCE_CONTROL_POLICY,
}
ONLY_LESS = "it can only take access away, so more access may be reported than there is"


def may_deny_kms(document: PolicyDocument) -> bool:
    """Whether such a policy may deny an action of KMS. One that cannot be read may."""
    if document.unreadable is not None:
        return True
    return any(_denies_kms(statement) for statement in document.statements)


def _denies_kms(statement: Statement) -> bool:
    """An Allow of such a policy takes nothing away: FullAWSAccess stands beside it."""
    if statement.effects == {Effect.ALLOW}:
        return False
    action = statement.action
    return action is None or any(
        action.matches(info.name).truth is not Truth.FALSE for info in KMS_ACTIONS.values()
    )
