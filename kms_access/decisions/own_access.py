"""What subjects can do with keys by themselves: the access map, and the same for others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.action_masks import RETIRE, mask_of, names_in, possible_on
from kms_access.decisions.bulk import Block, BulkEvaluator, States
from kms_access.decisions.detour import Gain, Means, gains_of, listed, means_of, place_of
from kms_access.decisions.key_coverage import bits
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key

_FEW_ACTIONS = 4


@dataclass(frozen=True, slots=True)
class Lacking:
    """What somebody does not surely have on each key, as masks.

    `actions` are the actions by the place of the key; `nothing` are the keys on which it surely
    has everything, and `nothing_but_retiring` those on which all but RetireGrant.
    """

    actions: tuple[int, ...]
    nothing: int
    nothing_but_retiring: int


class OwnAccess:
    """The access that subjects have without any detour, rows of the map or not."""

    def __init__(self, access_map: AccessMap) -> None:
        self._evaluator = access_map.evaluator
        self._bulk = BulkEvaluator(access_map.evaluator, access_map.keys)
        self._keys = access_map.keys
        self._places = {key.origin.identity: place for place, key in enumerate(access_map.keys)}
        self._rows = dict(access_map.rows)
        self.every_key = (1 << len(access_map.keys)) - 1
        """The mask of all keys."""
        self._decoded: dict[int, tuple[Block, Mapping[str, AccessState]]] = {}
        self._possible = [possible_on(key.spec, key.usage) for key in access_map.keys]
        self._lacking: dict[str, Lacking] = {}
        self._gains: dict[tuple[str, str], tuple[Gain, ...]] = {}

    def states(self, subject: Subject, key: Key) -> Mapping[str, AccessState]:
        """The state of each action that is not denied."""
        place = self._places[key.origin.identity]
        for block in self.blocks(subject):
            if block.keys >> place & 1:
                return self._decode(block)
        return {}

    def masks(self, subject: Subject, place: int) -> States:
        """The actions that are not denied on the key at a place, as masks by state."""
        for block in self.blocks(subject):
            if block.keys >> place & 1:
                return tuple(pair for pair in block.states if not pair[0].is_denied)
        return ()

    def lacking(self, subject: Subject) -> Lacking:
        """What the subject does not surely have."""
        found = self._lacking.get(subject.identity)
        if found is None:
            found = self._lacking[subject.identity] = self._find_lacking(subject)
        return found

    def _find_lacking(self, subject: Subject) -> Lacking:
        missing = list(self._possible)
        for block in self.blocks(subject):
            sure = next((mask for s, mask in block.states if s is AccessState.ALLOWED), 0)
            for place in bits(block.keys) if sure else ():
                missing[place] &= ~sure
        nothing = beside_retiring = 0
        for place, mask in enumerate(missing):
            if not mask:
                nothing |= 1 << place
            if not mask & ~RETIRE:
                beside_retiring |= 1 << place
        return Lacking(tuple(missing), nothing, beside_retiring)

    @cached_property
    def without_grants(self) -> int:
        """The keys on which nobody has a grant, as a mask: there nobody can retire one (K102)."""
        found = 0
        for place, key in enumerate(self._keys):
            if not self._evaluator.grants_on(key):
                found |= 1 << place
        return found

    def keys(self, subject: Subject, actions: Iterable[str] | None = None) -> int:
        """The keys, as a mask of their places, on which any or one of the actions is not denied."""
        wanted = -1 if actions is None else mask_of(actions)
        found = 0
        for block in self.blocks(subject):
            if any(mask & wanted and not state.is_denied for state, mask in block.states):
                found |= block.keys
        return found

    def place(self, key: Key) -> int:
        """The place of a key in masks."""
        return self._places[key.origin.identity]

    def key_at(self, place: int) -> Key:
        """The key at a place."""
        return self._keys[place]

    def keys_at(self, places: int) -> Iterator[Key]:
        """The keys of a mask of places, in the order of the map."""
        return (self._keys[place] for place in bits(places))

    def means(self, subject: Subject, key: Key, action: str) -> Means | None:
        """What gives the subject the action; None if nothing does."""
        if action not in self.states(subject, key):
            return None
        return means_of(self._evaluator.resolution(subject, key, action))

    def gains(self, subject: Subject, key: Key) -> tuple[Gain, ...]:
        """All that the subject can do with the key, with what gives it."""
        place = (subject.identity, key.origin.identity)
        if place not in self._gains:
            self._gains[place] = tuple(self._found_gains(subject, key))
        return self._gains[place]

    def _found_gains(self, subject: Subject, key: Key) -> Iterator[Gain]:
        actions = self.states(subject, key)
        if len(actions) > _FEW_ACTIONS:
            # Decides actions that nothing tells apart together, and remembers the answers.
            self._evaluator.cell(subject, key)
        by_resolution: dict[int, Means | None] = {}
        found: dict[str, Means] = {}
        for action in actions:
            resolution = self._evaluator.resolution(subject, key, action)
            if id(resolution) not in by_resolution:
                by_resolution[id(resolution)] = means_of(resolution)
            means = by_resolution[id(resolution)]
            if means is not None:
                found[action] = means
        yield from (_held(subject, gain) for gain in gains_of(None, found))

    def blocks(self, subject: Subject) -> tuple[Block, ...]:
        """The access of the subject in blocks."""
        if subject.kind is SubjectKind.PROVIDER:
            # KMS knows no identity provider: its people come as sessions of roles (K52).
            return ()
        found = self._rows.get(subject.identity)
        if found is None:
            found = self._rows[subject.identity] = self._bulk.row(subject)
        return found

    def _decode(self, block: Block) -> Mapping[str, AccessState]:
        if id(block) not in self._decoded:
            states = {
                action: state
                for state, mask in block.states
                if not state.is_denied
                for action in names_in(mask)
            }
            # The block is kept beside the result, so that its id is never reused.
            self._decoded[id(block)] = (block, states)
        return self._decoded[id(block)][1]


def _held(subject: Subject, gain: Gain) -> Gain:
    """The gain with a first hop that says who has it."""
    verb = "holds" if gain.means.state.is_access else "may hold"
    hop = Hop(f"{subject.label} {verb} {listed(gain.actions)}", place_of(subject))
    first = Means(AccessState.ALLOWED, (), (hop,))
    return Gain(gain.kind, gain.actions, first.then(gain.means))
