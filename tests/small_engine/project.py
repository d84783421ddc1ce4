"""Reading a Pulumi project folder: name, entry point and configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from .model import EngineError


@dataclass(frozen=True, slots=True)
class Project:
    name: str
    directory: Path
    entry: Path
    config: Mapping[str, str]


def load_project(folder: Path, stack: str, fallback_name: str) -> Project:
    folder = folder.resolve()
    if not folder.is_dir():
        raise EngineError(f'the program folder "{folder}" does not exist')
    settings = read_yaml(folder / "Pulumi.yaml")
    name = settings.get("name") or fallback_name
    if not isinstance(name, str):
        raise EngineError(f'the project name in "{folder / "Pulumi.yaml"}" is not a string')
    main = folder / str(settings.get("main") or ".")
    entry = main / "__main__.py" if main.is_dir() else main
    if not entry.is_file():
        raise EngineError(f'unable to find main python program "{entry}"')
    config = _project_config(settings.get("config"), name)
    stack_file = folder / f"Pulumi.{stack}.yaml"
    config.update(_stack_config(read_yaml(stack_file).get("config"), stack_file))
    return Project(name, entry.parent, entry, config)


def read_yaml(path: Path) -> Mapping[str, object]:
    """The mapping that a file holds, empty when there is no such file."""
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise EngineError(f'cannot read "{path}": {error}') from error
    if content is not None and not isinstance(content, dict):
        raise EngineError(f'"{path}" does not hold a mapping')
    return content or {}


def _project_config(section: object, project: str) -> dict[str, str]:
    """Project-level config: a plain value, or a declaration with `value` or `default`."""
    result: dict[str, str] = {}
    for key, declared in section.items() if isinstance(section, dict) else ():
        full = str(key) if ":" in str(key) else f"{project}:{key}"
        value = declared
        if isinstance(declared, dict):
            value = declared.get("value", declared.get("default"))
        if value is not None:
            result[full] = _config_text(value)
    return result


def _stack_config(section: object, path: Path) -> dict[str, str]:
    result: dict[str, str] = {}
    for key, value in section.items() if isinstance(section, dict) else ():
        if isinstance(value, dict) and set(value) == {"secure"}:
            raise EngineError(f'"{path}": "{key}" is encrypted; pass its value as config')
        result[str(key)] = _config_text(value)
    return result


def _config_text(value: object) -> str:
    # The engine hands every value to programs as text, and structured values as JSON.
    return value if isinstance(value, str) else json.dumps(value)
