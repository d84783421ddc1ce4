"""Generated names are random until the resource exists, and documents follow them."""

from __future__ import annotations

import pytest

from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text
from kms_access.policies.wildcards import Pattern
from kms_access.sources.pulumi import read_stack

from .stack import (
    ACCOUNT,
    ROOT,
    TRUST,
    UNKNOWN,
    identity,
    key_document,
    only_key,
    resource,
)

ROLE = f"arn:aws:iam::{ACCOUNT}:role"


def arn_of_role(
    name: str, shown: str, *, preview: bool = True, outputs: dict[str, object] | None = None
) -> object:
    role = resource("role", name, {"name": shown, "path": "/"}, outputs)
    return identity(read_stack([role], preview=preview), name).principal.arn


def test_a_generated_name_keeps_its_beginning_and_loses_its_random_end() -> None:
    arn = arn_of_role("payments-api", "payments-api-1a2b3c4")
    assert isinstance(arn, Text)
    assert arn.parts[0] == f"{ROLE}/payments-api-"
    assert Pattern.of(f"{ROLE}/payments-*").matches(arn).truth is Truth.TRUE
    assert Pattern.of(f"{ROLE}/billing-*").matches(arn).truth is Truth.FALSE
    # What the preview shows is not what the update will make, nor is any other literal.
    assert same(arn, f"{ROLE}/payments-api-1a2b3c4").truth is Truth.FALSE


@pytest.mark.parametrize(
    ("name", "shown", "preview", "outputs"),
    [
        ("api", "api", True, None),
        ("api", "another-1a2b3c4", True, None),
        ("api", "api-1a2b3c45", True, None),
        ("api", "api-1A2B3C4", True, None),
        ("api", "api-1a2b3c4", False, None),
        ("api", "api-1a2b3c4", True, {"arn": f"{ROLE}/api-1a2b3c4", "name": "api-1a2b3c4"}),
    ],
)
def test_other_names_and_names_of_existing_resources_are_literal(
    name: str, shown: str, preview: bool, outputs: dict[str, object] | None
) -> None:
    assert arn_of_role(name, shown, preview=preview, outputs=outputs) == f"{ROLE}/{shown}"


def test_documents_of_the_same_preview_follow_the_generated_name() -> None:
    role = resource("role", "api", {"name": "api-1a2b3c4", "path": "/"})
    # role.name.apply(...) is known at preview, with the name of this run.
    key = resource("key", "payments", {"policy": key_document(f"{ROLE}/api-1a2b3c4")})
    inventory = read_stack([role, key])
    (policy,) = only_key(inventory).policies
    (statement,) = policy.document.statements
    caller = identity(inventory, "api").principal
    assert statement.principal is not None
    assert statement.principal.lists(caller).truth is Truth.TRUE
    other = resource("role", "api2", {"name": "api2-1a2b3c4", "path": "/"})
    stranger = identity(read_stack([role, key, other]), "api2").principal
    assert statement.principal.lists(stranger).truth is Truth.FALSE


def test_a_reference_by_generated_name_finds_the_resource() -> None:
    role = resource("role", "api", {"name": "api-1a2b3c4"})
    inline = resource("role_policy", "inline", {"role": "api-1a2b3c4", "policy": TRUST})
    inventory = read_stack([inline, role])
    assert [i.origin.label for i in inventory.identities] == ["api"]
    assert len(identity(inventory, "api").policies) == 1


def test_the_name_of_a_replacement_is_the_one_that_the_outputs_show() -> None:
    # The inputs hold the name of the old role, the planned outputs that of the new one.
    inputs = {"name": "api-0000000"}
    role = resource("role", "api", inputs, {"name": "api-1a2b3c4", "arn": UNKNOWN})
    key = resource("key", "payments", {"policy": key_document(f"{ROLE}/api-1a2b3c4", ROOT)})
    inventory = read_stack([role, key])
    (statement,) = only_key(inventory).policies[0].document.statements
    assert statement.principal is not None
    caller = identity(inventory, "api").principal
    assert statement.principal.lists(caller).truth is Truth.TRUE


def test_a_name_prefix_stays_known() -> None:
    role = resource("role", "api", {"namePrefix": "payments-"}, {"name": UNKNOWN})
    arn = identity(read_stack([role]), "api").principal.arn
    assert Pattern.of(f"{ROLE}/payments-*").matches(arn).truth is Truth.TRUE
    assert same(arn, f"{ROLE}/billing").truth is Truth.FALSE


def test_a_name_that_depends_on_an_output_may_be_any_name() -> None:
    role = resource("role", "api", {"name": UNKNOWN}, depends={"name": ["x"]})
    arn = identity(read_stack([role]), "api").principal.arn
    assert same(arn, f"{ROLE}/payments").truth is Truth.UNKNOWN
    assert same(arn, f"arn:aws:iam::{ACCOUNT}:user/payments").truth is Truth.FALSE


def test_generated_names_of_aliases_keep_their_prefix() -> None:
    key = resource("key", "payments", {"isEnabled": True})
    alias = resource(
        "alias",
        "ledger",
        {"name": "alias/ledger-1a2b3c4", "targetKeyId": UNKNOWN},
        depends={"targetKeyId": [key.urn]},
    )
    (name,) = only_key(read_stack([key, alias])).aliases
    assert Pattern.of("alias/ledger-*").matches(name).truth is Truth.TRUE
