"""The case tables of tests/cases/authorize, through the JSON Lines form of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kms_access.decisions.request_json import answer, read_request

CASES = Path(__file__).parent.parent / "cases" / "authorize"


def merged(base: Any, change: Any) -> Any:
    """Mappings are merged at every depth, anything else is replaced."""
    if not isinstance(base, Mapping) or not isinstance(change, Mapping):
        return change
    result = dict(base)
    for key, value in change.items():
        result[key] = merged(base[key], value) if key in base else value
    return result


def cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        fixtures = content.get("fixtures", {})
        for case in content["cases"]:
            request = merged(fixtures.get(case.get("from"), {}), case.get("request", {}))
            rule = case["rule"] if isinstance(case["rule"], str) else ",".join(case["rule"])
            yield pytest.param(case, request, id=f"{file.stem}: {rule} {case['name']}")


@pytest.mark.parametrize(("case", "request_"), list(cases()))
def test_case(case: Mapping[str, Any], request_: Mapping[str, Any]) -> None:
    result = answer(read_request(json.dumps(request_)))
    assert result["decision"] == case["decision"], result
    rules = [finding["rule"] for finding in result["findings"]]
    if case.get("findings") == []:
        assert rules == [], result
    assert set(case.get("findings") or ()) <= set(rules), result
    given = [
        {"policy": item["policy"], "statement": item.get("statement")}
        for item in result["responsible"]
    ]
    for wanted in case.get("responsible", ()):
        assert {"policy": wanted["policy"], "statement": wanted.get("statement")} in given, result
