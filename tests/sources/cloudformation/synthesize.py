"""Writes the stored assemblies with the real CDK: `python synthesize.py`, with aws-cdk-lib.

Each assembly is made twice, without feature flags and with those of `cdk init`, and stripped of
what no test reads. Lines of the program in the metadata are lines of this file.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["JSII_HOST_STACK_TRACES"] = "1"
os.environ["CDK_VALIDATION"] = "false"

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import custom_resources as cr

HERE = Path(__file__).resolve().parent
ASSEMBLIES = HERE / "assemblies"
PROJECT = "/project"
FRANKFURT = cdk.Environment(account="111122223333", region="eu-central-1")
VIRGINIA = cdk.Environment(account="111122223333", region="us-east-1")
PARTNER = cdk.Environment(account="444455556666", region="us-east-1")
LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")


def allow(action: str, *principals: iam.IPrincipal, sid: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, actions=[action], resources=["*"], principals=list(principals)
    )


class Billing(cdk.Stack):
    def __init__(self, scope: cdk.App, name: str, **options: Any) -> None:
        super().__init__(scope, name, **options)
        self.api = iam.Role(self, "Api", assumed_by=LAMBDA)


class Ledger(cdk.Stack):
    def __init__(self, scope: Any, name: str, *readers: iam.IRole, **options: Any) -> None:
        super().__init__(scope, name, **options)
        writer = iam.Role(self, "Writer", assumed_by=LAMBDA)
        named = iam.Role(
            self,
            "Named",
            role_name="ledger-named",
            path="/teams/",
            assumed_by=iam.AccountRootPrincipal(),
        )
        statements = [
            allow("kms:*", iam.AccountRootPrincipal(), sid="EnableIAM"),
            allow("kms:Encrypt", writer, named, sid="Writer"),
        ]
        if readers:
            statements.append(allow("kms:Decrypt", *readers, sid="Readers"))
        policy = iam.PolicyDocument(statements=statements)
        self.key = kms.Key(self, "Key", alias="alias/ledger", policy=policy)
        self.key.grant_encrypt(writer)


class Reader(cdk.Stack):
    def __init__(self, scope: Any, name: str, key: kms.Key, remote: kms.Key, **opts: Any) -> None:
        super().__init__(scope, name, cross_region_references=True, **opts)
        limit = iam.ManagedPolicy(
            self,
            "Limit",
            statements=[iam.PolicyStatement(actions=["kms:*"], resources=["*"])],
        )
        role = iam.Role(self, "Role", assumed_by=LAMBDA, permissions_boundary=limit)
        key.grant_decrypt(role)
        role.add_to_policy(iam.PolicyStatement(actions=["kms:Verify"], resources=[remote.key_arn]))
        user = iam.User(self, "Alice")
        group = iam.Group(self, "Developers")
        group.add_user(user)
        key.grant_encrypt(group)
        key.grant_encrypt(iam.Role.from_role_name(self, "Imported", "existing"))
        describe = iam.PolicyStatement(actions=["kms:DescribeKey"], resources=[key.key_arn])
        policy = iam.ManagedPolicy(self, "Describe", statements=[describe], roles=[role])
        user.add_managed_policy(policy)
        user.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("ReadOnlyAccess"))
        nested = cdk.NestedStack(self, "Nested")
        inner = iam.Role(nested, "Inner", assumed_by=LAMBDA)
        key.grant_decrypt(inner)
        kms.Key(nested, "InnerKey").grant_decrypt(role)


def ledger(app: cdk.App) -> None:
    billing = Billing(app, "Billing", env=FRANKFURT, tags={"team": "billing"})
    stack = Ledger(app, "Ledger", billing.api, env=FRANKFURT, tags={"team": "ledger"})
    remote = cdk.Stack(app, "Remote", env=VIRGINIA, cross_region_references=True)
    key = kms.Key(remote, "Key", policy=iam.PolicyDocument())
    Reader(app, "Reader", stack.key, key, env=FRANKFURT)
    Ledger(cdk.Stage(app, "Prod"), "Ledger")


def accounts(app: cdk.App) -> None:
    keys = cdk.Stack(app, "Keys", env=VIRGINIA)
    key = kms.Key(keys, "Key")
    partner = cdk.Stack(app, "Partner", env=PARTNER)
    role = iam.Role(partner, "Role", role_name="partner", assumed_by=LAMBDA)
    role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn]))
    call = cr.AwsSdkCall(
        service="KMS",
        action="createGrant",
        parameters={
            "KeyId": key.key_arn,
            "GranteePrincipal": "arn:aws:iam::444455556666:role/partner",
            "Operations": ["Decrypt"],
        },
        physical_resource_id=cr.PhysicalResourceId.of("grant"),
    )
    access = cr.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"])
    cr.AwsCustomResource(keys, "Grant", on_update=call, policy=access)


def init_flags() -> dict[str, Any]:
    """The flags that `cdk init` writes, and what the command line adds."""
    library = next((Path(cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.tgz"))
    with tarfile.open(library) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        flags: dict[str, Any] = json.load(member) if member else {}
    metadata = {
        "aws:cdk:enable-path-metadata": True,
        "aws:cdk:enable-asset-metadata": True,
    }
    return {**flags, **metadata}


def write(name: str, build: Callable[[cdk.App], None], context: dict[str, Any]) -> None:
    target = ASSEMBLIES / name
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(outdir=folder, context=context, analytics_reporting=False)
        build(app)
        app.synth()
        for path in sorted(Path(folder).rglob("*.json")):
            if path.name != "tree.json" and not any(p.startswith("asset.") for p in path.parts):
                stripped = strip(path.name, json.loads(path.read_text(encoding="utf-8")))
                copy = target / path.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(json.dumps(stripped, indent=1) + "\n", encoding="utf-8")


def strip(name: str, document: dict[str, Any]) -> dict[str, Any]:
    if name == "manifest.json":
        kept = ("aws:cloudformation:stack", "cdk:cloud-assembly", "cdk:asset-manifest")
        artifacts = document["artifacts"].items()
        document["artifacts"] = {k: v for k, v in artifacts if v["type"] in kept}
    elif name.endswith(".assets.json"):
        for asset in document["files"].values():
            del asset["destinations"]
    elif name.endswith(".metadata.json"):
        document = {path: entries(nodes) for path, nodes in document.items() if entries(nodes)}
    elif name.endswith(".template.json"):
        document.pop("Rules", None)
    return document


def entries(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = ("aws:cdk:logicalId", "aws:cdk:creationStack", "aws:cdk:templateFile")
    found = [node for node in nodes if node["type"] in kept]
    for node in found:
        if node["type"] == "aws:cdk:creationStack":
            frames = [frame.replace(str(HERE), PROJECT) for frame in node["data"]]
            node["data"] = [frame for frame in frames if PROJECT in frame]
    return found


if __name__ == "__main__":
    write("ledger", ledger, {})
    write("ledger-init", ledger, init_flags())
    write("accounts-init", accounts, init_flags())
