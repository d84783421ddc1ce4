"""What the function `aws:iam/getPolicyDocument:getPolicyDocument` answers.

As the AWS provider computes it (terraform-provider-aws, `policy_document_data_source.go` and
`policy_model.go`): a later statement replaces an earlier one with the same Sid, several blocks of
one kind are joined, and the newest version counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

CURRENT_VERSION = "2012-10-17"
_LISTS = (
    ("actions", "Action"),
    ("notActions", "NotAction"),
    ("resources", "Resource"),
    ("notResources", "NotResource"),
)
_VARIABLES = ("Resource", "NotResource")
"""The lists in which "&{" stands for "${", as it does in principals and conditions."""


class DocumentError(ValueError):
    """Arguments that the provider refuses."""


def get_policy_document(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the function; raises `DocumentError` where the provider refuses."""
    merged: dict[str, Any] = {"Version": "", "Id": "", "Statement": []}
    seen: set[str] = set()
    for number, text in enumerate(arguments.get("sourcePolicyDocuments") or ()):
        source = _parsed(text, f"source document {number}")
        for statement in source["Statement"]:
            sid = statement.get("Sid")
            if sid and sid in seen:
                raise DocumentError(f"duplicate Sid ({sid}) in source_policy_documents")
            seen.add(sid)
        _merge(merged, source)
    _merge(merged, _own(arguments))
    for number, text in enumerate(arguments.get("overridePolicyDocuments") or ()):
        _merge(merged, _parsed(text, f"override document {number}"))
    document = {key: value for key, value in merged.items() if value}
    rendered = json.dumps(document, indent=2)
    return {
        **arguments,
        "version": arguments.get("version") or CURRENT_VERSION,
        "id": str(sum(rendered.encode())),
        "json": rendered,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }


def _own(arguments: Mapping[str, Any]) -> dict[str, Any]:
    version = arguments.get("version") or CURRENT_VERSION
    statements = [_statement(given, version) for given in arguments.get("statements") or ()]
    sids = [statement["Sid"] for statement in statements if "Sid" in statement]
    for sid in sids:
        if sids.count(sid) > 1:
            raise DocumentError(f"duplicate Sid ({sid})")
    return {"Version": version, "Id": arguments.get("policyId") or "", "Statement": statements}


def _merge(merged: dict[str, Any], new: Mapping[str, Any]) -> None:
    merged["Id"] = new["Id"] or merged["Id"]
    merged["Version"] = max(merged["Version"], new["Version"])
    statements = merged["Statement"]
    for statement in new["Statement"]:
        sid = statement.get("Sid")
        places = [i for i, earlier in enumerate(statements) if sid and earlier.get("Sid") == sid]
        if places:
            statements[places[0]] = statement
        else:
            statements.append(statement)


def _parsed(text: Any, what: str) -> dict[str, Any]:
    if not text:
        return {"Version": "", "Id": "", "Statement": []}
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DocumentError(f"merging {what}: no JSON: {error}") from None
    statements = document.get("Statement") or [] if isinstance(document, dict) else None
    if not isinstance(statements, list) or not all(isinstance(item, dict) for item in statements):
        raise DocumentError(f"merging {what}: the Statement is no list of objects")
    return {
        "Version": document.get("Version") or "",
        "Id": document.get("Id") or "",
        "Statement": [_with_provider_conditions(item) for item in statements],
    }


def _with_provider_conditions(statement: dict[str, Any]) -> dict[str, Any]:
    """The provider reads text, booleans and lists of text as values, and loses numbers."""
    given = statement.get("Condition")
    if not isinstance(given, dict):
        return statement
    conditions: dict[str, dict[str, Any]] = {}
    for test, variables in given.items():
        for variable, values in variables.items():
            if isinstance(values, bool):
                conditions.setdefault(test, {})[variable] = "true" if values else "false"
            elif isinstance(values, (str, list)):
                conditions.setdefault(test, {})[variable] = _single(values)
    rest = {key: value for key, value in statement.items() if key != "Condition"}
    return {**rest, "Condition": conditions} if conditions else rest


def _statement(given: Mapping[str, Any], version: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if given.get("sid"):
        result["Sid"] = given["sid"]
    result["Effect"] = given.get("effect") or "Allow"
    for source, target in _LISTS:
        if given.get(source):
            values = _set_of(given[source])
            result[target] = _with_variables(values, version) if target in _VARIABLES else values
    for source, target in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if given.get(source):
            result[target] = _principals(given[source], version)
    if given.get("conditions"):
        result["Condition"] = _conditions(given["conditions"], version)
    return result


def _principals(given: Iterable[Mapping[str, Any]], version: str) -> Any:
    blocks = [
        (block["type"], _with_variables(_set_of(block["identifiers"]), version)) for block in given
    ]
    if len(blocks) == 1 and blocks[0] == ("*", "*"):
        return "*"
    joined: dict[str, Any] = {}
    for kind, identifiers in blocks:
        if kind not in joined:
            joined[kind] = identifiers
        else:
            joined[kind] = [*_as_list(joined[kind]), *_as_list(identifiers)]
    return joined


def _conditions(given: Iterable[Mapping[str, Any]], version: str) -> dict[str, dict[str, Any]]:
    joined: dict[str, dict[str, list[str]]] = {}
    for block in given:
        values = _as_list(_with_variables(list(block["values"]), version))
        joined.setdefault(block["test"], {}).setdefault(block["variable"], []).extend(values)
    return {
        test: {variable: _single(values) for variable, values in variables.items()}
        for test, variables in joined.items()
    }


def _with_variables(values: Any, version: str) -> Any:
    if isinstance(values, list):
        return [_with_variables(value, version) for value in values]
    if "&{" in values and version == "2008-10-17":
        raise DocumentError(f"found &{{ in ({values}), which version 2008-10-17 does not support")
    return values.replace("&{", "${")


def _set_of(values: Iterable[str]) -> Any:
    """The provider keeps these as a set and writes it backwards."""
    return _single(sorted(set(values), reverse=True))


def _single(values: Any) -> Any:
    return values[0] if isinstance(values, list) and len(values) == 1 else values


def _as_list(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]
