"""Other ways to write the policies of a template that mean the same (guardrails reference, G15)."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_EVERYONE = "*"
_INLINE_TOKEN = re.compile("\ue000([0-9]+)\ue001")


def _is_intrinsic(node: Any) -> bool:
    return (
        isinstance(node, Mapping)
        and len(node) == 1
        and next(iter(node)).startswith(("Fn::", "Ref"))
    )


def as_lists(policy: Any) -> Any:
    """Every single value in a list, a single statement too."""
    return _with_statements(policy, _statement_with_lists, lambda found: found)


def as_scalars(policy: Any) -> Any:
    """Every list of one value as that value, a list of one statement too."""
    return _with_statements(
        policy, _statement_with_scalars, lambda found: found[0] if len(found) == 1 else found
    )


def in_other_order(policy: Any) -> Any:
    """Statements, values and the elements of each object backwards."""
    if isinstance(policy, str):
        return json.dumps(in_other_order(json.loads(policy)))
    return _backwards(policy)


def in_other_case(policy: Any) -> Any:
    """Action names in the other case (K19)."""

    def swapped(statement: dict[str, Any]) -> dict[str, Any]:
        return {
            name: _each(str.swapcase, value) if name in ("Action", "NotAction") else value
            for name, value in statement.items()
        }

    return _with_statements(policy, swapped, None)


def with_other_everyone(policy: Any) -> Any:
    """`"*"` for `{"AWS": "*"}` and the other way round (K57)."""

    def swapped(statement: dict[str, Any]) -> dict[str, Any]:
        others = {json.dumps(_EVERYONE): {"AWS": _EVERYONE}, json.dumps({"AWS": "*"}): _EVERYONE}
        principal = statement.get("Principal")
        other = others.get(json.dumps(principal))
        return statement if other is None else {**statement, "Principal": other}

    return _with_statements(policy, swapped, None)


def as_other_carrier(policy: Any) -> Any:
    """An object as a text that holds its JSON, with Fn::Join where it has values of functions;
    a text as the object that it holds."""
    if isinstance(policy, str):
        return json.loads(policy)
    intrinsics: list[Any] = []

    def tokens(node: Any) -> Any:
        if _is_intrinsic(node):
            intrinsics.append(node)
            return f"\ue000{len(intrinsics) - 1}\ue001"
        if isinstance(node, Mapping):
            return {name: tokens(value) for name, value in node.items()}
        return [tokens(item) for item in node] if isinstance(node, list) else node

    text = json.dumps(tokens(policy), ensure_ascii=False)
    if not intrinsics:
        return text
    parts = _INLINE_TOKEN.split(text)
    joined = [intrinsics[int(part)] if i % 2 else part for i, part in enumerate(parts)]
    return {"Fn::Join": ["", joined]}


REWRITINGS: Mapping[str, Callable[[Any], Any]] = {
    "lists": as_lists,
    "scalars": as_scalars,
    "order": in_other_order,
    "action case": in_other_case,
    "everyone": with_other_everyone,
    "object or text": as_other_carrier,
}


def rewritten(template: Mapping[str, Any], rewriting: str) -> dict[str, Any] | None:
    """The template with its key policies and identity policies rewritten; None where nothing
    changes, or where a key policy has no text form that means the same."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    for resource in changed["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::KMS::Key" and "KeyPolicy" in properties:
            policy = properties["KeyPolicy"]
            if _is_intrinsic(policy) or (rewriting == "object or text" and _is_open(policy)):
                continue
            properties["KeyPolicy"] = REWRITINGS[rewriting](policy)
        for inline in properties.get("Policies", ()):
            if rewriting not in ("object or text", "everyone"):
                inline["PolicyDocument"] = REWRITINGS[rewriting](inline["PolicyDocument"])
    return None if json.dumps(changed) == json.dumps(template) else changed


def _is_open(policy: Any) -> bool:
    """Whether a text of it could be another document: a function chooses statements, or the value
    of a parameter may hold quotes."""
    text = json.dumps(policy)
    return "Fn::If" in text or '{"Ref": "P"}' in text


def _with_statements(
    policy: Any,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    gather: Callable[[list[Any]], Any] | None,
) -> Any:
    if isinstance(policy, str):
        return json.dumps(_with_statements(json.loads(policy), change, gather))
    written = policy["Statement"]
    statements = written if isinstance(written, list) else [written]
    found = [_changed(one, change) for one in statements]
    if gather is not None:
        return {**policy, "Statement": gather(found)}
    return {**policy, "Statement": found if isinstance(written, list) else found[0]}


def _changed(node: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(node, dict) and "Fn::If" in node:
        name, *choices = node["Fn::If"]
        return {"Fn::If": [name, *(_changed(one, change) for one in choices)]}
    return change(node) if isinstance(node, dict) and not _is_intrinsic(node) else node


def _statement_with_lists(statement: dict[str, Any]) -> dict[str, Any]:
    return _values_changed(statement, lambda node: node if isinstance(node, list) else [node])


def _statement_with_scalars(statement: dict[str, Any]) -> dict[str, Any]:
    return _values_changed(
        statement, lambda node: node[0] if isinstance(node, list) and len(node) == 1 else node
    )


def _values_changed(statement: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """A statement with `change` done to each of its values that may be a scalar or a list."""
    changed = dict(statement)
    for name in ("Action", "NotAction", "Resource"):
        if name in changed:
            changed[name] = change(changed[name])
    for name in ("Principal", "NotPrincipal"):
        if isinstance(changed.get(name), dict):
            changed[name] = {kind: change(value) for kind, value in changed[name].items()}
    if "Condition" in changed:
        changed["Condition"] = {
            operator: {key: change(value) for key, value in values.items()}
            for operator, values in changed["Condition"].items()
        }
    return changed


def _each(change: Callable[[str], str], value: Any) -> Any:
    return [change(item) for item in value] if isinstance(value, list) else change(value)


def _backwards(node: Any) -> Any:
    if _is_intrinsic(node):
        argument = node.get("Fn::If")
        if argument is None:
            return node
        return {"Fn::If": [argument[0], *(_backwards(one) for one in argument[1:])]}
    if isinstance(node, Mapping):
        return {name: _backwards(value) for name, value in reversed([*node.items()])}
    return [_backwards(item) for item in reversed(node)] if isinstance(node, list) else node
