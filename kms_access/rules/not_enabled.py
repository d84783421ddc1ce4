"""Identity statements for a key whose key policy does not let them work (K3, K7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject
from kms_access.inventory.model import Key, Policy
from kms_access.policies.answers import Truth
from kms_access.policies.document import ActionElement, Statement
from kms_access.policies.text import Value
from kms_access.rules.inert_parts import allows_of
from kms_access.rules.situation import Situation
from kms_access.rules.what_if import best_of, with_every_identity_policy

_BY_GRANT_ALONE = ("kms:RetireGrant",)


@dataclass(frozen=True, slots=True)
class NotEnabled:
    """A statement that gives nothing to any of its `holders` on a key that it names by ARN."""

    policy: Policy
    statement: Statement
    key: Key
    holders: tuple[Subject, ...]


def not_enabled(situation: Situation) -> Iterator[NotEnabled]:
    """The identity statements that name a key and give nothing there, in the order of the map.

    The work grows with the keys that statements name. A statement for keys by a wildcard is for
    whatever lets it in, so it is none of these.
    """
    named = _Named(situation)
    found: dict[tuple[int, int, str], list[tuple[Subject, bool]]] = defaultdict(list)
    places: dict[tuple[int, int, str], tuple[Policy, Statement, Key]] = {}
    for subject in situation.access_map.subjects:
        if subject.session or not subject.callers:
            continue
        for policy in subject.callers[0].identity:
            for statement in allows_of(policy):
                for key in named.keys(statement):
                    place = (id(policy.document), statement.index, key.origin.identity)
                    places[place] = (policy, statement, key)
                    found[place].append((subject, named.gives_nothing(subject, statement, key)))
    for place, holders in found.items():
        if all(useless for _, useless in holders):
            yield NotEnabled(*places[place], tuple(subject for subject, _ in holders))


class _Named:
    """Answers about statements and the keys that they name."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._keys: dict[Value, Key] = {key.arn: key for key in situation.access_map.keys}
        self._covered: dict[tuple[ActionElement, str], frozenset[str]] = {}

    def keys(self, statement: Statement) -> Iterator[Key]:
        """The keys that a statement names by their whole ARN."""
        element = statement.resource
        if element is not None and not element.negated:
            for pattern in element.patterns:
                key = self._keys.get(pattern.source)
                if key is not None:
                    yield key

    def gives_nothing(self, subject: Subject, statement: Statement, key: Key) -> bool:
        """Whether the key policy keeps the statement from giving any of its actions."""
        covered = self._actions(statement, key)
        states = self._situation.access_map.states(subject, key)
        if not covered or any(not states[a].is_denied for a in covered if a in states):
            return False
        callers = with_every_identity_policy(subject)
        evaluator = self._situation.key_side
        return all(
            best_of(evaluator, callers, key, action).state is AccessState.IMPLICITLY_DENIED
            for action in covered
        )

    def _actions(self, statement: Statement, key: Key) -> frozenset[str]:
        if statement.action is None:
            return frozenset()
        kind = (statement.action, key.origin.identity)
        if kind not in self._covered:
            self._covered[kind] = frozenset(
                action
                for action in actions_of(key)
                if action not in _BY_GRANT_ALONE
                and statement.action.matches(action).truth is Truth.TRUE
            )
        return self._covered[kind]
