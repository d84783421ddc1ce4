"""Condition operators: how one value of a request is compared with one value of a policy (K126)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, TypeVar

from kms_access.policies.answers import NO, YES, Answer, ReasonKind, open_answer
from kms_access.policies.arns import ArnPattern
from kms_access.policies.overlap import ANY_SEQUENCE, open_because, same
from kms_access.policies.text import Value
from kms_access.policies.wildcards import compiled_matches, fold_value

_Read = TypeVar("_Read")

Comparison: TypeAlias = Callable[[Value, Value], Answer]
"""Takes the policy's value and the request's value; answers whether the positive form holds."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator: its positive comparison, and whether its result is inverted.

    `accepts` tells whether a policy value can be read; `wildcards` whether `*` and `?` count.
    """

    name: str
    compare: Comparison
    negated: bool = False
    wildcards: bool = False
    accepts: Callable[[str], bool] = lambda value: True

    @property
    def variables(self) -> bool:
        """Whether policy variables are known to work in its values (K32)."""
        return self.name.startswith(("String", "Arn"))


def _equal(policy: Value, request: Value) -> Answer:
    return same(policy, request)


def _equal_without_case(policy: Value, request: Value) -> Answer:
    return same(fold_value(policy), fold_value(request))


def _arn(policy: Value, request: Value) -> Answer:
    if policy == ANY_SEQUENCE:
        return open_answer(
            ReasonKind.NOT_ESTABLISHED, 'whether "*" alone matches under an ARN operator', "K126"
        )
    return ArnPattern.of(policy, policy).matches(request)


def _typed(read: Callable[[str], _Read], holds: Callable[[_Read, _Read], bool]) -> Comparison:
    def compare(policy: Value, request: Value) -> Answer:
        if not isinstance(policy, str) or not isinstance(request, str):
            return open_because(policy, request)
        try:
            return YES if holds(read(policy), read(request)) else NO
        except (ValueError, ArithmeticError):
            return NO

    return compare


def _accepts(read: Callable[[str], object]) -> Callable[[str], bool]:
    def accepts(value: str) -> bool:
        try:
            read(value)
        except (ValueError, ArithmeticError):
            return False
        return True

    return accepts


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = re.compile(r"-?\d{1,13}(\.\d+)?", re.ASCII)
_DATE = re.compile(
    r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)


def read_number(text: str) -> Decimal:
    """The number in `text`; raises `ValueError` for anything else, NaN and infinities included."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def read_date(text: str) -> Decimal:
    """Seconds since 1970 for a W3C date of ISO 8601 or epoch seconds; raises `ValueError`."""
    if _DATE.fullmatch(text):
        if len(text) == 4:
            text += "-01-01"
        elif len(text) == 7:
            text += "-01"
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return Decimal(repr(moment.timestamp()))
    if _EPOCH.fullmatch(text):
        return Decimal(text)
    raise ValueError(text)


def _read_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _read_binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError(text) from None


def _within_network(policy: str, request: str) -> bool:
    network = ipaddress.ip_network(policy, strict=False)
    address = ipaddress.ip_address(request)
    return address.version == network.version and address in network


def _ip(policy: Value, request: Value) -> Answer:
    if not isinstance(policy, str) or not isinstance(request, str):
        return open_because(policy, request)
    try:
        return YES if _within_network(policy, request) else NO
    except ValueError:
        return NO


def _read_network(text: str) -> object:
    return ipaddress.ip_network(text, strict=False)


_ORDER: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "Equals": lambda policy, request: request == policy,
    "LessThan": lambda policy, request: request < policy,
    "LessThanEquals": lambda policy, request: request <= policy,
    "GreaterThan": lambda policy, request: request > policy,
    "GreaterThanEquals": lambda policy, request: request >= policy,
}


def _ordered(prefix: str, read: Callable[[str], Decimal]) -> list[Operator]:
    accepts = _accepts(read)
    operators = [
        Operator(f"{prefix}{suffix}", _typed(read, holds), accepts=accepts)
        for suffix, holds in _ORDER.items()
    ]
    equals = operators[0].compare
    return [*operators, Operator(f"{prefix}NotEquals", equals, negated=True, accepts=accepts)]


OPERATORS: Mapping[str, Operator] = {
    operator.name: operator
    for operator in (
        Operator("StringEquals", _equal),
        Operator("StringNotEquals", _equal, negated=True),
        Operator("StringEqualsIgnoreCase", _equal_without_case),
        Operator("StringNotEqualsIgnoreCase", _equal_without_case, negated=True),
        Operator("StringLike", compiled_matches, wildcards=True),
        Operator("StringNotLike", compiled_matches, negated=True, wildcards=True),
        Operator("ArnEquals", _arn, wildcards=True),
        Operator("ArnLike", _arn, wildcards=True),
        Operator("ArnNotEquals", _arn, negated=True, wildcards=True),
        Operator("ArnNotLike", _arn, negated=True, wildcards=True),
        *_ordered("Numeric", read_number),
        *_ordered("Date", read_date),
        Operator(
            "Bool",
            _typed(_read_bool, lambda policy, request: policy == request),
            accepts=_accepts(_read_bool),
        ),
        Operator(
            "BinaryEquals",
            _typed(_read_binary, lambda policy, request: policy == request),
            accepts=_accepts(_read_binary),
        ),
        Operator("IpAddress", _ip, accepts=_accepts(_read_network)),
        Operator("NotIpAddress", _ip, negated=True, accepts=_accepts(_read_network)),
    )
}
"""All operators but `Null`, by their documented spelling."""

NULL_OPERATOR = "Null"
