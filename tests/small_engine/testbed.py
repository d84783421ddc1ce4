"""Programs, policy packs and recorded runs for tests."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from .engine import Engine
from .model import Outcome

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
STACK = "urn:pulumi:dev::shop::"

# Writes what it is asked into the file named by RECORD, and reports nothing.
RECORDER = """
    import json, os, sys
    import pulumi
    from pulumi_policy import PolicyPack, ResourceValidationPolicy, StackValidationPolicy
    from pulumi_policy.deserialize import serialize_properties

    def write(kind, **content):
        with open(os.environ["RECORD"], "a") as file:
            file.write(json.dumps({"kind": kind, **content}) + "\\n")

    def provider(args):
        return serialize_properties(args.provider.props) if args.provider else None

    def options(opts):
        timeouts = opts.custom_timeouts
        return {
            "protect": opts.protect, "ignore_changes": list(opts.ignore_changes),
            "delete_before_replace": opts.delete_before_replace, "aliases": list(opts.aliases),
            "additional_secret_outputs": list(opts.additional_secret_outputs),
            "timeouts": [timeouts.create_seconds, timeouts.update_seconds,
                         timeouts.delete_seconds],
        }

    def resource(args, report):
        write("resource", urn=args.urn, type=args.resource_type, name=args.name,
              props=serialize_properties(args.props), provider=provider(args),
              parent=args.opts.parent, options=options(args.opts))

    def stack(args, report):
        for item in args.resources:
            write("stack", urn=item.urn, props=serialize_properties(item.props),
                  provider=provider(item), parent=item.parent and item.parent.urn,
                  dependencies=[one.urn for one in item.dependencies],
                  properties={key: [one.urn for one in value]
                              for key, value in item.property_dependencies.items()})

    write("start", pid=os.getpid(), cwd=os.getcwd(), dry_run=pulumi.runtime.is_dry_run(),
          names=[pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()],
          region=pulumi.Config("aws").get("region"))
    PolicyPack("recorder", [
        ResourceValidationPolicy("see-resource", "resource", resource),
        StackValidationPolicy("see-stack", "stack", stack),
    ])
"""

# Complains about every resource whose name holds "bad", one by one or at the end.
# Numbers in a configuration reach a pack as doubles, so its limit of 7 is shown as 7.0.
JUDGE = """
    from pulumi_policy import (
        EnforcementLevel, PolicyConfigSchema, PolicyPack, ResourceValidationPolicy, Severity,
        StackValidationPolicy,
    )

    def resource(args, report):
        if "bad" in args.name:
            report("refused")

    def stack(args, report):
        for item in args.resources:
            if "bad" in item.name:
                report("limit " + str(args.get_config()["limit"]), item.urn)

    schema = PolicyConfigSchema(properties={"limit": {"type": "integer", "default": 7}})
    PolicyPack("judge", [
        ResourceValidationPolicy(
            "one", "each alone", resource, EnforcementLevel.{one}, severity=Severity.HIGH),
        StackValidationPolicy(
            "all-together", "the stack", stack, EnforcementLevel.{stack}, config_schema=schema),
    ])
"""

CHAIN = """
    import pulumi
    import pulumi_aws as aws
    first = aws.iam.User("first")
    bad = aws.iam.User("bad", tags={"after": first.arn})
    aws.iam.User("last", tags={"after": bad.arn})
"""


@dataclass
class Run:
    outcome: Outcome
    records: list[dict[str, Any]]

    def asked(self, kind: str, name: str = "") -> list[dict[str, Any]]:
        chosen = [item for item in self.records if item["kind"] == kind]
        return [item for item in chosen if item["urn"].endswith(f"::{name}")] if name else chosen

    def one(self, kind: str, name: str) -> dict[str, Any]:
        (item,) = self.asked(kind, name)
        return item


def write_program(folder: Path, source: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "__main__.py").write_text(dedent(source))
    return folder


def write_pack(folder: Path, source: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    # Without a toolchain the real language host looks for lock files in every parent folder.
    (folder / "PulumiPolicy.yaml").write_text(
        "version: 1.2.3\nruntime: {name: python, options: {toolchain: pip}}\n"
    )
    (folder / "__main__.py").write_text(dedent(source))
    return folder


def judge(folder: Path, one: str = "DISABLED", stack: str = "DISABLED") -> Path:
    return write_pack(folder, JUDGE.replace("{one}", one).replace("{stack}", stack))


def watch(folder: Path, program: Path, operation: str = "preview", **options: Any) -> Run:
    """Run a program under the recording pack."""
    pack = write_pack(folder / "recorder", RECORDER)
    record = folder / "record.jsonl"
    record.write_text("")
    environment = {"RECORD": str(record)}
    engine = Engine(program=program, policy_pack=pack, environment=environment, **options)
    outcome = engine.up(skip_preview=True) if operation == "up" else engine.preview()
    return Run(outcome, [json.loads(line) for line in record.read_text().splitlines()])


def state_resources(outcome: Outcome) -> dict[str, Any]:
    deployment = outcome.state["deployment"]
    assert isinstance(deployment, Mapping)
    return {item["urn"]: item for item in deployment["resources"]}


def names(urns: tuple[str, ...]) -> list[str]:
    return [urn.split("::", 3)[3] for urn in urns]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
