"""The JSON Schema of the rules file: current, strict, and of one mind with the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kms_access.cli import main
from kms_access.cli.schema import schema_text
from kms_access.rules import RulesError, load_rules
from kms_access.rules.json_schema import generated_schema_text, schema_of_rules_file
from tests.rules.editor_yaml import as_editors_see_it
from tests.rules.test_checks import EVERY
from tests.rules.test_loader import GOOD, MISTAKES

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(
    path
    for path in (ROOT / "examples").rglob("*rules*.y*ml")
    if not {"node_modules", "cdk.out"} & set(path.parts)
)
VALIDATOR = jsonschema.Draft7Validator(schema_of_rules_file())
FOR_THE_LOADER_ALONE = (
    *("duplicate key", "duplicate nested key", "unknown team"),
    *("anchor", "alias", "tag", "merge key", "second document", "broken YAML", "tab"),
    *("control character", "depth", "empty file"),
)
"""What no schema can say, or what is no YAML."""


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def test_the_shipped_schema_is_current() -> None:
    assert schema_text("rules") == generated_schema_text(), "run scripts/generate_rules_schema.py"


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(schema_of_rules_file())


def test_every_object_is_closed_and_every_field_described() -> None:
    found = list(objects(schema_of_rules_file()))
    assert len(found) == 6
    for schema in found:
        assert schema["additionalProperties"] is False
        for name, field in schema["properties"].items():
            assert field.get("description", "").endswith("."), name


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text("rules")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_is_valid(path: Path) -> None:
    VALIDATOR.validate(as_editors_see_it(path.read_text(encoding="utf-8")))
    load_rules(path)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("rules", sorted({case.rules for case in EVERY.values()} | {GOOD}))
def test_every_rules_file_of_the_tests_is_valid(rules: str) -> None:
    VALIDATOR.validate(as_editors_see_it(rules))


@pytest.mark.parametrize("name", [name for name in MISTAKES if name not in FOR_THE_LOADER_ALONE])
def test_what_the_loader_refuses_by_its_shape_the_schema_refuses_too(
    name: str, tmp_path: Path
) -> None:
    text, _ = MISTAKES[name]
    assert not VALIDATOR.is_valid(as_editors_see_it(text))
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesError):
        load_rules(tmp_path / "rules.yaml")


def test_the_text_is_json_with_a_line_for_each_value() -> None:
    text = schema_text("rules")
    assert json.loads(text) == schema_of_rules_file()
    assert text.endswith("}\n")
