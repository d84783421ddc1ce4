"""Generated names are random until the resource exists, and documents follow them."""

from __future__ import annotations

import pytest

from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text
from kms_access.policies.wildcards import Pattern
from kms_access.sources.pulumi import read_stack
from kms_access.sources.pulumi.names import GeneratedNames

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


@pytest.mark.parametrize(
    ("outputs", "is_real"),
    [({"id": "api:inline-1a2b3c4"}, True), ({"id": ""}, False), ({"id": UNKNOWN}, False)],
)
def test_a_resource_without_arn_exists_if_it_has_an_id(
    outputs: dict[str, object], is_real: bool
) -> None:
    inputs = {"name": "inline-1a2b3c4", "role": "api", "policy": TRUST}
    inline = resource("role_policy", "inline", inputs, outputs)
    role = resource("role", "api", {"name": "api", "description": "inline-1a2b3c4"})
    reader = GeneratedNames([inline, role])
    assert (reader.replace("inline-1a2b3c4") == "inline-1a2b3c4") is is_real


@pytest.mark.parametrize(
    ("kind", "inputs", "arn"),
    [
        ("oidc", {"url": "https://token.example.com/a"}, "oidc-provider/token.example.com/a"),
        ("oidc", {"url": "token.example.com"}, "oidc-provider/token.example.com"),
        ("aws-native:iam:OidcProvider", {"url": "https://t"}, "oidc-provider/t"),
        ("saml", {"name": "staff"}, "saml-provider/staff"),
        ("aws-native:iam:SamlProvider", {"name": "staff"}, "saml-provider/staff"),
    ],
)
def test_a_trust_policy_is_told_to_name_the_provider(
    kind: str, inputs: dict[str, object], arn: str
) -> None:
    provider = resource(kind, "login", inputs)
    role = resource(
        *("role", "api", {"name": "api", "assumeRolePolicy": UNKNOWN}),
        depends={"assumeRolePolicy": [provider.urn]},
    )
    inventory = read_stack([provider, role])
    assert inventory.not_covered == ()
    (policy,) = identity(inventory, "api").trust
    assert policy.document.unreadable is not None
    remedy = f'build the document from "arn:aws:iam::{ACCOUNT}:{arn}" instead of the arn attribute'
    assert remedy in policy.document.unreadable.text


@pytest.mark.parametrize(
    ("outputs", "end"),
    [
        ({}, "<the generated end of the name of serviceLinkedRole aws:iam/serviceLinkedRole:"),
        ({"name": "AWSServiceRoleForEcs"}, "AWSServiceRoleForEcs"),
    ],
)
def test_a_grant_to_a_service_linked_role_knows_its_path(
    outputs: dict[str, object], end: str
) -> None:
    linked = resource(
        "service_linked_role", "ecs", {"awsServiceName": "ecs.amazonaws.com"}, outputs
    )
    grant = resource(
        *("grant", "g", {"keyId": UNKNOWN, "granteePrincipal": UNKNOWN, "operations": ["Decrypt"]}),
        depends={"granteePrincipal": [linked.urn]},
    )
    inventory = read_stack([linked, grant])
    (found,) = inventory.grants
    start = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/"
    assert str(found.grantee).startswith(start + end)
    assert inventory.identities == ()
    (gap,) = inventory.not_covered
    assert not gap.may_change_key_access


def test_what_a_service_linked_role_may_do_is_not_all_known() -> None:
    linked = resource(
        *("service_linked_role", "ecs", {"awsServiceName": "ecs.amazonaws.com"}),
        {"name": "AWSServiceRoleForEcs"},
    )
    inline = resource("role_policy", "inline", {"role": "AWSServiceRoleForEcs", "policy": TRUST})
    found = identity(read_stack([linked, inline]), "ecs")
    assert found.principal.is_service_linked
    assert not found.complete
    assert len(found.policies) == 1
