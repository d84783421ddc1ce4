"""Lines of the program: in a state, and while a program runs under mocks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_access.sources import load
from kms_access.sources.pulumi.positions import NOWHERE, position_in_run, position_in_state
from kms_access.sources.pulumi.program import load_program

IN_STATE = {
    "project:///__main__.py#12": ("__main__.py", 12),
    "project:///keys/ledger%20key.py#7,3": ("keys/ledger key.py", 7),
    "project:///../.venv/lib/python3.11/site-packages/pulumi_github/team_members.py#245": NOWHERE,
    "project:///.venv/lib/python3.11/site-packages/x.py#1": NOWHERE,
    "project:///node_modules/@pulumi/aws/kms/key.js#88,1": NOWHERE,
    "project:///../shared.py#3": NOWHERE,
    "project:///a.py": NOWHERE,
    "project:///a.py#x": NOWHERE,
    "project:///#1": NOWHERE,
    "file:///home/a.py#1": NOWHERE,
    "": NOWHERE,
}


@pytest.mark.parametrize("uri", IN_STATE)
def test_in_a_state(uri: str) -> None:
    assert position_in_state(uri) == IN_STATE[uri]


@pytest.mark.parametrize("value", [None, 5, ["project:///a.py#1"], {}])
def test_no_position_at_all(value: object) -> None:
    assert position_in_state(value) == NOWHERE


def test_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inside = (tmp_path / "infra" / "a b.py").as_uri()
    assert position_in_run(inside, 4) == ("infra/a b.py", 4)
    assert position_in_run((tmp_path.parent / "a.py").as_uri(), 4) == NOWHERE
    assert position_in_run(inside, 0) == NOWHERE
    assert position_in_run("", 4) == NOWHERE


def test_the_line_of_a_resource_of_a_state(tmp_path: Path) -> None:
    key = {
        "urn": "urn:pulumi:prod::shop::aws:kms/key:Key::ledger",
        "type": "aws:kms/key:Key",
        "custom": True,
        "inputs": {"policy": "{}"},
        "sourcePosition": "project:///__main__.py#9",
    }
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": [key]}}))
    (found,) = load([path]).keys
    assert (found.origin.file, found.origin.line) == ("__main__.py", 9)


def test_the_line_of_a_resource_of_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pulumi_aws")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "Pulumi.prod.yaml").write_text("config:\n  aws:region: eu-central-1\n")
    (folder / "keys.py").write_text("import pulumi_aws as aws\n\nkey = aws.kms.Key('ledger')\n")
    (folder / "__main__.py").write_text("import keys\n")
    (found,) = load_program(Path("infra"), stack="prod").keys
    assert (found.origin.file, found.origin.line) == ("infra/keys.py", 3)
