"""What a request carries: condition keys with their values, absent keys, keys not known yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.quick_init import quick_init
from kms_access.policies.text import Value
from kms_access.policies.wildcards import fold_case


@quick_init
@dataclass(frozen=True, slots=True)
class Present:
    """A key that the request has; `multivalued` tells a list from a single value (K129)."""

    values: tuple[Value, ...]
    multivalued: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """A key that the request does not have."""


@quick_init
@dataclass(frozen=True, slots=True)
class Open:
    """A key whose presence or value is not known."""

    reason: Reason
    multivalued: bool = False


SESSION_NAME = "session name"
"""Not a condition key: stands for the name of the caller's role session among the keys (K49)."""

KeyState: TypeAlias = Present | Absent | Open
ABSENT = Absent()


def absent_otherwise(key: str) -> KeyState:
    """For a concrete request: a key that is not given is not there."""
    return ABSENT


def open_otherwise(key: str) -> KeyState:
    """For a question about all requests: any other key may have any value or be absent."""
    return Open(Reason(f'the request key "{key}"', ReasonKind.REQUEST))


@quick_init
@dataclass(frozen=True, slots=True)
class RequestContext:
    """Condition keys by name in lower case (K41); `otherwise` answers for all other keys."""

    values: Mapping[str, KeyState]
    otherwise: Callable[[str], KeyState] = absent_otherwise

    def lookup(self, key: str) -> KeyState:
        """The state of a condition key; names are compared without case (K41)."""
        found = self.values.get(fold_case(key))
        return self.otherwise(key) if found is None else found
