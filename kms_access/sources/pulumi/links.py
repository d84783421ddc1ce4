"""What a property refers to: another resource of the stack, something outside, or unclear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kms_access.policies.answers import Truth
from kms_access.policies.arns import arn_segments
from kms_access.policies.overlap import same
from kms_access.policies.text import Text, Value, concat
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.key_ids import KeyIds
from kms_access.sources.pulumi.tokens import (
    ALIASES,
    ATTACHMENTS,
    EXCLUSIVE_ATTACHMENTS,
    EXCLUSIVE_POLICIES,
    GRANT,
    INLINE_POLICIES,
    INSTANCE_PROFILE,
    KEY_POLICY,
    NATIVE_INSTANCE_PROFILE,
)
from kms_access.sources.pulumi.wire import UNKNOWN

_LEADS_ON: Mapping[tuple[str, str], str] = {
    **{(token, "key"): "targetKeyId" for token in ALIASES},
    **{(token, "key"): "keyId" for token in (KEY_POLICY, GRANT)},
    **{(token, "role"): "role" for token in (INSTANCE_PROFILE, NATIVE_INSTANCE_PROFILE)},
    **{
        (token, owner): owner
        for types in (INLINE_POLICIES, ATTACHMENTS, EXCLUSIVE_ATTACHMENTS, EXCLUSIVE_POLICIES)
        for token, owner in types.items()
    },
    **{(token, "policy"): "policyArn" for token in ATTACHMENTS},
}
"""Resources whose own reference passes on what a value that comes from them refers to."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A reference that is not known yet and that its dependencies do not settle."""

    reason: str


Reference: TypeAlias = Definition | Value | Unclear
"""A resource of the stack, the name or ARN of something outside, or unclear."""


