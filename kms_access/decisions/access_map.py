"""Who can do what with which key, for all subjects, keys and actions of an inventory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from kms_access.decisions.action_masks import actions_of, names_in
from kms_access.decisions.bulk import Block, BulkEvaluator
from kms_access.decisions.evaluator import Access, Evaluator
from kms_access.decisions.key_coverage import bits
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Subject, subjects_of
from kms_access.inventory.key_policies import key_policy_not_supplied
from kms_access.inventory.model import Inventory, Key, Policy


@dataclass(frozen=True)
class AccessMap:
    """All answers of an inventory: subjects and keys sorted, and for each subject its blocks."""

    inventory: Inventory
    subjects: tuple[Subject, ...]
    keys: tuple[Key, ...]
    rows: Mapping[str, tuple[Block, ...]]
    evaluator: Evaluator = field(repr=False, compare=False)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {key.origin.identity: place for place, key in enumerate(self.keys)}

    def cell(self, subject: Subject, key: Key) -> tuple[Access, ...]:
        """The answers for one subject and key, one for each action that the key can carry out."""
        states = self.states(subject, key)
        return tuple(
            Access(
                subject,
                key,
                action,
                states.get(action, AccessState.IMPLICITLY_DENIED),
                self.evaluator,
            )
            for action in actions_of(key)
        )

    def states(self, subject: Subject, key: Key) -> Mapping[str, AccessState]:
        """The state of each action that is not denied by default, by action."""
        bit = 1 << self._places[key.origin.identity]
        for block in self.rows[subject.identity]:
            if block.keys & bit:
                named = {a: state for state, mask in block.states for a in names_in(mask)}
                return dict(sorted(named.items()))
        return {}

    def __iter__(self) -> Iterator[Access]:
        for subject in self.subjects:
            for key in self.keys:
                yield from self.cell(subject, key)

    def accesses(self) -> Iterator[Access]:
        """Every access that is not denied, by subject, key and action."""
        for subject in self.subjects:
            yield from self.accesses_of(subject)

    def accesses_of(self, subject: Subject) -> Iterator[Access]:
        """Every access of one subject that is not denied, by key and action."""
        by_place: dict[int, list[tuple[str, AccessState]]] = {}
        for block in self.rows[subject.identity]:
            actions = sorted(
                (action, state)
                for state, mask in block.states
                if not state.is_denied
                for action in names_in(mask)
            )
            if actions:
                by_place |= dict.fromkeys(bits(block.keys), actions)
        for place in sorted(by_place):
            for action, state in by_place[place]:
                yield Access(subject, self.keys[place], action, state, self.evaluator)


def access_map(inventory: Inventory, organization: Organization | None = None) -> AccessMap:
    """Decide every subject, key and action; actions that a key cannot carry out are left out.

    `organization`: what is declared about the organization, for `aws:PrincipalOrgID`.
    """
    organization = organization or Organization()
    inventory = replace(inventory, keys=tuple(_with_policy(key) for key in inventory.keys))
    subjects = subjects_of(inventory, organization)
    keys = tuple(sorted(inventory.keys, key=lambda key: (key.label, key.origin.identity)))
    evaluator = Evaluator(inventory, organization)
    bulk = BulkEvaluator(evaluator, keys)
    rows = {subject.identity: bulk.row(subject) for subject in subjects}
    return AccessMap(inventory, subjects, keys, rows, evaluator)


def _with_policy(key: Key) -> Key:
    """Every key has a key policy: one that is not supplied is not known (K2)."""
    if key.policies:
        return key
    document = key_policy_not_supplied(key.label)
    return replace(key, policies=(Policy("key policy", document, key.origin),))
