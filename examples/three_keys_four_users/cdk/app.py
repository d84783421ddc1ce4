"""The scenario as it should be: `cdk synth` passes."""

import aws_cdk as cdk
from three_keys import ThreeKeys

from cdk_aspects import KmsAccessAspect

app = cdk.App()
cdk.Aspects.of(app).add(KmsAccessAspect(rules="../access-rules.yaml"))
ThreeKeys(app)
app.synth()
