"""The payments platform as a CDK app: `cdk synth` passes, `cdk synth -c broken=true` is blocked."""

import aws_cdk as cdk
from keys import Keys
from roles import Roles

from cdk_aspects import attach

app = cdk.App()
attach(app, rules="../access-rules.yaml")

production = cdk.Stage(app, "Production")
keys = Keys(production)
Roles(production, keys, reporting_reads_everything=app.node.try_get_context("broken") == "true")

app.synth()
