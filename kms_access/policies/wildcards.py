"""Patterns with `*` and `?`, matched by two pointers: no recursion, no regular expression."""

from __future__ import annotations

from dataclasses import dataclass

from kms_access.policies.answers import NO, YES, Answer
from kms_access.policies.overlap import (
    ANY_ONE,
    ANY_SEQUENCE,
    is_symbol,
    items_of,
    open_because,
    overlaps,
    same,
    text_symbols,
    without_strangers,
)
from kms_access.policies.text import Unknown, Value, concat

_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def fold_case(text: str) -> str:
    """`text` with ASCII letters in lower case; other characters never fold onto ASCII (K41)."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


def fold_value(value: Value) -> Value:
    """`fold_case` for a string that may have unknown parts."""
    if isinstance(value, str):
        return fold_case(value)
    return concat(p if isinstance(p, Unknown) else fold_case(p) for p in value.parts)


def with_wildcards(value: Value) -> Value:
    """Policy text as a compiled pattern: its `*` and `?` become wildcards."""
    if isinstance(value, str):
        return value.replace("*", ANY_SEQUENCE).replace("?", ANY_ONE)
    return concat(
        p if isinstance(p, Unknown) else p.replace("*", ANY_SEQUENCE).replace("?", ANY_ONE)
        for p in value.parts
    )


def glob_matches(pattern: str, text: str, *, symbols: bool = False) -> bool:
    """Whether a compiled `pattern` matches the whole of `text`.

    With `symbols` a character of `text` that stands for an unknown part is matched by itself or
    by `*`, never by `?`, because the part can have any length.
    """
    if ANY_ONE not in pattern:
        star = pattern.find(ANY_SEQUENCE)
        if star < 0:
            return pattern == text
        if star == len(pattern) - 1:
            return text.startswith(pattern[:star])
    return _matches_by_pointers(pattern, text, symbols=symbols)


def _matches_by_pointers(pattern: str, text: str, *, symbols: bool) -> bool:
    p = t = resume = 0
    star = -1
    length, end = len(pattern), len(text)
    while t < end:
        if p < length and pattern[p] == ANY_SEQUENCE:
            star, resume = p, t
            p += 1
        elif p < length and (
            pattern[p] == text[t]
            or (pattern[p] == ANY_ONE and not (symbols and is_symbol(text[t])))
        ):
            p += 1
            t += 1
        elif star >= 0:
            resume += 1
            p, t = star + 1, resume
        else:
            return False
    while p < length and pattern[p] == ANY_SEQUENCE:
        p += 1
    return p == length


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern over strings that may have unknown parts.

    `source` is the text as the policy has it; `compiled` holds `ANY_SEQUENCE` and `ANY_ONE` in
    place of its wildcards.
    """

    source: Value
    compiled: Value

    @classmethod
    def of(cls, source: Value, *, ignore_case: bool = False) -> Pattern:
        """Compile policy text; with `ignore_case` its ASCII letters are folded."""
        return cls(source, with_wildcards(fold_value(source) if ignore_case else source))

    def matches(self, text: Value) -> Answer:
        """Whether the pattern matches `text` for all, none or some values of unknown parts."""
        return compiled_matches(self.compiled, text)


def compiled_matches(pattern: Value, text: Value) -> Answer:
    """Whether a compiled pattern matches `text`; open while it hangs on an unknown part."""
    if isinstance(pattern, str) and isinstance(text, str):
        return YES if glob_matches(pattern, text) else NO
    if not has_wildcards(pattern):
        return same(pattern, text)
    pattern_symbols, text_with_symbols = text_symbols(pattern, text)
    if glob_matches(pattern_symbols, text_with_symbols, symbols=True):
        return YES
    if not _may_begin_alike(pattern, text):
        return NO
    if not overlaps(items_of(pattern), items_of(without_strangers(text))):
        return NO
    return open_because(pattern, text)


def _may_begin_alike(pattern: Value, text: Value) -> bool:
    """Whether the whole names before the pattern's first wildcard can be those of the text.

    A stranger is none of these names, although a wildcard within a name may cover it.
    """
    names: list[str | Unknown] = []
    for part in (pattern,) if isinstance(pattern, str) else pattern.parts:
        if isinstance(part, Unknown):
            names.append(part)
            continue
        wildcards = [at for at in (part.find(ANY_SEQUENCE), part.find(ANY_ONE)) if at >= 0]
        if not wildcards:
            names.append(part)
            continue
        names.append(part[: min(wildcards)])
        break
    while names:
        last = names[-1]
        end = max(last.rfind(":"), last.rfind("/")) if isinstance(last, str) else -1
        if end >= 0 and isinstance(last, str):
            names[-1] = last[: end + 1]
            return overlaps(items_of(concat((*names, ANY_SEQUENCE))), items_of(text))
        names.pop()
    return True


def has_wildcards(pattern: Value) -> bool:
    """Whether a compiled pattern has wildcards."""
    known = (pattern,) if isinstance(pattern, str) else pattern.parts
    return any(
        isinstance(part, str) and (ANY_SEQUENCE in part or ANY_ONE in part) for part in known
    )
