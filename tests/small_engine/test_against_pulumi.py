"""The small engine shows a pack the same, and takes the same steps, as the real engine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.small_engine import Engine
from tests.small_engine.pulumi_command import PulumiCommand, need_pulumi
from tests.small_engine.test_failures import faulty_pack
from tests.small_engine.testbed import (
    CHAIN,
    RECORDER,
    judge,
    state_resources,
    write_pack,
    write_program,
)

FIRST = """
    import json
    import pulumi
    import pulumi_aws as aws
    from pulumi import ResourceOptions as Options

    TRUST = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "ec2.amazonaws.com"}},
    ]}
    KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    class Vault(pulumi.ComponentResource):
        def __init__(self, name):
            super().__init__("shop:index:Vault", name, {"size": 3})
            self.key = aws.kms.Key(f"{name}-key", description=name, opts=Options(parent=self))
            aws.kms.Grant(
                f"{name}::grant", key_id=self.key.key_id, operations=["Decrypt"],
                grantee_principal="arn:aws:iam::111122223333:role/x",
                constraints=[{"encryption_context_equals": {"tenant": "one"}}],
                opts=Options(parent=self.key))
            self.register_outputs({"keyArn": self.key.arn})

    vault = Vault("vault")
    aws.kms.Alias("after", name="alias/after", target_key_id=vault.key.id,
                  opts=Options(depends_on=[vault]))
    aws.kms.ReplicaKey("replica", primary_key_arn=vault.key.arn, region="eu-west-1")
    aws.sqs.Queue("queue", kms_master_key_id=vault.key.id)

    # Read, not managed.
    ledger = aws.kms.Key.get("ledger", KEY)
    aws.kms.Alias("ledger", name="alias/ledger", target_key_id=ledger.key_id)
    legacy = aws.iam.Role.get("legacy", "legacy")
    aws.iam.RolePolicy("legacy", role=legacy.name, policy=TRUST)

    account = aws.get_caller_identity().account_id
    region = aws.get_region().region
    by_root = aws.iam.get_policy_document(statements=[
        {"actions": ["kms:Decrypt"], "resources": ["*"], "principals": [
            {"type": "AWS", "identifiers": [f"arn:{aws.get_partition().id}:iam::{account}:root"]}]},
    ])
    aws.kms.Key("by-document", policy=by_root.json, tags={"region": region})
    role = aws.iam.Role(
        "deployer", name="deployer", assume_role_policy=TRUST, tags={"a": "b"},
        inline_policies=[{"policy": vault.key.arn.apply(lambda arn: json.dumps({"key": arn}))},
                         {"name": "fixed", "policy": json.dumps(TRUST)}],
        opts=Options(protect=True, custom_timeouts=pulumi.CustomTimeouts(create="5m")))
    by_role = aws.iam.get_policy_document_output(statements=[
        {"actions": ["kms:*"], "resources": ["*"], "principals": [
            {"type": "AWS", "identifiers": [role.arn]}]},
    ])
    aws.kms.Key("by-output", policy=by_role.json)

    west = aws.Provider("west", region="us-west-2", allowed_account_ids=["444455556666"],
                        default_tags={"tags": {"team": "x"}})
    aws.kms.Key("west", tags={"n": "1"}, opts=Options(provider=west))
    # Not configured during a preview.
    assumed = aws.Provider("assumed", region="eu-west-1", assume_roles=[{"role_arn": role.arn}])
    aws.kms.Key("assumed", policy=json.dumps(TRUST), opts=Options(provider=assumed))
    aws.iam.Role("assumed", assume_role_policy=TRUST, opts=Options(provider=assumed))

    hidden = pulumi.Output.secret(json.dumps(TRUST))
    aws.kms.Key("secret", description=pulumi.Output.secret("hidden"), policy=hidden)
    aws.iam.User("tagged", tags={"owner": role.unique_id, "fixed": "yes"},
                 opts=Options(additional_secret_outputs=["arn"]))
    group = aws.iam.Group("staff")
    aws.iam.UserGroupMembership("membership", user="bob", groups=[group.name, "guests"])
    aws.iam.Role("ignored", path="/a/", assume_role_policy=TRUST,
                 opts=Options(ignore_changes=["path"]))
    moved = aws.iam.Role("moved", path="/a/", assume_role_policy=TRUST)
    aws.iam.RolePolicyAttachment("moved", role=moved.name, policy_arn="arn:aws:iam::aws:policy/X")
    aws.iam.User("dropped", name="dropped")

    pulumi.export("arn", vault.key.arn)
    pulumi.export("secret", hidden)
    pulumi.export("nested", {"role": role.arn, "list": [role.name, 1, True]})
