"""The scenario with one statement that lets David in: `cdk synth` is blocked."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from three_keys import ThreeKeys

from cdk_aspects import attach

app = cdk.App()
attach(app, rules="../access-rules.yaml")
stack = ThreeKeys(app)
stack.cmk_b.add_to_resource_policy(
    iam.PolicyStatement(
        sid="LetDavidIn",
        principals=[stack.david],
        actions=["kms:Decrypt"],
        resources=["*"],
    )
)
app.synth()
