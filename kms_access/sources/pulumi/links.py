"""What a property refers to: another resource of the stack, something outside, or unclear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kms_access.policies.text import Text, Value
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.tokens import (
    ALIAS,
    ATTACHMENTS,
    GRANT,
    GROUP,
    INLINE_POLICIES,
    INSTANCE_PROFILE,
    KEY,
    KEY_POLICY,
    POLICY,
    ROLE,
    USER,
)
from kms_access.sources.pulumi.wire import UNKNOWN

_TYPE_OF_KIND: Mapping[str, str] = {
    "key": KEY,
    "role": ROLE,
    "user": USER,
    "group": GROUP,
    "policy": POLICY,
}
_LEADS_ON: Mapping[tuple[str, str], str] = {
    (ALIAS, "key"): "targetKeyId",
    (KEY_POLICY, "key"): "keyId",
    (GRANT, "key"): "keyId",
    (INSTANCE_PROFILE, "role"): "role",
    **{(token, kind): kind for token, kind in INLINE_POLICIES.items()},
    **{(token, kind): owner for token, (kind, owner, _) in ATTACHMENTS.items()},
    **{(token, "policy"): policies for token, (_, _, policies) in ATTACHMENTS.items()},
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
        self, definitions: Iterable[Definition], created_later: frozenset[str] = frozenset()
    ) -> None:
        """`created_later`: the URNs of all resources, of any type, that do not exist yet."""
        self._created_later = created_later
        self._by_urn = {definition.urn: definition for definition in definitions}
        self._by_value: dict[tuple[str, Value], list[Definition]] = defaultdict(list)
        for definition in self._by_urn.values():
            if definition.type in _TYPE_OF_KIND.values():
                for value in _ways_to_say(definition):
                    self._by_value[definition.kind, value].append(definition)
        for alias in [d for d in self._by_urn.values() if d.type == ALIAS and d.name is not None]:
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
            return self._by_dependency(source, key, (kind,))
        return self._by_name(source, value, kind)

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
        if definition.kind in kinds and definition.type in _TYPE_OF_KIND.values():
            return definition
        for kind in kinds:
            onward = _LEADS_ON.get((definition.type, kind), "")
            value = definition.value(onward)
            urns = definition.dependencies(onward)
            if value is UNKNOWN and len(urns) == 1:
                return self._lead(urns[0], kinds, steps - 1)
            if value is not None and value is not UNKNOWN:
                found = self._by_name(definition, value, kind)
                return found if isinstance(found, Definition) else None
        return None

    def _by_name(self, source: Definition, value: object, kind: str) -> Reference:
        name = value if isinstance(value, Text) else str(value)
        if kind != "policy" and isinstance(name, str) and name.startswith("arn:"):
            exact = self._by_value.get((kind, name))
            # Names of roles and users are taken with their ARN as well: only the end counts.
            name = name if exact or kind == "key" else name.rpartition("/")[2]
        matches = [
            found
            for found in self._by_value.get((kind, name), ())
            if _may_be_the_same(found.place.account, source.place.account)
        ]
        close = [found for found in matches if found.place.account == source.place.account]
        candidates = {found.urn: found for found in close or matches}
        return next(iter(candidates.values())) if len(candidates) == 1 else name

    def _unclear(self, source: Definition, key: str) -> Unclear:
        named = sorted(urn.split("::", 3)[-1] for urn in source.dependencies(key))
        listed = ", ".join(f'"{name}"' for name in named)
        depends = f" depends on {listed} and" if named else ""
        return Unclear(f"the {key} of {source.call}{depends} is not known before the deployment")


def _ways_to_say(definition: Definition) -> set[Value]:
    values = {definition.arn, definition.name}
    if definition.type == KEY and isinstance(definition.arn, str):
        values.add(definition.arn.rpartition("/")[2])
    return {value for value in values if value is not None}


def _may_be_the_same(first: Value, second: Value) -> bool:
    return first == second or isinstance(first, Text) or isinstance(second, Text)
