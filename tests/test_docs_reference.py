"""The pages that are generated say what the code says now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from kms_access.rules import load_rules
from kms_access.rules.checks import CHECKS
from kms_access.rules.json_schema import schema_of_rules_file
from tests.documented import hold_file, script
from tests.rules.editor_yaml import as_editors_see_it

RULES = script("generate_rules_reference")
COMMANDS = script("generate_command_reference")
PICTURE = script("generate_finding_picture")
FIELDS = {
    f"{record.__name__}.{field.name}": (record, field)
    for record in RULES.RECORDS
    for field in RULES.fields_of(record)
}
SCHEMA = schema_of_rules_file()


@pytest.mark.parametrize(
    ("path", "generator", "made"),
    [
        (RULES.PAGE, RULES, RULES.page),
        (COMMANDS.PAGE, COMMANDS, COMMANDS.page),
        (PICTURE.PICTURE, PICTURE, PICTURE.picture),
    ],
    ids=["rules", "commands", "picture"],
)
def test_what_is_generated_is_current(
    path: Path, generator: Any, made: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")  # the picture has its own terminal
    hold_file(path, made(), f"run {generator.__name__}.py of scripts")


def test_the_picture_is_valid_and_loads_nothing() -> None:
    root = ElementTree.fromstring(PICTURE.PICTURE.read_text(encoding="utf-8"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"error", "team-access", "kms:Decrypt"} <= {str(text).split("  ")[0] for text in texts}
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds == {"svg", "title", "rect", "text"}


def test_every_field_of_the_schema_is_described() -> None:
    described = set(FIELDS)
    records = {"RulesEntry": SCHEMA, **SCHEMA["definitions"]}
    assert described == {f"{r}.{f}" for r, schema in records.items() for f in schema["properties"]}


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_of_a_field_is_accepted(name: str) -> None:
    record, field = FIELDS[name]
    assert bool(field.says.without) != field.is_required
    # As an object that holds this field alone; which others it needs is another question.
    schema = SCHEMA if record.__name__ == "RulesEntry" else SCHEMA["definitions"][record.__name__]
    alone = {k: v for k, v in schema.items() if k not in ("required", "definitions")}
    validator = jsonschema.Draft7Validator({**alone, "definitions": SCHEMA["definitions"]})
    example = as_editors_see_it(field.says.example)
    assert list(example) == [field.name]
    validator.validate(example)


def test_the_examples_together_are_a_rules_file(tmp_path: Path) -> None:
    parts = [field.says.example for record, field in FIELDS.values() if record is RULES.RulesEntry]
    without_files = [part for part in parts if not part.startswith("include:")]
    file = tmp_path / "access-rules.yaml"
    file.write_text("\n".join(without_files), encoding="utf-8")
    rules = load_rules(file)
    assert set(rules.teams) == {"payments"}
    assert rules.waivers_at_most_days == 90


def test_every_check_stands_in_the_table() -> None:
    page = RULES.page()
    assert all(f"| [{check}](checks/{check}.md) |" in page for check in CHECKS)
