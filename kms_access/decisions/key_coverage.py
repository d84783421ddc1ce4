"""Which keys a Resource element covers, as integers with one bit for each key (design 4.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.policies.arns import ArnPattern, arn_segments
from kms_access.policies.document import ResourceElement
from kms_access.policies.overlap import ANY_SEQUENCE
from kms_access.policies.samples import has_wildcards
from kms_access.policies.text import Text, Value

KMS = "kms"


def bits(mask: int) -> Iterator[int]:
    """The places of the bits of a mask, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


class KeyCoverage:
    """Answers for all keys of an inventory at once; remembers each pattern."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._arns = [key.arn for key in keys]
        self.all = (1 << len(keys)) - 1
        self._by_arn: dict[Value, int] = {}
        self._unsettled: list[int] = []
        for index, arn in enumerate(self._arns):
            self._by_arn[arn] = self._by_arn.get(arn, 0) | 1 << index
            if not is_settled(arn):
                self._unsettled.append(index)
        self._by_unique_id: defaultdict[Value, list[int]] = defaultdict(list)
        self._others: list[int] = []
        for index, arn in enumerate(self._arns):
            named = _unique_id(arn_segments(arn))
            (self._others if named is None else self._by_unique_id[named]).append(index)
        self._are_of_kms = all(_service_of(arn_segments(arn)) == KMS for arn in self._arns)
        self._by_pattern: dict[Value, tuple[int, int]] = {}
        self._by_element: dict[int, tuple[ResourceElement, tuple[int, int]]] = {}

    def of(self, element: ResourceElement | None) -> tuple[int, int]:
        """The keys that the element surely covers, and those that it may cover.

        Where policy variables take part every key may be covered.
        """
        if element is None:
            return self.all, self.all
        found = self._by_element.get(id(element))
        if found is None:
            # The element is kept beside its result, so that its id is not used again.
            found = (element, self._covered(element))
            self._by_element[id(element)] = found
        return found[1]

    def _covered(self, element: ResourceElement) -> tuple[int, int]:
        sure = possible = 0
        for pattern in element.patterns:
            one, other = self._by_pattern.get(pattern.whole) or self._matching(pattern)
            sure |= one
            possible |= other
        if element.templates:
            possible = self.all
        if element.negated:
            return self.all & ~possible, self.all & ~sure
        return sure, possible

    def _matching(self, pattern: ArnPattern) -> tuple[int, int]:
        service, unique = _service_of(pattern.segments), _unique_id(pattern.segments)
        if pattern.whole == ANY_SEQUENCE:
            result = (self.all, self.all)
        elif self._are_of_kms and service and service != KMS:
            result = (0, 0)
        elif unique is not None:
            result = self._tried(pattern, [*self._by_unique_id.get(unique, ()), *self._others])
        elif has_wildcards(str(pattern.whole)) or not is_settled(pattern.whole):
            result = self._tried(pattern, range(len(self._arns)))
        else:
            same_arn = self._by_arn.get(pattern.whole, 0)
            sure, possible = self._tried(pattern, self._unsettled)
            result = (sure | same_arn, possible | same_arn)
        self._by_pattern[pattern.whole] = result
        return result

    def _tried(self, pattern: ArnPattern, places: Sequence[int]) -> tuple[int, int]:
        sure = possible = 0
        for index in places:
            truth = pattern.matches(self._arns[index]).truth
            if truth is not Truth.FALSE:
                possible |= 1 << index
                if truth is Truth.TRUE:
                    sure |= 1 << index
        return sure, possible


def is_unique(name: Value) -> bool:
    """Whether it is the whole name or id of one resource, which no other resource has."""
    return isinstance(name, Text) and len(name.parts) == 1 and name.unknowns[0].unique


def _unique_id(segments: Sequence[Value] | None) -> Value | None:
    """The last segment of a key's ARN whose whole id is that of one resource; else None."""
    last = segments[5] if segments is not None else ""
    if isinstance(last, Text) and len(last.parts) == 2 and last.parts[0] == "key/":
        return last if last.unknowns and last.unknowns[0].unique else None
    return None


def _service_of(segments: Sequence[Value] | None) -> str:
    """The service of an ARN or ARN pattern; empty if it is not known or has wildcards."""
    service = segments[2] if segments is not None else ""
    return service if isinstance(service, str) and not has_wildcards(service) else ""


def is_settled(value: Value) -> bool:
    """Whether the value surely differs from every other settled value that is not equal.

    So it is with strings, and with one unknown name or id that no other resource has.
    """
    if isinstance(value, str):
        return True
    unknowns = [part for part in value.parts if not isinstance(part, str)]
    return len(unknowns) == 1 and (
        unknowns[0].stranger or (unknowns[0].unique and unknowns[0].matches_no_literal)
    )
