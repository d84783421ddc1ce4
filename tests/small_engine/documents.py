"""Policy documents as AWS and its provider write them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .model import EngineError

VERSION = "2012-10-17"


def default_key_policy(partition: str, account: str) -> str:
    """The policy that AWS gives a key created without one."""
    return _compact(
        {
            "Id": "key-default-1",
            "Statement": [
                {
                    "Action": "kms:*",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                    "Resource": "*",
                    "Sid": "Enable IAM User Permissions",
                }
            ],
            "Version": VERSION,
        }
    )


def render_policy_document(args: Mapping[str, Any]) -> dict[str, Any]:
    """The result of `aws:iam/getPolicyDocument:getPolicyDocument`."""
    document: dict[str, Any] = {"Version": args.get("version") or VERSION}
    if args.get("policyId"):
        document["Id"] = args["policyId"]
    statements: list[dict[str, Any]] = []
    for source in [args.get("sourceJson"), *(args.get("sourcePolicyDocuments") or [])]:
        _merge(statements, _parse(source), document)
    own = [_statement(item) for item in args.get("statements") or []]
    named = [item["Sid"] for item in own if item.get("Sid")]
    if len(named) != len(set(named)):
        raise EngineError("getPolicyDocument: duplicate Sid in statements")
    _override(statements, own)
    for override in [args.get("overrideJson"), *(args.get("overridePolicyDocuments") or [])]:
        parsed = _parse(override)
        _override(statements, parsed.get("Statement", []))
        document |= {key: parsed[key] for key in ("Id",) if parsed.get(key)}
    document["Statement"] = statements
    minified = _compact(document)
    return {
        **{key: value for key, value in args.items() if value is not None},
        "version": document["Version"],
        "id": str(sum(minified.encode())),
        "json": json.dumps(document, indent=2),
        "minifiedJson": minified,
    }


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _parse(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    document = json.loads(text)
    statements = document.get("Statement", [])
    document["Statement"] = statements if isinstance(statements, list) else [statements]
    return dict(document)


def _merge(
    statements: list[dict[str, Any]], source: Mapping[str, Any], document: dict[str, Any]
) -> None:
    present = {item.get("Sid") for item in statements if item.get("Sid")}
    for item in source.get("Statement", []):
        if item.get("Sid") in present:
            raise EngineError(
                f'getPolicyDocument: duplicate Sid "{item["Sid"]}" in source documents'
            )
        statements.append(item)
    if source.get("Id"):
        document.setdefault("Id", source["Id"])


def _override(statements: list[dict[str, Any]], later: Iterable[dict[str, Any]]) -> None:
    for item in later:
        sid = item.get("Sid")
        for index, earlier in enumerate(statements):
            if sid and earlier.get("Sid") == sid:
                statements[index] = item
                break
        else:
            statements.append(item)


def _statement(given: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if given.get("sid"):
        result["Sid"] = given["sid"]
    result["Effect"] = given.get("effect") or "Allow"
    for source, target in (
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    ):
        if given.get(source):
            result[target] = _one_or_many(given[source])
    for source, target in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if given.get(source):
            result[target] = _principals(given[source])
    if given.get("conditions"):
        result["Condition"] = _conditions(given["conditions"])
    return result


def _one_or_many(values: Iterable[str]) -> str | list[str]:
    # The provider keeps "${" for its own templates and takes "&{" for policy variables.
    items = sorted({item.replace("&{", "${") for item in values}, reverse=True)
    return items[0] if len(items) == 1 else items


def _principals(given: Iterable[Mapping[str, Any]]) -> str | dict[str, str | list[str]]:
    by_type: dict[str, list[str]] = {}
    for item in given:
        by_type.setdefault(item["type"], []).extend(item["identifiers"])
    if by_type.keys() == {"*"} and set(by_type["*"]) == {"*"}:
        return "*"
    return {kind: _one_or_many(values) for kind, values in by_type.items()}


def _conditions(given: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str | list[str]]]:
    merged: dict[str, dict[str, list[str]]] = {}
    for item in given:
        merged.setdefault(item["test"], {}).setdefault(item["variable"], []).extend(item["values"])
    return {
        test: {variable: _one_or_many(values) for variable, values in variables.items()}
        for test, variables in merged.items()
    }
