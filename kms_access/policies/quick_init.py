"""Frozen dataclasses of which very many are made."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, TypeVar

_Made = TypeVar("_Made")


def quick_init(cls: type[_Made]) -> type[_Made]:
    """Give a frozen dataclass with slots an `__init__` that fills its slots directly.

    The one that `dataclass` writes asks `object.__setattr__` for each field, which takes twice as
    long; nothing else changes, and instances stay frozen. Goes above `@dataclass`; raises
    `TypeError` for a class with `__post_init__` or an argument with a default factory.
    """
    parameters, lines = [], []
    names: dict[str, Any] = {}
    if hasattr(cls, "__post_init__"):
        raise TypeError(f'"{cls.__name__}" has a __post_init__')
    for field in fields(cls):  # type: ignore[arg-type]
        name, value = field.name, field.name
        names[f"set_{name}"] = getattr(cls, name).__set__
        if field.default_factory is not MISSING:
            if field.init:
                raise TypeError(f'argument "{name}" of "{cls.__name__}" has a default factory')
            names[f"make_{name}"] = field.default_factory
            value = f"make_{name}()"
        elif field.default is not MISSING:
            names[f"default_{name}"] = field.default
            parameters.append(f"{name}=default_{name}")
        else:
            parameters.append(name)
        lines.append(f"    set_{name}(self, {value})")
    source = "\n".join([f"def __init__(self, {', '.join(parameters)}):", *lines])
    exec(source, names)
    cls.__init__ = wraps(cls.__init__)(names["__init__"])  # type: ignore[method-assign]
    return cls