class Links:
    """Finds what properties refer to, by value if it is known and else by dependency."""

    def __init__(
        self,
        definitions: Iterable[Definition],
        created_later: frozenset[str] = frozenset(),
        *,
        partial: bool = False,
    ) -> None:
        """`created_later`: the URNs of all resources, of any type, that do not exist yet.

        With `partial` more resources follow, and no key shows its id.
        """
        self._created_later = created_later
        self._by_urn = {definition.urn: definition for definition in definitions}
        self._key_ids = KeyIds(self._by_urn.values() if partial else ())
        self._by_value: dict[tuple[str, Value], list[Definition]] = defaultdict(list)
        for definition in self._by_urn.values():
            for value in _ways_to_say(definition):
                self._by_value[definition.entity, value].append(definition)
        for alias in [d for d in self._by_urn.values() if d.entity == "alias"]:
            key = self.find(alias, "targetKeyId", "key")
            if isinstance(key, Definition) and alias.name is not None:
                self._by_value["key", alias.name].append(key)

    def depends_on_the_future(self, definition: Definition, key: str) -> bool:
        """Whether a property comes from a resource that does not exist yet."""
        return not self._created_later.isdisjoint(definition.dependencies(key))

    def definition(self, urn: str) -> Definition | None:
        """The resource with this URN, if it is one of those that are read."""
        return self._by_urn.get(urn)

    def find(self, source: Definition, key: str, kind: str) -> Reference | None:
        """What the property `key` refers to, a resource of `kind`; None if it is absent."""
        value = source.value(key)
        if value is None or value == "":
            return None
        if value is UNKNOWN:
            found = self._by_dependency(source, key, (kind,))
            return self._in_region(source, found, key) if kind == "key" else found
        return self._by_name(source, value, kind)

    def find_primary(self, replica: Definition) -> Reference | None:
        """The primary key of a replica, which is in another Region."""
        if replica.value("primaryKeyArn") is UNKNOWN:
            return self._by_dependency(replica, "primaryKeyArn", ("key",))
        return self.find(replica, "primaryKeyArn", "key")

    def find_all(self, source: Definition, key: str, kind: str) -> list[Reference]:
        """What each element of a list refers to.

        Unknown elements are settled together: if as many dependencies are left as there are
        unknown elements, each element is one of them, in an order that does not matter. A list
        that is unknown as a whole may hold anything.
        """
        items = source.items(key)
        if items is UNKNOWN:
            return [self._unclear(source, key)]
        known = [self._by_name(source, item, kind) for item in items if item is not UNKNOWN]
        missing = len(items) - len(known)
        if not missing:
            return known
        settled = {reference.urn for reference in known if isinstance(reference, Definition)}
        found = [self._lead(urn, (kind,)) for urn in source.dependencies(key)]
        left = {d.urn: d for d in found if d is not None and d.urn not in settled}
        if None not in found and len(left) == missing:
            return [*known, *left.values()]
        return [*known, *[self._unclear(source, key)] * missing]

    def find_principal(self, source: Definition, key: str) -> Value | Unclear | None:
        """The ARN of a user or role that the property holds or depends on."""
        value = source.value(key)
        if value is None or value == "":
            return None
        if value is not UNKNOWN:
            return value if isinstance(value, Text) else str(value)
        found = self._by_dependency(source, key, ("role", "user"))
        return found if isinstance(found, Unclear) else found.arn or self._unclear(source, key)

    def _by_dependency(
        self, source: Definition, key: str, kinds: tuple[str, ...]
    ) -> Definition | Unclear:
        urns = source.dependencies(key)
        found = self._lead(urns[0], kinds) if len(urns) == 1 else None
        return found or self._unclear(source, key)

    def _lead(self, urn: str, kinds: tuple[str, ...], steps: int = 5) -> Definition | None:
        definition = self._by_urn.get(urn)
        if definition is None or not steps:
            return None
        if definition.entity in kinds:
            return definition
        for kind in kinds:
            onward = _LEADS_ON.get((definition.type, kind), "")
            value = definition.value(onward)
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            urns = definition.dependencies(onward)
            if value is UNKNOWN and len(urns) == 1:
                return self._lead(urns[0], kinds, steps - 1)
            if value is not None and value is not UNKNOWN:
                found = self._by_name(definition, value, kind)
                return found if isinstance(found, Definition) else None
        return None

    def _by_name(self, source: Definition, value: object, kind: str) -> Reference:
        name = value if isinstance(value, Text) else str(value)
        if isinstance(name, str) and name.startswith("arn:"):
            exact = self._the_one(source, kind, name, by_arn=True)
            # Names of roles and users are taken with their ARN as well: only the end counts.
            by_end = kind not in ("key", "policy") and exact is None
            name = name.rpartition("/")[2] if by_end else name
            found = exact or (self._the_one(source, kind, name) if by_end else None)
        else:
            found = self._the_one(source, kind, name)
            if found is None and kind == "key":
                found = self._the_one(source, kind, concat(("key/", name)))
        if found is None and kind == "key":
            found = self._key_ids.find(source, name)
        return found or name

    def has_alias(self, key: Value) -> bool:
        """Whether, while ids are not known, an alias of the stack names the id of a key."""
        return self._key_ids.has_alias(key)

    def _the_one(
        self, source: Definition, kind: str, name: Value, *, by_arn: bool = False
    ) -> Definition | None:
        named = self._by_value.get((kind, name), ())
        matches = [found for found in named if by_arn or _may_share(found, source)]
        close = [found for found in matches if _shares(found, source)]
        candidates = {found.urn: found for found in close or matches}
        return next(iter(candidates.values())) if len(candidates) == 1 else None

    def _in_region(
        self, source: Definition, found: Definition | Unclear, key: str
    ) -> Definition | Unclear:
        """Calls reach a key in their own Region only: there the same id means another key."""
        if isinstance(found, Unclear) or _may_share(found, source):
            return found
        segments = arn_segments(found.arn) if found.arn is not None else None
        related = self._by_value.get(("key", segments[5]), []) if segments else []
        here = {other.urn: other for other in related if _shares(other, source)}
        return next(iter(here.values())) if len(here) == 1 else self._unclear(source, key)

    def _unclear(self, source: Definition, key: str) -> Unclear:
        named = sorted(urn.split("::", 3)[-1] for urn in source.dependencies(key))
        listed = ", ".join(f'"{name}"' for name in named)
        depends = f" depends on {listed} and" if named else ""
        what = f"the {source.property_name(key)} of {source.call}"
        return Unclear(f"{what}{depends} is not known before the deployment")


def _ways_to_say(definition: Definition) -> set[Value]:
    values = {definition.arn, definition.name}
    if definition.entity == "key" and definition.arn is not None:
        # The id as it stands in an ARN, which tells it from the name of an alias.
        segments = arn_segments(definition.arn)
        values |= {segments[5]} if segments else set()
    if definition.entity == "organization policy":
        values = {value for value in (definition.output("id"),) if isinstance(value, str)}
    return {value for value in values if value}


def _may_share(found: Definition, source: Definition) -> bool:
    """Whether two resources can be in one account and, for keys, in one Region."""
    places = [(found.place.account, source.place.account)]
    if found.entity == "key":
        places.append((found.place.region, source.place.region))
    return all(same(*pair).truth is not Truth.FALSE for pair in places)


def _shares(found: Definition, source: Definition) -> bool:
    where, there = found.place, source.place
    return where.account == there.account and (
        found.entity != "key" or where.region == there.region
    )
