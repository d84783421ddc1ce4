"""Which strings name a caller, and which only look like it (K34, K48, K49)."""

from __future__ import annotations

import pytest

from kms_access.policies.principals import Principal, PrincipalKind, parse_principal
from kms_access.policies.text import Text, Unknown

ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("text", "kind", "path_and_name", "session"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", PrincipalKind.ROOT, "", None),
        (f"arn:aws:iam::{ACCOUNT}:user/alice", PrincipalKind.USER, "/alice", None),
        (f"arn:aws-cn:iam::{ACCOUNT}:role/a/b/app", PrincipalKind.ROLE, "/a/b/app", None),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s/1", PrincipalKind.ROLE, "/app", "s/1"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", PrincipalKind.FEDERATED_USER, "/bob", None),
        ("cloudtrail.amazonaws.com", PrincipalKind.SERVICE, "", None),
        ("ec2.amazonaws.com.cn", PrincipalKind.SERVICE, "", None),
    ],
)
def test_forms(text: str, kind: PrincipalKind, path_and_name: str, session: str | None) -> None:
    principal = parse_principal(text)
    assert isinstance(principal, Principal)
    assert (principal.kind, principal.path_and_name) == (kind, path_and_name)
    assert principal.session == session
    assert principal.account == ("" if kind is PrincipalKind.SERVICE else ACCOUNT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        ACCOUNT,
        "alice",
        f"arn:aws:iam::{ACCOUNT}:role",
        f"arn:aws:iam::{ACCOUNT}:role/",
        f"arn:aws:iam::{ACCOUNT}:role/*",
        f"arn:aws:iam::{ACCOUNT}:role/a?p",
        f"arn:aws:iam::{ACCOUNT}:group/g",
        f"arn:aws:iam:eu-west-1:{ACCOUNT}:role/app",
        f"arn:aws:s3::{ACCOUNT}:role/app",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/app",
        f"urn:aws:iam::{ACCOUNT}:role/app",
        "arn:aws:iam::11112222333:role/app",
        "arn:aws:iam::１１１１２２２２３３３３:role/app",
        "arn:aws:iam::¹¹¹¹²²²²³³³³:role/app",
        "amazonaws.com",
        "EC2.amazonaws.com",
        "ec2.amazonaws.com:443",
    ],
)
def test_what_is_no_principal(text: str) -> None:
    assert parse_principal(text) is None


def test_a_long_name_is_a_name() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/{'a' * 600}"
    principal = parse_principal(arn)
    assert isinstance(principal, Principal)
    assert principal.name == "a" * 600


def test_parts_that_are_not_known_yet_are_kept() -> None:
    name = Unknown("the name", "[a-z]")
    principal = parse_principal(Text((f"arn:aws:iam::{ACCOUNT}:role/p/", name)))
    assert isinstance(principal, Principal)
    assert principal.path_and_name == Text(("/p/", name))
    assert principal.name == Text((name,))
