"""How large a policy is: one past its limit is not read at all (K29, K30)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import Problem, Severity
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.json_text import Number, Position
from kms_access.policies.text import Text

_START = Position(1, 1)
_QUOTES = 2


def _known_parts(node: object) -> str:
    """An unknown part may turn out to be empty."""
    if isinstance(node, Text):
        return "".join(part for part in node.parts if isinstance(part, str))
    return str(node)


_COMPACT = json.JSONEncoder(separators=(",", ":"), default=_known_parts, ensure_ascii=False)


def size_of_text(source: str | Text, grammar: PolicyGrammar) -> Problem | None:
    """The problem of a JSON text that is too long to be read, None if it is not."""
    text = source if isinstance(source, str) else _known_parts(source)
    position = _START if isinstance(source, str) else None
    if grammar.maximum_bytes:
        # A character has at least one byte, so long texts need no more than a look.
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        return _past_bytes(str(size), grammar, position) if size > grammar.maximum_bytes else None
    if len(text) > grammar.maximum_read and len("".join(text.split())) > grammar.maximum_read:
        return _past_reading(grammar, position)
    return None


def size_of_data(node: Any, grammar: PolicyGrammar) -> Problem | None:
    """The problem of data that is too large as JSON without white space, None if it is not.

    An error if the policy is too large to be read, a warning if it is past a quota alone.
    """
    too_large = surely_too_large(node, grammar)
    if too_large is not None:
        return too_large
    if not grammar.maximum_bytes and not grammar.maximum_characters:
        return None
    compact = _COMPACT.encode(node)
    if grammar.maximum_bytes:
        size = len(compact) if compact.isascii() else len(compact.encode("utf-8", "surrogatepass"))
        return _past_bytes(str(size), grammar, None) if size > grammar.maximum_bytes else None
    if len(compact) <= grammar.maximum_characters:
        return None
    quota = grammar.maximum_characters
    message = f"the policy has {len(compact)} characters, the quota is {quota}"
    return Problem("K30", message, (), Severity.WARNING)


def surely_too_large(
    node: Any, grammar: PolicyGrammar, is_left_out: Callable[[Any], bool] | None = None
) -> Problem | None:
    """The problem of data too large to be read, found by a quick look; see `is_surely_longer`."""
    limit = grammar.maximum_bytes or grammar.maximum_read
    if not is_surely_longer(node, limit):
        return None
    if is_left_out is not None and not is_surely_longer(node, limit, is_left_out):
        return None
    if grammar.maximum_bytes:
        return _past_bytes(f"more than {limit}", grammar, None)
    return _past_reading(grammar, None)


def reason_of(problem: Problem) -> Reason:
    """Why a policy is not read."""
    return Reason(problem.message, ReasonKind.UNREADABLE, problem.rule)


def is_surely_longer(
    node: Any, characters: int, is_left_out: Callable[[Any], bool] | None = None
) -> bool:
    """Whether data has surely more characters than that as JSON, however it is written.

    What `is_left_out` is not counted. It stops as soon as the number is passed.
    """
    size = 0
    left = [node]
    while left:
        node = left.pop()
        if is_left_out is not None and is_left_out(node):
            continue
        if isinstance(node, str):
            size += len(node) + (0 if isinstance(node, Number) else _QUOTES)
        elif isinstance(node, (list, dict)):
            items: Iterable[Any] = node
            size += len(node)
            if isinstance(node, dict):
                size += (_QUOTES + 1) * len(node) + sum(map(len, node))
                items = node.values()
            if size <= characters:
                strings = [item for item in items if type(item) is str]
                left += [item for item in items if type(item) is not str]
                if is_left_out is not None:
                    strings = [item for item in strings if not is_left_out(item)]
                size += sum(map(len, strings)) + _QUOTES * len(strings)
        elif isinstance(node, Text):
            size += len(_known_parts(node))
        if size > characters:
            return True
    return False


def _past_bytes(size: str, grammar: PolicyGrammar, position: Position | None) -> Problem:
    message = f"the policy has {size} bytes, at most {grammar.maximum_bytes} are accepted"
    return Problem("K29", message, (), position=position)


def _past_reading(grammar: PolicyGrammar, position: Position | None) -> Problem:
    rule = "K30" if grammar.maximum_characters else "K83"
    message = (
        f"the policy has more than {grammar.maximum_read} characters without white space, "
        "it is not read"
    )
    return Problem(rule, message, (), position=position)
