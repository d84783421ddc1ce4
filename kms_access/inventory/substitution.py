"""An inventory after some of its unknown values have become known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast

from kms_access.policies.arns import SEGMENTS
from kms_access.policies.text import Text, Unknown, Value, concat, split

_Any = TypeVar("_Any")
Found = str | Unknown


def substituted(node: _Any, found: Mapping[str, Found]) -> _Any:
    """`node` with each unknown part of `found` in place of the one that stands for the key.

    `node` is an inventory or a part of one; `found` has the words of `Unknown.stands_for`. A value
    must not hold what separates the parts of the texts that it is put into (`:` and `/` of ARNs):
    texts are matched in the pieces in which they were parsed. What does not change is kept as it
    is, so that policies that are shared stay shared.
    """
    return cast(_Any, _Substitution(found).of(node)) if found else node


class _Substitution:
    def __init__(self, found: Mapping[str, Found]) -> None:
        self._found = found
        # The originals are kept beside the results, so that their ids are not used again.
        self._done: dict[int, tuple[Any, Any]] = {}

    def of(self, node: Any) -> Any:
        if isinstance(node, Text):
            return self._text(node)
        if isinstance(node, Unknown):
            return self._found.get(node.stands_for, node)
        if isinstance(node, str) or not (is_dataclass(node) or _is_collection(node)):
            return node
        if id(node) not in self._done:
            self._done[id(node)] = (node, self._whole(node))
        return self._done[id(node)][1]

    def _text(self, text: Text) -> Value:
        if not any(unknown.stands_for in self._found for unknown in text.unknowns):
            return text
        return concat(self.of(part) for part in text.parts)

    def _whole(self, node: Any) -> Any:
        if isinstance(node, Mapping):
            pairs = {self.of(key): self.of(value) for key, value in node.items()}
            same = all(
                key is old_key and value is old
                for (key, value), (old_key, old) in zip(pairs.items(), node.items(), strict=True)
            )
            return node if same else MappingProxyType(pairs)
        if isinstance(node, (tuple, list, frozenset)):
            items = [self.of(item) for item in node]
            if all(new is old for new, old in zip(items, node, strict=True)):
                return node
            has_pieces = any(isinstance(item, Unknown) for item in node)
            return _run_together(items) if has_pieces else type(node)(items)
        changed = {}
        for field in fields(node):
            if field.init:
                old = getattr(node, field.name)
                new = self.of(old)
                if new is not old:
                    changed[field.name] = new
        return replace(node, **changed) if changed else node


def _run_together(pieces: list[Any]) -> tuple[Any, ...]:
    """The pieces of a text with variables, in which known text is in one piece."""
    together: list[Any] = []
    for piece in pieces:
        if isinstance(piece, str) and together and isinstance(together[-1], str):
            together[-1] += piece
        else:
            together.append(piece)
    return tuple(together)


def _is_collection(node: Any) -> bool:
    return isinstance(node, (tuple, list, frozenset, Mapping))


def solved(arn: Value, real: str) -> dict[str, str] | None:
    """What the unknown parts of an ARN must be for it to be `real`; None if it cannot be.

    Each of the six segments may have one unknown part; None as well where one has more.
    """
    pieces, wanted = split(arn, ":", SEGMENTS - 1), real.split(":", SEGMENTS - 1)
    if len(pieces) != SEGMENTS or len(wanted) != SEGMENTS:
        return None
    found: dict[str, str] = {}
    for piece, text in zip(pieces, wanted, strict=True):
        if isinstance(piece, str):
            if piece != text:
                return None
            continue
        one = _solved_piece(piece, text)
        if one is None or any(found.get(name, value) != value for name, value in one.items()):
            return None
        found |= one
    return found


def _solved_piece(piece: Text, text: str) -> dict[str, str] | None:
    if len(piece.unknowns) != 1:
        return None
    place = piece.parts.index(piece.unknowns[0])
    before = "".join(part for part in piece.parts[:place] if isinstance(part, str))
    after = "".join(part for part in piece.parts[place + 1 :] if isinstance(part, str))
    value = text[len(before) : len(text) - len(after)]
    if before + value + after != text or not piece.unknowns[0].could_be(value):
        return None
    return {piece.unknowns[0].stands_for: value}
