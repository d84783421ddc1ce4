"""The apps that the tests synthesize: `python apps.py SITUATION`.

Each function below is one situation; the guard must block all but the clean ones.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_aspects import KmsAccessAspect, KmsAccessPlugin, _evaluation, attach

ENVIRONMENT = cdk.Environment(account="111122223333", region="eu-west-1")


def open_key(scope: Construct) -> kms.Key:
    """A key that everyone can decrypt with."""
    key = kms.Key(scope, "OpenKey")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Everyone",
            actions=["kms:Decrypt"],
            principals=[iam.AnyPrincipal()],
            resources=["*"],
        )
    )
    return key


def stack(scope: Construct, name: str = "Ledger") -> cdk.Stack:
    return cdk.Stack(scope, name, env=ENVIRONMENT)


def guard(scope: Construct, **options: object) -> None:
    cdk.Aspects.of(scope).add(KmsAccessAspect(**options))


def clean(app: cdk.App) -> None:
    kms.Key(stack(app), "Key")
    guard(app)


def in_stack(app: cdk.App) -> None:
    open_key(stack(app))
    guard(app)


def in_stage(app: cdk.App) -> None:
    kms.Key(stack(app, "Pipeline"), "Key")
    open_key(stack(cdk.Stage(app, "Prod")))
    guard(app)


def in_nested_stack(app: cdk.App) -> None:
    open_key(cdk.NestedStack(stack(app), "Keys"))
    guard(app)


def in_unselected_stack(app: cdk.App) -> None:
    open_key(stack(app))
    kms.Key(stack(app, "Billing"), "Key")
    guard(app)


def by_override(app: cdk.App) -> None:
    key = kms.Key(stack(app), "Key").node.default_child
    assert isinstance(key, kms.CfnKey)
    key.add_property_override("KeyPolicy.Statement.0.Principal", {"AWS": "*"})
    guard(app)


def acknowledged(app: cdk.App) -> None:
    open_key(stack(app))
    acknowledgment = cdk.Acknowledgment(id="kms-access::public-access", reason="we like it so")
    cdk.Validations.of(app).acknowledge(acknowledgment)
    guard(app)


def acknowledged_in_stage_without_exit(app: cdk.App) -> None:
    """What is left to the framework alone: fatal, and a violation of the whole app."""
    kms.Key(stack(app, "Pipeline"), "Key")
    open_key(stack(cdk.Stage(app, "Prod")))
    acknowledgment = cdk.Acknowledgment(id="kms-access::public-access", reason="we like it so")
    cdk.Validations.of(app).acknowledge(acknowledgment)
    guard(app, exit_process=False)


def aspect_on_stage(app: cdk.App) -> None:
    stage = cdk.Stage(app, "Prod")
    open_key(stack(stage))
    guard(stage)


def aspect_on_stack(app: cdk.App) -> None:
    ledger = stack(app)
    open_key(ledger)
    guard(ledger)


def attached(app: cdk.App) -> None:
    attach(app)
    open_key(stack(app))


def plugin_added_by_hand(app: cdk.App) -> None:
    cdk.Validations.of(app).add_plugins(KmsAccessPlugin())
    open_key(stack(app))


def two_apps_with_one_aspect(app: cdk.App) -> None:
    aspect = KmsAccessAspect()
    first = cdk.App(outdir="first.out")
    kms.Key(stack(first), "Key")
    cdk.Aspects.of(first).add(aspect)
    first.synth()
    open_key(stack(app))
    cdk.Aspects.of(app).add(aspect)


def fault(app: cdk.App) -> None:
    def evaluate(assembly: Path, rules: Path | None) -> None:
        raise ZeroDivisionError("division by zero")

    _evaluation.evaluate = evaluate
    clean(app)


def lookup(app: cdk.App) -> None:
    ledger = stack(app)
    kms.Key.from_lookup(ledger, "Existing", alias_name="alias/existing")
    open_key(ledger)
    guard(app)


def guarded_after_synth(app: cdk.App) -> None:
    open_key(stack(app))
    app.synth()
    guard(app)


def other_working_directory(app: cdk.App) -> None:
    """The program moves to a directory that holds the clean assembly of an earlier run."""
    open_key(stack(app))
    guard(app)
    elsewhere = Path("elsewhere")
    (elsewhere / "cdk.out").mkdir(parents=True)
    (elsewhere / "cdk.out" / "manifest.json").write_text('{"version": "55.0.0", "artifacts": {}}')
    os.chdir(elsewhere)


def swallowed(app: cdk.App) -> None:
    in_stack(app)
    try:
        app.synth()
    except RuntimeError:
        sys.exit(0)


def missing_rules_file(app: cdk.App) -> None:
    kms.Key(stack(app), "Key")
    guard(app, rules="no-such-rules.yaml")


def broken_rules_file(app: cdk.App) -> None:
    Path("access-rules.yaml").write_text("version: 1\nteams:\n  payments: {principal: []}\n")
    kms.Key(stack(app), "Key")
    guard(app, rules="access-rules.yaml")


if __name__ == "__main__":
    app = cdk.App()
    globals()[sys.argv[1]](app)
    app.synth()
