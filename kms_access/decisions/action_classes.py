"""Actions that no statement, grant or fact tells apart are decided once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from kms_access.decisions.request import ApplicablePolicies
from kms_access.decisions.static_facts import GRANT_ACTIONS, takes_encryption_context
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Grant, Key
from kms_access.policies.answers import Truth, any_of
from kms_access.policies.document import PolicyDocument
from kms_access.policies.overlap import same
from kms_access.policies.wildcards import fold_case, fold_value


class ActionClasses:
    """Groups actions by what matches them; remembers the work for each document."""

    def __init__(self, actions: Iterable[str]) -> None:
        self._actions = tuple(actions)
        # Documents are kept beside their result, so that an id is never reused.
        self._by_document: dict[int, tuple[PolicyDocument, Mapping[str, Hashable]]] = {}

    def group(self, policies: ApplicablePolicies, key: Key) -> list[Sequence[str]]:
        """The actions in groups that have one decision each, under these policies on this key."""
        documents = [
            self._matching(policy.document)
            for group in (
                *(policies.resource, policies.identity, policies.boundary),
                *policies.service_control,
                *policies.resource_control,
            )
            for policy in group
        ]
        groups: dict[Hashable, list[str]] = {}
        for action in self._actions:
            signature = (
                _kind(action, key),
                tuple(document[action] for document in documents),
                tuple(_listed(grant, action) for grant in policies.grants),
            )
            groups.setdefault(signature, []).append(action)
        return list(groups.values())

    def _matching(self, document: PolicyDocument) -> Mapping[str, Hashable]:
        found = self._by_document.get(id(document))
        if found is None:
            found = (document, {a: _statements(document, a) for a in self._actions})
            self._by_document[id(document)] = found
        return found[1]


def _statements(document: PolicyDocument, action: str) -> Hashable:
    """The statements that the action reaches, and whether it surely does."""
    reached = []
    for statement in document.statements:
        truth = statement.action.matches(action).truth if statement.action else Truth.TRUE
        if truth is not Truth.FALSE:
            reached.append((statement.index, truth))
    return tuple(reached)


def _kind(action: str, key: Key) -> Hashable:
    """What the procedure itself asks about an action; grant actions are a kind of their own."""
    folded = fold_case(action)
    info = find_action(action)
    alone = action if folded in GRANT_ACTIONS or folded == "kms:retiregrant" else ""
    across = info.cross_account if info else None
    needs_key = info.needs_key if info else None
    grantable = info.grantable if info else None
    # A grant's constraints on the encryption context do not reach this action (K98).
    describes = folded == "kms:describekey"
    return (alone, across, needs_key, grantable, takes_encryption_context(key, action), describes)


def _listed(grant: Grant, action: str) -> Truth:
    operation = fold_case(action).partition(":")[2]
    return any_of(same(fold_value(listed), operation) for listed in grant.operations).truth
