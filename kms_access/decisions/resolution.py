"""One question over all requests of one kind: which access results, and under which condition."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import ApplicablePolicies, Request, ResourceTrust
from kms_access.policies.answers import ReasonKind

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
    """The state that a decision over an open request means."""

    state: AccessState
    decision: Decision


def resolve(
    request: Request, policies: ApplicablePolicies, trust: ResourceTrust | None = None
) -> Resolution:
    """Decide a request whose context may be open (K75, K134); `trust` as for `authorize`."""
    decision = authorize(request, policies, trust)
    return Resolution(state_of(decision), decision)


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
