"""`kms-access schema`: what other programs check our files with."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kms_access.cli import main
from kms_access.cli.schema import SCHEMAS

TEMPLATE = {
    "Resources": {"Data": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": 1}}}
}
WRITTEN_BY = {"report": ("check", "--format", "json"), "map": ("map", "--format", "json")}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(list(arguments))
    return capsys.readouterr().out


@pytest.mark.parametrize("what", WRITTEN_BY)
def test_describes_what_a_command_writes(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads(printed(capsys, "schema", what))
    template = tmp_path / "template.json"
    template.write_text(json.dumps(TEMPLATE))
    written = json.loads(printed(capsys, *WRITTEN_BY[what], str(template)))
    jsonschema.validate(written, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, "version": "other"}, schema)


def test_without_a_word_it_is_that_of_the_rules_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "schema") == printed(capsys, "schema", "rules")
    assert len({printed(capsys, "schema", what) for what in SCHEMAS}) == len(SCHEMAS)
