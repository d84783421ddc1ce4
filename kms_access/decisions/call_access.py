"""The answer for an API call that needs several permissions (K82)."""

from __future__ import annotations

from dataclasses import dataclass

from kms_access.decisions.resolution import AccessState, Resolution
from kms_access.decisions.subjects import Subject
from kms_access.policies.answers import Reason
from kms_access.policies.text import Value

_FROM_SURE_TO_REFUSED = (
    AccessState.ALLOWED,
    AccessState.CONDITIONAL,
    AccessState.DELEGATED,
    AccessState.UNDECIDED,
    AccessState.IMPLICITLY_DENIED,
    AccessState.EXPLICITLY_DENIED,
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission that a call needs, on a key, an alias or, with `*`, on nothing (K80)."""

    action: str
    resource: Value
    resolution: Resolution

    @property
    def state(self) -> AccessState:
        """The answer for this permission alone."""
        return self.resolution.state


@dataclass(frozen=True, slots=True)
class CallAccess:
    """Whether a subject can make a call: the single answers, and all of them together.

    `reasons` say what keeps it open; empty if it is allowed or denied.
    """

    subject: Subject
    permissions: tuple[Permission, ...]
    state: AccessState
    reasons: tuple[Reason, ...]

    @property
    def weakest(self) -> Permission:
        """The permission that is least sure, the first of equals."""
        return max(self.permissions, key=lambda permission: weakness(permission.state))


def weakness(state: AccessState) -> int:
    """How weak an answer in this state is among those that are all needed, 0 for a sure one."""
    return _FROM_SURE_TO_REFUSED.index(state)
