"""The detours of one subject: its chains, and what stands at their ends, for all keys at once.

What cannot lead to anything is left out as masks of keys before a single key is looked at: on most
keys most identities have nothing, and whoever has everything obtains nothing (design 4.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from kms_access.decisions.action_masks import RETIRE, mask_of, names_in
from kms_access.decisions.detour import (
    BY_ROLES,
    Detour,
    DetourKind,
    Gain,
    Means,
    state_of_weakness,
    weakness,
)
from kms_access.decisions.identity_chains import Chain
from kms_access.decisions.key_coverage import bits
from kms_access.decisions.last_steps import LastSteps, gain_in_state
from kms_access.decisions.own_access import Lacking
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Subject, identity_of
from kms_access.inventory.model import Key

_MAXIMUM_WRITTEN = 3
"""A few ways by writing for others are enough, for what identity policies give on a key is the same
for most identities."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which detours of a subject somebody asks for; more may be found, these are.

    `keys` is a mask of places. Those that begin with taking or passing a role are wanted on
    `keys_by_roles`, all others if they give one of the `actions` or rewrite the key policy.
    """

    keys: int = -1
    keys_by_roles: int = -1
    actions: int = -1


EVERYTHING = Wanted()


class SubjectSearch:
    """Yields each detour of a subject that is wanted, with the place of the key.

    On one key they come in the order of the chains.
    """

    def __init__(self, subject: Subject, wanted: Wanted, steps: LastSteps) -> None:
        self._subject = subject
        self._steps = steps
        self._own = steps.own
        self._wanted = wanted
        lacking = self._own.lacking(subject)
        self._missing = lacking.actions
        self._live = self._own.every_key & wanted.keys & ~lacking.nothing
        self._near = self._live & self._all_but_retiring(lacking)
        """The keys on which a grant of its own for RetireGrant is all that there is to obtain."""
        self._far = self._live & ~self._near
        self._given: dict[int, int] = {}

    def __iter__(self) -> Iterator[tuple[int, Detour]]:
        if not self._live:
            return
        for chain in self._chains():
            if chain.links and not self._is_left_out(chain):
                yield from self._held_at_the_end(chain)
                yield from self._by_session_tags(chain)
                yield from self._by_writers(chain)
            if chain.goes_on and not self._is_left_out(chain):
                yield from self._by_power(chain)

    def _chains(self) -> Sequence[Chain]:
        """The chains that can lead to something that is wanted, in their order."""
        chains = self._steps.chains
        by_roles = self._wanted.keys_by_roles & self._live
        otherwise = self._wanted_otherwise
        if not by_roles and not (otherwise and chains.acts_as_others(self._subject)):
            return (chains.empty(self._subject),)
        # Where only its own grants matter, so do only chains after which other steps may follow.
        far = self._far & by_roles | otherwise
        return chains.of(self._subject) if far else chains.of_roles(self._subject)

    @property
    def _wanted_otherwise(self) -> int:
        """The far keys on which the subject lacks an action that is wanted without a role."""
        found = 0
        for place in bits(self._far):
            if self._missing[place] & self._wanted.actions:
                found |= 1 << place
        return found

    def _is_left_out(self, chain: Chain) -> bool:
        """Whether nothing is wanted of a chain, and it uses up nothing that others need."""
        by_roles = chain.links and chain.links[0].kind in BY_ROLES
        return bool(by_roles) and not self._wanted.keys_by_roles & self._live and not self._writable

    def _is_wanted(self, chain: Chain, kind: DetourKind | None, place: int, actions: int) -> bool:
        if chain.links and chain.links[0].kind in BY_ROLES:
            return bool(self._wanted.keys_by_roles >> place & 1)
        if kind is DetourKind.KEY_POLICY and not chain.links:
            return True
        return bool(actions & self._wanted.actions)

    def _all_but_retiring(self, lacking: Lacking) -> int:
        """The keys on which all is there but RetireGrant, and nobody has a grant to retire."""
        return lacking.nothing_but_retiring & self._own.without_grants

    def _idle(self, chain: Chain) -> int:
        """The keys on which somebody between has all that the end has: the rest is idle."""
        found = 0
        for part in chain.prefixes:
            lacking = self._own.lacking(part.last)
            found |= lacking.nothing | self._all_but_retiring(lacking)
        return found

    def _held_at_the_end(self, chain: Chain) -> Iterator[tuple[int, Detour]]:
        keys = self._own.keys(chain.last) & self._far
        if chain.links[0].kind in BY_ROLES:
            keys &= self._wanted.keys_by_roles
        if keys:
            keys &= ~self._idle(chain)
        for block in self._own.blocks(chain.last) if keys else ():
            for state, mask in sorted(block.states, key=lambda item: item[0].rank):
                if state.is_denied:
                    continue
                obtained = max(chain.means.weakness, weakness(state))
                for place in bits(block.keys & keys):
                    actions = mask & self._missing[place]
                    if actions:
                        actions &= ~self._had(chain.prefixes, place, obtained)
                    if actions and self._is_wanted(chain, None, place, actions):
                        yield place, self._held(chain, place, actions, state, obtained)

    def _held(
        self, chain: Chain, place: int, actions: int, state: AccessState, obtained: int
    ) -> Detour:
        key = self._own.key_at(place)

        def means() -> Means:
            gain = gain_in_state(self._own.gains(chain.last, key), state)
            # That of the access is not among the formulas: the last identity has it, too.
            return replace(chain.means.then(gain.means), formulas=chain.means.formulas)

        return Detour(
            chain.start,
            key,
            chain.kinds,
            _named(actions),
            state_of_weakness(obtained),
            chain.through,
            means,
        )

    def _by_session_tags(self, chain: Chain) -> Iterator[tuple[int, Detour]]:
        if chain.links[-1].kind is not DetourKind.ASSUMED_ROLE:
            return
        keys = self._steps.attributes.keys_by_session_tags(chain.last) & self._far
        if keys:
            keys &= ~self._idle(chain) & self._ends(chain)
        for place in bits(keys):
            key = self._own.key_at(place)
            for gain in self._steps.attributes.gains_by_session_tags(
                chain.last_but_one, chain.last, key
            ):
                yield from self._step(chain, gain, place, key)

    def _ends(self, chain: Chain) -> int:
        """The keys at which something may stand at the end of a chain with links, as a mask."""
        if any(self._written(chain)):
            return self._own.every_key
        ends = self._own.keys(chain.last)
        return ends | self._steps.power_keys(chain.last) if chain.goes_on else ends

    def _by_writers(self, chain: Chain) -> Iterator[tuple[int, Detour]]:
        keys = self._writable & ~self._exhausted
        writers = list(self._written(chain)) if keys else []
        # Whoever surely can rewrite its own permissions or the key policy needs nobody else.
        in_need = 0
        for writer in writers:
            in_need |= ~self._steps.rewriting(writer.last)
        for place in bits(keys & in_need):
            key = self._own.key_at(place)
            for writer in writers:
                for whole, gain in self._steps.gains_by_writer(writer, chain, place):
                    self._given[place] = self._given.get(place, 0) + 1
                    yield from self._step(whole, gain, place, key)

    @property
    def _exhausted(self) -> int:
        """The keys for which enough ways by writing for others were found."""
        found = 0
        for place, count in self._given.items():
            if count >= _MAXIMUM_WRITTEN:
                found |= 1 << place
        return found

    @cached_property
    def _writers(self) -> tuple[Chain, ...]:
        """The chains of assumed roles to whoever may write permissions, the empty one too."""
        if not self._far:
            return ()
        return self._steps.writers(self._subject)

    @cached_property
    def _writable(self) -> int:
        """The keys on which some writer does not have everything that it could give."""
        found = 0
        for writer in self._writers:
            lacking = self._own.lacking(writer.last)
            found |= ~(lacking.nothing | self._all_but_retiring(lacking))
        return found & self._far

    def _written(self, chain: Chain) -> Iterator[Chain]:
        """The chains to those who may write the permissions of the last identity."""
        last = identity_of(chain.last)
        for writer in self._writers:
            if identity_of(writer.last) != last and self._steps.changes(writer.last, chain.last):
                yield writer

    def _by_power(self, chain: Chain) -> Iterator[tuple[int, Detour]]:
        last = self._own.lacking(chain.last)
        keys = self._steps.power_keys(chain.last) & self._live & ~last.nothing
        if keys:
            # Where a grant for RetireGrant is all that there is, other powers give nothing.
            grants_alone = self._near | self._all_but_retiring(last)
            for part in chain.prefixes:
                lacking = self._own.lacking(part.last)
                keys &= ~lacking.nothing
                grants_alone |= self._all_but_retiring(lacking)
            granting = self._steps.grant_keys(chain.last)
            if not chain.links and not self._wanted.actions & RETIRE:
                granting = 0
            keys &= ~grants_alone | granting
            if chain.links:
                keys &= self._wanted.keys_by_roles
        for place in bits(keys):
            key = self._own.key_at(place)
            for gain in self._steps.powers(chain.last, place):
                yield from self._step(chain, gain, place, key)

    def _step(self, chain: Chain, gain: Gain, place: int, key: Key) -> Iterator[tuple[int, Detour]]:
        """What a step at the end of a chain gives, if it is more than what was there before."""
        obtained = max(chain.means.weakness, gain.means.weakness)
        actions = mask_of(gain.actions) & self._missing[place]
        if actions:
            # The last identity needs no step for what it has, unless nobody acts as it.
            before = (*chain.prefixes, chain) if chain.links else chain.prefixes
            actions &= ~self._had(before, place, obtained)
        if actions and self._is_wanted(chain, gain.kind, place, actions):
            kinds = (*chain.kinds, gain.kind) if gain.kind else chain.kinds
            yield (
                place,
                Detour(
                    chain.start,
                    key,
                    kinds,
                    _named(actions),
                    state_of_weakness(obtained),
                    chain.through,
                    lambda: chain.means.then(gain.means),
                ),
            )

    def _had(self, parts: Sequence[Chain], place: int, obtained: int) -> int:
        """What an identity on the way has as surely: then the rest of the chain is idle."""
        had = 0
        for part in parts:
            if part.means.weakness <= obtained:
                for state, mask in self._own.masks(part.last, place):
                    if weakness(state) <= obtained:
                        had |= mask
        return had


@lru_cache(maxsize=4_096)
def _named(mask: int) -> frozenset[str]:
    return frozenset(names_in(mask))
