"""Which files are a part of an assembly, and what counts as not judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdk_aspects import _coverage
from tests.cdk_aspects.assemblies import write_assembly


def test_stages_and_nested_stacks_are_parts(tmp_path: Path) -> None:
    files = _coverage.files_of(write_assembly(tmp_path / "cdk.out"))
    root = (tmp_path / "cdk.out").resolve()
    assert {path.relative_to(root).as_posix(): file.part_of for path, file in files.items()} == {
        "manifest.json": '"manifest.json"',
        "Ledger.template.json": '"Ledger.template.json"',
        "assembly-Prod/manifest.json": 'stage "Prod"',
        "assembly-Prod/Ledger.template.json": 'stage "Prod"',
        "assembly-Prod/Inner.nested.template.json": 'stage "Prod"',
    }


def test_a_template_of_any_name_is_a_part(tmp_path: Path) -> None:
    assembly = write_assembly(tmp_path)
    manifest = json.loads((assembly / "manifest.json").read_text())
    manifest["artifacts"]["Ledger"]["properties"]["templateFile"] = "ledger.json"
    (assembly / "manifest.json").write_text(json.dumps(manifest))
    (assembly / "ledger.json").write_text("{}")
    assert (assembly / "ledger.json").resolve() in _coverage.files_of(assembly)


def test_as_it_was_judged(tmp_path: Path) -> None:
    assembly = write_assembly(tmp_path)
    judged = _coverage.files_of(assembly)
    (assembly / "validation-report.json").write_text("{}")
    assert _coverage.not_judged(judged, assembly) == []


def test_the_manifest_alone(tmp_path: Path) -> None:
    """Another account for a stack is another access, with the same template."""
    assembly = write_assembly(tmp_path)
    judged = _coverage.files_of(assembly)
    manifest = assembly / "manifest.json"
    manifest.write_text(manifest.read_text().replace("111122223333", "444455556666"))
    assert _coverage.not_judged(judged, assembly) == ['"manifest.json"']


def test_a_stage_that_came_later(tmp_path: Path) -> None:
    assembly = write_assembly(tmp_path)
    judged = _coverage.files_of(assembly)
    manifest = json.loads((assembly / "manifest.json").read_text())
    later = {"directoryName": "assembly-Later", "displayName": "Later"}
    manifest["artifacts"]["Later"] = {"type": "cdk:cloud-assembly", "properties": later}
    (assembly / "manifest.json").write_text(json.dumps(manifest))
    write_assembly(assembly / "assembly-Later")
    assert _coverage.not_judged(judged, assembly) == ['stage "Later"', 'stage "Prod"']


@pytest.mark.parametrize("text", ["", "[]", '{"artifacts": {"S": {"type": "cdk:cloud-assembly"}}}'])
def test_a_manifest_that_cannot_be_followed_was_not_judged(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert _coverage.not_judged({}, tmp_path) == ['"manifest.json"']


def test_a_manifest_that_leads_back_ends(tmp_path: Path) -> None:
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Loop": stage}}))
    assert len(_coverage.files_of(tmp_path)) == 1
