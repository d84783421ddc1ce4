"""Condition keys that speak of one thing: the search agrees with every request that can exist.

The requests are all that can be made from a few values: each chain of services (K75), each
encryption context and each set of tags with two names (K41). The policies ask for nothing else, so
that what none of these requests can do, no request can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.decision import Verdict
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import Request, request_context
from kms_access.decisions.resolution import AccessState, resolve
from kms_access.policies.context import ABSENT, KeyState, Present
from tests.builders import allow, deny
from tests.decisions.open_questions import APP, open_question, policies, when

ATHENA, GLUE, OTHER = "athena.amazonaws.com", "glue.amazonaws.com", "other.amazonaws.com"
CHAIN = ("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ViaAWSService")
PAIRS = ("kms:EncryptionContextKeys", "kms:EncryptionContext:x", "kms:EncryptionContext:y")
TAGS = ("aws:TagKeys", "aws:RequestTag/x", "aws:RequestTag/y")
LISTED = ("aws:CalledVia", "kms:EncryptionContextKeys", "aws:TagKeys")
VALUES: dict[str, list[str]] = {
    **{key: [ATHENA, GLUE] for key in CHAIN[:3]},
    "aws:ViaAWSService": ["true", "false"],
    **{key: ["x", "y"] for key in LISTED[1:]},
    **{key: ["a", "b"] for key in (*PAIRS[1:], *TAGS[1:])},
}


def listed(*values: str) -> KeyState:
    return Present(values, multivalued=True) if values else ABSENT


@cache
def chains() -> list[dict[str, KeyState]]:
    """Every chain of up to three services."""
    services = (ATHENA, GLUE, OTHER)
    found = [
        {
            "aws:calledvia": listed(*chain),
            "aws:calledviafirst": Present((chain[0],)),
            "aws:calledvialast": Present((chain[-1],)),
            "aws:viaawsservice": Present(("true",)),
        }
        for length in (1, 2, 3)
        for chain in product(services, repeat=length)
    ]
    absent = dict.fromkeys(("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"), ABSENT)
    return [*found, *({**absent, "aws:viaawsservice": Present((v,))} for v in ("true", "false"))]


@cache
def pairs(start: str, names_of_all: str) -> list[dict[str, KeyState]]:
    """All pairs of the names x, y and one more; X is found as x too (K41)."""
    values: list[KeyState] = [ABSENT, *(Present((v,)) for v in ("a", "b", "c"))]
    return [
        {
            f"{start}x": x,
            f"{start}y": y,
            names_of_all: listed(
                *(n for n, s in zip(names, (x, y), strict=True) if s != ABSENT),
                *(["z"] if more else []),
            ),
        }
        for x, y, more in product(values, values, (True, False))
        for names in product("xX", "yY")
    ]


def encryption_contexts() -> list[dict[str, KeyState]]:
    return pairs("kms:encryptioncontext:", "kms:encryptioncontextkeys")


def tags() -> list[dict[str, KeyState]]:
    return pairs("aws:requesttag/", "aws:tagkeys")


def in_each(question: Request, contexts: list[dict[str, KeyState]]) -> Iterator[Request]:
    for context in contexts:
        values = {**question.context.values, **context}
        yield replace(question, context=request_context(values, {}))


def agrees(
    statements: list[dict[str, Any]],
    contexts: list[dict[str, KeyState]],
    action: str = "kms:Decrypt",
) -> AccessState:
    given_policies = policies(*statements)
    question = open_question(action)
    found = resolve(question, given_policies)
    allowed = [
        authorize(request, given_policies).verdict is Verdict.ALLOWED
        for request in in_each(question, contexts)
    ]
    event = (found.state, [str(statement) for statement in statements])
    assert any(allowed) or not found.state.is_access, event
    assert not any(allowed) or not found.state.is_denied, event
    assert all(allowed) or found.state is not AccessState.ALLOWED, event
    return found.state


@st.composite
def statements_about(draw: st.DrawFn, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    def statement(effect: Any) -> dict[str, Any]:
        key = draw(st.sampled_from(keys))
        values = draw(st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=2, unique=True))
        operator = draw(st.sampled_from(["StringEquals", "StringNotEquals", "Null"]))
        if operator == "Null":
            values = [draw(st.sampled_from(["true", "false"]))]
        elif key in LISTED:
            operator = draw(st.sampled_from(["ForAnyValue:", "ForAllValues:"])) + operator
        made: dict[str, Any] = effect("kms:*", when(operator, key, values))
        return made

    def allows(action: str, block: dict[str, Any]) -> dict[str, Any]:
        return allow(APP, action, **block)

    def denies(action: str, block: dict[str, Any]) -> dict[str, Any]:
        return deny("*", action, **block)

    count = draw(st.integers(min_value=0, max_value=3))
    return [statement(allows), *(statement(denies) for _ in range(count))]


@given(statements_about(CHAIN))
def test_the_services_of_a_call_are_one_list(statements: list[dict[str, Any]]) -> None:
    agrees(statements, chains())


@given(statements_about(PAIRS))
def test_the_pairs_of_an_encryption_context_have_its_keys(
    statements: list[dict[str, Any]],
) -> None:
    agrees(statements, encryption_contexts())


@given(statements_about(TAGS))
def test_the_tags_of_a_request_have_its_tag_keys(statements: list[dict[str, Any]]) -> None:
    agrees(statements, tags(), "kms:TagResource")


VIA, FIRST, LAST = CHAIN[:3]
CASES = {
    "the list and its first item": (
        [(VIA, "ForAnyValue:StringEquals", ATHENA)],
        [(FIRST, "StringEquals", GLUE)],
        AccessState.CONDITIONAL,
    ),
    "first and last differ": (
        [(FIRST, "StringEquals", ATHENA)],
        [(LAST, "StringEquals", GLUE)],
        AccessState.CONDITIONAL,
    ),
    "the only item is the first": (
        [(VIA, "ForAnyValue:StringEquals", ATHENA)],
        [
            (VIA, "ForAnyValue:StringNotEquals", ATHENA),
            (FIRST, "StringEquals", ATHENA),
        ],
        AccessState.EXPLICITLY_DENIED,
    ),
    "another name than the absent one": (
        [("kms:EncryptionContext:x", "Null", "true")],
        [("kms:EncryptionContextKeys", "ForAllValues:StringNotEquals", ["x", "y"])],
        AccessState.CONDITIONAL,
    ),
    "a name without its secret": (
        [("kms:EncryptionContextKeys", "ForAnyValue:StringEquals", "x")],
        [("kms:EncryptionContext:x", "StringEquals", "a")],
        AccessState.CONDITIONAL,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_keys_that_go_together(name: str) -> None:
    allows, denies, expected = CASES[name]
    statements = [
        *(allow(APP, "kms:Decrypt", **when(op, key, value)) for key, op, value in allows),
        *(deny("*", "kms:Decrypt", **when(op, key, value)) for key, op, value in denies),
    ]
    contexts = encryption_contexts() if "kms:" in allows[0][0] else chains()
    assert agrees(statements, contexts) is expected
