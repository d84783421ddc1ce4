"""What differs between the access facts of two deployments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kms_access.decisions.access_facts import DIRECT, AccessFacts, Held, Named, Place
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.terms import Term, implies

_URN_SEPARATOR = "::"


@dataclass(frozen=True, slots=True)
class Change:
    """Actions of one principal on one key that are gained or lost in one way.

    `was` is the condition on the other side, None where nothing is there. `proof` is that of the
    first action, on the side that has the access.
    """

    principal: Named
    key: Named
    way: str
    actions: tuple[str, ...]
    state: AccessState
    term: Term
    was: Term | None
    proof: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the step from one set of facts to another gives and takes, by key and principal.

    `undecided` are accesses of the new facts of which it is not known whether they exist, unless
    they were there before; `not_evaluated` are definitions that may hide more.
    """

    gained: tuple[Change, ...]
    lost: tuple[Change, ...]
    undecided: tuple[Change, ...]
    not_evaluated: tuple[str, ...]

    @property
    def is_decided(self) -> bool:
        """Whether nothing keeps open what is gained."""
        return not self.undecided and not self.not_evaluated


def difference(old: AccessFacts, new: AccessFacts) -> Difference:
    """What the step from `old` to `new` gives and takes.

    An access whose condition changes is gained where the new condition does not surely imply the
    old one, and lost where the old one does not imply the new one.
    """
    old = aligned(old, new)
    gained = [place for place in new.held if is_gained(place, new, old)]
    lost = [place for place in old.held if is_lost(place, old, new)]
    open_ones = [place for place in new.held if _is_undecided(place, new, old)]
    return Difference(
        tuple(_changes(gained, new, old)),
        tuple(_changes(lost, old, new)),
        tuple(_changes(open_ones, new, old)),
        new.not_evaluated,
    )


def is_gained(place: Place, new: AccessFacts, old: AccessFacts) -> bool:
    """Whether a fact of `new` gives more than `old` holds. `old` must be aligned to `new`.

    A detour to what the principal had without one gives nothing, nor does a detour of somebody who
    could rewrite the key policy before (K156). A session has what its role has.
    """
    is_decided = new.held[place].state is not AccessState.UNDECIDED
    return is_decided and not _is_covered(place, new, old)


def _is_undecided(place: Place, new: AccessFacts, old: AccessFacts) -> bool:
    """Whether it is open if a fact of `new` exists and gives more than `old` holds."""
    is_open = new.held[place].state is AccessState.UNDECIDED
    return is_open and not _is_covered(place, new, old)


def _is_covered(place: Place, new: AccessFacts, old: AccessFacts) -> bool:
    """Whether `old` surely holds whatever a fact of `new` gives."""
    held = new.held[place]
    return any(
        before.state is not AccessState.UNDECIDED
        and (before == held or implies(held.term, before.term))
        for before in _before(place, new, old)
    )


def is_lost(place: Place, old: AccessFacts, new: AccessFacts) -> bool:
    """Whether a fact of `old`, which must be aligned to `new`, holds less surely or not at all."""
    held = old.held[place]
    if new.held.get(place) == held:
        return False
    return not any(implies(held.term, after.term) for after in _before(place, old, new))


def _before(place: Place, facts: AccessFacts, others: AccessFacts) -> Iterator[Held]:
    """What stands on the other side for a fact of `facts`: the same, or what is as good."""
    role = facts.principals[place.principal].role
    for principal in (place.principal, role) if role else (place.principal,):
        for way in dict.fromkeys((place.way, DIRECT)):
            found = others.held.get(Place(principal, place.key, way, place.action))
            if found is not None:
                yield found
        if place.way != DIRECT:
            yield from others.rewriting.get((principal, place.key), ())


def _changes(places: Iterable[Place], facts: AccessFacts, others: AccessFacts) -> Iterator[Change]:
    groups: dict[tuple[object, ...], list[Place]] = {}
    for place in sorted(places):
        held, other = facts.held[place], others.held.get(place)
        was = other.term if other is not None else None
        group = (place.key, place.principal, place.way, held, was)
        groups.setdefault(group, []).append(place)
    changes = [_change(group, facts, others) for group in groups.values()]
    return iter(sorted(changes, key=_order))


