"""Policies of every kind for properties: most of them in order, some with something odd."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    PERMISSIONS_BOUNDARY,
    RESOURCE_CONTROL_POLICY,
    RESOURCE_POLICY,
    SERVICE_CONTROL_POLICY,
    SESSION_POLICY,
    TRUST_POLICY,
    PolicyGrammar,
    Presence,
)

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
GRAMMARS = (
    *(IDENTITY_POLICY, PERMISSIONS_BOUNDARY, SESSION_POLICY, SERVICE_CONTROL_POLICY),
    *(RESOURCE_CONTROL_POLICY, RESOURCE_POLICY, TRUST_POLICY, KEY_POLICY),
)
ODD: tuple[Any, ...] = (
    None,
    True,
    3,
    2.5,
    [],
    {},
    [None],
    ["a", 1],
    "é",
    "\u20ac",
    "\x01",
    "x" * 1_100,
)

actions = ["kms:*", "kms:Decrypt", "KMS:De*", "*", "s3:Get?bject", "", "kms:${aws:username}"]
resources = [
    "*",
    KEY,
    "arn:aws:s3:::b/*",
    "key/1",
    "arn:aws:s3:::b/${aws:username}",
    "${",
    "a:${b}",
]
callers = [
    *("*", ROOT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/app", f"arn:aws:iam::{ACCOUNT}:user/a/b"),
    *(f"arn:aws:iam::{ACCOUNT}:role/*", f"arn:aws:iam::{ACCOUNT}:group/g", "AIDAABCDEFGHIJKLMNOP"),
    *("s3.amazonaws.com", "*.amazonaws.com", "1234", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"),
]
operators = [
    *("StringEquals", "StringLike", "stringEquals", "ForAllValues:StringEquals", "Null", "Bool"),
    *("ForAnyValue:ArnLikeIfExists", "NumericLessThan", "IpAddress", "NullIfExists", "Foo", "a:b"),
]
keys = ["aws:PrincipalArn", "kms:ViaService", "kms:EncryptionContext:a", "aws:SecureTransport"]
values = ["true", "x", "*", "12", "10.0.0.0/8", "${aws:username}", "${", f"{ROOT}"]


class Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as it is written: a key may stand there twice."""


def written(node: Any) -> str:
    if isinstance(node, Pairs):
        return "{" + ", ".join(f"{json.dumps(k)}: {written(v)}" for k, v in node) + "}"
    if isinstance(node, list):
        return "[" + ",\n".join(map(written, node)) + "]"
    return json.dumps(node, ensure_ascii=node not in ("é", "\u20ac"))


def as_data(node: Any) -> Any:
    if isinstance(node, Pairs):
        return {key: as_data(value) for key, value in node}
    return [as_data(item) for item in node] if isinstance(node, list) else node


def seldom(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 24)) == 24


def one_or_more(draw: st.DrawFn, pool: list[str]) -> Any:
    if seldom(draw):
        return draw(st.sampled_from(ODD))
    # Most policies are in order, so that the quick way is taken.
    some = st.sampled_from(pool if draw(st.integers(0, 3)) == 3 else pool[:2])
    return draw(st.one_of(some, st.lists(some, min_size=1, max_size=3)))


_CHANGES = ("twice", "negation", "unknown", "refused", "lower", "missing", "odd")


def in_order_or_not(draw: st.DrawFn, pairs: list[tuple[str, Any]]) -> Any:
    if seldom(draw):
        change = draw(st.sampled_from(["no object", *_CHANGES]))
        at = draw(st.integers(0, len(pairs) - 1))
        name, value = pairs[at]
        if change == "no object":
            return draw(st.sampled_from(ODD))
        pairs[at : at + 1] = {
            "twice": [(name, draw(st.sampled_from(ODD))), (name, value)],
            "negation": [(name, value), (f"Not{name}", value)],
            "unknown": [(f"{name}s", value)],
            "refused": [("\u20ac", value)],
            "lower": [(name.lower(), value)],
            "missing": [],
            "odd": [(name, draw(st.sampled_from(ODD)))],
        }[change]
    return Pairs(pairs)


@st.composite
def statements(draw: st.DrawFn, grammar: PolicyGrammar) -> Any:
    pairs: list[tuple[str, Any]] = [("Effect", draw(st.sampled_from(["Allow", "Deny"])))]
    if draw(st.booleans()):
        pairs.append(("Sid", draw(st.sampled_from(["A", "B1", "", "a b", "é"]))))
    if (grammar.principal is Presence.REQUIRED) is not seldom(draw):
        kind = draw(st.sampled_from(["AWS", "AWS", "AWS", "Service", "Federated", "CanonicalUser"]))
        element = in_order_or_not(draw, [(kind, one_or_more(draw, callers))])
        several = Pairs([("AWS", ROOT), ("Service", "s3.amazonaws.com")])
        principal = draw(st.sampled_from(["*", element, element, several]))
        pairs.append(("NotPrincipal" if seldom(draw) else "Principal", principal))
    pairs.append(("NotAction" if seldom(draw) else "Action", one_or_more(draw, actions)))
    if (grammar.resource is Presence.REQUIRED) is not seldom(draw):
        pool = ["*", "*", *resources] if grammar.resource_is_self else resources
        name = "NotResource" if seldom(draw) else "Resource"
        pairs.append((name, one_or_more(draw, pool)))
    if draw(st.booleans()):
        tests = [
            (one, in_order_or_not(draw, [(draw(st.sampled_from(keys)), one_or_more(draw, values))]))
            for one in draw(st.lists(st.sampled_from(operators), max_size=2))
        ]
        pairs.append(("Condition", in_order_or_not(draw, tests) if tests else Pairs()))
    return in_order_or_not(draw, pairs)


@st.composite
def policies(draw: st.DrawFn) -> tuple[Any, PolicyGrammar]:
    grammar = draw(st.sampled_from(GRAMMARS))
    listed = draw(st.lists(statements(grammar), max_size=3))
    body = listed[0] if listed and seldom(draw) else listed
    version = draw(st.sampled_from(["2012-10-17"] * 5 + ["2008-10-17", "2012"]))
    pairs = [("Version", version), ("Statement", body)]
    if seldom(draw):
        pairs.append(("Id", "id"))
    return in_order_or_not(draw, pairs), grammar
