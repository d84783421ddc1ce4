"""Which deployed key, user or role a planned one is: the plan often knows no id and no name yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from kms_access.inventory.model import Identity, Key
from kms_access.inventory.substitution import solved
from kms_access.policies.text import Value

STACK, LOGICAL_ID = "aws:cloudformation:stack-name", "aws:cloudformation:logical-id"
_Resource = TypeVar("_Resource", Key, Identity)
_AWS = "AWS"


def same_keys(planned: Iterable[Key], deployed: Iterable[Key]) -> dict[str, Key]:
    """The deployed key of each planned one, by the planned key's identity.

    In this order: the same ARN; the tags that CloudFormation gives to what it creates; the same
    alias in the same account and Region. A key of another spec, usage, origin or kind is another
    key: these cannot be changed.
    """
    ways: tuple[Callable[[Key], Iterable[Hashable]], ...] = (
        lambda key: (key.arn,) if isinstance(key.arn, str) else (),
        lambda key: _logical_ids(key.origin.identity, key.tags),
        lambda key: ((key.account, key.region, alias) for alias in _known(key.aliases)),
    )
    return _paired(planned, deployed, ways, could_be_same_key)


def same_identities(
    planned: Iterable[Identity], deployed: Iterable[Identity]
) -> dict[str, Identity]:
    """The deployed user or role of each planned one, by the planned one's identity.

    In this order: the same kind, account and name, for names are unique there; the tags that
    CloudFormation gives to what it creates.
    """
    ways: tuple[Callable[[Identity], Iterable[Hashable]], ...] = (_by_name, _by_tags)
    return _paired(planned, deployed, ways, _could_be_same_identity)


def _paired(
    planned: Iterable[_Resource],
    deployed: Iterable[_Resource],
    ways: Iterable[Callable[[_Resource], Iterable[Hashable]]],
    fits: Callable[[_Resource, _Resource], bool],
) -> dict[str, _Resource]:
    planned, deployed = list(planned), list(deployed)
    pairs: dict[str, _Resource] = {}
    taken: set[str] = set()
    for way in ways:
        by_mark: defaultdict[Hashable, list[_Resource]] = defaultdict(list)
        for one in deployed:
            for mark in way(one):
                by_mark[mark].append(one)
        unclear = {mark for mark, names in _names_of(planned, way).items() if len(names) > 1}
        for one in planned:
            if one.origin.identity in pairs:
                continue
            candidates = {
                found.origin.identity: found
                for mark in way(one)
                if mark not in unclear
                for found in by_mark[mark]
                if found.origin.identity not in taken and fits(one, found)
            }
            # Two that fit equally well, as in two accounts, say nothing.
            if len(candidates) == 1:
                pairs[one.origin.identity] = candidates.popitem()[1]
        taken = {found.origin.identity for found in pairs.values()}
    return pairs


def _names_of(
    planned: Iterable[_Resource], way: Callable[[_Resource], Iterable[Hashable]]
) -> Mapping[Hashable, set[Value]]:
    """The ARNs of the planned resources that have a mark: of one resource it is always the same."""
    names: defaultdict[Hashable, set[Value]] = defaultdict(set)
    for one in planned:
        for mark in way(one):
            names[mark].add(one.arn if isinstance(one, Key) else one.principal.name)
    return names


def _logical_ids(identity: str, tags: Mapping[str, Value]) -> Iterator[str]:
    """`STACK/LOGICAL-ID`: a planned resource has it as identity, a deployed one in its tags."""
    stack, logical_id = tags.get(STACK), tags.get(LOGICAL_ID)
    if isinstance(stack, str) and isinstance(logical_id, str):
        yield f"{stack}/{logical_id}"
    elif not identity.startswith("arn:"):
        yield identity


def _by_name(one: Identity) -> Iterator[Hashable]:
    principal = one.principal
    if isinstance(principal.name, str) and isinstance(principal.account, str):
        yield principal.kind, principal.account, principal.name


def _by_tags(one: Identity) -> Iterator[Hashable]:
    for mark in _logical_ids(one.origin.identity, one.tags):
        yield one.principal.kind, mark


def _known(values: Iterable[Value]) -> Iterator[str]:
    return (value for value in values if isinstance(value, str))


def could_be_same_key(planned: Key, deployed: Key) -> bool:
    """Whether a planned key may be a deployed one, as far as what cannot be changed says."""
    if deployed.manager == _AWS or solved(planned.arn, str(deployed.arn)) is None:
        return False
    facts = (
        (planned.spec, deployed.spec),
        (planned.usage, deployed.usage),
        (planned.origin_of_material, deployed.origin_of_material),
    )
    same_kind = planned.spec is None or planned.multi_region == deployed.multi_region
    return same_kind and all(
        one == other for one, other in facts if isinstance(one, str) and isinstance(other, str)
    )


def _could_be_same_identity(planned: Identity, deployed: Identity) -> bool:
    if isinstance(planned.principal.name, str):
        return True
    return solved(planned.principal.arn, str(deployed.principal.arn)) is not None
