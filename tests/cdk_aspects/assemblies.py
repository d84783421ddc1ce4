"""A small assembly on disk, without a synthesis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STACK = {
    "type": "aws:cloudformation:stack",
    "environment": "aws://111122223333/eu-west-1",
    "properties": {"templateFile": "Ledger.template.json"},
}
STAGE = {
    "type": "cdk:cloud-assembly",
    "properties": {"directoryName": "assembly-Prod", "displayName": "Prod"},
}


def write_assembly(folder: Path) -> Path:
    """A stack in the app, and a Stage with a stack and a nested stack."""
    stage = folder / "assembly-Prod"
    stage.mkdir(parents=True)
    _write(folder / "manifest.json", _manifest(Ledger=STACK, Prod=STAGE))
    _write(stage / "manifest.json", _manifest(Ledger=STACK))
    for template in (folder / "Ledger", stage / "Ledger", stage / "Inner.nested"):
        _write(template.with_name(f"{template.name}.template.json"), {})
    return folder


def _manifest(**artifacts: object) -> dict[str, object]:
    return {"version": "55.0.0", "artifacts": artifacts}


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))
