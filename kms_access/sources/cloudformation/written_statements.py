"""Policies as they are written in a template: where each statement stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kms_access.inventory.statement_places import StatementPlaces
from kms_access.policies.document import PolicyDocument, Problem
from kms_access.policies.json_text import Position
from kms_access.policies.quick_init import quick_init
from kms_access.sources.cloudformation.stacks import Stack


class WrittenStatements(StatementPlaces):
    """The places of a policy's statements in the definition of a resource.

    `whole` is the node of the document and `nodes` are those of its statements, each the very
    object of the template or one that a function built, which stands nowhere. `is_merged` says
    that one of several documents is in force, so that problems count in a document of their own.
    """

    __slots__ = ("_found", "_is_merged", "_logical_id", "_nodes", "_stack", "_whole")

    def __init__(
        self,
        stack: Stack,
        logical_id: str,
        whole: Any,
        nodes: Sequence[Any],
        *,
        is_merged: bool = False,
    ) -> None:
        self._stack = stack
        self._logical_id = logical_id
        self._whole = whole
        self._nodes = nodes
        self._is_merged = is_merged
        self._found: dict[int | None, Position | None] | None = None

    def position(self, index: int | None) -> Position | None:
        if self._found is None:
            self._found = {}
        if index not in self._found:
            self._found[index] = self._position(index)
        return self._found[index]

    def position_of(self, problem: Problem) -> Position | None:
        return self.position(None) if self._is_merged else super().position_of(problem)

    def _position(self, index: int | None) -> Position | None:
        found = None
        if index is not None and index < len(self._nodes):
            found = self._stack.position_in(self._logical_id, self._nodes[index])
        return found or self._stack.position_in(self._logical_id, self._whole)


@quick_init
@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """A document, and where its statements stand."""

    document: PolicyDocument
    places: WrittenStatements
