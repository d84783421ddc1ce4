"""What `getPolicyDocument` answers under mocks, as the AWS provider computes it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policypack.mocked_program.policy_document import DocumentError, get_policy_document


def allow(sid: str, action: str = "kms:Sign") -> dict[str, Any]:
    return {"sid": sid, "actions": [action], "resources": ["*"]}


def source(*statements: Any, **elements: Any) -> str:
    return json.dumps({"Statement": list(statements), **elements})


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nothing", {}, {"Version": "2012-10-17"}),
    (
        "sets are written backwards, single values alone",
        {"statements": [{"actions": ["a:A", "a:C", "a:B", "a:A"], "notResources": ["r"]}]},
        {"Statement": [{"Effect": "Allow", "Action": ["a:C", "a:B", "a:A"], "NotResource": "r"}]},
    ),
    (
        "everyone",
        {"statements": [{"effect": "Deny", "principals": [{"type": "*", "identifiers": ["*"]}]}]},
        {"Statement": [{"Effect": "Deny", "Principal": "*"}]},
    ),
    (
        "everyone of AWS is another principal",
        {"statements": [{"principals": [{"type": "AWS", "identifiers": ["*"]}]}]},
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}}]},
    ),
    (
        "blocks of principals are joined",
        {
            "statements": [
                {
                    "notPrincipals": [
                        {"type": "AWS", "identifiers": ["a"]},
                        {"type": "Service", "identifiers": ["s"]},
                        {"type": "AWS", "identifiers": ["b", "c"]},
                    ]
                }
            ]
        },
        {
            "Statement": [
                {"Effect": "Allow", "NotPrincipal": {"AWS": ["a", "c", "b"], "Service": "s"}}
            ]
        },
    ),
    (
        "blocks of conditions are joined in their order",
        {
            "statements": [
                {
                    "conditions": [
                        {"test": "StringEquals", "variable": "v", "values": ["b", "a"]},
                        {"test": "StringEquals", "variable": "v", "values": ["c"]},
                        {"test": "Bool", "variable": "w", "values": ["true"]},
                    ]
                }
            ]
        },
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Condition": {"StringEquals": {"v": ["b", "a", "c"]}, "Bool": {"w": "true"}},
                }
            ]
        },
    ),
    (
        "variables, but not in actions",
        {
            "statements": [
                {
                    "actions": ["&{a}"],
                    "resources": ["&{b}"],
                    "principals": [{"type": "AWS", "identifiers": ["&{c}"]}],
                    "conditions": [{"test": "t", "variable": "v", "values": ["&{d}"]}],
                }
            ]
        },
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "&{a}",
                    "Resource": "${b}",
                    "Principal": {"AWS": "${c}"},
                    "Condition": {"t": {"v": "${d}"}},
                }
            ]
        },
    ),
    (
        "a later statement replaces one of the same Sid, the newest version counts",
        {
            "version": "2008-10-17",
            "policyId": "own",
            "sourcePolicyDocuments": [
                source({"Sid": "A", "Effect": "Deny"}, {"Effect": "Deny"}, Id="first"),
                None,
            ],
            "statements": [allow("A"), allow("B")],
            "overridePolicyDocuments": [
                source({"Sid": "B", "Effect": "Deny"}, Version="2012-10-17", Id="last")
            ],
        },
        {
            "Id": "last",
            "Statement": [
                {"Sid": "A", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*"},
                {"Effect": "Deny"},
                {"Sid": "B", "Effect": "Deny"},
            ],
        },
    ),
    (
        "conditions of sources: truth as text, numbers are lost",
        {
            "sourcePolicyDocuments": [
                source(
                    {
                        "Effect": "Allow",
                        "Condition": {"Bool": {"a": True}, "NumericEquals": {"b": 7}},
                    }
                )
            ]
        },
        {"Statement": [{"Effect": "Allow", "Condition": {"Bool": {"a": "true"}}}]},
    ),
]


@pytest.mark.parametrize(
    ("arguments", "document"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_documents(arguments: dict[str, Any], document: dict[str, Any]) -> None:
    result = get_policy_document(arguments)
    assert json.loads(result["json"]) == {"Version": "2012-10-17", **document}
    assert json.loads(result["minifiedJson"]) == json.loads(result["json"])
    assert result["json"].count("\n") > result["minifiedJson"].count("\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"statements": [allow("A"), allow("A")]}, "duplicate Sid (A)"),
        (
            {"sourcePolicyDocuments": [source({"Sid": "A"}), source({"Sid": "A"})]},
            "duplicate Sid (A) in source_policy_documents",
        ),
        ({"overridePolicyDocuments": ["{"]}, "merging override document 0: no JSON: "),
        (
            {"sourcePolicyDocuments": ['{"Statement": {"Effect": "Allow"}}']},
            "merging source document 0: the Statement is no list of objects",
        ),
        (
            {"version": "2008-10-17", "statements": [{"resources": ["&{a}"]}]},
            "found &{ in (&{a}), which version 2008-10-17 does not support",
        ),
    ],
)
def test_what_the_provider_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        get_policy_document(arguments)
    assert str(caught.value).startswith(message)
