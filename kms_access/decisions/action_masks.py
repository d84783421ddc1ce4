"""Sets of KMS actions as integers, one bit for each action on a key (design 4.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from kms_access.decisions.static_facts import GRANT_ACTIONS, takes_encryption_context
from kms_access.inventory.actions import KEY_USAGES, find_action, key_actions, possible_for
from kms_access.inventory.model import Grant, Key
from kms_access.policies.answers import Truth, any_of
from kms_access.policies.document import ActionElement
from kms_access.policies.overlap import same
from kms_access.policies.text import Value
from kms_access.policies.wildcards import fold_value

_INTERNAL = "kms:SynchronizeMultiRegionKey"

ACTIONS: tuple[str, ...] = tuple(sorted(key_actions() - {_INTERNAL}))
"""The actions on a key, sorted; bit N of a mask stands for item N."""

_BIT = {name: 1 << index for index, name in enumerate(ACTIONS)}


def mask_of(names: Iterable[str]) -> int:
    """The mask of action names such as `kms:Decrypt`; other actions are left out."""
    mask = 0
    for name in names:
        mask |= _BIT.get(name, 0)
    return mask


def names_in(mask: int) -> Iterator[str]:
    """The action names of a mask, sorted."""
    while mask:
        lowest = mask & -mask
        yield ACTIONS[lowest.bit_length() - 1]
        mask ^= lowest


ALL = mask_of(ACTIONS)
RETIRE = mask_of(("kms:RetireGrant",))
DESCRIBE = mask_of(("kms:DescribeKey",))
CREATE_GRANT = mask_of(("kms:CreateGrant",))
ABOUT_GRANTS = mask_of(name for name in ACTIONS if name.lower() in GRANT_ACTIONS)
ACROSS_ACCOUNTS = mask_of(
    name for name in ACTIONS if (info := find_action(name)) is not None and info.cross_account
)
GRANTABLE = mask_of(
    name for name in ACTIONS if (info := find_action(name)) is not None and info.grantable
)


@lru_cache(maxsize=16_384)
def masks_of(element: ActionElement | None) -> tuple[int, int]:
    """The actions that a statement surely covers, and those that it may cover."""
    if element is None:
        return ALL, ALL
    sure = possible = 0
    for name, bit in _BIT.items():
        truth = element.matches(name).truth
        if truth is not Truth.FALSE:
            possible |= bit
            if truth is Truth.TRUE:
                sure |= bit
    return sure, possible


@lru_cache(maxsize=1_024)
def possible_on(spec: Value | None, usage: Value | None) -> int:
    """The actions that a key of this spec and usage can carry out (K121)."""
    if usage in KEY_USAGES and isinstance(spec, str):
        return mask_of(possible_for(str(usage), asymmetric=spec != "SYMMETRIC_DEFAULT"))
    return ALL


def actions_of(key: Key) -> list[str]:
    """The actions that apply to a key and that its kind can carry out (K121), sorted."""
    return list(names_in(possible_on(key.spec, key.usage)))


@lru_cache(maxsize=1_024)
def with_encryption_context(spec: Value | None) -> int:
    """The actions whose requests can carry an encryption context, by key spec (K138)."""
    return mask_of(name for name in ACTIONS if takes_encryption_context(spec, name))


def listed_in(grant: Grant) -> tuple[int, int]:
    """The operations that a grant surely lists, and those that it may list."""
    return _listed(grant.operations)


@lru_cache(maxsize=1_024)
def _listed(operations: tuple[Value, ...]) -> tuple[int, int]:
    sure = possible = 0
    for name, bit in _BIT.items():
        operation = name.partition(":")[2].lower()
        truth = any_of(same(fold_value(listed), operation) for listed in operations).truth
        if truth is not Truth.FALSE:
            possible |= bit
            if truth is Truth.TRUE:
                sure |= bit
    return sure, possible


def split(masks: Iterable[int], by: int) -> list[int]:
    """Disjoint masks cut into what lies inside and outside of `by`."""
    parts: list[int] = []
    for mask in masks:
        inside = mask & by
        if inside:
            parts.append(inside)
        if mask ^ inside:
            parts.append(mask ^ inside)
    return parts
