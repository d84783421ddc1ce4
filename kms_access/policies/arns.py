"""Amazon Resource Names and patterns over them, compared segment by segment (K22, K126)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from kms_access.policies.answers import (
    NO,
    YES,
    Answer,
    ReasonKind,
    Truth,
    all_of,
    open_answer,
)
from kms_access.policies.overlap import ANY_SEQUENCE, as_written
from kms_access.policies.quick_init import quick_init
from kms_access.policies.text import Text, Value, split
from kms_access.policies.wildcards import compiled_matches

SEGMENTS = 6


def arn_segments(value: Value) -> Sequence[Value] | None:
    """The six segments of an ARN or ARN pattern; None if there are fewer or it is unclear."""
    if isinstance(value, str):
        known = value.split(":", SEGMENTS - 1)
        return known if len(known) == SEGMENTS else None
    return _segments_of(value)


@lru_cache(maxsize=8_192)
def _segments_of(value: Text) -> tuple[Value, ...] | None:
    segments = split(value, ":", SEGMENTS - 1)
    if len(segments) != SEGMENTS:
        return None
    for segment in segments[:-1]:
        if isinstance(segment, Text) and any(u.can_hold(":") for u in segment.unknowns):
            return None
    return tuple(segments)


@quick_init
@dataclass(frozen=True, slots=True)
class ArnPattern:
    """A compiled pattern for ARNs: `whole`, and its six segments if it has them."""

    source: Value
    whole: Value
    segments: tuple[Value, ...] | None

    @classmethod
    def of(cls, source: Value, compiled: Value) -> ArnPattern:
        """`compiled` is `source` with its wildcards marked (see `with_wildcards`)."""
        segments = arn_segments(compiled)
        return cls(source, compiled, tuple(segments) if segments else None)

    def matches(self, arn: Value) -> Answer:
        """Whether the pattern covers `arn`; open where only the whole string would match (K23)."""
        if self.whole == ANY_SEQUENCE or (self.whole == arn and isinstance(arn, str)):
            return YES
        found = arn_segments(arn)
        if self.segments is not None and found is not None:
            return all_of(
                compiled_matches(pattern, segment)
                for pattern, segment in zip(self.segments, found, strict=True)
                if pattern != segment or not isinstance(segment, str)
            )
        whole = compiled_matches(self.whole, arn)
        if whole.truth is Truth.TRUE and self.segments is None and found is not None:
            return open_answer(
                ReasonKind.NOT_ESTABLISHED,
                f'how the pattern "{as_written(self.source)}" with fewer than six segments matches',
                "K23",
            )
        return whole if whole.truth is not Truth.FALSE else NO
