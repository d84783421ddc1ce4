"""Which files of an assembly were judged, so that what was written past the guard is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cdk_aspects._assembly import MANIFEST, read_manifest

_STACK = "aws:cloudformation:stack"
_STAGE = "cdk:cloud-assembly"
_TEMPLATES = "*.template.json"  # those of nested stacks included
_ROOT_MANIFEST = f'"{MANIFEST}"'
Files = Mapping[Path, "File"]


@dataclass(frozen=True, slots=True)
class File:
    """A manifest or a template: the part of the app that a person knows, and a digest."""

    part_of: str
    digest: bytes


def files_of(assembly: Path) -> Files:
    """The manifests and templates of an assembly by absolute path, those of its Stages included.

    Raises what reading a file or following a manifest raises.
    """
    return dict(_files(assembly.resolve(), "", set()))


def not_judged(judged: Files, assembly: Path) -> list[str]:
    """The Stages and templates that are not as they were judged, sorted.

    A folder without a manifest holds nothing that could be deployed; a manifest that cannot be
    followed was not judged.
    """
    if not (assembly / MANIFEST).exists():
        return []
    try:
        present = files_of(assembly)
    except Exception:
        return [_ROOT_MANIFEST]
    parts = {file.part_of for path, file in present.items() if judged.get(path) != file}
    # A template says more than the manifest that names it.
    return sorted(parts - {_ROOT_MANIFEST}) or sorted(parts)


def _files(folder: Path, stage: str, seen: set[Path]) -> Iterator[tuple[Path, File]]:
    if folder in seen:
        return
    seen.add(folder)
    templates = set(folder.glob(_TEMPLATES))
    stages = {}
    for name, artifact in read_manifest(folder).get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == _STACK:
            templates.add(folder / properties["templateFile"])
        elif artifact.get("type") == _STAGE:
            stages[folder / properties["directoryName"]] = properties.get("displayName", name)
    if not stage and not templates and not stages:
        return  # an app without stacks, about which nobody is asked
    for path in (folder / MANIFEST, *templates):
        part_of = f'stage "{stage}"' if stage else f'"{path.name}"'
        yield path, File(part_of, hashlib.blake2b(path.read_bytes()).digest())
    for directory, name in stages.items():
        yield from _files(directory.resolve(), name, seen)
