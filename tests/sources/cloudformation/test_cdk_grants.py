"""What `grant*` and key policies of the real library give, in every combination of the table
in cdk-synthesis, section 12: written in both forms of apps, and judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from kms_access.rules import load_rules
from tests.sources.cloudformation.cdk_apps import (
    ABROAD,
    ACCOUNT,
    FORMS,
    HOME,
    PARTNER,
    PARTNER_ACCOUNT,
    Build,
    allow,
    default_key,
    judged,
    key_stack,
    own_policy,
    role,
    role_stack,
    synthesized,
)

OLD, NEW = "old app", "new app"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
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


def grants_to(env: cdk.Environment | None, *, depends: bool = False, **options: str) -> Build:
    """A key at home, and a role that it grants decryption, in a stack of its own."""

    def build(app: cdk.App) -> None:
        key = default_key(app)
        after = cdk.Stack.of(key) if depends else None
        key.grant_decrypt(role(role_stack(app, env, after), **options))

    return build


def grants(principal: str) -> Build:
    """A key that grants decryption to a principal that the app does not make."""

    def build(app: cdk.App) -> None:
        key = default_key(app)
        key.grant_decrypt(_principal(cdk.Stack.of(key), principal))

    return build


def _principal(stack: cdk.Stack, name: str) -> iam.IGrantable:
    existing = f"arn:aws:iam::{ACCOUNT}:role/existing"
    from_arn = iam.Role.from_role_arn
    makers = {
        "imported role": lambda: from_arn(stack, "I", f"arn:aws:iam::{ACCOUNT}:role/team/existing"),
        "imported role by name": lambda: iam.Role.from_role_name(stack, "I", "existing"),
        "imported user": lambda: iam.User.from_user_name(stack, "I", "alice"),
        "immutable role": lambda: from_arn(stack, "I", existing, mutable=False),
        "immutable role with grants to resources": lambda: from_arn(
            stack, "I", existing, mutable=False, add_grants_to_resources=True
        ),
        "imported foreign role": lambda: from_arn(
            stack, "I", f"arn:aws:iam::{PARTNER_ACCOUNT}:role/existing"
        ),
        "arn": lambda: iam.ArnPrincipal(existing),
        "account": lambda: iam.AccountPrincipal(PARTNER_ACCOUNT),
        "service": lambda: iam.ServicePrincipal("logs.amazonaws.com"),
        "account via service": lambda: kms.ViaServicePrincipal(
            "s3.eu-west-1.amazonaws.com", iam.AccountPrincipal(PARTNER_ACCOUNT)
        ),
        "organization": lambda: iam.OrganizationPrincipal("o-a1b2c3d4e5"),
        "anybody": lambda: iam.AnyPrincipal(),
        "anything": lambda: iam.StarPrincipal(),
    }
    return makers[name]()


def same_stack(app: cdk.App) -> None:
    key = default_key(app)
    key.grant_decrypt(role(cdk.Stack.of(key)))


def groups_and_users(app: cdk.App) -> None:
    key = default_key(app)
    stack = cdk.Stack.of(key)
    group = iam.Group(stack, "Group")
    group.add_user(iam.User(stack, "Member"))
    key.grant_encrypt(group)
    key.grant_decrypt(iam.User(stack, "Reader"))


def every_grant(app: cdk.App) -> None:
    key = default_key(app)
    stack = cdk.Stack.of(key)
    key.grant_encrypt(role(stack, "Encrypt"))
    key.grant_encrypt_decrypt(role(stack, "Both"))
    key.grant_admin(role(stack, "Admin"))
    key.grant(role(stack, "Named"), "kms:DescribeKey")
    mac = kms.Key(
        stack, "Mac", key_spec=kms.KeySpec.HMAC_256, key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC
    )
    mac.grant_generate_mac(role(stack, "Generate"))
    mac.grant_verify_mac(role(stack, "Verify"))
    sign = kms.Key(
        stack, "Sign", key_spec=kms.KeySpec.ECC_NIST_P256, key_usage=kms.KeyUsage.SIGN_VERIFY
    )
    sign.grant_sign_verify(role(stack, "Signer"))


def agnostic_key(app: cdk.App) -> None:
    key = kms.Key(key_stack(app, env=None), "Key")
    key.grant_decrypt(role(role_stack(app), role_name="reader"))


def l1_key(*, depends: bool) -> Build:
    def build(app: cdk.App) -> None:
        admin = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/admin"}
        statement = {"Effect": "Allow", "Principal": admin, "Action": "kms:*", "Resource": "*"}
        stack = key_stack(app)
        key = kms.CfnKey(
            stack, "Key", key_policy={"Version": "2012-10-17", "Statement": [statement]}
        )
        holder = role_stack(app, after=stack) if depends else stack
        kms.KeyGrants.from_key(key).decrypt(role(holder))

    return build


def imported_key(key_account: str, env: cdk.Environment) -> Build:
    """A key that is imported at home, for a role at `env`; beside it a key of the role's stack."""

    def build(app: cdk.App) -> None:
        home = key_stack(app)
        arn = f"arn:aws:kms:eu-west-1:{key_account}:key/{KEY_ID}"
        stack = home if env is HOME else role_stack(app, env)
        imported = kms.Key.from_key_arn(home, "Imported", arn)
        imported.grant_decrypt(role(stack, role_name="reader"))
        kms.Key(stack, "Own")

    return build


