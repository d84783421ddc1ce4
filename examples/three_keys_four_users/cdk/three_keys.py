"""Three keys and four users in one account."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

ACCOUNT = "111122223333"
REGION = "eu-central-1"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/deployer"


def administration() -> iam.PolicyStatement:
    """Who deploys must be able to change the key policy again."""
    return iam.PolicyStatement(
        sid="Administration",
        principals=[iam.ArnPrincipal(DEPLOYER)],
        actions=["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:TagResource"],
        resources=["*"],
    )


class ThreeKeys(cdk.Stack):
    """CMK-A leaves access to IAM, CMK-B and CMK-C name their users themselves."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(
            scope,
            "ThreeKeys",
            env=cdk.Environment(account=ACCOUNT, region=REGION),
            synthesizer=cdk.DefaultStackSynthesizer(cloud_formation_execution_role=DEPLOYER),
        )
        alice, bob, charlie, david = (
            iam.User(self, name.capitalize(), user_name=name)
            for name in ("alice", "bob", "charlie", "david")
        )
        self.david = david

        self.cmk_a = kms.Key(self, "CmkA", alias="alias/cmk-a")
        self.cmk_b = kms.Key(
            self,
            "CmkB",
            alias="alias/cmk-b",
            policy=iam.PolicyDocument(
                statements=[
                    administration(),
                    iam.PolicyStatement(
                        sid="Bob",
                        principals=[bob],
                        actions=["kms:Encrypt", "kms:Decrypt"],
                        resources=["*"],
                    ),
                    iam.PolicyStatement(
                        sid="Charlie",
                        principals=[charlie],
                        actions=["kms:Decrypt"],
                        resources=["*"],
                    ),
                ]
            ),
        )
        self.cmk_c = kms.Key(
            self,
            "CmkC",
            alias="alias/cmk-c",
            policy=iam.PolicyDocument(
                statements=[
                    administration(),
                    iam.PolicyStatement(
                        sid="Alice",
                        principals=[alice],
                        actions=["kms:Decrypt"],
                        resources=["*"],
                    ),
                    iam.PolicyStatement(
                        sid="NobodyElse",
                        effect=iam.Effect.DENY,
                        principals=[bob, charlie, david],
                        actions=["kms:*"],
                        resources=["*"],
                    ),
                ]
            ),
        )

        for name, key in (("cmk-a", self.cmk_a), ("cmk-b", self.cmk_b), ("cmk-c", self.cmk_c)):
            cdk.Tags.of(key).add("key", name)

        for user, action, keys in (
            (alice, "kms:*", [self.cmk_a, self.cmk_b]),
            (charlie, "kms:Encrypt", [self.cmk_a, self.cmk_b]),
            (david, "kms:Decrypt", [self.cmk_b]),
        ):
            user.add_to_policy(
                iam.PolicyStatement(actions=[action], resources=[key.key_arn for key in keys])
            )
