"""What `grant*` and key policies of the real library give, in every combination of the table
in cdk-synthesis, section 12: written in both forms of apps, and judged."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from tests.sources.cloudformation.cdk_apps import (
    ABROAD,
    ACCOUNT,
    FORMS,
    HOME,
    NEW,
    OLD,
    PARTNER,
    PARTNER_ACCOUNT,
    Build,
    judged,
    synthesized,
)
from tests.sources.cloudformation.cdk_grant_apps import (
    administrators,
    agnostic_key,
    boundary,
    bucket,
    every_grant,
    grants,
    grants_to,
    groups_and_users,
    imported_alias,
    imported_key,
    l1_key,
    large_role,
    like_a_service_key,
    nested_grant,
    own_alias,
    partner_with_key,
    queue_with_topic,
    same_stack,
    secret,
    stage,
    table_abroad,
    with_policy,
)

OTHERS = f"any other identity of account {ACCOUNT}"
PARTNERS = f"any other identity of account {PARTNER_ACCOUNT}"
DELEGATED = "all actions (if its account allows)"
REST = "view, encrypt, ReEncryptFrom, grant, administer, delete (if its account allows)"
ADMIN = "role admin > Key: all actions"


@dataclass(frozen=True)
class Case:
    """An app, who can then do what, and what is found. `facts` lacks the identities to whom the
    default key policy delegates, unless `delegates` is false."""

    build: Build
    facts: set[str]
    findings: set[str] = frozenset()  # type: ignore[assignment]
    delegates: bool = True
    forms: tuple[str, ...] = (OLD, NEW)


def decrypts(who: str, key: str = "Key") -> str:
    return f"{who} > {key}: Decrypt"


READER, ROLE = decrypts("role reader"), decrypts("role Role")
FOREIGN_READER = f"external-account: role reader of account {PARTNER_ACCOUNT} has access to key Key"
WHOLE_ACCOUNT = f"external-account: account {PARTNER_ACCOUNT} can let its identities access key Key"
INDIRECT = f"role existing > Key: Decrypt; {REST}"
ADMINISTERS = (
    "view, grant, CancelKeyDeletion, CreateAlias, DeleteAlias, DisableKey, DisableKeyRotation, "
    "EnableKey, EnableKeyRotation, GetParametersForImport, PutKeyPolicy, TagResource, "
    "UntagResource, UpdateAlias, UpdateKeyDescription, UpdatePrimaryRegion, delete"
)
LOOKS = (
    "GetKeyLastUsage, GetKeyPolicy, GetKeyRotationStatus, GetParametersForImport "
    "(if its account allows)"
)

CASES: dict[str, Case] = {
    "role of the same stack": Case(same_stack, {ROLE}),
    "role of another stack": Case(grants_to(HOME), {ROLE}),
    "role of another stack that depends on the key": Case(grants_to(HOME, depends=True), {ROLE}),
    "role in another Region": Case(grants_to(ABROAD, role_name="reader"), {READER}),
    "role in another Region that depends on the key": Case(
        grants_to(ABROAD, depends=True, role_name="reader"), {READER}
    ),
    "role of another account": Case(
        grants_to(PARTNER, role_name="reader"), {READER}, {FOREIGN_READER}
    ),
    "role of another account, name generated": Case(
        grants_to(PARTNER, role_name=cdk.PhysicalName.GENERATE_IF_NEEDED),
        {decrypts("role rolesrolesroled93740ffd16de137951f")},
        {FOREIGN_READER.replace("reader", "rolesrolesroled93740ffd16de137951f")},
    ),
    "role of another account that depends on the key": Case(
        grants_to(PARTNER, depends=True, role_name="reader"),
        {READER, decrypts(f"account {PARTNER_ACCOUNT}")},
        {FOREIGN_READER, WHOLE_ACCOUNT},
    ),
    "every key beside the role of another account": Case(
        partner_with_key(depends=False),
        {READER, decrypts("role reader", "Own"), f"{PARTNERS} > Own: {DELEGATED}"},
        {FOREIGN_READER},
    ),
    "every key beside the role of an account that is let in": Case(
        partner_with_key(depends=True),
        {
            *(READER, decrypts("role reader", "Own"), f"{PARTNERS} > Own: {DELEGATED}"),
            f"{PARTNERS} > Key: Decrypt (if its account allows)",
        },
        {
            FOREIGN_READER,
            WHOLE_ACCOUNT,
        },
    ),
    "key stack without environment": Case(
        agnostic_key,
        {
            READER,
            f"any other identity of account <the account of the deployment> > Key: {DELEGATED}",
        },
        delegates=False,
    ),
    "role stack without environment": Case(
        grants_to(None, role_name="reader"),
        {
            "role reader > Key: Decrypt (undecided)",
            f"role reader > Key: Decrypt; {REST}",
        },
    ),
    "L1 key": Case(
        l1_key(depends=False),
        {ROLE, ADMIN},
        delegates=False,
    ),
    "L1 key on which the role's stack depends": Case(
        l1_key(depends=True),
        {ROLE, ADMIN, f"{OTHERS} > Key: Decrypt (if its account allows)"},
        delegates=False,
    ),
    "imported key": Case(
        imported_key(PARTNER_ACCOUNT, HOME), {f"{OTHERS} > Own: {DELEGATED}"}, delegates=False
    ),
    "imported key, role in another account": Case(
        imported_key(ACCOUNT, PARTNER),
        {decrypts("role reader", "Own"), f"{PARTNERS} > Own: {DELEGATED}"},
        delegates=False,
    ),
    "imported key of the role's account, for old apps": Case(
        imported_key(PARTNER_ACCOUNT, PARTNER),
        {decrypts("role reader", "Own"), f"{PARTNERS} > Own: {DELEGATED}"},
        delegates=False,
        forms=(OLD,),
    ),
    "imported key of the role's account, for new apps": Case(
        imported_key(PARTNER_ACCOUNT, PARTNER),
        {
            "role reader > Own: Decrypt (undecided)",  # a key of an earlier deployment?
            f"{PARTNERS} > Own: {DELEGATED}",
        },
        delegates=False,
        forms=(NEW,),
    ),
    "imported role": Case(grants("imported role"), {INDIRECT}),
    "imported role by name": Case(grants("imported role by name"), {INDIRECT}),
    "imported user": Case(grants("imported user"), {f"user alice > Key: Decrypt; {REST}"}),
    "imported role that is not changed": Case(grants("immutable role"), set()),
    "imported role that is not changed, granted by the key": Case(
        grants("immutable role with grants to resources"), {INDIRECT}
    ),
    "imported role of another account": Case(
        grants("imported foreign role"),
        {"role existing > Key: Decrypt (if its account allows)"},
        {
            f"external-account: role existing of account {PARTNER_ACCOUNT} has access to key Key",
        },
    ),
    "principal by ARN": Case(grants("arn"), {INDIRECT}),
    "account": Case(
        grants("account"),
        {decrypts(f"account {PARTNER_ACCOUNT}")},
        {WHOLE_ACCOUNT},
    ),
    "account through a service": Case(
        grants("account via service"),
        {f"{decrypts(f'account {PARTNER_ACCOUNT}')} (if a condition holds)"},
        {WHOLE_ACCOUNT},
    ),
    "service": Case(
        grants("service"),
        {decrypts("service logs.amazonaws.com")},
        {
            "confused-deputy: service logs.amazonaws.com can use key Key for anybody",
        },
    ),
    "organization": Case(
        grants("organization"),
        {
            decrypts("organization o-a1b2c3d4e5"),
            f"{OTHERS} > Key: Decrypt (undecided); {REST}",
        },
        {
            "undecided: organization o-a1b2c3d4e5 has access to key Key and may not be ours",
        },
        delegates=False,
    ),
    "anybody": Case(
        grants("anybody"),
        {
            *(decrypts("everyone"), decrypts("any AWS service")),
            f"{OTHERS} > Key: Decrypt; {REST}",
        },
        {"public-access: everyone can decrypt with key Key"},
        delegates=False,
    ),
    "anything": Case(
        grants("anything"),
        {
            *(decrypts("everyone"), decrypts("any AWS service")),
            f"{OTHERS} > Key: Decrypt; {REST}",
        },
        {"public-access: everyone can decrypt with key Key"},
        delegates=False,
    ),
    "alias of the app": Case(
        own_alias,
        {decrypts("role Role", "alias/data"), f"{OTHERS} > alias/data: {DELEGATED}"},
        delegates=False,
    ),
    "imported alias, for old apps": Case(
        imported_alias, {f"{OTHERS} > alias/data: {DELEGATED}"}, delegates=False, forms=(OLD,)
    ),
    "imported alias, for new apps": Case(
        imported_alias,
        {decrypts("role Role", "alias/data"), f"{OTHERS} > alias/data: {DELEGATED}"},
        delegates=False,
        forms=(NEW,),
    ),
    "user, and group with a user": Case(
        groups_and_users,
        {decrypts("user Reader"), "user Member > Key: encrypt, ReEncryptFrom"},
    ),
    "nested stack": Case(
        nested_grant,
        {
            decrypts("role Nested/Role"),
            "role Outer > Nested/Inner: encrypt, ReEncryptFrom",
            f"{OTHERS} > Nested/Inner: {DELEGATED}",
        },
    ),
    "stage": Case(stage, {ROLE}),
    "empty policy document": Case(with_policy(iam.PolicyDocument()), {ROLE}),
    "policies of a large role": Case(large_role, {ROLE}),
    "boundary that leaves nothing": Case(boundary, set()),
    "secret": Case(secret, {f"{ROLE} (if a condition holds)"}),
    "bucket": Case(
        bucket,
        {
            "role Role > Bucket/Key: DescribeKey, Decrypt",
            f"{OTHERS} > Bucket/Key: {DELEGATED}",
        },
        delegates=False,
    ),
    "queue with a topic, for old apps": Case(
        queue_with_topic,
        {
            "service sns.amazonaws.com > Queue/Key: GenerateDataKey, Decrypt",
            f"{OTHERS} > Queue/Key: {DELEGATED}",
        },
        {
            "confused-deputy: service sns.amazonaws.com can use key Queue/Key for anybody",
        },
        delegates=False,
        forms=(OLD,),
    ),
    "queue with a topic, for new apps": Case(
        queue_with_topic,
        {
            "service sns.amazonaws.com > Queue/Key: GenerateDataKey, Decrypt "
            "(if a condition holds)",
            f"{OTHERS} > Queue/Key: {DELEGATED}",
        },
        delegates=False,
        forms=(NEW,),
    ),
    "table in another Region": Case(
        table_abroad,
        {
            "role reader > Table/Key: DescribeKey, Decrypt",
            "role reader > Own: DescribeKey, Decrypt",
            f"{OTHERS} > Table/Key: {DELEGATED}",
            f"{OTHERS} > Own: {DELEGATED}",
        },
        delegates=False,
    ),
    "every method of a key": Case(
        every_grant,
        {
            "role Encrypt > Key: encrypt, ReEncryptFrom",
            "role Both > Key: encrypt, decrypt",
            f"role Admin > Key: {ADMINISTERS}",
            "role Named > Key: DescribeKey",
            "role Generate > Mac: GenerateMac",
            "role Verify > Mac: VerifyMac",
            "role Signer > Sign: sign, verify",
            f"{OTHERS} > Mac: {DELEGATED}",
            f"{OTHERS} > Sign: {DELEGATED}",
        },
    ),
    "administrators": Case(administrators, {f"role Admin > Key: {ADMINISTERS}"}),
    "key that is for a service alone": Case(
        like_a_service_key,
        {
            *(ADMIN, "role Role > Key: encrypt, decrypt (if a condition holds)"),
            f"{OTHERS} > Key: encrypt, decrypt (if a condition holds); {LOOKS}",
        },
        delegates=False,
    ),
}

LIMITS_OF_ADMINISTRATORS = ("lockout", "grant-delegation", "key-deletion", "self-escalation")
"""Checks that say the same of each key with one administrator; other tests are about them."""


@pytest.mark.parametrize(
    ("name", "form"), [(name, form) for name, case in CASES.items() for form in case.forms]
)
def test_what_cdk_writes_is_judged_right(name: str, form: str) -> None:
    case = CASES[name]
    found, findings = judged(synthesized(case.build, FORMS[form]))
    expected = case.facts | ({f"{OTHERS} > Key: {DELEGATED}"} if case.delegates else set())
    assert found == expected
    told = (*LIMITS_OF_ADMINISTRATORS, "separation-of-duties")
    assert {finding for finding in findings if not finding.startswith(told)} == set(case.findings)
