"""The JSON report against its schema, and what a reader relies on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from kms_access import __version__
from kms_access.inventory.model import Inventory
from kms_access.reports.json import REPORT
from kms_access.rules import Assessment, Rules, assess
from tests.reports.assessments import HOSTILE, hostile

SCHEMA = json.loads(
    (resources.files("kms_access.reports") / "report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)


def document(assessment: Assessment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(REPORT.render(assessment))
    return found


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_report_fits_the_schema(assessment: Assessment) -> None:
    VALIDATOR.validate(document(assessment))


def test_reports_about_nothing_and_of_an_attacker_fit_it_too(everything: Assessment) -> None:
    VALIDATOR.validate(document(assess(Inventory(), Rules())))
    VALIDATOR.validate(document(hostile(everything)))


Path = tuple[str | int, ...]


def objects(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all objects."""
    if isinstance(value, dict):
        yield path
        for name, item in value.items():
            yield from objects(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from objects(item, (*path, index))


def at(value: Any, path: Path) -> dict[str, Any]:
    for step in path:
        value = value[step]
    found: dict[str, Any] = value
    return found


def test_the_schema_takes_no_field_that_it_does_not_name(everything: Assessment) -> None:
    """Every kind of object, with a field more, and without each of its fields."""
    shown = REPORT.render(everything)
    kinds = {
        tuple(step for step in path if isinstance(step, str)): path
        for path in objects(json.loads(shown))
    }
    assert {("findings", "who", "place"), ("waived", "waiver", "place"), ("rules",)} <= set(kinds)
    for path in kinds.values():
        for name in ("unknown", *at(json.loads(shown), path)):
            changed = json.loads(shown)
            target = at(changed, path)
            if name == "unknown":
                target[name] = 1
            else:
                target.pop(name)
            with pytest.raises(ValidationError):
                VALIDATOR.validate(changed)


def test_counts_and_code_say_what_the_lists_hold(everything: Assessment) -> None:
    found = document(everything)
    assert found["version"] == 1
    assert found["tool"]["version"] == __version__
    assert (found["exit_code"], found["result"]) == (everything.exit_code, "violated")
    assert found["counts"] == {
        "keys": 3,
        "principals": len(everything.access_map.subjects),
        "violated": 2,
        "undecided": 1,
        "warnings": 0,
        "waived": len(found["waived"]),
        "known": len(found["known"]),
        "silenced": 1,
        "not_covered": len(found["not_covered"]),
    }
    assert [f["fingerprint"] for f in found["findings"]] == [
        finding.fingerprint for finding in everything.findings
    ]


def test_a_condition_comes_with_a_request_that_succeeds(everything: Assessment) -> None:
    examples = {f["can"]["when"]: f["can"]["example"] for f in document(everything)["findings"]}
    assert examples == {
        "if aws:MultiFactorAuthPresent is true": (
            'kms:Decrypt with aws:MultiFactorAuthPresent "true"'
        ),
        "always": None,
        None: None,
    }


def test_names_are_told_as_they_are(everything: Assessment) -> None:
    shown = HOSTILE.replace("\ud800", "\\ud800")
    found = document(hostile(everything))
    assert found["findings"][0]["who"]["principal"] == f"user {shown}"
    assert REPORT.render(hostile(everything)).isascii()
