"""Fixtures that write templates into an empty working directory and load them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kms_access.inventory.model import Inventory
from kms_access.sources.cloudformation import load

# The library reads these when it is imported.
os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

ACCOUNT = "111122223333"
REGION = "eu-central-1"

LoadTemplates = Callable[..., Inventory]
LoadAssembly = Callable[..., Inventory]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load_templates(project: Path) -> LoadTemplates:
    """Loads templates as one deployment without account and Region: `load_templates(A={...})`."""

    def load_them(**templates: Any) -> Inventory:
        paths = []
        for name, template in templates.items():
            path = Path(f"{name}.json")
            path.write_text(json.dumps(template), encoding="utf-8")
            paths.append(path)
        return load(paths)

    return load_them


@pytest.fixture
def load_assembly(project: Path) -> LoadAssembly:
    """Loads stacks as a cloud assembly. A stack is a template or a pair of it and of what its
    artifact has beyond `type`, `environment` and `templateFile`."""

    def load_them(**stacks: Any) -> Inventory:
        folder = Path("cdk.out")
        folder.mkdir()
        artifacts = {}
        for name, given in stacks.items():
            template, extra = given if isinstance(given, tuple) else (given, {})
            file = f"{name}.template.json"
            (folder / file).write_text(json.dumps(template), encoding="utf-8")
            properties = {"templateFile": file, **extra.get("properties", {})}
            environment = extra.get("environment", f"aws://{ACCOUNT}/{REGION}")
            artifact = {**extra, "type": "aws:cloudformation:stack", "environment": environment}
            artifacts[name] = {**artifact, "properties": properties}
        manifest = {"version": "55.0.0", "artifacts": artifacts}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return load([folder])

    return load_them
