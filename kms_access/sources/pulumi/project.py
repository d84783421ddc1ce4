"""A Pulumi project folder: name, entry point and the configuration of one stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kms_access.sources.interface import SourceError

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")
_ENDINGS = (".yaml", ".yml", ".json")
_DEFAULT_STACK = "dev"


@dataclass(frozen=True, slots=True)
class Project:
    """One stack of a Python project; `encrypted` names the values that only Pulumi can read."""

    name: str
    stack: str
    folder: Path
    entry: Path
    config: Mapping[str, str]
    encrypted: tuple[str, ...]


def load_project(folder: Path, stack: str = "") -> Project:
    """Read the project in `folder`. Raises `SourceError` where it cannot be run.

    Without `stack` it is the one that has a configuration file, if only one has; without any
    such file it is "dev".
    """
    file = next((folder / name for name in _PROJECT_FILES if (folder / name).is_file()), None)
    if file is None:
        raise SourceError(
            'no Pulumi project: there is no "Pulumi.yaml"', str(folder), help="name its folder"
        )
    settings = _read(file)
    name = settings.get("name")
    if not isinstance(name, str) or not name:
        raise SourceError('the project has no "name"', str(file))
    _check_runtime(settings.get("runtime"), file)
    stacks = _stack_files(folder, settings)
    stack = stack or _only_stack(stacks, file)
    config = _project_config(settings.get("config"), name)
    encrypted: set[str] = set()
    if stack in stacks:
        known, encrypted = _stack_config(stacks[stack], name)
        config |= known
    elif stacks:
        given = ", ".join(f'"{known}"' for known in sorted(stacks))
        raise SourceError(f'no configuration of the stack "{stack}", there are {given}', str(file))
    return Project(
        name,
        stack,
        folder,
        _entry(folder, settings, file),
        {key: value for key, value in config.items() if key not in encrypted},
        tuple(sorted(encrypted)),
    )


def _check_runtime(runtime: object, file: Path) -> None:
    name = runtime.get("name") if isinstance(runtime, Mapping) else runtime
    if name != "python":
        raise SourceError(
            f'the runtime is "{name}", only programs in Python can be run without an engine',
            str(file),
            help='check what "pulumi stack export" or "pulumi preview --event-log" wrote',
        )


def _entry(folder: Path, settings: Mapping[str, Any], file: Path) -> Path:
    main = folder / str(settings.get("main") or ".")
    entry = main / "__main__.py" if main.is_dir() else main
    if not entry.is_file():
        raise SourceError(f'the program "{entry}" does not exist', str(file))
    return entry


def _stack_files(folder: Path, settings: Mapping[str, Any]) -> dict[str, Path]:
    place = folder / str(settings.get("stackConfigDir") or settings.get("config_dir") or ".")
    files: dict[str, Path] = {}
    for path in sorted(place.glob("Pulumi.*.*")):
        stack = path.stem.removeprefix("Pulumi.")
        if path.suffix in _ENDINGS and stack and path.is_file():
            files.setdefault(stack, path)
    return files


def _only_stack(stacks: Mapping[str, Path], file: Path) -> str:
    if len(stacks) > 1:
        listed = ", ".join(f'"{stack}"' for stack in sorted(stacks))
        raise SourceError(
            f"the project has several stacks: {listed}", str(file), help="choose one with --stack"
        )
    return next(iter(stacks), _DEFAULT_STACK)


def _project_config(section: object, project: str) -> dict[str, str]:
    """A plain value, or a declaration with `value` or `default`."""
    result: dict[str, str] = {}
    for key, declared in section.items() if isinstance(section, Mapping) else ():
        value = declared
        if isinstance(declared, Mapping):
            value = declared.get("value", declared.get("default"))
        if value is not None:
            result[_full(key, project)] = _text(value)
    return result


def _stack_config(path: Path, project: str) -> tuple[dict[str, str], set[str]]:
    """The values of a stack as the engine hands them on, and which of them are encrypted."""
    section = _read(path).get("config")
    if section is not None and not isinstance(section, Mapping):
        raise SourceError('"config" is no mapping', str(path))
    known: dict[str, str] = {}
    encrypted: set[str] = set()
    for key, value in (section or {}).items():
        if _holds_secret(value):
            encrypted.add(_full(key, project))
        else:
            known[_full(key, project)] = _text(value)
    return known, encrypted


def _holds_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        return set(value) == {"secure"} or any(_holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in value)


def _full(key: object, project: str) -> str:
    return str(key) if ":" in str(key) else f"{project}:{key}"


def _text(value: object) -> str:
    # The engine hands every value to programs as text, and structured values as JSON.
    return value if isinstance(value, str) else json.dumps(value)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError("the file cannot be read", str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = " ".join(str(getattr(error, "problem", "") or error).split())
        line = mark.line + 1 if mark else None
        column = mark.column + 1 if mark else None
        raise SourceError(f"no YAML: {message}", str(path), line, column) from None
    if content is not None and not isinstance(content, Mapping):
        raise SourceError("the file holds no mapping", str(path))
    return content or {}
