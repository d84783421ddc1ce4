"""Any rules file at all: it is read, or refused with its place, and never ends in a trace."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms_access.rules import Rules, RulesError, load_rules
from kms_access.rules.json_schema import schema_of_rules_file
from tests.rules.check_cases_limits import BOTH
from tests.rules.check_cases_rules import WAIVER
from tests.rules.test_loader import GOOD

SCHEMA = schema_of_rules_file()
SEEDS = (GOOD, BOTH + WAIVER, 'version: 1\nparameters: {A: "1"}\nwaivers-at-most-days: 9\n')
PIECES = (
    *("\n", "  ", "\t", "- ", ": ", "{", "}", "[", "]", ",", '"', "'", "#", "*a", "&a", "!!int "),
    *("|\n", "? ", "%YAML 1.2\n", "---\n", "...\n", "<<: ", "\x00", "\ufeff", "\u2028", "é", "12"),
    *('"\\U00110000"', "0x1F", "~", "2027-02-30", "version: 1\n", "include: [a.yaml]\n", "\\"),
)
NAMES = st.sampled_from(["a", "payments", "prod"])
TEXTS = st.one_of(
    st.sampled_from(["a", "role/x", "alias/x", "2027-01-01", ""]), st.text(max_size=6)
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(data: bytes) -> Rules | RulesError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        path.write_bytes(data)
        try:
            return load_rules(path)
        except RulesError as error:
            return error


def assert_told(outcome: Rules | RulesError, data: bytes) -> None:
    if isinstance(outcome, Rules):
        return
    assert outcome.line, str(outcome)
    assert outcome.column, str(outcome)
    lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", data.decode("utf-8-sig", "replace"))
    assert outcome.line <= len(lines), str(outcome)
    assert outcome.column <= len(lines[outcome.line - 1].encode()) + 1, str(outcome)
    assert outcome.message[:1] == outcome.message[:1].lower()
    assert not outcome.message.endswith(".")
    assert "\n" not in outcome.message
    assert len(outcome.message) < 1_100


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a schema, as far as the rules file's own schema uses its words."""
    if "$ref" in schema:
        return values(SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]])
    if "allOf" in schema:
        (one,) = schema["allOf"]
        return values(one)
    if "anyOf" in schema:
        return st.one_of([values(one) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_type(kind, schema) for kind in kinds])


def _of_type(kind: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "object" if "properties" in schema:
            fields = {name: values(field) for name, field in schema["properties"].items()}
            needed = {n: fields.pop(n) for n in schema.get("required", ())}
            return st.fixed_dictionaries(needed, optional=fields)
        case "object":
            names = values(schema["propertyNames"]) if "propertyNames" in schema else NAMES
            return st.dictionaries(
                names, values(schema["additionalProperties"]), min_size=1, max_size=2
            )
        case "array":
            return st.lists(values(schema["items"]), min_size=1, max_size=2)
        case "string" if "pattern" in schema:
            return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
        case "string":
            return st.text("abz*?-/ ", min_size=schema.get("minLength", 0), max_size=8)
        case "integer":
            return st.integers(schema.get("minimum", -9), schema.get("maximum", 99))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False, width=16)
        case _:
            return st.booleans()


@QUICK
@given(values(SCHEMA), st.booleans())
def test_whatever_the_schema_accepts(document: Any, as_json: bool) -> None:
    text = json.dumps(document) if as_json else yaml.safe_dump(document, allow_unicode=True)
    data = text.encode("utf-8", "surrogatepass")
    assert_told(read(data), data)


@QUICK
@given(
    st.sampled_from(SEEDS),
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 30), st.sampled_from(PIECES)), max_size=4
    ),
)
def test_broken_yaml(seed: str, edits: list[tuple[int, int, str]]) -> None:
    text = seed
    for place, removed, added in edits:
        start = place % (len(text) + 1)
        text = text[:start] + added + text[start + removed :]
    data = text.encode()
    assert_told(read(data), data)


@QUICK
@given(
    st.recursive(
        TEXTS | st.none() | st.integers() | st.booleans(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(sorted(SCHEMA["properties"])) | TEXTS, inner, max_size=3
            ),
        ),
        max_leaves=12,
    )
)
def test_values_of_other_types(value: Any) -> None:
    document = {"version": 1, **value} if isinstance(value, dict) else value
    data = json.dumps(document).encode()
    assert_told(read(data), data)


@QUICK
@given(st.binary(max_size=60))
def test_no_text_at_all(data: bytes) -> None:
    assert_told(read(data), data)
    assert_told(read(b"version: 1\n" + data), b"version: 1\n" + data)
