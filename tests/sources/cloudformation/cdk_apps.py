"""Apps written with the real library, synthesized in this process, and what we say about them."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.inventory.model import Inventory
from kms_access.reports.table import describe_cell
from kms_access.rules import Rules, assess
from kms_access.sources.cloudformation import load

ACCOUNT, PARTNER_ACCOUNT = "111122223333", "444455556666"
HOME = cdk.Environment(account=ACCOUNT, region="eu-west-1")
ABROAD = cdk.Environment(account=ACCOUNT, region="us-east-1")
PARTNER = cdk.Environment(account=PARTNER_ACCOUNT, region="eu-west-1")

Build = Callable[[cdk.App], None]


@cache
def flags_of_new_apps() -> Mapping[str, Any]:
    """The feature flags that `cdk init` writes."""
    library = next((Path(cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.tgz"))
    with tarfile.open(library) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        flags: Mapping[str, Any] = json.load(member)
        return flags


OLD, NEW = "old app", "new app"
FORMS: Mapping[str, Mapping[str, Any]] = {
    OLD: {},
    NEW: flags_of_new_apps(),
    "new app with path metadata": {
        **flags_of_new_apps(),
        "aws:cdk:enable-path-metadata": True,
        "aws:cdk:enable-asset-metadata": True,
    },
    "both kinds of references": {
        **flags_of_new_apps(),
        "@aws-cdk/core:defaultCrossStackReferences": "both",
    },
}
"""The contexts under which one app is written differently."""


def synthesized(build: Build, context: Mapping[str, Any]) -> Inventory:
    """What is read from the assembly of an app."""
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(outdir=folder, context=dict(context), analytics_reporting=False)
        build(app)
        app.synth()
        return load([Path(folder)])


def facts(found: AccessMap) -> set[str]:
    """Who can do what with which key, a line each; who can do nothing is left out."""
    lines = set()
    for key in found.keys:
        for subject in found.subjects:
            cell = describe_cell(found.cell(subject, key))
            if cell not in ("none", "denied"):
                lines.add(f"{subject.label} > {key.label}: {cell}")
    return lines


def judged(inventory: Inventory, rules: Rules | None = None) -> tuple[set[str], set[str]]:
    """The access facts, and the findings as `check: claim`."""
    findings = assess(inventory, rules or Rules()).findings
    return facts(access_map(inventory)), {f"{f.check}: {f.claim}" for f in findings}


def allow(*principals: iam.IPrincipal, actions: str = "kms:*") -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[actions], resources=["*"], principals=list(principals))


def role(scope: Any, name: str = "Role", **options: Any) -> iam.Role:
    return iam.Role(scope, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), **options)


def key_stack(app: Any, env: cdk.Environment | None = HOME) -> cdk.Stack:
    return cdk.Stack(app, "Keys", env=env)


def role_stack(
    app: Any, env: cdk.Environment | None = HOME, after: cdk.Stack | None = None
) -> cdk.Stack:
    """A stack for roles; `after` is the stack that it depends on."""
    stack = cdk.Stack(app, "Roles", env=env)
    if after is not None:
        stack.add_stack_dependency(after)
    return stack


def own_policy(*statements: iam.PolicyStatement) -> iam.PolicyDocument:
    """A key policy that lets an administrator in and does not delegate to IAM."""
    admin = iam.ArnPrincipal(f"arn:aws:iam::{ACCOUNT}:role/admin")
    return iam.PolicyDocument(statements=[allow(admin), *statements])


def default_key(app: cdk.App) -> kms.Key:
    return kms.Key(key_stack(app), "Key")
