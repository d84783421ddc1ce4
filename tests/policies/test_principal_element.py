"""A long Principal element finds the entries for a caller by name: it must miss none (K34–K49)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies.document import Effect
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principal_parsing import read_faultless_principal
from kms_access.policies.principals import Principal, PrincipalEntry, parse_principal
from kms_access.policies.text import NAME_CHARACTER, Text, Unknown, Value
from tests.builders import ACCOUNT, allow, document, role_arn, user_arn

OTHER = "999988887777"
LATER = Text((f"arn:aws:iam::{ACCOUNT}:role/", Unknown("a name", NAME_CHARACTER)))
NAMES = ("a", "b", "ab", "team/a")
ENTRIES = (
    "*",
    ACCOUNT,
    f"arn:aws:iam::{OTHER}:root",
    *(role_arn(name) for name in NAMES),
    *(user_arn(name) for name in NAMES),
    f"arn:aws:iam::{OTHER}:role/a",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/a/s",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/b/s",
    f"arn:aws:sts::{ACCOUNT}:federated-user/a",
    LATER,
)
CALLERS = (
    *(entry for entry in ENTRIES if isinstance(entry, Text) or entry.startswith("arn:")),
    role_arn("nobody-names-me"),
    f"arn:aws:sts::{ACCOUNT}:assumed-role/a/other",
    "s3.amazonaws.com",
)


def entries_of(texts: list[Value]) -> tuple[PrincipalEntry, ...]:
    element = read_faultless_principal("AWS", tuple(texts))
    assert element is not None
    return element.entries


@given(st.lists(st.sampled_from(ENTRIES), min_size=9, max_size=30), st.sampled_from(CALLERS))
def test_a_long_element_names_whom_its_entries_name(texts: list[Value], caller: Value) -> None:
    entries = entries_of(texts)
    principal = parse_principal(caller)
    assert isinstance(principal, Principal)
    one_by_one = [found for entry in entries if (found := entry.names(principal)) is not None]
    assert list(PrincipalElement(entries).namings(principal)) == one_by_one


@given(
    st.lists(st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=2), min_size=9, max_size=20),
    st.sampled_from(CALLERS),
)
def test_a_long_document_keeps_the_statements_that_name_a_caller(
    principals: list[list[Value]], caller: Value
) -> None:
    statements = [allow({"AWS": named}, "kms:Decrypt") for named in principals]
    reaching = parse_policy(document(*statements), KEY_POLICY).reaching("kms:Decrypt")
    principal = parse_principal(caller)
    assert isinstance(principal, Principal)
    kept = [statement.index for statement, _ in reaching.candidates(Effect.ALLOW, principal)]
    naming = {
        statement.index
        for statement, _ in reaching.allows
        if statement.principal is None or list(statement.principal.namings(principal))
    }
    assert naming <= set(kept)
    assert kept == sorted(kept)
