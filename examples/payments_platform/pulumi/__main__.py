"""The keys of a payments platform, and the teams that use them.

Documents name roles by account and name and keys by tag, not by the ARNs of resources: so they are
known at the first preview already, and the policy pack can decide everything there.
"""

import pulumi
import pulumi_aws as aws
from policies import (
    ACCOUNT,
    AUDITOR,
    REGION,
    allow,
    by_service,
    document,
    in_context,
    keys_tagged,
    role_arn,
    service,
    staff,
    trust,
)

ADMINISTRATION = [
    *("kms:Describe*", "kms:Get*", "kms:List*", "kms:Enable*", "kms:Disable*"),
    *("kms:PutKeyPolicy", "kms:UpdateKeyDescription", "kms:TagResource", "kms:UntagResource"),
]
DELETION = ["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]
DATA = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"]

administration = [
    allow("Deployment", [role_arn("deployer")], ADMINISTRATION),
    allow("Administration", [role_arn("security-admin")], [*ADMINISTRATION, *DELETION]),
]
key_policies = {
    # Who reads and writes the ledger is up to IAM policies in this account.
    "ledger": [allow("EnableIAM", [f"arn:aws:iam::{ACCOUNT}:root"], ["kms:*"])],
    # Card numbers are stored in one table: the key works for nothing but DynamoDB.
    "cards": [
        *administration,
        allow("Cards", [role_arn("payments-cards")], DATA, by_service("dynamodb")),
    ],
    "backups": [
        *administration,
        allow("Backup", [role_arn("data-backup")], DATA, by_service("backup")),
        allow("Exports", [role_arn("data-reporting")], ["kms:Decrypt"], by_service("s3")),
    ],
    "signing": [
        *administration,
        allow("Signer", [role_arn("payments-signer")], ["kms:Sign"]),
        allow(
            "Verification",
            [role_arn("payments-api"), role_arn("payments-signer")],
            ["kms:Verify", "kms:GetPublicKey", "kms:DescribeKey"],
        ),
    ],
    "logs": [
        *administration,
        {
            "Sid": "LogGroups",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
            "Action": DATA,
            "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"
                },
            },
        },
        allow(
            "Investigation", [role_arn("security-investigator")], ["kms:Decrypt", "kms:DescribeKey"]
        ),
        allow("Audit", [AUDITOR], ["kms:Decrypt", "kms:DescribeKey"]),
    ],
}
keys = {}
for name, statements in key_policies.items():
    is_signing = name == "signing"
    keys[name] = aws.kms.Key(
        name,
        description=f"{name} of the payments platform",
        customer_master_key_spec="ECC_NIST_P256" if is_signing else "SYMMETRIC_DEFAULT",
        key_usage="SIGN_VERIFY" if is_signing else "ENCRYPT_DECRYPT",
        enable_key_rotation=not is_signing,
        policy=document(*statements),
        tags={"key": name},
    )
    aws.kms.Alias(name, name=f"alias/{name}", target_key_id=keys[name].key_id)

assumed_by = {
    "payments-api": service("ecs-tasks"),
    "payments-cards": service("lambda"),
    "payments-signer": service("lambda"),
    "security-admin": staff("SecurityAdmin"),
    "security-investigator": staff("SecurityInvestigator"),
    "data-backup": service("backup"),
    "data-reporting": service("lambda"),
}
roles = {
    name: aws.iam.Role(name, name=name, assume_role_policy=document(trust(principal)))
    for name, principal in assumed_by.items()
}

role_policies = {
    "payments-api": [
        keys_tagged(["ledger"], DATA, in_context("service", "ledger")),
        # There is no encryption context in a request for this.
        keys_tagged(["ledger"], ["kms:DescribeKey"]),
    ],
    "security-admin": [keys_tagged(["ledger"], [*ADMINISTRATION, *DELETION])],
    "data-reporting": [keys_tagged(["backups"], ["kms:Decrypt"])],
}
if pulumi.Config().get_bool("letReportingReadEverything"):
    # Meant for the exports, but the ledger leaves its use to IAM policies.
    role_policies["data-reporting"] = [keys_tagged(["backups", "ledger"], ["kms:Decrypt"])]
for name, statements in role_policies.items():
    aws.iam.RolePolicy(name, role=roles[name].name, policy=document(*statements))

# Backups read the ledger by a grant, which ends with the backup plan.
aws.kms.Grant(
    "backup-of-ledger",
    name="backup-of-ledger",
    key_id=keys["ledger"].key_id,
    grantee_principal=role_arn("data-backup"),
    operations=["Decrypt", "DescribeKey"],
    constraints=[{"encryption_context_subset": {"service": "ledger"}}],
    opts=pulumi.ResourceOptions(depends_on=[roles["data-backup"]]),
)
