"""The Principal and NotPrincipal elements, read strictly (K34–K36, K53, K60)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kms_access.policies.elements import (
    REMEMBERED_PIECES,
    Notes,
    describe,
    duplicates_of,
    string_items,
)
from kms_access.policies.json_text import Path
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principals import (
    EntryKind,
    Principal,
    PrincipalEntry,
    PrincipalKind,
    is_account_id,
    parse_principal,
)
from kms_access.policies.text import DIGIT, Text, Value

_UNIQUE_ID = re.compile(r"A(IDA|ROA|GPA|NPA|SIA|KIA|IPA)[A-Z0-9]{8,}", re.ASCII)
_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
EVERYONE = PrincipalEntry(EntryKind.EVERYONE, "*")
_ROOT, _SERVICE = PrincipalKind.ROOT, PrincipalKind.SERVICE
_ACCOUNT, _IDENTITY = EntryKind.ACCOUNT, EntryKind.IDENTITY


def read_principal(
    node: Any, notes: Notes, path: Path, *, negated: bool = False, federated: bool = False
) -> PrincipalElement:
    """The entries of the element; what names nobody or cannot be read is kept and reported.

    `federated` tells whether identity providers are accepted (trust policies, K53).
    """
    if node == "*":
        return PrincipalElement((EVERYONE,), negated)
    if not isinstance(node, Mapping):
        if not isinstance(node, Text):
            notes.error(
                "K34",
                f'the principal is {describe(node)}, accepted are "*" and an object with '
                f"{', '.join(_TYPES)}",
                path,
            )
        return PrincipalElement((PrincipalEntry(EntryKind.UNREADABLE, _text(node)),), negated)
    entries: list[PrincipalEntry] = []
    for key in duplicates_of(node):
        notes.error("K27", f'principal type "{key}" stands here more than once', (*path, key))
        entries.append(PrincipalEntry(EntryKind.UNREADABLE, key))
    for kind, values in node.items():
        place = (*path, kind)
        documented = {name.lower(): name for name in _TYPES}.get(kind.lower())
        if documented != kind:
            accepted = ", ".join(_TYPES)
            notes.error("K41", f'unknown principal type "{kind}", accepted are {accepted}', place)
            entries.append(PrincipalEntry(EntryKind.UNREADABLE, kind))
            continue
        if kind == "Federated" and not federated:
            notes.error("K53", "an identity provider is no principal here", place)
        items = string_items(values, notes, place)
        entries.extend(_entry(kind, value, notes, where) for value, where in items)
    return PrincipalElement(tuple(entries), negated)


@lru_cache(REMEMBERED_PIECES)
def read_faultless_principal(kind: str, values: tuple[str, ...]) -> PrincipalElement | None:
    """The element for one type of principals; None if there is a problem to be noted."""
    if kind not in _TYPES:
        return None
    if kind == "AWS" and len(values) == 1:
        named = parse_principal(values[0])
        if named is not None and named.kind is not _SERVICE:
            return PrincipalElement((_named_entry(values[0], named),))
    notes = Notes()
    entries = tuple([_entry(kind, value, notes, ()) for value in values])
    return None if notes.problems else PrincipalElement(entries)


def _text(node: Any) -> Value:
    return node if isinstance(node, (str, Text)) else describe(node)


def _entry(kind: str, value: Value, notes: Notes, path: Path) -> PrincipalEntry:
    if kind == "AWS":
        return _aws_entry(value, notes, path)
    if kind == "Service":
        return _service_entry(value, notes, path)
    if kind == "Federated":
        return PrincipalEntry(EntryKind.FEDERATED_PROVIDER, value)
    notes.error("K35", f'a canonical user "{value}" is no principal here', path)
    return PrincipalEntry(EntryKind.REFUSED, value)


def _service_entry(value: Value, notes: Notes, path: Path) -> PrincipalEntry:
    principal = parse_principal(value)
    service = principal is not None and principal.kind is PrincipalKind.SERVICE
    if isinstance(value, str) and not service:
        notes.error("K34", f'"{value}" is no service principal', path)
        if "*" in value:
            return PrincipalEntry(EntryKind.UNREADABLE_SERVICE, value)
        return PrincipalEntry(EntryKind.REFUSED, value)
    return PrincipalEntry(EntryKind.SERVICE, value, principal)


def _named_entry(value: Value, principal: Principal) -> PrincipalEntry:
    if principal.kind is _ROOT:
        return PrincipalEntry(_ACCOUNT, value, principal, principal.account, principal.partition)
    return PrincipalEntry(_IDENTITY, value, principal)


def _aws_entry(value: Value, notes: Notes, path: Path) -> PrincipalEntry:
    if value == "*":
        return EVERYONE
    if isinstance(value, str) and is_account_id(value):
        return PrincipalEntry(EntryKind.ACCOUNT, value, account=value)
    principal = parse_principal(value)
    if principal is not None and principal.kind is not _SERVICE:
        return _named_entry(value, principal)
    if isinstance(value, Text):
        if len(value.parts) == 1 and value.unknowns[0].characters == DIGIT:
            return PrincipalEntry(EntryKind.ACCOUNT, value, account=value)
        return PrincipalEntry(EntryKind.UNREADABLE, value)
    if _UNIQUE_ID.fullmatch(value):
        notes.error("K60", f'"{value}" is what remains of a deleted user or role', path)
        return PrincipalEntry(EntryKind.NOBODY, value)
    if "*" in value or "?" in value:
        notes.error("K35", f'a wildcard inside the principal "{value}" is not accepted', path)
    elif ":group/" in value:
        notes.error("K35", f'the group "{value}" is no principal', path)
    elif re.fullmatch(r"o-[a-z0-9]{10,32}", value):
        notes.error("K35", f'the organization "{value}" is no principal', path)
    else:
        notes.error("K17", f'"{value}" is no principal that KMS can find', path)
    return PrincipalEntry(EntryKind.REFUSED, value)
