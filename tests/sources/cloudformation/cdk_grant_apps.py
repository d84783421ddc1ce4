"""Apps in which keys grant something: a function for each row of the table in cdk-synthesis, 12."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from tests.sources.cloudformation.cdk_apps import (
    ABROAD,
    ACCOUNT,
    HOME,
    PARTNER,
    PARTNER_ACCOUNT,
    Build,
    allow,
    default_key,
    key_stack,
    own_policy,
    role,
    role_stack,
)

_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


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
    makers: dict[str, Callable[[], iam.IGrantable]] = {
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
        arn = f"arn:aws:kms:eu-west-1:{key_account}:key/{_KEY_ID}"
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


def like_a_service_key(app: cdk.App) -> None:
    """A policy such as the keys have that AWS makes for a service: for all, through the service."""
    stack = key_stack(app)
    actions = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"]
    through = {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    everyone = iam.PolicyStatement(
        actions=actions,
        resources=["*"],
        principals=[iam.AnyPrincipal()],
        conditions={"StringEquals": through},
    )
    looks = allow(iam.AccountRootPrincipal(), actions="kms:Get*")
    key = kms.Key(stack, "Key", policy=own_policy(everyone, looks))
    s3.Bucket(stack, "Bucket", encryption_key=key).grant_read(role(stack))
