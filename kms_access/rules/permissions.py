"""What the rules allow to one subject on one key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kms_access.policies.answers import NO, Answer, Truth, any_of
from kms_access.rules.model import Limit, Permission

Within: TypeAlias = Callable[[str, Sequence[Limit]], Answer]
"""Whether every request that succeeds with an action fulfils one of the limits."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Lists of permissions, each with whether it is for the subject and the key at all.

    `within` answers for the access that is asked about.
    """

    lists: tuple[tuple[Answer, tuple[Permission, ...]], ...]
    within: Within

    def answer(self, action: str) -> Answer:
        """Whether the lists allow the access to an action that `within` knows."""
        free = self.free(action)
        limited = self._limited(action)
        if free.truth is Truth.TRUE or not limited:
            return free
        every = self.within(action, [limit for _, limit in limited])
        if every.truth is Truth.FALSE:
            return free
        sure = [limit for answer, limit in limited if answer.truth is Truth.TRUE]
        if len(sure) == len(limited):
            return free | every
        of_sure = self.within(action, sure) if sure else NO
        meant = any_of(answer for answer, _ in limited if answer.truth is not Truth.TRUE)
        return free | of_sure | (every & meant)

    def free(self, action: str) -> Answer:
        """Whether one of the lists allows the action without a limit."""
        return any_of(
            answer
            for answer, listed in self.lists
            if any(p.limit is None and action in p.actions for p in listed)
        )

    def is_limited(self, action: str) -> bool:
        """Whether the action is allowed under limits only."""
        return self.free(action).truth is not Truth.TRUE and bool(self._limited(action))

    def limits(self, action: str) -> list[Limit]:
        """The limits under which the action is surely allowed."""
        return [limit for answer, limit in self._limited(action) if answer.truth is Truth.TRUE]

    def _limited(self, action: str) -> list[tuple[Answer, Limit]]:
        return [
            (answer, permission.limit)
            for answer, listed in self.lists
            for permission in listed
            if permission.limit is not None and action in permission.actions
        ]


def allows(permissions: tuple[Permission, ...], action: str) -> bool:
    """Whether a list of permissions holds an action, be it under a limit."""
    return any(action in permission.actions for permission in permissions)
