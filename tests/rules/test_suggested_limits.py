"""Limits that say what an access hangs on, and what they cannot say."""

from __future__ import annotations

import pytest

from kms_access.decisions.terms import Term, Unless, Unsettled, asked_of, every, some
from kms_access.policies.answers import ReasonKind
from kms_access.rules.model import Limit
from kms_access.rules.suggested_limits import limits_of


def limit(operator: str, name: str, *values: str) -> Limit:
    return Limit((), {operator: {name: values}})


def asked(operator: str, *values: str, name: str = "aws:SourceVpc") -> Term:
    return asked_of(name, operator, values)


LIMITS: dict[str, tuple[Term, tuple[Limit, ...], int]] = {
    "one": (
        asked("StringEquals", "b", "a"),
        (limit("StringEquals", "aws:SourceVpc", "a", "b"),),
        0,
    ),
    "not": (Unless(asked("StringLike", "a")), (limit("StringNotLike", "aws:SourceVpc", "a"),), 0),
    "not not": (
        Unless(asked("StringNotEquals", "a")),
        (limit("StringEquals", "aws:SourceVpc", "a"),),
        0,
    ),
    "not true": (
        Unless(asked("Bool", "true", name="aws:SecureTransport")),
        (limit("BoolIfExists", "aws:SecureTransport", "false"),),
        0,
    ),
    "not absent": (
        Unless(asked("Null", "true")),
        (limit("Null", "aws:SourceVpc", "false"),),
        0,
    ),
    "via": (
        asked("StringEquals", "s3.x.amazonaws.com", name="kms:ViaService"),
        (Limit(("s3.x.amazonaws.com",), {}),),
        0,
    ),
    "either": (
        some((asked("StringEquals", "a"), asked("Null", "true"))),
        (limit("Null", "aws:SourceVpc", "true"), limit("StringEquals", "aws:SourceVpc", "a")),
        0,
    ),
    "not if exists": (Unless(asked("StringEqualsIfExists", "a")), (), 1),
    "not of several": (Unless(asked("ForAnyValue:StringEquals", "a")), (), 1),
    "the session": (asked_of("the session name", "is", ["x"]), (), 1),
    "an unknown value": (asked("StringEquals", "<the id of a VPC>"), (), 1),
    "elsewhere": (Unsettled(ReasonKind.OUTSIDE, "policies of x"), (), 0),
    "both": (
        every((asked("StringEquals", "a"), Unless(asked("StringEqualsIfExists", "b")))),
        (limit("StringEquals", "aws:SourceVpc", "a"),),
        1,
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits(name: str) -> None:
    term, limits, left_out = LIMITS[name]
    found = limits_of(term)
    assert (found.limits, len(found.left_out)) == (limits, left_out)


def test_a_free_access_makes_the_limits_of_another_idle() -> None:
    free, limited = limits_of(every(())), limits_of(asked("StringEquals", "a"))
    assert limited.joined(free).limits == ()
    assert free.joined(limited).limits == ()
