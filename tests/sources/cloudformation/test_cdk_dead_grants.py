"""Grants that the key policy does not let work, and one app in all the forms that it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from kms_access.rules import load_rules
from tests.sources.cloudformation.cdk_apps import (
    ABROAD,
    FORMS,
    HOME,
    NEW,
    OLD,
    PARTNER,
    Build,
    allow,
    judged,
    key_stack,
    own_policy,
    role,
    role_stack,
    synthesized,
)
from tests.sources.cloudformation.cdk_grant_apps import (
    l1_key,
    partner_with_key,
    same_stack,
    with_policy,
)

_DEAD = re.compile(
    r"ineffective-statement: (?:inline policy \S+|a policy) (of .+) gives nothing on key Key"
)


def dead(build: Build, form: str) -> set[str]:
    """Whose statements are found to be without effect."""
    _, findings = judged(synthesized(build, FORMS[form]))
    found = [_DEAD.fullmatch(f) for f in findings if f.startswith("ineffective-statement")]
    assert all(found), findings
    return {match.group(1) for match in found if match is not None}


def only_describes(app: cdk.App) -> None:
    """The account may delegate, but not what is granted."""
    root = iam.AccountRootPrincipal()
    with_policy(own_policy(allow(root, actions="kms:Describe*")))(app)


def delegates_with_condition(app: cdk.App) -> None:
    """The account may delegate for calls by one service alone: the grant can work."""
    root = kms.ViaServicePrincipal("s3.eu-west-1.amazonaws.com", iam.AccountRootPrincipal())
    with_policy(own_policy(allow(root)))(app)


def holder_of(make: Callable[[cdk.Stack, kms.Key], iam.IGrantable]) -> Build:
    """A key without delegation that grants decryption to what `make` makes."""

    def build(app: cdk.App) -> None:
        stack = key_stack(app)
        key = kms.Key(stack, "Key", policy=own_policy())
        key.grant_decrypt(make(stack, key))

    return build


def _group_with_user(stack: cdk.Stack, key: kms.Key) -> iam.IGrantable:
    group = iam.Group(stack, "Group")
    group.add_user(iam.User(stack, "Member"))
    return group


def _named_by_the_key(stack: cdk.Stack, key: kms.Key) -> iam.IGrantable:
    made = role(stack)
    key.add_to_resource_policy(allow(iam.ArnPrincipal(made.role_arn), actions="kms:Decrypt"))
    return made


def from_a_nested_stack(app: cdk.App) -> None:
    stack = key_stack(app)
    key = kms.Key(stack, "Key", policy=own_policy())
    key.grant_decrypt(role(cdk.NestedStack(stack, "Nested")))


def from_another_stack(app: cdk.App) -> None:
    key = kms.Key(key_stack(app), "Key", policy=own_policy())
    key.grant_decrypt(role(role_stack(app)))


def from_another_account(app: cdk.App) -> None:
    key = kms.Key(key_stack(app), "Key", policy=own_policy())
    key.grant_decrypt(role(role_stack(app, PARTNER), role_name="reader"))


DEAD_GRANTS: dict[str, tuple[Build, set[str]]] = {
    "role of the stack": (with_policy(own_policy()), {"of role Role"}),
    "role of another stack": (from_another_stack, {"of role Role"}),
    "role of a nested stack": (from_a_nested_stack, {"of role Nested/Role"}),
    "user": (holder_of(lambda stack, key: iam.User(stack, "User")), {"of user User"}),
    "group with a user": (holder_of(_group_with_user), {"of user Member"}),
    "imported role": (
        holder_of(lambda stack, key: iam.Role.from_role_name(stack, "Imported", "existing")),
        {"of role existing"},
    ),
    "account that may delegate something else": (only_describes, {"of role Role"}),
    "account that may delegate it": (same_stack, set()),
    "account that may delegate it under a condition": (delegates_with_condition, set()),
    "role that the key policy names": (holder_of(_named_by_the_key), set()),
    "role of another account, which the library lets in": (from_another_account, set()),
    "L1 key, whose policy the library writes too": (l1_key(depends=False), set()),
}


@pytest.mark.parametrize("form", [OLD, NEW])
@pytest.mark.parametrize("name", DEAD_GRANTS)
def test_a_grant_that_the_key_policy_does_not_let_is_found(name: str, form: str) -> None:
    build, expected = DEAD_GRANTS[name]
    assert dead(build, form) == expected


def everything(app: cdk.App) -> None:
    """References of all kinds between stacks, Regions, accounts and nested stacks."""
    home, abroad = key_stack(app), cdk.Stack(app, "Abroad", env=ABROAD)
    key = kms.Key(home, "Key", alias="alias/ledger")
    nested = cdk.NestedStack(home, "Nested")
    inner = kms.Key(nested, "Inner")
    writer = role(role_stack(app), "Writer")
    key.grant_encrypt(writer)
    inner.grant_decrypt(writer)
    key.grant_decrypt(role(nested, "Reader"))
    far = role(abroad, "Far", role_name="far")
    key.grant_decrypt(far)
    partner = role(cdk.Stack(app, "Partner", env=PARTNER), "Partner", role_name="partner")
    key.grant_decrypt(partner)
    custom = kms.Key(cdk.Stack(app, "Custom", env=HOME), "Custom", policy=own_policy())
    custom.add_to_resource_policy(allow(iam.ArnPrincipal(writer.role_arn), actions="kms:Encrypt"))


def test_every_form_of_one_app_gives_the_same_access() -> None:
    found = {form: judged(synthesized(everything, context)) for form, context in FORMS.items()}
    expected, findings = found[OLD]
    assert {
        *(f"role {name} > alias/ledger: Decrypt" for name in ("Nested/Reader", "far", "partner")),
        "role Writer > alias/ledger: encrypt, ReEncryptFrom",
        "role Writer > Nested/Inner: Decrypt",
        "role Writer > Custom: Encrypt",
    } <= expected
    for form in FORMS:
        assert found[form] == (expected, findings), form


RULES = """\
version: 1
accounts: {home: "111122223333", partner: "444455556666"}
teams:
  readers: {principals: [role/reader]}
keys:
  - {name: ledger, match: {id: Key*}, allow: {readers: [decrypt]}}
  - {name: "the partner's own", match: {id: Own*}, allow: {}}
"""


@pytest.mark.parametrize("form", [OLD, NEW])
def test_a_grant_across_accounts_opens_every_key_beside_the_role(form: str, tmp_path: Path) -> None:
    """The library writes `Resource: "*"`: the role can use keys that nobody granted it."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    inventory = synthesized(partner_with_key(depends=False), FORMS[form])
    _, findings = judged(inventory, load_rules(path))
    told = {finding for finding in findings if finding.startswith("team-access")}
    assert told == {"team-access: role reader can decrypt with key Own"}
