"""The roles, and what their policies let them do with keys of the other stack."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct
from keys import ADMINISTRATION, DATA, DELETION, Keys
from platform_account import ENVIRONMENT, Conditions, deployment, in_context, staff


def may(
    actions: list[str], *keys: kms.Key, conditions: Conditions | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=actions, resources=[key.key_arn for key in keys], conditions=conditions
    )


class Roles(cdk.Stack):
    def __init__(self, scope: Construct, keys: Keys, reporting_reads_everything: bool) -> None:
        super().__init__(scope, "Roles", env=ENVIRONMENT, synthesizer=deployment())
        ledger, backups = keys.ledger, keys.backups

        api = self.role("payments-api", iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        api.add_to_policy(may(DATA, ledger, conditions=in_context("service", "ledger")))
        # There is no encryption context in a request for this.
        api.add_to_policy(may(["kms:DescribeKey"], ledger))
        self.role("payments-cards", iam.ServicePrincipal("lambda.amazonaws.com"))
        self.role("payments-signer", iam.ServicePrincipal("lambda.amazonaws.com"))

        administrator = self.role("security-admin", staff("SecurityAdmin"))
        administrator.add_to_policy(may([*ADMINISTRATION, *DELETION], ledger))
        self.role("security-investigator", staff("SecurityInvestigator"))

        self.role("data-backup", iam.ServicePrincipal("backup.amazonaws.com"))
        reporting = self.role("data-reporting", iam.ServicePrincipal("lambda.amazonaws.com"))
        # With the ledger this is meant for the exports, too, but the ledger leaves its use to IAM
        # policies.
        readable = [backups, ledger] if reporting_reads_everything else [backups]
        reporting.add_to_policy(may(["kms:Decrypt"], *readable))

    def role(self, name: str, assumed_by: iam.IPrincipal) -> iam.Role:
        construct_id = "".join(word.capitalize() for word in name.split("-"))
        return iam.Role(self, construct_id, role_name=name, assumed_by=assumed_by)
