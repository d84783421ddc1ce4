"""The apps that the tests synthesize: `python apps.py SITUATION`.

Each function below is one situation; the guard must block all but the clean one. Each app also has
a stack without fault, so that commands can select it.
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

RULES_ACROSS_STACKS = """\
version: 1
teams:
  readers: {principals: [role/reader]}
keys:
  - {name: shared, match: {alias: alias/shared}, allow: {readers: [decrypt]}}
  - {name: private, match: {alias: alias/private}, allow: {}}
"""
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
    open_key(stack(cdk.Stage(app, "Prod")))
    guard(app)


def in_nested_stack(app: cdk.App) -> None:
    open_key(cdk.NestedStack(stack(app), "Keys"))
    guard(app)


def across_stacks(app: cdk.App) -> None:
    """Keys of one logical id in two stacks, and a role of a third that gets one of them."""
    shared, private = (
        kms.Key(stack(app, name), "Key", alias=f"alias/{name.lower()}")
        for name in ("Shared", "Private")
    )
    role = iam.Role(
        stack(app, "Reader"),
        "Reader",
        role_name="reader",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
    )
    shared.grant_decrypt(role)
    private.grant_decrypt(role)
    Path("access-rules.yaml").write_text(RULES_ACROSS_STACKS)
    attach(app, rules="access-rules.yaml")


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


def crash(*arguments: object) -> None:
    raise ZeroDivisionError("division by zero")


def evaluator_crash(app: cdk.App) -> None:
    _evaluation.evaluate = crash
    in_stack(app)


def plugin_crash(app: cdk.App) -> None:
    """Where nothing of ours is left to catch it."""
    KmsAccessPlugin.report = crash
    in_stack(app)


def lookup(app: cdk.App) -> None:
    ledger = stack(app)
    kms.Key.from_lookup(ledger, "Existing", alias_name="alias/existing")
    open_key(ledger)
    guard(app)


def guarded_after_synth_of_stage(app: cdk.App) -> None:
    """As with CDK Pipelines, which synthesizes a Stage that is added to a pipeline."""
    stage = cdk.Stage(app, "Prod")
    open_key(stack(stage))
    stage.synth()
    guard(stage)


def second_app_without_guard(app: cdk.App) -> None:
    first = cdk.App()
    kms.Key(stack(first), "Key")
    guard(first)
    first.synth()
    open_key(stack(app))


def stage_written_again(app: cdk.App) -> None:
    stage = cdk.Stage(app, "Prod")
    ledger = stack(stage)
    kms.Key(ledger, "Key")
    guard(app)
    app.synth()
    open_key(ledger)
    stage.synth(force=True)


def template_changed_afterwards(app: cdk.App) -> None:
    kms.Key(stack(app), "Key")
    attach(app)
    app.synth()
    template = Path(app.outdir, "Ledger.template.json")
    template.write_text(template.read_text().replace("kms:*", "kms:Decrypt"))


def plugin_on_stage_in_stack(app: cdk.App) -> None:
    """The library does not ask plugins of a Stage that is not directly in the App."""
    stage = cdk.Stage(stack(app, "Pipeline"), "Prod")
    open_key(stack(stage))
    cdk.Validations.of(stage).add_plugins(KmsAccessPlugin())


def aspect_on_stage_in_stack(app: cdk.App) -> None:
    stage = cdk.Stage(stack(app, "Pipeline"), "Prod")
    open_key(stack(stage))
    guard(stage)


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


def nag_pack_in_stage_acknowledged(app: cdk.App, **options: bool) -> None:
    from cdk_aspects.nag import KmsAccessChecks

    open_key(stack(cdk.Stage(app, "Prod")))
    for id in ("KmsAccess::public-access", "KmsAccess-public-access", "public-access"):
        cdk.Validations.of(app).acknowledge(cdk.Acknowledgment(id=id, reason="we like it so"))
    cdk.Validations.of(app).add_plugins(KmsAccessChecks(app, **options))


def nag_pack_without_exit_in_stage_acknowledged(app: cdk.App) -> None:
    nag_pack_in_stage_acknowledged(app, exit_process=False)


def missing_rules_file(app: cdk.App) -> None:
    kms.Key(stack(app), "Key")
    guard(app, rules="no-such-rules.yaml")


def broken_rules_file(app: cdk.App) -> None:
    Path("access-rules.yaml").write_text("version: 1\nteams:\n  payments: {principal: []}\n")
    open_key(stack(app))
    guard(app, rules="access-rules.yaml")


if __name__ == "__main__":
    app = cdk.App()
    kms.Key(stack(app, "Billing"), "Key")
    globals()[sys.argv[1]](app)
    app.synth()
