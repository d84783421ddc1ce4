"""Stack state in the format of `pulumi stack export`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from .model import EngineError, Options, Resource
from .values import from_state_form, state_form, without_internal

EMPTY: Mapping[str, object] = {"version": 3, "deployment": {"manifest": {}, "resources": []}}


def export_state(resources: Iterable[Resource]) -> dict[str, object]:
    return {
        "version": 3,
        "deployment": {"manifest": {}, "resources": [_export(item) for item in resources]},
    }


def _export(resource: Resource) -> dict[str, object]:
    entry: dict[str, object] = {"urn": resource.urn, "custom": resource.custom}
    if resource.id:
        entry["id"] = resource.id
    entry["type"] = resource.type
    entry["inputs"] = state_form(resource.inputs)
    entry["outputs"] = state_form(without_internal(resource.outputs))
    optional: dict[str, object] = {
        "parent": resource.parent,
        "provider": resource.provider,
        "external": resource.external,
        "protect": resource.options.protect,
        "dependencies": list(resource.dependencies),
        "propertyDependencies": copy.deepcopy(resource.property_dependencies),
        "additionalSecretOutputs": list(resource.options.additional_secret_outputs),
    }
    entry.update({key: item for key, item in optional.items() if item})
    return entry


def import_state(state: Mapping[str, object] | None) -> dict[str, Resource]:
    if state is None:
        return {}
    deployment = state.get("deployment")
    if state.get("version") != 3 or not isinstance(deployment, Mapping):
        raise EngineError("the state is not a version 3 export of a stack")
    try:
        return {item.urn: item for item in map(_import, deployment.get("resources") or [])}
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(f"the state cannot be read: {type(error).__name__}: {error}") from error


def _import(entry: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=entry["urn"],
        type=entry["type"],
        custom=bool(entry["custom"]),
        id=entry.get("id", ""),
        inputs=from_state_form(entry.get("inputs") or {}),
        outputs=from_state_form(entry.get("outputs") or {}),
        parent=entry.get("parent", ""),
        provider=entry.get("provider", ""),
        external=bool(entry.get("external")),
        dependencies=list(entry.get("dependencies") or []),
        property_dependencies={
            key: list(urns)
            for key, urns in (entry.get("propertyDependencies") or {}).items()
            if urns
        },
        options=Options(
            protect=bool(entry.get("protect")),
            additional_secret_outputs=list(entry.get("additionalSecretOutputs") or []),
        ),
    )
