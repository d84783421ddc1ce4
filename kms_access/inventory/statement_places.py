"""Where the statements of a policy stand, found when somebody asks."""

from __future__ import annotations

from abc import ABC, abstractmethod

from kms_access.policies.document import Problem
from kms_access.policies.json_text import Position


class StatementPlaces(ABC):
    """The places of the statements of one policy, in the file of the policy's origin.

    A source makes one for each policy, so an implementation keeps what it needs to find a place
    and finds it only when it is asked.
    """

    __slots__ = ()

    @abstractmethod
    def position(self, index: int | None) -> Position | None:
        """Where the statement with an index of the document stands.

        None as index asks for the document as a whole. Where the statement is not written on its
        own, as in JSON text or in what a function builds, it is the place of the document; None
        where that is not known either.
        """

    def position_of(self, problem: Problem) -> Position | None:
        """Where the statement of a problem stands; the document for what is about all of it."""
        step = problem.path[:2]
        if step[:1] != ("Statement",):
            return self.position(None)
        index = step[1] if len(step) > 1 else 0
        return self.position(index if isinstance(index, int) else 0)
