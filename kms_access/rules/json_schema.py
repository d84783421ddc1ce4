"""The JSON Schema of access-rules.yaml, made from the types of the file format."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)

from kms_access.rules.file_format import Between, Matches, OneOf, RulesEntry, Says

FILE_NAME = "access-rules.schema.json"
Schema: TypeAlias = dict[str, Any]

_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_BOUNDS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
    "integer": ("minimum", "maximum"),
}


def generated_schema_text() -> str:
    """The schema as the types say it now, ready to be written to `FILE_NAME`."""
    return json.dumps(schema_of_rules_file(), indent=2) + "\n"


def schema_of_rules_file() -> Schema:
    """Draft 7, which the YAML support of editors knows best."""
    definitions: dict[str, Schema] = {}
    root = _schema(RulesEntry, definitions)
    body = definitions.pop(RulesEntry.__name__)
    assert root == {"$ref": f"#/definitions/{RulesEntry.__name__}"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "access-rules.yaml of kms-access",
        **body,
        "definitions": dict(sorted(definitions.items())),
    }


def _schema(kind: Any, definitions: dict[str, Schema]) -> Schema:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        found = _schema(arguments[0], definitions)
        for mark in arguments[1:]:
            found = _marked(found, mark, definitions)
        return found
    if origin in (NotRequired, Required):
        return _schema(arguments[0], definitions)
    if is_typeddict(kind):
        return _record(kind, definitions)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return _any_of([_schema(argument, definitions) for argument in arguments])
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is dict:
        return _mapping(*(_schema(argument, definitions) for argument in arguments))
    return {"type": _TYPES[kind]}


def _any_of(schemas: list[Schema]) -> Schema:
    if all(set(schema) == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def _mapping(names: Schema, values: Schema) -> Schema:
    found: Schema = {"type": "object", "additionalProperties": values}
    if set(names) - {"type", "description"}:
        found["propertyNames"] = {k: v for k, v in names.items() if k != "description"}
    return found


def _record(kind: Any, definitions: dict[str, Schema]) -> Schema:
    name = kind.__name__
    if name not in definitions:
        fields = {
            field: _schema(value, definitions) for field, value in kind.__annotations__.items()
        }
        definitions[name] = {"type": "object", "properties": fields, "additionalProperties": False}
        if kind.__required_keys__:
            definitions[name]["required"] = [f for f in fields if f in kind.__required_keys__]
    return {"$ref": f"#/definitions/{name}"}


def _marked(schema: Schema, mark: object, definitions: dict[str, Schema]) -> Schema:
    if isinstance(mark, Says):
        # In draft 7 nothing beside a reference counts.
        found = {"allOf": [schema]} if "$ref" in schema else schema
        return {**found, "description": mark.text}
    if isinstance(mark, Matches):
        return {**schema, "pattern": f"^({mark.pattern})$"}
    if isinstance(mark, OneOf):
        return {**schema, "enum": list(mark.values)}
    assert isinstance(mark, Between), f"unknown mark {mark}"
    if "$ref" in schema:
        return {"allOf": [schema], **_bounds("object", mark)}
    return {**schema, **_bounds(schema["type"], mark)}


def _bounds(kind: str, mark: Between) -> Schema:
    least, most = _BOUNDS[kind]
    return {least: mark.least, **({most: mark.most} if mark.most else {})}