def _change(places: list[Place], facts: AccessFacts, others: AccessFacts) -> Change:
    first = places[0]
    held, other = facts.held[first], others.held.get(first)
    return Change(
        facts.principals[first.principal],
        facts.keys[first.key],
        first.way,
        tuple(place.action for place in places),
        held.state,
        held.term,
        other.term if other is not None else None,
        facts.prove(first),
    )


def _order(change: Change) -> tuple[object, ...]:
    return change.key, change.principal, change.way, change.state.rank, change.actions


def aligned(old: AccessFacts, new: AccessFacts) -> AccessFacts:
    """`old` with the identities that `new` has for the same principals and keys.

    The same are those with one identity; of the others those with one name (an ARN, an alias), and
    those that differ in nothing but the stack, where each side has one stack.
    """
    principals = _renamed(old.principals, new.principals)
    keys = _renamed(old.keys, new.keys)
    if not principals and not keys:
        return old
    moved = {
        place: replace(
            place,
            principal=principals.get(place.principal, place.principal),
            key=keys.get(place.key, place.key),
        )
        for place in old.held
    }
    origins = {new_place: place for place, new_place in moved.items()}
    return AccessFacts(
        _under_new_names(old.principals, principals),
        _under_new_names(old.keys, keys),
        {moved[place]: held for place, held in old.held.items()},
        old.not_evaluated,
        lambda place: old.prove(origins.get(place, place)),
    )


def _under_new_names(every: Mapping[str, Named], renamed: Mapping[str, str]) -> dict[str, Named]:
    moved = (
        replace(
            named,
            identity=renamed.get(named.identity, named.identity),
            role=renamed.get(named.role, named.role),
        )
        for named in every.values()
    )
    return {named.identity: named for named in moved}


def _renamed(old: Mapping[str, Named], new: Mapping[str, Named]) -> dict[str, str]:
    left = {identity: named for identity, named in old.items() if identity not in new}
    free = {identity: named for identity, named in new.items() if identity not in old}
    renamed = dict(_by_name(left, free))
    taken = set(renamed.values())
    left = {identity: named for identity, named in left.items() if identity not in renamed}
    free = {identity: named for identity, named in free.items() if identity not in taken}
    return renamed | dict(_by_rest(left, free))


def _by_name(left: Mapping[str, Named], free: Mapping[str, Named]) -> Iterator[tuple[str, str]]:
    """Pairs that share a name which nobody else has, on either side."""
    old, new = _unique_names(left), _unique_names(free)
    told: dict[str, str] = {}
    for name in sorted({*old} & {*new}):
        if old[name] not in told and new[name] not in told.values():
            told[old[name]] = new[name]
    yield from told.items()


def _unique_names(named: Mapping[str, Named]) -> dict[str, str]:
    pairs = [(name, identity) for identity, one in named.items() for name in one.names]
    pairs += [(identity, identity) for identity in named]
    count = Counter(name for name, _ in dict.fromkeys(pairs))
    return {name: identity for name, identity in pairs if count[name] == 1}


def _by_rest(left: Mapping[str, Named], free: Mapping[str, Named]) -> Iterator[tuple[str, str]]:
    """Pairs with one identity inside of their stacks, if each side has one stack."""
    old, new = _in_one_stack(left), _in_one_stack(free)
    yield from ((old[rest], new[rest]) for rest in sorted({*old} & {*new}))


def _in_one_stack(named: Mapping[str, Named]) -> dict[str, str]:
    cut = {identity: _cut(identity) for identity in named}
    stacks = {stack for stack, rest in cut.values() if stack}
    if len(stacks) != 1:
        return {}
    return {rest: identity for identity, (stack, rest) in cut.items() if stack}


def _cut(identity: str) -> tuple[str, str]:
    """Stack and rest of `STACK/LOGICAL-ID` or of a URN; no stack for anything else."""
    if identity.startswith("urn:pulumi:"):
        stack, _, rest = identity.partition(_URN_SEPARATOR)
        return stack, rest
    if identity.startswith("arn:"):
        return "", identity
    stack, _, rest = identity.partition("/")
    return (stack, rest) if rest else ("", identity)
