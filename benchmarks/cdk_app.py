"""Synthesizes an app in a process of its own: `python -m benchmarks.cdk_app FOLDER [GUARD]`.

With `cdk-nag` or `kms-access` that guard looks at the app. Prints the CPU seconds that the main
thread takes before the synthesis, and the seconds for which the synthesis then waits for our
verdict.

50 keys with an alias and 100 roles, half of them with the use of a key, as a team would write them.
"""

from __future__ import annotations

import json
import sys
import time

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

KEYS, ROLES = 50, 100


def main() -> None:
    """Write the assembly."""
    guard = sys.argv[2] if sys.argv[2:] else ""
    waited = [0.0]
    start = time.thread_time()
    app = cdk.App(outdir=sys.argv[1])
    if guard == "kms-access":
        attach_measured(app, waited)
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    keys = [
        kms.Key(stack, f"Key{number}", alias=f"shop-{number}", enable_key_rotation=True)
        for number in range(KEYS)
    ]
    for number in range(ROLES):
        principal = iam.ServicePrincipal("lambda.amazonaws.com")
        role = iam.Role(stack, f"Role{number}", assumed_by=principal)
        if number % 2:
            keys[number % KEYS].grant_encrypt_decrypt(role)
    if guard == "cdk-nag":
        import cdk_nag

        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    constructed = time.thread_time() - start
    app.synth()
    print(json.dumps({"construct": constructed, "verdict": sum(waited)}))


def attach_measured(app: cdk.App, waited: list[float]) -> None:
    """Guard the app as a user does, and note how long each verdict takes."""
    import cdk_aspects

    validate = cdk_aspects.KmsAccessPlugin.validate

    def measured(
        plugin: cdk_aspects.KmsAccessPlugin, context: cdk.IPolicyValidationContext
    ) -> cdk.PolicyValidationPluginReport:
        start = time.perf_counter()
        report = validate(plugin, context)
        waited.append(time.perf_counter() - start)
        assert report.success
        return report

    cdk_aspects.KmsAccessPlugin.validate = measured  # type: ignore[method-assign]
    cdk_aspects.attach(app)


if __name__ == "__main__":
    main()