def partner_with_key(*, depends: bool) -> Build:
    """A role of the partner that may decrypt, beside a key of the partner."""

    def build(app: cdk.App) -> None:
        key = default_key(app)
        stack = role_stack(app, PARTNER, cdk.Stack.of(key) if depends else None)
        kms.Key(stack, "Own")
        key.grant_decrypt(role(stack, role_name="reader"))

    return build


def own_alias(app: cdk.App) -> None:
    key = default_key(app)
    alias = kms.Alias(cdk.Stack.of(key), "Alias", alias_name="alias/data", target_key=key)
    alias.grant_decrypt(role(cdk.Stack.of(key)))


def imported_alias(app: cdk.App) -> None:
    stack = key_stack(app)
    kms.Key(stack, "Key", alias="data")
    kms.Alias.from_alias_name(stack, "Imported", "alias/data").grant_decrypt(role(stack))


def with_policy(policy: iam.PolicyDocument) -> Build:
    """A key with a policy of its own that grants decryption to a role of its stack."""

    def build(app: cdk.App) -> None:
        stack = key_stack(app)
        kms.Key(stack, "Key", policy=policy).grant_decrypt(role(stack))

    return build


def nested_grant(app: cdk.App) -> None:
    key = default_key(app)
    nested = cdk.NestedStack(cdk.Stack.of(key), "Nested")
    key.grant_decrypt(role(nested))
    kms.Key(nested, "Inner").grant_encrypt(role(cdk.Stack.of(key), "Outer"))


def stage(app: cdk.App) -> None:
    prod = cdk.Stage(app, "Prod", env=HOME)
    kms.Key(cdk.Stack(prod, "Keys"), "Key").grant_decrypt(role(cdk.Stack(prod, "Roles")))


def administrators(app: cdk.App) -> None:
    stack = key_stack(app)
    kms.Key(stack, "Key", admins=[role(stack, "Admin")])


def large_role(app: cdk.App) -> None:
    """So many statements that the library writes them to several policies."""
    key = default_key(app)
    holder = role(cdk.Stack.of(key))
    for number in range(200):
        bucket = f"arn:aws:s3:::a-bucket-with-quite-a-long-name-{number}/and/a/prefix/*"
        holder.add_to_policy(
            iam.PolicyStatement(sid=f"S{number}", actions=["s3:GetObject"], resources=[bucket])
        )
    key.grant_decrypt(holder)


