"""One question over all requests of one kind: which access results, and under which condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from kms_access.decisions.decision import Decision, Residual, Verdict
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import ApplicablePolicies, Request, ResourceTrust
from kms_access.decisions.solver import Solution, solve
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.document import Effect
from kms_access.policies.formula import Formula, Not, conjunction
from kms_access.policies.wording import formula_text

BEYOND_BOUND = Reason(
    "whether some request fulfils the conditions: the search found none and is not complete",
    ReasonKind.NOT_ESTABLISHED,
    "K134",
)
_UNDECIDED = (ReasonKind.UNKNOWN_VALUE, ReasonKind.UNREADABLE, ReasonKind.NOT_ESTABLISHED)


class AccessState(Enum):
    """The answer for one subject, resource and action, best access first."""

    ALLOWED = "allowed"
    CONDITIONAL = "allowed under a condition"
    """Allowed for requests that fulfil the condition in the reasons."""
    UNDECIDED = "undecided"
    DELEGATED = "delegated"
    """Allowed as far as identity policies outside the definitions allow it (K66)."""
    EXPLICITLY_DENIED = "denied explicitly"
    IMPLICITLY_DENIED = "denied by default"

    # The hash that `Enum` writes is a call of Python, and states are looked up very often.
    __hash__ = object.__hash__

    @property
    def is_access(self) -> bool:
        """Whether some request surely succeeds."""
        return self in (AccessState.ALLOWED, AccessState.CONDITIONAL)

    @property
    def is_denied(self) -> bool:
        """Whether no request succeeds."""
        return self in (AccessState.EXPLICITLY_DENIED, AccessState.IMPLICITLY_DENIED)

    @property
    def rank(self) -> int:
        """The place in the order of the states: 0 is the best access."""
        return _RANK[self]


_RANK = {state: rank for rank, state in enumerate(AccessState)}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The state that a decision over an open request means.

    With `CONDITIONAL` stands the `condition` in words and a `witness`: one closed request that
    `authorize` allows, with an `example` of its keys in words.
    """

    state: AccessState
    decision: Decision
    condition: str = ""
    witness: Request | None = None
    example: str = ""


def resolve(
    request: Request, policies: ApplicablePolicies, trust: ResourceTrust | None = None
) -> Resolution:
    """Decide a request whose context may be open (K75, K134); `trust` as for `authorize`.

    What the decision hangs on is solved (design 4.3): allowed under a condition if some request
    surely succeeds, denied if none can. Where the search ended before every way was tried, the
    answer is undecided.
    """
    decision = authorize(request, policies, trust)
    residual = decision.residual
    if residual is None or not any(r.kind is ReasonKind.REQUEST for r in decision.reasons):
        return Resolution(state_of(decision), decision)
    unconfirmed = False
    for solution in solve(residual, request):
        if solution.request is None:
            return _without_witness(decision, solution, unconfirmed=unconfirmed)
        if authorize(solution.request, policies, trust).verdict is Verdict.ALLOWED:
            condition = formula_text(formula_of(residual))
            return Resolution(
                AccessState.CONDITIONAL, decision, condition, solution.request, solution.example
            )
        unconfirmed = True
    raise AssertionError("the last solution has no request")


def formula_of(residual: Residual) -> Formula:
    """What a request has to fulfil: the Allows that are open, and none of the open Denies."""
    parts: list[Formula] = []
    if residual.allows.truth is Truth.UNKNOWN:
        parts.append(residual.allows.formula)
    if residual.denied.truth is Truth.UNKNOWN:
        parts.append(Not(residual.denied.formula))
    return conjunction(parts)


def _without_witness(decision: Decision, solution: Solution, *, unconfirmed: bool) -> Resolution:
    reasons = solution.undecided
    if not solution.exhausted or unconfirmed:
        reasons = (*reasons, BEYOND_BOUND)
    if reasons:
        left = replace(decision, reasons=reasons)
        return Resolution(state_of(left), left)
    if solution.outweighed:
        denies = tuple(hit for hit in decision.responsible if hit.effect is Effect.DENY)
        return Resolution(
            AccessState.EXPLICITLY_DENIED, Decision(Verdict.EXPLICITLY_DENIED, denies)
        )
    return Resolution(AccessState.IMPLICITLY_DENIED, Decision(Verdict.IMPLICITLY_DENIED))


def state_of(decision: Decision) -> AccessState:
    """The state of a decision by what keeps it open."""
    match decision.verdict:
        case Verdict.ALLOWED:
            return AccessState.ALLOWED
        case Verdict.EXPLICITLY_DENIED:
            return AccessState.EXPLICITLY_DENIED
        case Verdict.IMPLICITLY_DENIED:
            return AccessState.IMPLICITLY_DENIED
        case Verdict.DEPENDS:
            kinds = {reason.kind for reason in decision.reasons}
            if kinds & {*_UNDECIDED}:
                return AccessState.UNDECIDED
            return AccessState.DELEGATED if ReasonKind.OUTSIDE in kinds else AccessState.CONDITIONAL
