"""What a subject can obtain on a key by a detour, and the steps that lead there (design 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from kms_access.decisions.decision import Verdict
from kms_access.decisions.proof import Hop, Proof
from kms_access.decisions.resolution import AccessState, Resolution, formula_of
from kms_access.decisions.subjects import Subject
from kms_access.inventory.model import Key
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason
from kms_access.policies.formula import Formula

_SHOWN_ACTIONS = 3


class DetourKind(Enum):
    """One step of a detour."""

    ASSUMED_ROLE = "assumed role"
    """Taking a role that its trust policy opens (K160)."""
    PASSED_ROLE = "passed role"
    """Giving a role to a service that runs code: a path, not access (K161)."""
    IMPERSONATION = "acting as another identity"
    """Making a credential of a user, or opening the trust policy of a role (K159)."""
    IDENTITY_POLICY = "identity policy write"
    """Giving oneself what the key policy delegates to the account (K158)."""
    KEY_POLICY = "key policy write"
    """Rewriting the key policy (K156)."""
    GRANT = "grant creation"
    """Giving oneself a grant (K157)."""
    ATTRIBUTE = "tag or alias write"
    """Setting the tags or aliases that a condition asks for (K163)."""
    REPLICA = "replica"
    """Making a replica with a key policy of one's own (K162)."""


BY_ROLES = (DetourKind.ASSUMED_ROLE, DetourKind.PASSED_ROLE)
"""Detours whose last step is to act as a role, so that they give what the role has."""


@dataclass(frozen=True)
class Detour:
    """What a subject can obtain on a key by a detour, and how.

    `kinds` are the steps in their order. `actions` are those that the subject does not already
    have for sure. `state` is that of the weakest step: allowed, conditional, delegated or
    undecided. `through` are the labels of the identities that are acted as, in order. `means` is
    worked out when it is asked for, by the function that is given: of most detours nobody asks.
    """

    subject: Subject
    key: Key
    kinds: tuple[DetourKind, ...]
    actions: frozenset[str]
    state: AccessState
    through: tuple[str, ...]
    find_means: Callable[[], Means] = field(compare=False, repr=False)

    @cached_property
    def means(self) -> Means:
        """All steps together."""
        return self.find_means()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What keeps it open."""
        return self.means.reasons

    @cached_property
    def proof(self) -> Proof:
        """The whole chain, first hop first."""
        return self.means.proof

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """What the steps hang on.

        That of an access at the end is not among them: the last identity has it, too.
        """
        return self.means.formulas


# A chain that rests on policies elsewhere is decided there; an undecided step is decided nowhere.
_FROM_SURE_TO_OPEN = (
    AccessState.ALLOWED,
    AccessState.CONDITIONAL,
    AccessState.DELEGATED,
    AccessState.UNDECIDED,
)
_WEAKNESS = {state: weakness for weakness, state in enumerate(_FROM_SURE_TO_OPEN)}


def state_of_weakness(rank: int) -> AccessState:
    """The state that `weakness` gives this number."""
    return _FROM_SURE_TO_OPEN[rank]


def weakness(state: AccessState) -> int:
    """How weak a step in this state is, 0 for a sure one. `state` must not be a denied one."""
    return _WEAKNESS[state]


@dataclass(frozen=True, slots=True)
class Means:
    """Something that somebody can do: its state, what keeps it open, and the hops that show it.

    A hop may stand there twice; `proof` has it once. `formulas` are what has to hold.
    """

    state: AccessState
    reasons: tuple[Reason, ...] = ()
    hops: tuple[Hop, ...] = ()
    formulas: tuple[Formula, ...] = field(default=(), compare=False, repr=False)

    @property
    def weakness(self) -> int:
        """How weak it is, 0 if it is sure."""
        return _WEAKNESS[self.state]

    @property
    def proof(self) -> Proof:
        """The hops in their order."""
        return Proof(tuple(dict.fromkeys(self.hops)))

    def then(self, *others: Means) -> Means:
        """This and the others after it: all are needed."""
        further = [means for means in others if means is not SURE]
        if not further:
            return self
        state, reasons, hops = self.state, self.reasons, self.hops
        formulas = self.formulas
        for means in further:
            if _WEAKNESS[means.state] > _WEAKNESS[state]:
                state = means.state
            if means.reasons and means.reasons != reasons:
                reasons = tuple(dict.fromkeys((*reasons, *means.reasons)))
            hops += means.hops
            formulas += means.formulas
        return Means(state, reasons, hops, formulas)

    def at_best(self, state: AccessState, reason: Reason) -> Means:
        """The same, but no surer than `state`, because of `reason`."""
        return self.then(Means(state, (reason,)))


SURE = Means(AccessState.ALLOWED)


def means_of(resolution: Resolution) -> Means | None:
    """What a resolution allows; None if it denies."""
    if resolution.state.is_denied:
        return None
    decision = resolution.decision
    residual = decision.residual if decision.verdict is Verdict.DEPENDS else None
    formulas = (formula_of(residual),) if residual is not None else ()
    return Means(resolution.state, decision.reasons, Proof.of(decision).hops, formulas)


def surest(found: Iterable[Means | None]) -> Means | None:
    """The surest of several ways to the same, the first of equals; None if there is none.

    After a sure way no other is looked at.
    """
    best: Means | None = None
    for means in found:
        if means is not None and (best is None or means.weakness < best.weakness):
            best = means
            if best.weakness == 0:
                break
    return best


def keep_surest(found: dict[str, Means], action: str, means: Means) -> None:
    """Enter the means for the action, unless as sure ones are there."""
    if action not in found or means.weakness < found[action].weakness:
        found[action] = means


@dataclass(frozen=True, slots=True)
class Gain:
    """Actions on a key that are obtained together; `kind` is None for access without a step."""

    kind: DetourKind | None
    actions: frozenset[str]
    means: Means


def gains_of(kind: DetourKind | None, found: Mapping[str, Means]) -> tuple[Gain, ...]:
    """The actions that were found, those of one state together, surest first."""
    by_state: dict[AccessState, dict[str, Means]] = {}
    for action in sorted(found):
        by_state.setdefault(found[action].state, {})[action] = found[action]
    gains = []
    for state in sorted(by_state, key=weakness):
        # Actions that were decided together have the same means.
        first, *others = {id(means): means for means in by_state[state].values()}.values()
        gains.append(Gain(kind, frozenset(by_state[state]), first.then(*others)))
    return tuple(gains)


@dataclass(frozen=True, slots=True)
class Link:
    """A way to act as another identity."""

    kind: DetourKind
    target: Subject
    means: Means


def place_of(subject: Subject) -> Origin:
    """Where a subject is defined; for one that is defined elsewhere, what stands for it."""
    return subject.origin or Origin(subject.identity, subject.label)


def listed(actions: Iterable[str]) -> str:
    """Some of the actions in words."""
    names = sorted(actions)
    shown = ", ".join(names[:_SHOWN_ACTIONS])
    more = len(names) - _SHOWN_ACTIONS
    return f"{shown} and {more} more" if more > 0 else shown
