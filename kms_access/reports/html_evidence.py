"""What stands behind each cell of an access map, worked out once for cells that are alike.

A page has to hold the proof of every cell, because nothing can be asked once it is written. Cells
are alike as the map itself sees it (`KeyGroups`, `alike`): the same statements reach them, and
nothing that these statements ask for tells them apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.action_masks import masks_of, names_in, split
from kms_access.decisions.alike import condition_keys, is_impersonal, is_like_others, kinds
from kms_access.decisions.bulk import States, union
from kms_access.decisions.key_coverage import KeyCoverage, bits
from kms_access.decisions.key_groups import KeyGroups, is_key_fact
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState, Resolution
from kms_access.decisions.static_facts import key_facts
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Key, Policy
from kms_access.policies.document import Effect, Statement
from kms_access.reports.html_cells import (
    Evidence,
    KeyHop,
    View,
    evidence_of,
    for_the_unnamed,
    hop_of,
    is_unreadable,
    merged,
    reasons_of,
)


@dataclass(frozen=True, slots=True)
class _OwnHop:
    """A hop at the caller's side, by its place among the statements that reach the cell."""

    place: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class _Owned:
    """A statement of the caller's side, and where it comes from."""

    policy: Policy
    statement: Statement
    side: str
    sure_keys: int
    possible_keys: int
    meaning: int
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Part:
    """Actions with one answer; the hops by their places, so that they fit cells that are alike."""

    state: AccessState
    actions: int
    hops: tuple[KeyHop | _OwnHop, ...]
    condition: str
    example: str
    reasons: tuple[str, ...]


