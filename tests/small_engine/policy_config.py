"""Policy pack configuration: levels and properties, layered and validated as the CLI does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft7Validator, ValidationError

from .model import EngineError

LEVELS = ("advisory", "mandatory", "disabled", "remediate")


@dataclass(slots=True)
class PolicySettings:
    level: str = ""
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyInfo:
    name: str
    level: str
    severity: str
    schema: Mapping[str, Any]
    required: Sequence[str]


def parse_config(content: Mapping[str, object]) -> dict[str, PolicySettings]:
    """The content of a `--policy-pack-config` file."""
    result: dict[str, PolicySettings] = {}
    for name, given in content.items():
        if name == "environments":
            raise EngineError('policy config: "environments" needs Pulumi Cloud')
        if isinstance(given, str):
            settings = PolicySettings(_level(name, given))
        elif isinstance(given, Mapping):
            properties = dict(given)
            level = properties.pop("enforcementLevel", None)
            settings = PolicySettings("" if level is None else _level(name, level), properties)
        else:
            raise EngineError(
                f'policy config: parsing "{name}": {given} is not a valid value; '
                "must be a string or object"
            )
        if settings.level or settings.properties:
            result[name] = settings
    return result


def _level(name: str, value: object) -> str:
    if value not in LEVELS:
        raise EngineError(
            f'policy config: parsing enforcement level for "{name}": "{value}" '
            "is not a valid enforcement level"
        )
    return str(value)


def reconcile(
    policies: Iterable[PolicyInfo], layers: Iterable[Mapping[str, PolicySettings]]
) -> dict[str, PolicySettings]:
    """Schema defaults, then each layer in turn; properties merge by top-level name."""
    known = list(policies)
    result = {
        policy.name: PolicySettings(
            policy.level,
            {k: v["default"] for k, v in policy.schema.items() if "default" in v},
        )
        for policy in known
    }
    for layer in layers:
        everything = layer.get("all")
        if everything is not None and everything.level:
            for settings in result.values():
                settings.level = everything.level
        for name, given in layer.items():
            settings = result.setdefault(name, PolicySettings())
            settings.level = given.level or settings.level
            settings.properties.update(given.properties)
    _validate(known, result)
    return result


def _validate(policies: Iterable[PolicyInfo], config: Mapping[str, PolicySettings]) -> None:
    errors: list[str] = []
    for policy in policies:
        schema = {
            "type": "object",
            "properties": policy.schema,
            "required": list(policy.required),
        }
        found = Draft7Validator(schema).iter_errors(config[policy.name].properties)
        errors += sorted(f"{policy.name}: {_where(item)}: {item.message}" for item in found)
    if errors:
        raise EngineError("validating policy config: " + "; ".join(errors))
    for settings in config.values():
        if not settings.level:
            raise EngineError('invalid enforcement level ""')


def _where(error: ValidationError) -> str:
    return error.json_path.removeprefix("$").lstrip(".") or "(root)"
