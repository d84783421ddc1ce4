"""Constructs of other services that make keys and roles: nothing of them is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from kms_access.decisions.access_map import access_map
from kms_access.inventory.model import Inventory
from kms_access.sources.cloudformation import load
from tests.sources.cloudformation.cdk_apps import ACCOUNT, FORMS, HOME, NEW, OLD, facts
from tests.sources.cloudformation.cdk_construct_apps import BUILDS

ZONES = {f"availability-zones:account={ACCOUNT}:region=eu-west-1": ["eu-west-1a", "eu-west-1b"]}
OTHERS = f"any other identity of account {ACCOUNT}"
PARTNERS = re.compile(r"^role (s-support-|sspipelinerole)")
"""Roles of a pipeline to another account, whose names the library generates."""
NO_ACCESS = ("AWS::IAM::InstanceProfile", "AWS::KMS::Alias")
"""Types whose resources are known by what others say of them."""

DATA_KEYS = (
    "GenerateDataKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext, "
    "GenerateDataKeyWithoutPlaintext, Decrypt"
)
WRITES, READS, ALL = "encrypt, ReEncryptFrom", "Decrypt", "encrypt, decrypt"
CONDITION = "(if a condition holds)"
PIPELINE = "alias/codepipeline-s-pipeline-44391d78"

GIVES: dict[str, set[str]] = {
    "bucket_with_queue": {
        f"role Role > Key: DescribeKey, {ALL}",
        f"service s3.amazonaws.com > Key: {DATA_KEYS}; Encrypt, ReEncryptTo, ReEncryptFrom "
        f"{CONDITION}",
    },
    "queue": {f"role Receiver > Key: {READS}", f"role Sender > Key: {ALL}"},
    "topic": {f"role Role > Key: {DATA_KEYS}"},
    "secret_with_rotation": {
        f"role Reader > Key: {READS} {CONDITION}",
        f"role Writer > Key: {WRITES} {CONDITION}",
    },
    "relational_database": set(),
    "document_database": set(),
    "table": {f"role Role > Key: DescribeKey, {ALL}"},
    "function": {f"role Function/ServiceRole > Key: {WRITES}"},
    "container_service": {
        f"role Task/ExecutionRole > Key: {READS} {CONDITION}",
        "role Task/TaskRole > Key: GenerateDataKey, Decrypt",
        f"service logs.eu-west-1.amazonaws.com > Key: {ALL} {CONDITION}",
    },
    "kubernetes_cluster": {f"role Role > Key: {ALL}"},
    "pipeline_with_build": {
        f"role Pipeline/Role > {PIPELINE}: DescribeKey, {ALL}",
        f"role Pipeline/Source/Pull/CodePipelineActionRole > {PIPELINE}: DescribeKey, {ALL}",
        f"role Project/Role > Key: {ALL}",
        f"role Project/Role > {PIPELINE}: DescribeKey, {READS}",
    },
    "pipeline_to_another_account": {
        f"role Pipeline/Source/Pull/CodePipelineActionRole > {PIPELINE}: DescribeKey, {ALL}",
    },
    "build_project": {f"role Project/Role > Key: {ALL}"},
    "trail": set(),
    "backup_plan": {
        "role Plan/Selection/Role > Key: DescribeKey; Encrypt, GenerateDataKey, "
        f"GenerateDataKeyWithoutPlaintext, ReEncryptTo, decrypt, CreateGrant {CONDITION}",
    },
    "file_system": set(),
    "stream": {f"role Reader > Key: {READS}", f"role Writer > Key: {WRITES}"},
    "delivery_stream": {
        f"role Delivery/S3 Destination Role > Key: DescribeKey, {ALL}",
        f"role Delivery/Service Role > Key: {ALL}",
    },
    "state_machine": {
        f"role Machine/Role > Key: {DATA_KEYS}",
        f"role Machine/Role > Own: GenerateDataKey, Decrypt {CONDITION}",
    },
    "repository": set(),
    "distribution": {f"service cloudfront.amazonaws.com > Key: {READS} {CONDITION}"},
    "search_domain": set(),
    "instance_with_volume": {f"role Instance/InstanceRole > Key: CreateGrant {CONDITION}"},
    "secure_parameter": {f"role Reader > Key: {READS}", f"role Writer > Key: {WRITES}"},
    "scheduled_rule": {f"service events.amazonaws.com > Key: {ALL} {CONDITION}"},
    "log_group": {f"service logs.eu-west-1.amazonaws.com > Key: {ALL}"},
}
"""Who can do what in new apps, beside the identities to whom the default key policy delegates."""


def synthesize(name: str, form: str, folder: Path) -> Inventory:
    context = {**FORMS[form], **ZONES}
    app = cdk.App(outdir=str(folder), context=context, analytics_reporting=False)
    stack = cdk.Stack(app, "S", env=HOME)
    BUILDS[name](stack, kms.Key(stack, "Key"))
    app.synth()
    return load([folder])


def access_resources(folder: Path) -> Iterator[tuple[str, str]]:
    """The logical id and the type of each resource of KMS and IAM in the templates."""
    for path in folder.glob("*.template.json"):
        template: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for logical_id, resource in template["Resources"].items():
            if resource["Type"].startswith(("AWS::KMS::", "AWS::IAM::")):
                yield logical_id, resource["Type"]


def known(inventory: Inventory) -> set[str]:
    """The logical ids of which something stands in the inventory."""
    policies = [p for one in inventory.identities for p in (*one.policies, *one.boundary)]
    origins = [key.origin for key in inventory.keys]
    origins += [one.origin for one in inventory.identities]
    origins += [policy.origin for policy in policies]
    origins += [entry.origin for entry in inventory.not_covered]
    return {origin.identity.rpartition("/")[2] for origin in origins}


@pytest.mark.parametrize("form", [OLD, NEW])
@pytest.mark.parametrize("name", BUILDS)
def test_nothing_is_lost_and_all_is_decided(name: str, form: str, tmp_path: Path) -> None:
    inventory = synthesize(name, form, tmp_path / "cdk.out")
    resources = list(access_resources(tmp_path / "cdk.out"))
    found = known(inventory)
    lost = [(logical_id, kind) for logical_id, kind in resources if logical_id not in found]
    assert [pair for pair in lost if pair[1] not in NO_ACCESS] == []
    kinds = [kind for _, kind in resources]
    assert len(inventory.keys) == kinds.count("AWS::KMS::Key")
    complete = [one for one in inventory.identities if one.complete]
    assert len(complete) == kinds.count("AWS::IAM::Role") + kinds.count("AWS::IAM::User")
    lines = {line for line in facts(access_map(inventory)) if not line.startswith(OTHERS)}
    assert [line for line in lines if "undecided" in line] == []
    if form == NEW:
        of_partner = {line for line in lines if PARTNERS.search(line)}
        assert lines - of_partner == GIVES[name]
        assert len(of_partner) == (3 if name == "pipeline_to_another_account" else 0)
