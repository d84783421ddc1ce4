"""A Pulumi program in Python -> Inventory, without an engine, a plugin or the cloud.

The program runs under mocks in a process of its own (`policypack.mocked_program`). What only a
deployment can tell is made up there, and is unknown text here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.sources.interface import SourceError
from kms_access.sources.pulumi.made_up import UNKNOWN_VALUE, with_meanings
from kms_access.sources.pulumi.positions import position_in_run
from kms_access.sources.pulumi.project import Project, load_project
from kms_access.sources.pulumi.reader import read_stack
from kms_access.sources.pulumi.resource import StackResource

_MOST_SECONDS = 300
_MOST_LINES = 20
_INSTALL = "install kms-access[pulumi] into the interpreter that runs the program"


def load_program(folder: Path, *, stack: str = "", account: str = "") -> Inventory:
    """Run the program in `folder` for one stack and read what it registers.

    `account` is the account id where the providers leave it open. Raises `SourceError` for a
    folder that is no project and for a program that fails, with the line of the program.
    """
    project = load_project(folder, stack)
    result = _run(project, account)
    error = result["error"]
    if error is not None:
        if error["isOurs"]:
            raise RuntimeError(f"the mocks failed: {error['message']}")
        file = error.get("file", "")
        place = os.path.relpath(file) if file else str(project.entry)
        message = f"the program failed: {error['message']}"
        raise SourceError(message, place, error.get("line"), help=error["help"])
    return _inventory(result, account)


def _run(project: Project, account: str) -> Mapping[str, Any]:
    spec = importlib.util.find_spec("policypack")
    if spec is None or not spec.submodule_search_locations:
        raise SourceError("the package policypack of kms-access is missing", help=_INSTALL)
    runner = Path(spec.submodule_search_locations[0]) / "mocked_program" / "__main__.py"
    request = {
        "project": project.name,
        "stack": project.stack,
        "folder": str(project.folder.resolve()),
        "entry": str(project.entry.resolve()),
        "config": dict(project.config),
        "encrypted": project.encrypted,
        "account": account,
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "",
    }
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "request.json", Path(folder) / "result.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        # Without "-P" the modules beside the runner would hide the program's own.
        command = [sys.executable, "-P", str(runner), str(asked), str(answered)]
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=_MOST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            message = f"the program did not end within {_MOST_SECONDS} seconds"
            raise SourceError(message, str(project.entry)) from None
        if answered.is_file():
            content: Mapping[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
            return content
    if "NO-PULUMI" in ended.stderr:
        raise SourceError(f'"{sys.executable}" has no pulumi package', help=_INSTALL)
    said = "\n  ".join((ended.stdout + ended.stderr).strip().splitlines()[-_MOST_LINES:])
    raise SourceError(
        f"the program ended its process with code {ended.returncode}: {said}", str(project.entry)
    )


def _inventory(result: Mapping[str, Any], account: str) -> Inventory:
    entries: Sequence[Mapping[str, Any]] = result["resources"]
    providers: Mapping[str, Mapping[str, Any]] = result["providers"]
    resources = [
        StackResource(
            entry["urn"],
            entry["type"],
            inputs=entry["inputs"],
            # Without any output a resource without inputs would count as left out.
            outputs={"id": UNKNOWN_VALUE},
            property_dependencies=entry["propertyDependencies"],
            provider=providers.get(entry["provider"], {}),
            provider_urn=entry["provider"],
            file=position[0],
            line=position[1],
        )
        for entry in entries
        if entry["kind"] == "registered"
        for position in (position_in_run(*entry["position"]),)
    ]
    inventory = read_stack(with_meanings(resources, result["madeUp"], account), account=account)
    gaps = [gap for entry in entries if (gap := _gap(entry)) is not None]
    return replace(inventory, not_covered=(*inventory.not_covered, *gaps))


def _gap(entry: Mapping[str, Any]) -> NotCovered | None:
    resource = StackResource(entry["urn"], entry["type"])
    origin = Origin(resource.urn, resource.name, resource.stack)
    call = f'"{resource.name}" ({resource.type})'
    if entry["kind"] == "remote":
        reason = f"component {call} makes its resources in a plugin, which does not run here"
        return NotCovered(origin, reason, True)
    if entry["kind"] == "read" and resource.type.startswith(("aws:kms/", "aws:iam/")):
        reason = f"resource {call} is only read by the program and is not evaluated"
        return NotCovered(origin, reason)
    return None
