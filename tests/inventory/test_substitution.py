"""Values that become known: a policy then is what it would be if they had been known before."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.origin import Origin
from kms_access.inventory.substitution import solved, substituted
from kms_access.policies.grammar import IDENTITY_POLICY, TRUST_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, Unknown, Value, concat
from tests.builders import ACCOUNT, document, iam, user

ID, NAME = Unknown("the id of key K", "[0-9a-z-]", unique=True), Unknown("the name of role R")
REAL = {"the id of key K": "1234abcd", "the name of role R": "api"}
KEY = ("arn:aws:kms:eu-central-1:", ACCOUNT, ":key/", ID)
ROLE = ("arn:aws:iam::", ACCOUNT, ":role/", NAME)


def known(node: Any) -> Any:
    """The same data with the real values, made before anything is parsed."""
    if isinstance(node, Text):
        return concat(REAL[p.stands_for] if isinstance(p, Unknown) else p for p in node.parts)
    if isinstance(node, dict):
        return {key: known(value) for key, value in node.items()}
    return [known(item) for item in node] if isinstance(node, list) else node


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"} | elements


IDENTITY_STATEMENTS = {
    "resource": statement(Resource=concat(KEY)),
    "resources": statement(Resource=[concat(KEY), concat(("arn:aws:kms:*:*:key/", ID, "*"))]),
    "not resource": statement(Effect="Deny", Resource=[], NotResource=concat(KEY)) | {},
    "condition": statement(Condition={"StringEquals": {"aws:PrincipalArn": concat(ROLE)}}),
    "condition with wildcard": statement(
        Condition={"ArnLike": {"aws:PrincipalArn": [concat((*ROLE, "*"))]}}
    ),
    "variable": statement(Resource=concat((*KEY, "${aws:username}"))),
    "variable in a condition": statement(
        Condition={"StringLike": {"aws:PrincipalTag/x": concat((NAME, "${aws:username}"))}}
    ),
    "encryption context": statement(
        Condition={"StringEquals": {"kms:EncryptionContext:key": Text((ID,))}}
    ),
}
IDENTITY_STATEMENTS["not resource"].pop("Resource")
KEY_STATEMENTS = {
    "principal": statement(Principal={"AWS": concat(ROLE)}),
    "principals": statement(Principal={"AWS": [concat(ROLE), f"arn:aws:iam::{ACCOUNT}:root"]}),
    "session": statement(
        Principal={"AWS": concat(("arn:aws:sts::", ACCOUNT, ":assumed-role/", NAME, "/s"))}
    ),
    "not principal": statement(Effect="Deny", NotPrincipal={"AWS": concat(ROLE)}),
}


@pytest.mark.parametrize("name", IDENTITY_STATEMENTS)
def test_identity_policies(name: str) -> None:
    source = document(IDENTITY_STATEMENTS[name])
    before, after = (
        parse_policy(source, IDENTITY_POLICY),
        parse_policy(known(source), IDENTITY_POLICY),
    )
    assert before != after
    assert substituted(before, REAL) == after


@pytest.mark.parametrize("name", KEY_STATEMENTS)
@pytest.mark.parametrize("grammar", [KEY_POLICY, TRUST_POLICY], ids=lambda grammar: grammar.title)
def test_policies_of_resources(name: str, grammar: Any) -> None:
    source = document(KEY_STATEMENTS[name])
    before, after = parse_policy(source, grammar), parse_policy(known(source), grammar)
    assert substituted(before, REAL) == after
    assert before != after


def test_grants_and_identities() -> None:
    fields = {
        "GranteePrincipal": concat(ROLE),
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"key": Text((ID,))}},
    }
    origin = Origin("App/G")
    before = read_grant(fields, "grant", origin, concat(KEY))
    assert substituted(before, REAL) == read_grant(
        known(fields), "grant", origin, known(concat(KEY))
    )
    assert substituted(user(Text((NAME,))).principal, REAL) == user("api").principal


def test_what_does_not_change_stays_the_same_object() -> None:
    parsed = parse_policy(document(iam("kms:*"), IDENTITY_STATEMENTS["resource"]), IDENTITY_POLICY)
    assert substituted(parsed, {"something else": "x"}) is parsed
    assert substituted(parsed, {}) is parsed
    assert substituted(parsed, REAL).statements[0] is parsed.statements[0]


A, B = Unknown("a", "[a-z]"), Unknown("b", "[0-9]")


@pytest.mark.parametrize(
    ("arn", "real", "found"),
    [
        (concat(("arn:x:", A)), "arn:x:abc", None),
        (concat(("a:b:c:d:e:key/", A)), "a:b:c:d:e:key/abc", {"a": "abc"}),
        (concat(("a:b:c:", A, ":", B, ":f")), "a:b:c:x:7:f", {"a": "x", "b": "7"}),
        (concat(("a:b:c:d:e:", A, "-", B)), "a:b:c:d:e:x-7", None),
        (concat(("a:b:c:d:e:x", A, "y")), "a:b:c:d:e:xay", {"a": "a"}),
        (concat(("a:b:c:d:e:xx", A, "xx")), "a:b:c:d:e:xxx", None),
        (concat(("a:b:c:d:e:", A)), "a:b:c:d:e:7", None),
        (concat(("a:b:c:", A, ":", A, ":f")), "a:b:c:x:y:f", None),
        ("a:b:c:d:e:f", "a:b:c:d:e:f", {}),
        ("a:b:c:d:e:f", "a:b:c:d:e:g", None),
    ],
)
def test_solved(arn: Value, real: str, found: dict[str, str] | None) -> None:
    assert solved(arn, real) == found
