"""Synthesizes an app in a process of its own: `python -m benchmarks.cdk_app FOLDER [GUARD]`.

With `cdk-nag` its pack looks at the app. With `kms-access` the process prints how many CPU seconds
our part takes in it: importing the evaluator, reading the assembly and deciding.

50 keys with an alias and 100 roles, half of them with the use of a key, as a team would write them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

KEYS, ROLES = 50, 100


def main() -> None:
    """Write the assembly."""
    app = cdk.App(outdir=sys.argv[1])
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
    if sys.argv[2:] == ["cdk-nag"]:
        import cdk_nag

        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    app.synth()
    if sys.argv[2:] == ["kms-access"]:
        start = time.process_time()
        from cdk_aspects._evaluation import evaluate

        verdict = evaluate(Path(sys.argv[1]), None)
        print(
            json.dumps(
                {"seconds": time.process_time() - start, "violations": len(verdict.violations)}
            )
        )


if __name__ == "__main__":
    main()
