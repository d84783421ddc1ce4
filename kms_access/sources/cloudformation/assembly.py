"""A cloud assembly, the folder that `cdk synth` writes: manifests, Stages and stacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kms_access.inventory.origin import NotCovered, Origin
from kms_access.sources.cloudformation.constructs import read_constructs
from kms_access.sources.cloudformation.environment import (
    UNKNOWN_ACCOUNT,
    UNKNOWN_REGION,
    Environment,
)
from kms_access.sources.cloudformation.files import (
    MAXIMUM_ASSEMBLY_FILE_BYTES,
    lies_inside,
    source_file,
)
from kms_access.sources.cloudformation.json_reading import read_json_file
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.template import read_template
from kms_access.sources.interface import SourceError

MANIFEST = "manifest.json"
_STACK = "aws:cloudformation:stack"
_NESTED_ASSEMBLY = "cdk:cloud-assembly"
_ASSET_MANIFEST = "cdk:asset-manifest"
_IGNORED = frozenset(("cdk:tree", "cdk:feature-flag-report", "none"))
_ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+", re.ASCII)
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_ROLE_REPORT = "iam-policy-report.json"
_HELP = 'run "cdk synth" and give the folder that it writes'


@dataclass(slots=True)
class Assembly:
    """What the manifests of a folder lead to.

    `assets` maps the hash of a file asset to its path, for the templates of nested stacks.
    """

    root: Path
    stacks: list[Stack] = field(default_factory=list)
    assets: dict[str, Path] = field(default_factory=dict)
    not_covered: list[NotCovered] = field(default_factory=list)


def read_assembly(folder: Path) -> Assembly:
    """The stacks of a cloud assembly, those of its Stages included.

    Raises SourceError for a folder that is no assembly and for files that cannot be read.
    """
    assembly = Assembly(folder)
    if not (folder / MANIFEST).exists():
        kind = "an empty folder" if not any(folder.iterdir()) else "a folder"
        raise SourceError(f'{kind} without "{MANIFEST}"', file=str(folder), help=_HELP)
    _read_folder(assembly, folder, set())
    return assembly


def _read_folder(assembly: Assembly, folder: Path, seen: set[Path]) -> None:
    place = folder.resolve()
    if place in seen:
        raise SourceError("the manifest leads back to its own folder", file=str(folder / MANIFEST))
    seen.add(place)
    file = source_file(folder / MANIFEST, assembly.root)
    manifest = read_json_file(file.read(MAXIMUM_ASSEMBLY_FILE_BYTES), str(file.path))
    if not isinstance(manifest, Mapping) or not isinstance(manifest.get("version"), str):
        raise _error(folder, 'an object with the text "version" is expected')
    artifacts = manifest.get("artifacts", {})
    if not isinstance(artifacts, Mapping):
        raise _error(folder, '"artifacts" is no object')
    origin = Origin(file.shown, file.shown, file=file.shown)
    if manifest.get("missing"):
        what = _providers(manifest["missing"])
        reason = f"lookups are still missing{what}: the templates hold placeholders for them"
        assembly.not_covered.append(NotCovered(origin, reason, may_change_key_access=True))
    if (folder / _ROLE_REPORT).exists():
        reason = f'"{_ROLE_REPORT}" asks for roles and policies that the templates do not hold'
        assembly.not_covered.append(NotCovered(origin, reason, may_change_key_access=True))
    for name, artifact in artifacts.items():
        if not isinstance(artifact, Mapping) or not isinstance(artifact.get("type"), str):
            raise _error(folder, f'artifact "{name}" has no type')
        kind = artifact["type"]
        properties = artifact.get("properties", {})
        if not isinstance(properties, Mapping):
            raise _error(folder, f'the properties of artifact "{name}" are no object')
        if kind == _STACK:
            assembly.stacks.append(_stack(assembly, folder, name, artifact, properties))
        elif kind == _NESTED_ASSEMBLY:
            inner = _inside(assembly, folder, properties.get("directoryName"), "directoryName")
            _read_folder(assembly, inner, seen)
        elif kind == _ASSET_MANIFEST:
            path = _inside(assembly, folder, properties.get("file"), "file")
            assembly.assets.update(_assets(assembly, path))
        elif kind not in _IGNORED:
            reason = f'artifact "{name}" of type "{kind}" is not evaluated'
            assembly.not_covered.append(NotCovered(origin, reason))


def _stack(
    assembly: Assembly,
    folder: Path,
    name: str,
    artifact: Mapping[str, Any],
    properties: Mapping[str, Any],
) -> Stack:
    path = _inside(assembly, folder, properties.get("templateFile"), "templateFile")
    template = read_template(source_file(path, assembly.root), may_be_empty=True)
    stack_name = properties.get("stackName", name)
    if not isinstance(stack_name, str) or not _STACK_NAME.fullmatch(stack_name):
        raise _error(folder, f'"{stack_name}" is no name for a stack')
    environment = _environment(folder, artifact.get("environment"))
    deployer = properties.get("cloudFormationExecutionRoleArn")
    display = artifact.get("displayName", name)
    return Stack(
        identity=stack_name,
        container=stack_name,
        name=stack_name,
        template=template,
        environment=environment,
        construct_path=display if isinstance(display, str) else name,
        constructs=read_constructs(_metadata(assembly, folder, artifact), path.name),
        given=_mapping(properties.get("parameters")),
        tags={key: str(value) for key, value in _mapping(properties.get("tags")).items()},
        deployer=deployer if isinstance(deployer, str) else "",
    )


def _environment(folder: Path, node: Any) -> Environment:
    match = _ENVIRONMENT.fullmatch(node) if isinstance(node, str) else None
    if match is None:
        raise _error(folder, f'environment "{node}" is not of the form "aws://ACCOUNT/REGION"')
    account, region = match.groups()
    return Environment.of(
        account if _ACCOUNT.fullmatch(account) else UNKNOWN_ACCOUNT,
        region if _REGION.fullmatch(region) and region != "unknown-region" else UNKNOWN_REGION,
    )


def _metadata(assembly: Assembly, folder: Path, artifact: Mapping[str, Any]) -> Any:
    """The metadata of a stack: in a file of its own, or inline from older libraries."""
    name = artifact.get("additionalMetadataFile")
    if name is None:
        return artifact.get("metadata")
    path = _inside(assembly, folder, name, "additionalMetadataFile")
    file = source_file(path, assembly.root)
    if not path.exists():
        return artifact.get("metadata")
    return read_json_file(file.read(MAXIMUM_ASSEMBLY_FILE_BYTES), str(path))


def _assets(assembly: Assembly, path: Path) -> Iterator[tuple[str, Path]]:
    if not path.exists():
        return
    file = source_file(path, assembly.root)
    manifest = read_json_file(file.read(MAXIMUM_ASSEMBLY_FILE_BYTES), str(path))
    files = manifest.get("files") if isinstance(manifest, Mapping) else None
    for asset, node in _mapping(files).items():
        source = node.get("source") if isinstance(node, Mapping) else None
        name = source.get("path") if isinstance(source, Mapping) else None
        if isinstance(name, str) and lies_inside(path.parent / name, assembly.root):
            yield asset, path.parent / name


def _inside(assembly: Assembly, folder: Path, name: Any, field_name: str) -> Path:
    if not isinstance(name, str) or not name or "\0" in name:
        raise _error(folder, f'"{field_name}" is no path')
    if not lies_inside(folder / name, assembly.root):
        raise _error(folder, f'"{field_name}" leads out of the folder: "{name}"')
    return folder / name


def _providers(missing: Any) -> str:
    """What is looked up: `availability-zones`, `key-provider`, …"""
    entries = missing if isinstance(missing, list) else []
    names = {entry.get("provider") for entry in entries if isinstance(entry, Mapping)}
    known = sorted(name for name in names if isinstance(name, str))
    return f" ({', '.join(known)})" if known else ""


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}


def _error(folder: Path, message: str) -> SourceError:
    return SourceError(f"no manifest: {message}", file=str(folder / MANIFEST), help=_HELP)
