"""Which key of the stack an id means in an update, where no input holds the id of a key.

A resource that belongs to a key registers with the key's real id once the key exists. Nothing says
that the id is that key's: it may as well be the id of a key that is defined elsewhere. An alias of
the same stack tells that it is the stack's own, and so does a key policy for a key that has none.
Where that leaves several keys, none is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable

from kms_access.policies.answers import Truth
from kms_access.policies.arns import arn_segments
from kms_access.policies.overlap import same
from kms_access.policies.text import Value
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.tokens import ALIASES, KEY_POLICY, KEYS

_START = "key/"


class KeyIds:
    """Ties ids to the keys of a stack of which not all resources have registered yet."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        every = list(definitions)
        self._keys = [d for d in every if d.type in KEYS and not isinstance(d.arn, str)]
        self._aliased = {
            _id_of(target)
            for d in every
            if d.type in ALIASES and isinstance(target := d.value("targetKeyId"), str)
        }

    def has_alias(self, key: Value) -> bool:
        """Whether an alias of the stack names the id or ARN."""
        return isinstance(key, str) and _id_of(key) in self._aliased

    def find(self, source: Definition, key: Value) -> Definition | None:
        """The only key of the stack whose id or ARN a property of `source` can hold."""
        if not isinstance(key, str) or ":alias/" in key or source.type in ALIASES:
            return None
        candidates = [found for found in self._keys if _may_be(found, source, key)]
        if not self.has_alias(key):
            if source.type != KEY_POLICY:
                return None
            candidates = [found for found in candidates if found.value("policy") in (None, "")]
        return candidates[0] if len(candidates) == 1 else None


def _id_of(key: str) -> str:
    segments = arn_segments(key)
    return str(segments[5]).removeprefix(_START) if segments else key


def _may_be(found: Definition, source: Definition, key: str) -> bool:
    segments = arn_segments(key)
    place = source.place
    region, account = (segments[3], segments[4]) if segments else (place.region, place.account)
    there = same(found.place.region, region) & same(found.place.account, account)
    return there.truth is not Truth.FALSE
