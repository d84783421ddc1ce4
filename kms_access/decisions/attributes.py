"""Which attributes of keys and principals the conditions of policies ask for (K163)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kms_access.decisions.detour import Means
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Policy
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.conditions import Condition
from kms_access.policies.context import KeyState, Open
from kms_access.policies.document import PolicyDocument
from kms_access.policies.variables import keys_of

KEY_TAG, PRINCIPAL_TAG = "aws:resourcetag/", "aws:principaltag/"
ALIASES = "kms:resourcealiases"


@dataclass(frozen=True, slots=True)
class Change:
    """Attributes that somebody can set: how, and the condition keys afterwards.

    `reason` marks the keys that it can give any value.
    """

    means: Means
    facts: Mapping[str, KeyState]
    reason: Reason | None = None

    def then(self, means: Means) -> Means:
        """The change and what it leads to, where one's own choice keeps nothing open."""
        if means.state is AccessState.CONDITIONAL and {*means.reasons} <= {self.reason}:
            means = Means(AccessState.ALLOWED, (), means.hops)
        return self.means.then(means)


def at_will(means: Means, keys: Iterable[str], what: str) -> Change:
    """Condition keys to which one can give any value."""
    reason = Reason(what, ReasonKind.REQUEST, "K163")
    return Change(means, {key: Open(reason) for key in keys}, reason)


class TestedAttributes:
    """The attributes that policies test, each document read once."""

    def __init__(self) -> None:
        self._of_document: dict[int, tuple[PolicyDocument, _Tests]] = {}

    def conditions(self, policies: Iterable[Policy], start: str) -> list[Condition]:
        """The conditions on keys that begin with `start`."""
        return [
            condition
            for policy in policies
            for condition in self._tests(policy.document).conditions
            if any(key.startswith(start) for key in condition.keys)
        ]

    def keys(self, policies: Iterable[Policy], start: str) -> list[str]:
        """The condition keys that begin with `start`, in lower case, also in policy variables."""
        found = {
            key: None
            for policy in policies
            for key in self._tests(policy.document).keys
            if key.startswith(start)
        }
        return list(found)

    def _tests(self, document: PolicyDocument) -> _Tests:
        if id(document) not in self._of_document:
            # The document is kept beside the result, so that its id is never reused.
            self._of_document[id(document)] = (document, _tests_of(document))
        return self._of_document[id(document)][1]


@dataclass(frozen=True, slots=True)
class _Tests:
    conditions: tuple[Condition, ...]
    keys: tuple[str, ...]


_NO_TESTS = _Tests((), ())


def _tests_of(document: PolicyDocument) -> _Tests:
    conditions = [c for statement in document.statements for c in statement.conditions]
    keys = [key for condition in conditions for key in condition.keys]
    for statement in document.statements:
        for _, template in statement.resource.templates if statement.resource else ():
            keys += keys_of(template)
    found = dict.fromkeys(key for key in keys if key.startswith((KEY_TAG, PRINCIPAL_TAG, ALIASES)))
    if not found:
        return _NO_TESTS
    asking = (c for c in conditions if not found.keys().isdisjoint(c.keys))
    return _Tests(tuple(asking), tuple(found))
