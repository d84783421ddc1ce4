"""The manifest of an assembly: environments, names, Stages, metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.text import Text
from kms_access.sources.cloudformation import load
from kms_access.sources.interface import SourceError
from tests.sources.cloudformation.conftest import LoadAssembly, LoadTemplates
from tests.sources.cloudformation.definitions import (
    allow,
    blocking,
    key,
    key_of,
    key_policy,
    notes,
    principals,
    role,
    template,
)


def at(environment: str, **properties: Any) -> dict[str, Any]:
    return {"environment": f"aws://{environment}", "properties": properties}


@pytest.mark.parametrize(
    ("environment", "arn"),
    [
        ("111122223333/eu-central-1", "arn:aws:kms:eu-central-1:111122223333:key/"),
        ("111122223333/cn-north-1", "arn:aws-cn:kms:cn-north-1:111122223333:key/"),
        ("111122223333/us-gov-west-1", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/"),
        ("111122223333/us-isob-east-1", "arn:aws-iso-b:kms:us-isob-east-1:111122223333:key/"),
        ("unknown-account/eu-central-1",
         "arn:aws:kms:eu-central-1:<the account of the deployment>:key/"),
        ("111122223333/unknown-region",
         "arn:<the partition of the deployment>:kms:<the Region of the deployment>"
         ":111122223333:key/"),
    ],
)  # fmt: skip
def test_the_environment_is_in_the_arn(
    load_assembly: LoadAssembly, environment: str, arn: str
) -> None:
    found = key_of(load_assembly(S=(template(K=key()), at(environment))))
    assert str(found.arn) == f"{arn}<the id of key S/K>"


def test_stacks_without_environment_share_their_unknown_account(
    load_assembly: LoadAssembly,
) -> None:
    nowhere = at("unknown-account/unknown-region")
    stack = template(K=key())
    first, second, third = load_assembly(A=(stack, nowhere), B=(stack, nowhere), C=stack).keys
    assert isinstance(first.account, Text)
    assert first.account == second.account
    assert same(first.account, third.account).truth is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("literals", "partition", "noted"),
    [
        (["arn:aws:iam::444455556666:root"], "aws", True),
        (["arn:aws-cn:iam::444455556666:root"], "aws-cn", True),
        (["arn:aws:iam::444455556666:root", "arn:aws-cn:iam::444455556666:root"], None, False),
        ([{"Fn::Sub": "arn:${AWS::Partition}:iam::444455556666:root"}], None, False),
    ],
    ids=str,
)
def test_literal_arns_tell_the_partition(
    load_templates: LoadTemplates, literals: list[Any], partition: str | None, noted: bool
) -> None:
    inventory = load_templates(S=template(K=key(allow(literals))))
    found = key_of(inventory).partition
    assert (found if isinstance(found, str) else None) == partition
    assert ("S" in notes(inventory)) is noted


def test_names_come_from_the_manifest(load_assembly: LoadAssembly) -> None:
    stack = template(K=key(allow({"Fn::Sub": "arn:aws:iam::444455556666:role/${AWS::StackName}"})))
    extra = {"displayName": "Prod/S", "properties": {"stackName": "Prod-S"}}
    inventory = load_assembly(ProdS1234=(stack, extra))
    found = key_of(inventory)
    assert (found.origin.identity, found.origin.container) == ("Prod-S/K", "Prod-S")
    assert principals(key_policy(inventory).statements[0]) == [
        "arn:aws:iam::444455556666:role/Prod-S"
    ]


def test_stacks_of_one_name_are_told_apart(load_assembly: LoadAssembly) -> None:
    stack = template(K=key(), R=role())
    inventory = load_assembly(
        A=(stack, at("111122223333/eu-central-1", stackName="S")),
        B=(stack, at("111122223333/us-east-1", stackName="S")),
    )
    assert [k.origin.identity for k in inventory.keys] == [
        "S (cdk.out/A.template.json)/K",
        "S (cdk.out/B.template.json)/K",
    ]
    first, second = inventory.identities
    assert same(first.principal.arn, second.principal.arn).truth is Truth.FALSE


@pytest.mark.parametrize("inline", [True, False])
def test_construct_paths_come_from_the_metadata(
    project: Path, load_assembly: LoadAssembly, inline: bool
) -> None:
    frames = [
        "new Key (/usr/lib/node_modules/aws-cdk-lib/key.js:1:2)",
        f"make ({project}/.venv/lib/site-packages/library.py:7)",
        f"__init__ ({project}/ledger.py:9)",
        f"<module> ({project}/app.py:31)",
    ]
    entries = [
        {"type": "aws:cdk:logicalId", "data": "K"},
        {"type": "aws:cdk:creationStack", "data": frames},
    ]
    metadata = {"/Prod/S/Vault/Key/Resource": entries, "/odd": [5], "/odder": "x"}
    if not inline:
        (project / "S.metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
        (project / "cdk.out").symlink_to(project, target_is_directory=True)
        manifest = {
            "version": "55.0.0",
            "artifacts": {
                "S": {
                    "type": "aws:cloudformation:stack",
                    "environment": "aws://111122223333/eu-central-1",
                    "displayName": "Prod/S",
                    "additionalMetadataFile": "S.metadata.json",
                    "properties": {"templateFile": "S.template.json"},
                }
            },
        }
        (project / "S.template.json").write_text(json.dumps(template(K=key())), encoding="utf-8")
        (project / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        inventory = load([Path()])
    else:
        inventory = load_assembly(
            S=(template(K=key()), {"displayName": "Prod/S", "metadata": metadata})
        )
    origin = key_of(inventory).origin
    assert (origin.label, origin.file, origin.line) == ("Vault/Key", "ledger.py", 9)


def test_the_path_in_the_template_wins(load_assembly: LoadAssembly) -> None:
    node = {**key(), "Metadata": {"aws:cdk:path": "S/Own/Resource/Default"}}
    metadata = {"/S/Other/Resource": [{"type": "aws:cdk:logicalId", "data": "K"}]}
    found = key_of(load_assembly(S=(template(K=node), {"metadata": metadata})))
    assert found.origin.label == "Own"


def test_without_metadata_the_logical_id_and_the_template_serve(
    load_assembly: LoadAssembly,
) -> None:
    origin = key_of(load_assembly(S=template(K=key()))).origin
    assert (origin.label, origin.file, origin.line) == ("K", "cdk.out/S.template.json", 1)


MISSING = [{"provider": "ssm"}, {"provider": "key-provider"}, {"provider": "ssm"}, "odd", {}]


def test_pending_lookups_and_precreated_roles_block(project: Path) -> None:
    manifest = {"version": "55.0.0", "artifacts": {}, "missing": MISSING}
    (project / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (project / "iam-policy-report.json").write_text("{}", encoding="utf-8")
    found = load([Path()]).not_covered
    assert [n.may_change_key_access for n in found] == [True, True]
    assert {n.origin.file for n in found} == {"manifest.json"}
    assert found[1].reason.startswith("lookups are still missing (key-provider, ssm): ")


def test_an_artifact_of_an_unknown_type_is_noted(project: Path) -> None:
    artifacts = {"T": {"type": "cdk:tree"}, "X": {"type": "cdk:invented"}}
    manifest = {"version": "55.0.0", "artifacts": artifacts}
    (project / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    inventory = load([Path()])
    assert blocking(inventory) == {}
    assert [n.reason for n in inventory.not_covered] == [
        'artifact "X" of type "cdk:invented" is not evaluated'
    ]


def manifest_with(**stack: Any) -> dict[str, Any]:
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-central-1",
        "properties": {"templateFile": "S.template.json"},
        **stack,
    }
    return {"version": "55.0.0", "artifacts": {"S": artifact}}


BROKEN: list[tuple[Any, str]] = [
    ([], "an object with the text"),
    ({}, "an object with the text"),
    ({"version": []}, "an object with the text"),
    ({"version": "1", "artifacts": []}, '"artifacts" is no object'),
    ({"version": "1", "artifacts": {"S": 5}}, 'artifact "S" has no type'),
    ({"version": "1", "artifacts": {"S": {}}}, 'artifact "S" has no type'),
    (manifest_with(properties=[]), 'the properties of artifact "S" are no object'),
    (manifest_with(properties={}), '"templateFile" is no path'),
    (manifest_with(properties={"templateFile": "a\0b"}), '"templateFile" is no path'),
    (manifest_with(properties={"templateFile": "../x.json"}), "leads out of the folder"),
    (manifest_with(properties={"templateFile": "/x.json"}), "leads out of the folder"),
    (manifest_with(properties={"templateFile": "none.json"}), "no such file"),
    (manifest_with(properties={"templateFile": "."}), "is a folder"),
    (manifest_with(environment="here"), 'environment "here"'),
    (manifest_with(environment=None), 'environment "None"'),
    (manifest_with(additionalMetadataFile=[]), '"additionalMetadataFile" is no path'),
    (manifest_with(properties={"templateFile": "S.template.json", "stackName": "a/b"}),
     '"a/b" is no name for a stack'),
    ({"version": "1", "artifacts": {"A": {"type": "cdk:cloud-assembly",
      "properties": {"directoryName": "."}}}}, "leads back to its own folder"),
    ({"version": "1", "artifacts": {"A": {"type": "cdk:cloud-assembly",
      "properties": {"directoryName": "none"}}}}, "no such file"),
    ({"version": "1", "artifacts": {"A": {"type": "cdk:asset-manifest", "properties": {}}}},
     '"file" is no path'),
]  # fmt: skip


@pytest.mark.parametrize(("manifest", "message"), BROKEN, ids=[str(row[1]) for row in BROKEN])
def test_a_manifest_that_is_none_is_refused(project: Path, manifest: Any, message: str) -> None:
    (project / "S.template.json").write_text(json.dumps(template(K=key())), encoding="utf-8")
    (project / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(SourceError) as error:
        load([Path()])
    assert message in error.value.message
    assert error.value.file


def test_a_link_never_leads_out_of_the_assembly(project: Path) -> None:
    folder = project / "cdk.out"
    folder.mkdir()
    (project / "secret.json").write_text(json.dumps(template(K=key())), encoding="utf-8")
    (folder / "S.template.json").symlink_to(project / "secret.json")
    (folder / "manifest.json").write_text(json.dumps(manifest_with()), encoding="utf-8")
    with pytest.raises(SourceError, match="leads out of the folder"):
        load([folder])
