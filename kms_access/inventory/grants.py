"""Grants as KMS describes them (GrantListEntry, CreateGrant) -> Grant, checked (K87-K100)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Grant, GrantConstraints
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.elements import Notes, as_list, describe, duplicates_of, scalar
from kms_access.policies.principals import is_account_id, parse_principal
from kms_access.policies.text import Text, Value, describe_unknowns, unknown_text

_FIELDS = (
    *("KeyId", "GrantId", "Name", "CreationDate", "GranteePrincipal", "GranteeServicePrincipal"),
    *("RetiringPrincipal", "RetiringServicePrincipal", "IssuingAccount", "Operations"),
    *("Constraints", "GrantTokens", "GrantToken"),
)
_CONSTRAINTS = ("EncryptionContextEquals", "EncryptionContextSubset", "SourceArn")
_MAXIMUM_PAIRS = 8
_MAXIMUM_VALUE = 384


def read_grant(node: Mapping[str, Any], label: str, origin: Origin, key_arn: Value) -> Grant:
    """Read one grant; what is wrong with it becomes problems and keeps its effect open.

    `node` has the field names of the KMS API; leaves may have unknown parts. `key_arn` is the
    canonical ARN of the key that the grant is for.
    """
    notes = Notes()
    reader = _Reader(node, notes)
    for field in node:
        if field not in _FIELDS:
            reader.fail("K87", f'unknown field "{field}" in a grant', field)
    for field in duplicates_of(node):
        reader.fail("K27", f'"{field}" stands here more than once', field)
    service = reader.text("GranteeServicePrincipal")
    grantee = reader.text("GranteePrincipal") or service
    if grantee is None:
        reader.fail("K87", "the grant has no grantee", "GranteePrincipal")
    elif not _can_be_grantee(grantee):
        notes.error("K87", f'"{grantee}" cannot be a grantee', ("GranteePrincipal",))
    retiring = reader.text("RetiringPrincipal") or reader.text("RetiringServicePrincipal")
    constraints = reader.constraints()
    operations = reader.operations()
    if service is not None:
        _check_service_grantee(node, constraints, retiring, reader)
    return Grant(
        label,
        origin,
        key_arn,
        grantee or "",
        operations,
        constraints,
        retiring,
        reader.text("IssuingAccount"),
        reader.uncertain,
        tuple(notes.problems),
    )


def _can_be_grantee(grantee: Value) -> bool:
    """Users, roles, sessions, accounts and services; no group, no wildcard, not everyone."""
    if isinstance(grantee, Text) or parse_principal(grantee) is not None:
        return True
    return is_account_id(grantee)


def _check_service_grantee(
    node: Mapping[str, Any], constraints: GrantConstraints, retiring: Value | None, reader: _Reader
) -> None:
    """A service as grantee needs a source and somebody who may retire the grant (K88)."""
    if "GranteePrincipal" in node:
        reader.fail("K88", "the grant has two grantees", "GranteeServicePrincipal")
    if constraints.source_arn is None:
        reader.fail("K88", "a grant to a service needs a SourceArn constraint", "Constraints")
    if retiring is None:
        reader.fail("K88", "a grant to a service needs a retiring principal", "RetiringPrincipal")


class _Reader:
    def __init__(self, node: Mapping[str, Any], notes: Notes) -> None:
        self.node = node
        self.notes = notes
        self.uncertain: Reason | None = None

    def fail(self, rule: str, message: str, *path: str | int) -> None:
        self.uncertain = self.notes.error(rule, message, path)

    def text(self, field: str) -> Value | None:
        node = self.node.get(field)
        if node is None or node == "":
            return None
        value = scalar(node)
        if value is None:
            message = f"{field} is {describe(node)}, a string is expected"
            self.fail("K87", message, field)
            return unknown_text(message)
        return value

    def operations(self) -> tuple[Value, ...]:
        node = self.node.get("Operations")
        if isinstance(node, Text):
            self.uncertain = Reason(describe_unknowns(node), ReasonKind.UNKNOWN_VALUE)
            return (node,)
        operations: list[Value] = []
        for index, item in enumerate(as_list(node) if node is not None else []):
            value = scalar(item)
            info = find_action(f"kms:{value}") if isinstance(value, str) else None
            if isinstance(value, str) and (info is None or not info.grantable):
                message = f'"{value}" is no operation that a grant can give'
                self.notes.error("K93", message, ("Operations", index))
            elif value is None:
                message = f"{describe(item)} is no operation"
                self.fail("K93", message, "Operations", index)
                operations.append(unknown_text(message))
            else:
                operations.append(value)
        if not operations:
            self.notes.error("K93", "the grant has no operation", ("Operations",))
        return tuple(operations)

    def constraints(self) -> GrantConstraints:
        node = self.node.get("Constraints")
        if node is None or node == []:
            return GrantConstraints()
        if not isinstance(node, Mapping):
            self.fail(
                "K97", f"Constraints is {describe(node)}, an object is expected", "Constraints"
            )
            return GrantConstraints()
        for field in node:
            if field not in _CONSTRAINTS:
                self.fail("K97", f'unknown constraint "{field}"', "Constraints", field)
        for field in duplicates_of(node):
            self.fail("K27", f'"{field}" stands here more than once', "Constraints", field)
        source = node.get("SourceArn")
        if source is not None and scalar(source) is None:
            message = f"SourceArn is {describe(source)}, a string is expected"
            self.fail("K100", message, "Constraints", "SourceArn")
        return GrantConstraints(
            self._pairs(node, "EncryptionContextEquals"),
            self._pairs(node, "EncryptionContextSubset"),
            scalar(source) if source is not None else None,
        )

    def _pairs(self, node: Mapping[str, Any], field: str) -> Mapping[str, Value] | None:
        given = node.get(field)
        if given is None:
            return None
        if not isinstance(given, Mapping):
            message = f"{field} is {describe(given)}, an object is expected"
            self.fail("K97", message, "Constraints", field)
            return None
        for key in duplicates_of(given):
            self.fail("K27", f'"{key}" stands here more than once', "Constraints", field, key)
        if len(given) > _MAXIMUM_PAIRS:
            message = f"{len(given)} pairs, at most {_MAXIMUM_PAIRS} are accepted"
            self.notes.error("K97", message, ("Constraints", field))
        pairs: dict[str, Value] = {}
        for key, item in given.items():
            value = scalar(item)
            if value is None:
                self.fail("K97", f"{describe(item)} is no string", "Constraints", field, key)
                continue
            if isinstance(value, str) and len(value) > _MAXIMUM_VALUE:
                message = f"a value has at most {_MAXIMUM_VALUE} characters"
                self.notes.error("K97", message, ("Constraints", field, key))
            pairs[key] = value
        return pairs