def boundary(app: cdk.App) -> None:
    key = default_key(app)
    stack = cdk.Stack.of(key)
    statement = iam.PolicyStatement(actions=["s3:*"], resources=["*"])
    limit = iam.ManagedPolicy(stack, "Limit", statements=[statement])
    iam.PermissionsBoundary.of(stack).apply(limit)
    key.grant_decrypt(role(stack))


def secret(app: cdk.App) -> None:
    key = default_key(app)
    stack = cdk.Stack.of(key)
    secretsmanager.Secret(stack, "Secret", encryption_key=key).grant_read(role(stack))


def bucket(app: cdk.App) -> None:
    stack = key_stack(app)
    made = s3.Bucket(stack, "Bucket", encryption=s3.BucketEncryption.KMS)
    made.grant_read(role(stack))


def queue_with_topic(app: cdk.App) -> None:
    stack = key_stack(app)
    queue = sqs.Queue(stack, "Queue", encryption=sqs.QueueEncryption.KMS)
    sns.Topic(stack, "Topic").add_subscription(subscriptions.SqsSubscription(queue))


def table_abroad(app: cdk.App) -> None:
    stack = key_stack(app)
    identifier = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    table = dynamodb.Table(
        stack,
        "Table",
        table_name="ledger",
        partition_key=identifier,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
    )
    roles = role_stack(app, ABROAD)
    kms.Key(roles, "Own")
    table.grant_read_data(role(roles, role_name="reader"))


def decrypts(who: str, key: str = "Key") -> str:
    return f"{who} > {key}: Decrypt"


READER, ROLE = decrypts("role reader"), decrypts("role Role")
FOREIGN_READER = f"external-account: role reader of account {PARTNER_ACCOUNT} has access to key Key"
INDIRECT = f"role existing > Key: Decrypt; {REST}"
DEAD = (
    "ineffective-statement: statement 1 of the inline policy RoleDefaultPolicy5FFB7DAB of role Role "
    "gives nothing on key Key: the key policy does not let it"
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
        {READER, f"{PARTNERS} > Key: Decrypt (if its account allows)"},
        {
            FOREIGN_READER,
            f"external-account: {PARTNERS} can let its identities access key Key",
        },
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
            f"external-account: {PARTNERS} can let its identities access key Key",
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
    "imported key, role in another account, for old apps": Case(
        imported_key(ACCOUNT, PARTNER),
        {decrypts("role reader", "Own"), f"{PARTNERS} > Own: {DELEGATED}"},
        delegates=False,
        forms=(OLD,),
    ),
    "imported key, role in another account, for new apps": Case(
        imported_key(ACCOUNT, PARTNER),
        {f"{PARTNERS} > Own: {DELEGATED}"},
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
        {
            f"external-account: account {PARTNER_ACCOUNT} can let its identities access key Key",
        },
    ),
    "account through a service": Case(
        grants("account via service"),
        {f"{decrypts(f'account {PARTNER_ACCOUNT}')} (if a condition holds)"},
        {
            f"external-account: account {PARTNER_ACCOUNT} can let its identities access key Key",
        },
    ),
    "service": Case(
        grants("service"),
        {decrypts("service logs.amazonaws.com")},
        {
            "confused-deputy: service logs.amazonaws.com can use key Key for anybody: "
            "no condition fixes the source of its request",
        },
    ),
    "organization": Case(
        grants("organization"),
        {
            decrypts("organization o-a1b2c3d4e5"),
            f"{OTHERS} > Key: Decrypt (undecided); {REST}",
        },
        {
            "undecided: cannot decide whether organization o-a1b2c3d4e5, which has access to key "
            "Key, is ours",
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
        own_alias, {decrypts("role Role", "alias/data"), f"{OTHERS} > alias/data: {DELEGATED}"},
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
            *(ROLE, "role Outer > Nested/Inner: encrypt, ReEncryptFrom"),
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
            "confused-deputy: service sns.amazonaws.com can use key Queue/Key for anybody: "
            "no condition fixes the source of its request",
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
