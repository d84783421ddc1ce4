"""The answer to one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kms_access.decisions.matching import Hit
from kms_access.policies.answers import Answer, Reason
from kms_access.policies.quick_init import quick_init


class Verdict(Enum):
    """The results of section 0 of the K rules."""

    ALLOWED = "allowed"
    EXPLICITLY_DENIED = "explicitly-denied"
    IMPLICITLY_DENIED = "implicitly-denied"
    DEPENDS = "depends"


@quick_init
@dataclass(frozen=True, slots=True)
class Residual:
    """What an open decision hangs on: it allows where `allows` holds and `denied` does not."""

    allows: Answer
    denied: Answer


@quick_init
@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the statements and grants that it rests on, and what keeps it open.

    `reasons` is empty unless the verdict is `DEPENDS`; `residual` is there where one procedure
    gave the answer.
    """

    verdict: Verdict
    responsible: tuple[Hit, ...] = ()
    reasons: tuple[Reason, ...] = ()
    residual: Residual | None = field(default=None, compare=False, repr=False)