"""
CHANGES = {
    'path="/a/"': 'path="/b/"',
    "policy=by_root.json, ": "",
    'aws.iam.User("dropped", name="dropped")': "",
    'tags={"n": "1"}': 'tags={"n": "2"}',
    'aws.iam.Role.get("legacy", "legacy")': 'aws.iam.Role.get("legacy", "older")',
}
# Which version of the program is deployed, and how.
OPERATIONS = (
    ("first", "preview"),
    ("first", "up"),
    ("first", "preview"),
    ("second", "preview"),
    ("second", "up"),
)
# Steps that a replacement has besides the one that is named so.
HALVES = ("create-replacement", "delete-replaced")
# What is made up anew in every run.
RANDOM = {
    r"(?!04da6b54)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "UUID",
    r"\b[0-9a-f]{64}\b": "GRANT",
    r"\b[A-Z0-9]{120}\b": "TOKEN",
    r"\b(AROA|AIDA|AGPA|ANPA)[A-Z0-9]{17}\b": "UNIQUE",
    r'"[0-9a-f]{17}"': '"ID"',
    r"-[0-9a-f]{7}\b": "-AUTONAME",
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return write_program(tmp_path / "program", FIRST)


def second() -> str:
    source = FIRST
    for before, after in CHANGES.items():
        assert before in source
        source = source.replace(before, after)
    return source


def test_a_pack_is_shown_the_same_and_the_steps_are_the_same(program: Path, tmp_path: Path) -> None:
    need_pulumi()
    pack = write_pack(tmp_path / "recorder", RECORDER)
    record = tmp_path / "record.jsonl"
    environment = {"RECORD": str(record)}
    command = PulumiCommand(program, tmp_path / "own", pack, environment=environment)
    engine = Engine(program=program, policy_pack=pack, environment=environment)
    for version, operation in OPERATIONS:
        write_program(program, FIRST if version == "first" else second())
        skip = {"skip_preview": True} if operation == "up" else {}

        record.write_text("")
        ran = getattr(command, operation)(**skip)
        assert ran.exit_code == 0, ran.output
        real = shown(record)
        record.write_text("")
        outcome = getattr(engine, operation)(**skip)
        assert outcome.error == ""
        engine.state = outcome.state
        small = shown(record)

        assert small.keys() == real.keys()
        assert {key: (small[key], real[key]) for key in real if small[key] != real[key]} == {}
        steps = {(step.operation, step.urn) for step in outcome.steps}
        done = [event["metadata"] for event in ran.of("resOutputsEvent")]
        assert steps == {(one["op"], one["urn"]) for one in done if one["op"] not in HALVES}


LEVELS = (
    # Levels of the resource policy and of the stack policy, and the operation.
    ("MANDATORY", "ADVISORY", "preview"),
    ("MANDATORY", "ADVISORY", "up"),
    ("ADVISORY", "MANDATORY", "preview"),
    ("ADVISORY", "MANDATORY", "up"),
)


@pytest.mark.parametrize(("one", "stack", "operation"), LEVELS)
def test_levels_block_alike(tmp_path: Path, one: str, stack: str, operation: str) -> None:
    need_pulumi()
    program = write_program(tmp_path / "program", CHAIN)
    pack = judge(tmp_path / "pack", one=one, stack=stack)
    skip = {"skip_preview": True} if operation == "up" else {}
    ran = getattr(PulumiCommand(program, tmp_path / "own", pack), operation)(**skip)
    outcome = getattr(Engine(program=program, policy_pack=pack), operation)(**skip)
    assert outcome.exit_code == ran.exit_code == 1
    assert {(item.policy, item.level, item.urn, item.message) for item in outcome.diagnostics} == {
        (
            item["policyName"],
            item["enforcementLevel"],
            item["resourceUrn"],
            item["message"].rstrip(),
        )
        for item in ran.of("policyEvent")
    }
    # Besides the violations the command says at most that the operation failed.
    assert outcome.error == ""
    existing = {item["urn"] for item in ran.state["deployment"].get("resources") or ()}
    assert state_resources(outcome).keys() == existing


# What a pack does wrong, and what both engines say of it.
SAID = {
    "resource": "failed to run policy: Exception calling application: lost my way",
    "stack": "Exception calling application: lost my way",
    "crash": "failed to run policy: ",
    "flood": "eceived message larger than max",
}


@pytest.mark.parametrize("fault", SAID)
def test_a_failing_pack_stops_both(tmp_path: Path, fault: str) -> None:
    need_pulumi()
    program = write_program(tmp_path / "program", CHAIN)
    pack = faulty_pack(tmp_path, fault)
    ran = PulumiCommand(program, tmp_path / "own", pack).preview()
    outcome = Engine(program=program, policy_pack=pack).preview()
    assert outcome.exit_code == ran.exit_code == 1
    for said in (outcome.error, ran.output):
        assert SAID[fault] in said
        assert ("failed to run policy" in said) == ("failed to run policy" in SAID[fault])


def shown(record: Path) -> dict[tuple[str, str], Any]:
    """All that a pack was shown, by call and resource."""
    text = record.read_text()
    for pattern, name in RANDOM.items():
        text = re.sub(pattern, name, text)
    return {
        (item["kind"], item.get("urn", "")): {
            key: unordered(value) for key, value in item.items() if key != "pid"
        }
        for item in map(json.loads, text.splitlines())
    }


def unordered(value: Any) -> Any:
    """Dependencies come in any order."""
    if isinstance(value, Mapping):
        return {key: unordered(item) for key, item in value.items()}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return sorted(value)
    return value
