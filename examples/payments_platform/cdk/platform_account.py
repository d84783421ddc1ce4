"""Where the platform runs, and how its policies name things."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ENVIRONMENT = cdk.Environment(account=ACCOUNT, region=REGION)
AUDITOR = "arn:aws:iam::444455556666:role/auditor"

Conditions = dict[str, dict[str, str]]


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def deployment() -> cdk.DefaultStackSynthesizer:
    """CloudFormation deploys with the role that the rules file calls the deployer."""
    return cdk.DefaultStackSynthesizer(cloud_formation_execution_role=role_arn("deployer"))


def by_service(name: str) -> Conditions:
    """Only for requests that an AWS service makes for the caller."""
    return {"StringEquals": {"kms:ViaService": f"{name}.{REGION}.amazonaws.com"}}


def in_context(key: str, value: str) -> Conditions:
    """Only with this encryption context."""
    return {"StringEquals": {f"kms:EncryptionContext:{key}": value}}


def staff(permission_set: str) -> iam.IPrincipal:
    """Who signs in to this permission set of IAM Identity Center."""
    name = f"AWSReservedSSO_{permission_set}_0123456789abcdef"
    return iam.ArnPrincipal(role_arn(f"aws-reserved/sso.amazonaws.com/{name}"))
