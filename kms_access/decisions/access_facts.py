"""Access facts: who can do what with which key, in what way and under which condition.

They outlive the inventory that they come from: they can be saved and compared with later ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from kms_access.decisions import delegation
from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.detour import Detour
from kms_access.decisions.detour_steps import described_steps
from kms_access.decisions.evaluator import Access
from kms_access.decisions.proof import Hop, Proof
from kms_access.decisions.reach import Reach
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Caller, Subject, SubjectKind, identity_of
from kms_access.decisions.terms import (
    ALWAYS,
    Asked,
    Term,
    every,
    some,
    term_of_decision,
    term_of_steps,
)
from kms_access.inventory.model import Inventory, Key
from kms_access.policies.context import Absent, KeyState
from kms_access.policies.text import Value

DIRECT = ""
"""The way of an access that needs no detour."""

IDENTITY_POLICIES = "identity policies of account "
"""What the identity of a fact about delegation begins with (K43)."""

_PUT_KEY_POLICY = "kms:PutKeyPolicy"
_ORGANIZATION_ID = "aws:principalorgid"
_FEW_ACTIONS = 4


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A principal or a key: its stable identity, what a person calls it, and its other names.

    `names` are the ARN and the aliases, as far as they are wholly known: they find it where
    another source gives it another identity. `role` is the identity of the role that a session is
    of: the session can do what the role can.
    """

    identity: str
    label: str
    names: tuple[str, ...] = ()
    role: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What a fact is about: principal and key by identity, the way to the access, the action.

    `way` is empty for an access without detour, else its steps: `assuming role admin, then
    creating grants`.
    """

    principal: str
    key: str
    way: str
    action: str


@dataclass(frozen=True, slots=True)
class Held:
    """How an access is held: its state, and the whole condition."""

    state: AccessState
    term: Term

    def joined(self, other: Held) -> Held:
        """One of the two is enough."""
        state = min(self.state, other.state, key=lambda state: state.rank)
        return Held(state, some((self.term, other.term)))


Prove = Callable[[Place], tuple[Hop, ...]]


def _no_proof(place: Place) -> tuple[Hop, ...]:
    return ()


@dataclass(frozen=True)
class AccessFacts:
    """Every access of an inventory that is not denied, detours included.

    `prove` gives the hops of a fact, as far as they are known. `not_evaluated` are definitions that
    may change access and were not evaluated.
    """

    principals: Mapping[str, Named]
    keys: Mapping[str, Named]
    held: Mapping[Place, Held]
    not_evaluated: tuple[str, ...] = ()
    prove: Prove = field(default=_no_proof, compare=False, repr=False)

    @cached_property
    def rewriting(self) -> Mapping[tuple[str, str], tuple[Held, ...]]:
        """Who can rewrite the policy of which key, by principal and key, in whatever way."""
        found: dict[tuple[str, str], tuple[Held, ...]] = {}
        for place, held in self.held.items():
            if place.action == _PUT_KEY_POLICY:
                pair = (place.principal, place.key)
                found[pair] = (*found.get(pair, ()), held)
        return found


def facts_of_inventory(
    inventory: Inventory, organization: Organization | None = None
) -> AccessFacts:
    """The facts of an inventory; those under default values of its parameters count as well."""
    organization = organization or Organization()
    facts = access_map(inventory, organization)
    found = access_facts(facts, Reach(facts, organization), organization)
    return with_defaults(found, inventory, organization)


def with_defaults(
    found: AccessFacts, inventory: Inventory, organization: Organization
) -> AccessFacts:
    """The facts of an inventory with those that default values of its parameters give."""
    if inventory.with_defaults is None:
        return found
    facts = access_map(inventory.with_defaults, organization)
    return _united(found, access_facts(facts, Reach(facts, organization), organization))


def access_facts(
    facts: AccessMap, detours: Iterable[Detour], organization: Organization
) -> AccessFacts:
    """The facts of a map and of the detours over it.

    What a key policy lets the identity policies of its account give is a fact of these policies.
    """
    held = dict(_direct(facts))
    delegated = {
        Place(_delegate(key).identity, key.origin.identity, DIRECT, access.action): access
        for key in facts.keys
        for access in delegation.delegated(facts.inventory, organization, key)
    }
    held |= {
        place: Held(access.state, term_of_access(access)) for place, access in delegated.items()
    }
    chains: dict[Place, Detour] = {}
    principals = [_named_subject(subject) for subject in facts.subjects]
    principals += [_delegate(access.key) for access in delegated.values()]
    for detour in detours:
        principals.append(_named_subject(detour.subject))
        given = Held(detour.state, term_of_steps(detour.formulas, detour.reasons))
        for place in _places(detour):
            held[place] = held[place].joined(given) if place in held else given
            chains.setdefault(place, detour)
    prove = _Prover(facts, chains, delegated)
    return AccessFacts(
        {named.identity: named for named in principals},
        {named.identity: named for named in map(_named_key, facts.keys)},
        held,
        tuple(
            f"{item.origin}: {item.reason}"
            for item in sorted(facts.inventory.not_covered)
            if item.may_change_key_access
        ),
        prove,
    )


def _places(detour: Detour) -> Iterator[Place]:
    subject, key, way = detour.subject.identity, detour.key.origin.identity, described_steps(detour)
    for action in sorted(detour.actions):
        yield Place(subject, key, way, action)


def _named_subject(subject: Subject) -> Named:
    # The ARN of an account, or of everyone, is that of somebody else.
    is_one = subject.kind in (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)
    names = _known(subject.arn) if is_one else ()
    is_session = is_one and subject.callers[0].principal.session is not None
    return Named(subject.identity, subject.label, names, identity_of(subject) if is_session else "")


def _named_key(key: Key) -> Named:
    return Named(key.origin.identity, key.label, (*_known(key.arn), *_known(*key.aliases)))


def _delegate(key: Key) -> Named:
    text = f"{IDENTITY_POLICIES}{key.account}"
    return Named(text, text)


def _known(*values: Value) -> tuple[str, ...]:
    return tuple(sorted(value for value in values if isinstance(value, str)))


def _direct(facts: AccessMap) -> Iterator[tuple[Place, Held]]:
    for subject in facts.subjects:
        for key in facts.keys:
            states = facts.states(subject, key)
            several = len(subject.callers) > 1
            open_ones = [a for a, s in states.items() if several or s is not AccessState.ALLOWED]
            if len(open_ones) > _FEW_ACTIONS:
                # Decides actions that nothing tells apart together, and remembers the answers.
                for row in (_alone(subject, c) for c in subject.callers) if several else (subject,):
                    facts.evaluator.cell(row, key)
            for action, state in states.items():
                if not state.is_denied:
                    access = Access(subject, key, action, state, facts.evaluator)
                    place = Place(subject.identity, key.origin.identity, DIRECT, action)
                    yield place, Held(state, term_of_access(access))


def term_of_access(access: Access) -> Term:
    """What has to hold for the access; which callers have it, where the subject has several."""
    callers = access.subject.callers
    if len(callers) == 1:
        return ALWAYS if access.state is AccessState.ALLOWED else term_of_decision(access.decision)
    by_caller: dict[str, list[Term]] = {}
    for caller in callers:
        alone = _alone(access.subject, caller)
        resolution = access.evaluator.resolution(alone, access.key, access.action)
        if not resolution.state.is_denied:
            terms = by_caller.setdefault(_word(caller), [])
            terms.append(term_of_decision(resolution.decision))
    united = {word: some(terms) for word, terms in by_caller.items()}
    words = {_word(caller) for caller in callers}
    if words == set(united) and len(set(united.values())) == 1:
        return next(iter(united.values()))
    return some(
        every((Asked("the caller", "is", frozenset({word})), term)) for word, term in united.items()
    )


def _alone(subject: Subject, caller: Caller) -> Subject:
    """The same row with one of its callers; the evaluator remembers it by another identity."""
    identity = f"{subject.identity} as {_word(caller)}"
    kind = SubjectKind.ELSEWHERE
    return replace(subject, kind=kind, arn=identity, callers=(caller,), origin=None, session="")


def _word(caller: Caller) -> str:
    word = caller.principal.kind.value
    state: KeyState | None = caller.facts.get(_ORGANIZATION_ID)
    if state is None:
        return word
    membership = "without" if isinstance(state, Absent) else "of"
    return f"{word} {membership} an organization"


@dataclass(frozen=True)
class _Prover:
    """The proofs of facts, worked out when they are asked for."""

    facts: AccessMap
    chains: Mapping[Place, Detour]
    delegated: Mapping[Place, Access]

    def __call__(self, place: Place) -> tuple[Hop, ...]:
        if place in self.delegated:
            return Proof.of(self.delegated[place].decision).hops
        if place in self.chains:
            return self.chains[place].proof.hops
        subjects = [s for s in self.facts.subjects if s.identity == place.principal]
        keys = [key for key in self.facts.keys if key.origin.identity == place.key]
        if place.way != DIRECT or not subjects or not keys:
            return ()
        access = self.facts.evaluator.access(subjects[0], keys[0], place.action)
        return Proof.of(access.decision).hops


def _united(first: AccessFacts, second: AccessFacts) -> AccessFacts:
    """What either of two says."""
    held = dict(first.held)
    for place, given in second.held.items():
        held[place] = held[place].joined(given) if place in held else given
    return AccessFacts(
        {**second.principals, **first.principals},
        {**second.keys, **first.keys},
        held,
        tuple(dict.fromkeys((*first.not_evaluated, *second.not_evaluated))),
        lambda place: (first if place in first.held else second).prove(place),
    )
