"""The whole access map at once: equal questions are asked once (design 4.4)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from kms_access.decisions.action_masks import RETIRE, masks_of, names_in, possible_on, split
from kms_access.decisions.alike import condition_keys, is_impersonal, is_like_others, kinds
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.key_coverage import KeyCoverage, bits
from kms_access.decisions.key_groups import KeyGroups, is_key_fact, may_name_the_unnamed
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Key, Policy
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.principals import EntryKind, PrincipalKind

States: TypeAlias = tuple[tuple[AccessState, int], ...]
"""Masks of actions by state, best state first."""


@dataclass(frozen=True, slots=True)
class Block:
    """Keys on which a subject has the same access: the actions by state, as masks.

    Actions that stand in no mask are denied by default.
    """

    keys: int
    states: States


@dataclass(frozen=True, slots=True)
class _Asked:
    """A statement of the caller's side, with the actions and keys that it may reach."""

    statement: Statement
    actions: tuple[int, int]
    sure_keys: int
    possible_keys: int
    key_facts: frozenset[str]
    meaning: int
    """A number that statements have in common which differ in place and Sid only."""
    meaning_where_sure: int
    """The same for a key that the statement surely covers: its Resource element is left out."""
    is_impersonal: bool
    """Whether no condition asks for something that one caller has and another has not."""


@dataclass(frozen=True, slots=True)
class _KeySide:
    """The sets of actions, and the condition keys, that the policies of a key speak of.

    `is_impersonal` as for a statement of the caller's side, for users and roles of no name here.
    """

    masks: frozenset[int]
    names: frozenset[str]
    is_impersonal: bool


