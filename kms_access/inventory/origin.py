"""Where a definition stands, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kms_access.policies.json_text import Position


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """The place of a definition.

    `identity` is the logical identity of the resource: `STACK/LOGICAL-ID` for CloudFormation, the
    URN for Pulumi. `label` is how a person calls it (construct path, resource name); `container`
    the stack that holds it; `file`, `line` and `column` (counted from 1) where it was written, as
    far as that is known.
    """

    identity: str
    label: str = ""
    container: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None

    def at(self, position: Position | None) -> Origin:
        """The same definition with the place of a part of it, where that is known."""
        if position is None:
            return self
        return replace(self, line=position.line, column=position.column)

    def __str__(self) -> str:
        label = self.label or self.identity
        return f"{label} (stack {self.container})" if self.container else label


@dataclass(frozen=True, slots=True, order=True)
class NotCovered:
    """A definition that may change access and that is not evaluated, with the reason."""

    origin: Origin
    reason: str
    may_change_key_access: bool = False
    """It can give access to a key: the result is undecided. Without this or the next, a note."""
    may_take_access_away: bool = False
    """It can only take access to a key away: undecided where a rule requires access."""
