"""The keys. Their policies name roles by account and name, so that roles can be deployed later."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct
from platform_account import (
    ACCOUNT,
    AUDITOR,
    ENVIRONMENT,
    REGION,
    Conditions,
    by_service,
    deployment,
    in_context,
    role_arn,
)

ADMINISTRATION = [
    *("kms:Describe*", "kms:Get*", "kms:List*", "kms:Enable*", "kms:Disable*"),
    *("kms:PutKeyPolicy", "kms:UpdateKeyDescription", "kms:TagResource", "kms:UntagResource"),
]
DELETION = ["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]
DATA = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"]


def allow(
    sid: str, principals: list[str], actions: list[str], conditions: Conditions | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        principals=[iam.ArnPrincipal(arn) for arn in principals],
        actions=actions,
        resources=["*"],
        conditions=conditions,
    )


def administration() -> list[iam.PolicyStatement]:
    return [
        allow("Deployment", [role_arn("deployer")], ADMINISTRATION),
        allow("Administration", [role_arn("security-admin")], [*ADMINISTRATION, *DELETION]),
    ]


class Keys(cdk.Stack):
    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Keys", env=ENVIRONMENT, synthesizer=deployment())

        # Who reads and writes the ledger is up to IAM policies in this account. Backups read it by
        # this policy: CloudFormation has no grants.
        self.ledger = self.key(
            "ledger",
            allow("EnableIAM", [f"arn:aws:iam::{ACCOUNT}:root"], ["kms:*"]),
            allow(
                "BackupOfLedger",
                [role_arn("data-backup")],
                ["kms:Decrypt"],
                in_context("service", "ledger"),
            ),
            # There is no encryption context in a request for this.
            allow("BackupPlan", [role_arn("data-backup")], ["kms:DescribeKey"]),
        )

        # Card numbers are stored in one table: the key works for nothing but DynamoDB.
        self.key(
            "cards",
            *administration(),
            allow("Cards", [role_arn("payments-cards")], DATA, by_service("dynamodb")),
        )

        self.backups = self.key(
            "backups",
            *administration(),
            allow("Backup", [role_arn("data-backup")], DATA, by_service("backup")),
            allow("Exports", [role_arn("data-reporting")], ["kms:Decrypt"], by_service("s3")),
        )

        self.key(
            "signing",
            *administration(),
            allow("Signer", [role_arn("payments-signer")], ["kms:Sign"]),
            allow(
                "Verification",
                [role_arn("payments-api"), role_arn("payments-signer")],
                ["kms:Verify", "kms:GetPublicKey", "kms:DescribeKey"],
            ),
        )

        log_groups = f"arn:aws:logs:{REGION}:{ACCOUNT}:*"
        self.key(
            "logs",
            *administration(),
            iam.PolicyStatement(
                sid="LogGroups",
                principals=[iam.ServicePrincipal(f"logs.{REGION}.amazonaws.com")],
                actions=DATA,
                resources=["*"],
                conditions={
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups},
                },
            ),
            allow(
                "Investigation",
                [role_arn("security-investigator")],
                ["kms:Decrypt", "kms:DescribeKey"],
            ),
            allow("Audit", [AUDITOR], ["kms:Decrypt", "kms:DescribeKey"]),
        )

    def key(self, name: str, *statements: iam.PolicyStatement) -> kms.Key:
        is_signing = name == "signing"
        key = kms.Key(
            self,
            name.capitalize(),
            alias=f"alias/{name}",
            description=f"{name} of the payments platform",
            key_spec=kms.KeySpec.ECC_NIST_P256 if is_signing else None,
            key_usage=kms.KeyUsage.SIGN_VERIFY if is_signing else None,
            enable_key_rotation=not is_signing,
            policy=iam.PolicyDocument(statements=list(statements)),
        )
        cdk.Tags.of(key).add("key", name)
        return key