class CellEvidence:
    """The evidence of an access map."""

    def __init__(self, facts: AccessMap) -> None:
        self._facts = facts
        self._evaluator = facts.evaluator
        grants = {key.origin.identity: self._evaluator.grants_on(key) for key in facts.keys}
        self._groups = KeyGroups(facts.keys, grants)
        self._coverage = KeyCoverage(facts.keys)
        self._alone = union(
            1 << place
            for place, key in enumerate(facts.keys)
            if grants[key.origin.identity] or len(key.policies) != 1 or is_unreadable(key.policies)
        )
        self._group_of = {
            place: number
            for number, group in enumerate(self._groups.groups)
            for place in bits(group.mask)
        }
        self._owned_by_policy: dict[int, tuple[Policy, tuple[_Owned, ...]]] = {}
        self._meanings: dict[Hashable, int] = {}
        self._shared: dict[Hashable, tuple[_Part, ...] | None] = {}

    def row(self, subject: Subject) -> Iterator[tuple[View, int]]:
        """The keys of a subject that have evidence, as masks, with what stands behind them."""
        side = _Side.of(self, subject)
        for block in self._facts.rows[subject.identity]:
            for keys in self._classes(block.keys, side):
                yield from self._views(side, keys, block.states)

    @cached_property
    def _organization_limits(self) -> tuple[tuple[str, Policy], ...]:
        inventory = self._facts.inventory
        levels = [("service", level) for level in inventory.service_control]
        levels += [("resource", level) for level in inventory.resource_control]
        return tuple((side, policy) for side, level in levels for policy in level)

    def owned(self, subject: Subject) -> tuple[_Owned, ...]:
        """The statements of the caller's side that may reach a key."""
        found: list[_Owned] = []
        for caller in subject.callers:
            sides = [("identity", p) for p in caller.identity]
            sides += [("boundary", p) for p in caller.boundary]
            for side, policy in (*sides, *self._organization_limits):
                found += (replace(one, side=side) for one in self._owned_in(policy))
        return tuple(found)

    def _owned_in(self, policy: Policy) -> tuple[_Owned, ...]:
        held = self._owned_by_policy.get(id(policy))
        if held is None:
            # The policy is kept beside its result, so that its id is not used again.
            held = (policy, tuple(self._reaching(policy)))
            self._owned_by_policy[id(policy)] = held
        return held[1]

    def _reaching(self, policy: Policy) -> Iterator[_Owned]:
        for statement in policy.document.statements:
            sure, possible = self._coverage.of(statement.resource)
            if masks_of(statement.action)[1] and possible and not statement.inert:
                # Which other keys it covers makes no difference to those that it surely covers.
                bare = replace(statement, index=0, sid="", resource=None)
                meaning = self._meanings.setdefault(bare, len(self._meanings))
                names = frozenset(condition_keys(statement))
                yield _Owned(policy, statement, "", sure, possible, meaning, names)

    def naming(self, subject: Subject) -> int:
        """The keys whose policies or grants name the subject, or may."""
        return union(self._groups.naming(caller.principal) for caller in subject.callers)

    def _classes(self, keys: int, side: _Side) -> Iterator[int]:
        """Disjoint parts of the keys: alike to the subject, or one key alone."""
        together = keys & ~side.apart & ~self._alone
        parts = [together] if together else []
        for one in side.owned:
            parts = split(parts, one.sure_keys)
        asked = frozenset(name for one in side.owned for name in one.names if is_key_fact(name))
        for cut in (
            self._groups.apart(asked) if asked else [],
            [g.mask for g in self._groups.groups],
        ):
            if cut:
                parts = [part & mask for part in parts for mask in cut if part & mask]
        yield from parts
        yield from (1 << place for place in bits(keys & ~together))

    def _views(self, side: _Side, keys: int, states: States) -> Iterator[tuple[View, int]]:
        place = (keys & -keys).bit_length() - 1
        is_alone = bool(keys & (side.apart | self._alone))
        here = [one for one in side.owned if one.possible_keys >> place & 1]
        if not is_alone:
            parts = self._parts(side, place, here, states)
            if parts is not None:
                yield merged(_instantiated(part, here) for part in parts), keys
                return
        for each in bits(keys):
            here = [one for one in side.owned if one.possible_keys >> each & 1]
            answers = self._answers(side.subject, each, here, states)
            yield merged(evidence_of(mask, found) for mask, found in answers), 1 << each

    def _parts(
        self, side: _Side, place: int, here: Sequence[_Owned], states: States
    ) -> tuple[_Part, ...] | None:
        """The parts of keys that are alike; None where a hop has no place of its own."""
        who: Hashable = side.subject.identity
        if side.is_like_others and all(
            is_impersonal(name)
            for name in (*self._names_on(place), *(n for o in here for n in o.names))
        ):
            caller = side.subject.callers[0].principal
            who = (caller.kind, caller.account, caller.partition, caller.is_service_linked)
        names = sorted({name for one in here for name in one.names if is_key_fact(name)})
        facts = key_facts(self._facts.keys[place])
        question = (
            (who, self._group_of[place], states),
            tuple((one.side, one.meaning) for one in here),
            tuple(facts.get(name) for name in names),
        )
        if question not in self._shared:
            self._shared[question] = self._asked(side.subject, place, here, states)
        return self._shared[question]

    def _asked(
        self, subject: Subject, place: int, here: Sequence[_Owned], states: States
    ) -> tuple[_Part, ...] | None:
        own = {
            (id(one.policy), id(one.statement)): at for at, one in reversed(list(enumerate(here)))
        }
        policy = self._facts.keys[place].policies[0]
        shared = {
            (id(policy), id(statement)): at for at, statement in enumerate(for_the_unnamed(policy))
        }
        parts = []
        for mask, found in self._answers(subject, place, here, states):
            hops: list[KeyHop | _OwnHop] = []
            for hit in found.decision.responsible:
                name = (id(hit.source), id(hit.statement))
                if name in shared:
                    group = self._group_of[place]
                    hops.append(KeyHop(group, shared[name], hit.effect, hit.naming))
                elif name in own:
                    hops.append(_OwnHop(own[name], hit.effect))
                else:
                    return None
            reasons = reasons_of(found)
            parts.append(
                _Part(found.state, mask, tuple(hops), found.condition, found.example, reasons)
            )
        return tuple(parts)

    def _answers(
        self, subject: Subject, place: int, here: Sequence[_Owned], states: States
    ) -> Iterator[tuple[int, Resolution]]:
        """Masks of actions that nothing tells apart, each with its answer."""
        key = self._facts.keys[place]
        parts = [mask for _, mask in states]
        statements = [s for policy in key.policies for s in policy.document.statements]
        statements += [one.statement for one in here]
        for statement in statements:
            for mask in masks_of(statement.action):
                parts = split(parts, mask)
        names = {name for statement in statements for name in condition_keys(statement)}
        grants = self._evaluator.grants_on(key)
        for caller in subject.callers:
            for mask in kinds(caller.principal, key, grants, names):
                parts = split(parts, mask)
        for part in parts:
            yield part, self._best(subject.callers, key, next(names_in(part)))

    def _best(self, callers: Sequence[Caller], key: Key, action: str) -> Resolution:
        found = [self._evaluator.resolve(caller, key, action) for caller in callers]
        return min(found, key=lambda resolution: resolution.state.rank)

    def _names_on(self, place: int) -> Iterator[str]:
        for policy in self._facts.keys[place].policies:
            for statement in policy.document.statements:
                yield from condition_keys(statement)

    def key_hop(self, hop: KeyHop, place: int) -> Hop:
        """The hop in the key policy of one of the keys that it is for."""
        policy = self._facts.keys[place].policies[0]
        statement = for_the_unnamed(policy)[hop.place]
        return hop_of(policy, hop.effect, statement, hop.naming)


@dataclass(frozen=True, slots=True)
class _Side:
    """The caller's side of a row: its statements, and the keys that it does not share."""

    subject: Subject
    owned: tuple[_Owned, ...]
    apart: int
    is_like_others: bool

    @classmethod
    def of(cls, evidence: CellEvidence, subject: Subject) -> _Side:
        owned = evidence.owned(subject)
        callers = subject.callers
        policies = [p for c in callers for p in (*c.identity, *c.boundary)]
        apart = evidence.naming(subject) | union(o.possible_keys & ~o.sure_keys for o in owned)
        if is_unreadable(policies):
            apart = -1
        like = len(callers) == 1 and is_like_others(callers[0])
        return cls(subject, owned, apart, like)


def _instantiated(part: _Part, here: Sequence[_Owned]) -> Evidence:
    hops: list[Hop | KeyHop] = []
    for hop in part.hops:
        if isinstance(hop, KeyHop):
            hops.append(hop)
        else:
            one = here[hop.place]
            hops.append(hop_of(one.policy, hop.effect, one.statement, None))
    return Evidence(
        *(part.state, part.actions, tuple(dict.fromkeys(hops))),
        *(part.condition, part.example, part.reasons),
    )
