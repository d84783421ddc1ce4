"""Giving aliases to a key, taking them away, and moving them between keys (K113, K163)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_access.decisions.attributes import ALIASES, Change
from kms_access.decisions.detour import Means, means_of
from kms_access.decisions.identity_calls import IdentityCalls, instance_of
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Inventory, Key
from kms_access.policies.conditions import Condition
from kms_access.policies.context import Present
from kms_access.policies.text import Value, concat, unknown_text

ALIAS_WRITES = ("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias")
_CREATE, _UPDATE, _DELETE = ALIAS_WRITES


class AliasWrites:
    """The aliases that somebody can give to a key or take from it."""

    def __init__(self, inventory: Inventory, own: OwnAccess, calls: IdentityCalls) -> None:
        self._inventory = inventory
        self._own = own
        self._calls = calls

    def changes(
        self, subject: Subject, caller: Caller, key: Key, conditions: Iterable[Condition]
    ) -> Iterator[Change]:
        """Each change of the key's aliases that may matter to the conditions on them."""
        held = {
            action: means
            for action in ALIAS_WRITES
            if (means := self._own.means(subject, key, action)) is not None
        }
        if _CREATE in held:
            for name in _names_asked_for(conditions):
                yield from self._added(caller, key, _CREATE, name, held[_CREATE])
        if _DELETE in held:
            for name in key.aliases:
                yield from self._removed(caller, key, _DELETE, name, held[_DELETE])
        if _UPDATE in held:
            for other in self._neighbours(key):
                moving = self._own.means(subject, other, _UPDATE)
                if moving is not None:
                    means = held[_UPDATE].then(moving)
                    for name in other.aliases:
                        yield from self._added(caller, key, _UPDATE, name, means)
                    for name in key.aliases:
                        yield from self._removed(caller, key, _UPDATE, name, means)

    def _neighbours(self, key: Key) -> Iterator[Key]:
        """The other keys between which an alias can move: of the same account and Region."""
        for other in self._inventory.keys:
            is_near = (other.account, other.region) == (key.account, key.region)
            if is_near and other.origin != key.origin:
                yield other

    def _added(
        self, caller: Caller, key: Key, action: str, name: Value, held: Means
    ) -> Iterator[Change]:
        yield from self._changed(caller, key, action, name, held, (*key.aliases, name))

    def _removed(
        self, caller: Caller, key: Key, action: str, name: Value, held: Means
    ) -> Iterator[Change]:
        left = tuple(alias for alias in key.aliases if alias != name)
        yield from self._changed(caller, key, action, name, held, left)

    def _changed(
        self,
        caller: Caller,
        key: Key,
        action: str,
        name: Value,
        held: Means,
        aliases: tuple[Value, ...],
    ) -> Iterator[Change]:
        """The change, if IAM allows it on the alias as well (K113)."""
        arn = concat(("arn:", key.partition, ":kms:", key.region, ":", key.account, ":", name))
        on_alias = means_of(self._calls.ask(caller, action, arn, key.account, outside=True))
        if on_alias is not None:
            hop = Hop(f"{action} lets it change the aliases of {key.label}", key.origin)
            means = held.then(on_alias, Means(AccessState.ALLOWED, (), (hop,)))
            # The aliases of the definitions are a lower bound (K141).
            further = unknown_text(f"a further alias of {key.label}")
            yield Change(means, {ALIASES: Present((*aliases, further), multivalued=True)})


def _names_asked_for(conditions: Iterable[Condition]) -> list[Value]:
    """An alias for each value of the conditions, and one that none of them names."""
    names: dict[Value, None] = {"alias/any": None}
    for condition in conditions:
        names |= dict.fromkeys(instance_of(value) for value in condition.values)
        if condition.templates:
            names[unknown_text(f'an alias that a variable of "{condition.key}" makes')] = None
    return list(names)
