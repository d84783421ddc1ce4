"""The scenario as it should be: `cdk synth` passes."""

import aws_cdk as cdk
from three_keys import ThreeKeys

from cdk_aspects import attach

app = cdk.App()
attach(app, rules="../access-rules.yaml")
ThreeKeys(app)
app.synth()