class BulkEvaluator:
    """Decides the rows of an access map."""

    def __init__(self, evaluator: Evaluator, keys: Sequence[Key]) -> None:
        self._evaluator = evaluator
        self._keys = keys
        self._grants = {key.origin.identity: evaluator.grants_on(key) for key in keys}
        self._coverage = KeyCoverage(keys)
        self._groups = KeyGroups(keys, self._grants)
        self._by_document: dict[int, tuple[PolicyDocument, tuple[_Asked, ...]]] = {}
        self._by_key: dict[str, _KeySide] = {}
        self._meanings: dict[Statement, int] = {}
        self._shared: dict[Hashable, States] = {}

    def row(self, subject: Subject) -> tuple[Block, ...]:
        """The access of one subject to all keys; keys without any are left out."""
        rows = [self._row_of(caller) for caller in subject.callers]
        return rows[0] if len(rows) == 1 else tuple(_best_of(rows))

    def _row_of(self, caller: Caller) -> tuple[Block, ...]:
        documents = [policy.document for policy in self._caller_side(caller)]
        asked = [one for document in documents for one in self._asked(document)]
        needs_allow = (
            caller.incomplete is None
            and not caller.assumed_allowed
            and caller.principal.kind in (PrincipalKind.USER, PrincipalKind.ROLE)
            and all(document.unreadable is None for document in documents)
        )
        blocks: dict[States, int] = {}
        for keys, delegates_only in self._classes(caller, asked, needs_allow=needs_allow):
            place = (keys & -keys).bit_length() - 1
            matters = self._matters(place, asked, delegates_only) if needs_allow else -1
            states = self._states_of_all_alike(caller, place, asked, matters)
            if states:
                blocks[states] = blocks.get(states, 0) | keys
        return tuple(Block(keys, states) for states, keys in blocks.items())

    def _caller_side(self, caller: Caller) -> Iterator[Policy]:
        inventory = self._evaluator.inventory
        yield from caller.identity
        yield from caller.boundary
        for level in (*inventory.service_control, *inventory.resource_control):
            yield from level

    def _asked(self, document: PolicyDocument) -> tuple[_Asked, ...]:
        found = self._by_document.get(id(document))
        if found is None:
            # The document is kept beside its result, so that its id is not used again.
            found = (document, tuple(self._asked_in(document)))
            self._by_document[id(document)] = found
        return found[1]

    def _asked_in(self, document: PolicyDocument) -> Iterator[_Asked]:
        for statement in document.statements:
            actions = masks_of(statement.action)
            sure, possible = self._coverage.of(statement.resource)
            if actions[1] and possible and not statement.inert:
                names = frozenset(condition_keys(statement))
                bare = replace(statement, index=0, sid="")
                yield _Asked(
                    statement,
                    actions,
                    sure,
                    possible,
                    frozenset(filter(is_key_fact, names)),
                    self._meaning(bare),
                    self._meaning(replace(bare, resource=None)),
                    all(map(is_impersonal, names)),
                )

    def _meaning(self, statement: Statement) -> int:
        return self._meanings.setdefault(statement, len(self._meanings))

    def _classes(
        self, caller: Caller, asked: Sequence[_Asked], *, needs_allow: bool
    ) -> Iterator[tuple[int, bool]]:
        """Disjoint sets of keys that are equal to the caller, with whether they only delegate.

        Those on which nothing can allow or deny are left out.
        """
        apart = self._groups.naming(caller.principal)
        covered = 0
        names: frozenset[str] = frozenset()
        for one in asked:
            apart |= one.possible_keys & ~one.sure_keys
            covered |= one.possible_keys
            names |= one.key_facts
        parts = [self._coverage.all & ~apart]
        for one in asked:
            parts = split(parts, one.sure_keys)
        if names:
            parts = [part & mask for part in parts for mask in self._groups.apart(names)]
        for group in self._groups.groups:
            reached = group.mask
            if needs_allow and group.delegates_only and not group.denies:
                reached &= covered
            if reached:
                for part in parts:
                    if part & reached:
                        yield part & reached, group.delegates_only
        yield from ((1 << place, False) for place in bits(apart))

    def _matters(self, place: int, asked: Sequence[_Asked], delegates_only: bool) -> int:
        """The actions that something can allow or deny; all others are denied by default (K1)."""
        key = self._keys[place]
        if self._grants[key.origin.identity] or any(
            policy.document.unreadable is not None for policy in key.policies
        ):
            return -1
        given = denied = own = 0
        for policy in key.policies:
            for statement in policy.document.statements:
                possible = masks_of(statement.action)[1]
                given |= possible if Effect.ALLOW in statement.effects else 0
                denied |= possible if Effect.DENY in statement.effects else 0
        for one in asked:
            if one.possible_keys >> place & 1:
                own |= one.actions[1] if Effect.ALLOW in one.statement.effects else 0
                denied |= one.actions[1] if Effect.DENY in one.statement.effects else 0
        if delegates_only:
            given &= own
        # Without grants nobody can retire one.
        return (given & ~RETIRE) | denied

    def _states_of_all_alike(
        self, caller: Caller, place: int, asked: Sequence[_Asked], matters: int
    ) -> States:
        """`_states`, worked out once for callers who only differ in who they are."""
        here = [one for one in asked if one.possible_keys >> place & 1]
        inventory, key = self._evaluator.inventory, self._keys[place]
        if (
            inventory.service_control
            or inventory.resource_control
            or self._evaluator.grants_tell_apart(key)
            or not is_like_others(caller)
            or self._groups.naming(caller.principal) >> place & 1
            or not self._key_side(key).is_impersonal
            or not all(one.is_impersonal for one in here)
        ):
            return self._states(caller, place, asked, matters)
        who = caller.principal
        question = (
            (who.kind, who.account, who.partition, who.is_service_linked),
            (*self._kind_of_key(place, here), matters),
            self._meaning_of(caller.identity, place),
            tuple(self._meaning_of((policy,), place) for policy in caller.boundary),
        )
        found = self._shared.get(question)
        if found is None:
            found = self._shared[question] = self._states(caller, place, asked, matters)
        return found

    def _meaning_of(self, policies: Iterable[Policy], place: int) -> frozenset[int]:
        """What the policies say about the key at a place."""
        return frozenset(
            one.meaning_where_sure if one.sure_keys >> place & 1 else one.meaning
            for policy in policies
            for one in self._asked(policy.document)
            if one.possible_keys >> place & 1
        )

    def _kind_of_key(self, place: int, here: Sequence[_Asked]) -> tuple[Hashable, ...]:
        """What keys have in common on which these statements give callers of no name the same."""
        if not all(one.sure_keys >> place & 1 for one in here):
            return (None, place)
        names = frozenset(name for one in here for name in one.key_facts)
        return self._groups.group_of(place), self._groups.facts_at(place, names)

    def _states(self, caller: Caller, place: int, asked: Sequence[_Asked], matters: int) -> States:
        key = self._keys[place]
        key_side = self._key_side(key)
        masks, names = set(key_side.masks), set(key_side.names)
        for one in asked:
            if one.possible_keys >> place & 1:
                masks.update(one.actions)
                names.update(condition_keys(one.statement))
        parts = [possible_on(key.spec, key.usage) & matters]
        for mask in masks:
            parts = split(parts, mask)
        grants = self._grants[key.origin.identity]
        for mask in kinds(caller.principal, key, grants, names):
            parts = split(parts, mask)
        found: dict[AccessState, int] = {}
        for part in parts:
            state = self._evaluator.resolve(caller, key, next(names_in(part))).state
            if state is not AccessState.IMPLICITLY_DENIED:
                found[state] = found.get(state, 0) | part
        return tuple(sorted(found.items(), key=lambda item: item[0].rank))

    def _key_side(self, key: Key) -> _KeySide:
        found = self._by_key.get(key.origin.identity)
        if found is None:
            statements = [s for policy in key.policies for s in policy.document.statements]
            names = frozenset(name for s in statements for name in condition_keys(s))
            open_ones = [s for s in statements if may_name_the_unnamed(s)]
            entries = [e for s in open_ones if s.principal for e in s.principal.entries]
            found = _KeySide(
                frozenset(mask for s in statements for mask in masks_of(s.action)),
                names,
                all(is_impersonal(name) for s in open_ones for name in condition_keys(s))
                and all(entry.kind is not EntryKind.UNREADABLE for entry in entries),
            )
            self._by_key[key.origin.identity] = found
        return found


def _best_of(rows: Sequence[tuple[Block, ...]]) -> Iterator[Block]:
    """For each key and action the best state that one of the callers has."""
    parts = [0]
    for row in rows:
        for block in row:
            parts = [*split(parts, block.keys), block.keys & ~union(parts)]
    for part in filter(None, parts):
        found: dict[AccessState, int] = {}
        for row in rows:
            for block in row:
                for state, mask in block.states if block.keys & part else ():
                    found[state] = found.get(state, 0) | mask
        taken = 0
        best: list[tuple[AccessState, int]] = []
        for state in AccessState:
            mask = found.get(state, 0) & ~taken
            taken |= mask
            if mask:
                best.append((state, mask))
        yield Block(part, tuple(best))


def union(masks: Iterable[int]) -> int:
    """All bits of the masks."""
    result = 0
    for mask in masks:
        result |= mask
    return result
