"""Parameters of a template: the value that was supplied, else an unknown part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kms_access.policies.text import DIGIT, Text, Unknown, Value, split
from kms_access.sources.cloudformation.resolver import Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import NO_VALUE, MaybeAbsent, as_value, one_of

_DIGITS_ONLY = re.compile(r"\^?(?:\[0-9\]|\\d)(?:[*+]|\{[0-9,]+\})\$?", re.ASCII)
_SSM_VALUE = "AWS::SSM::Parameter::Value<"
_NO_LIMIT = 1 << 16


def parameter(resolver: Resolver, stack: Stack, name: str) -> Any:
    """The value of a parameter.

    A default is no value: an update of the stack keeps what was supplied before, so the default
    could acquit wrongly. Without a supplied value the parameter is an unknown part.
    """
    declared = stack.template.parameters[name]
    declaration: Mapping[str, Any] = declared if isinstance(declared, Mapping) else {}
    unknown = _unknown(stack, name, declaration)
    return resolver.once(
        ("parameter", stack, name),
        lambda: _supplied(resolver, stack, name, declaration, unknown),
        unknown,
    )


def defaults_of(stack: Stack) -> dict[str, Any]:
    """The parameters of a stack that nobody supplies, with their default values."""
    found: dict[str, Any] = {}
    for name, declaration in stack.template.parameters.items():
        if name in stack.given or name in stack.parameter_nodes:
            continue
        if not isinstance(declaration, Mapping):
            continue
        default = as_value(declaration.get("Default"))
        if default is not None and not is_hidden(declaration):
            found[name] = default
    return found


def is_hidden(declaration: Mapping[str, Any]) -> bool:
    """Whether the value stands elsewhere: in Systems Manager, or only in the call."""
    is_secret = as_value(declaration.get("NoEcho")) == "true"
    return is_secret or str(declaration.get("Type")).startswith(_SSM_VALUE)


def _supplied(
    resolver: Resolver, stack: Stack, name: str, declaration: Mapping[str, Any], unknown: Value
) -> Any:
    kind = str(declaration.get("Type"))
    if is_hidden(declaration):
        return unknown
    if stack.parent is not None and name in stack.parameter_nodes:
        value = resolver.resolve(stack.parameter_nodes[name], stack.parent)
    else:
        value = stack.given.get(name)
    if value is None or value is NO_VALUE or isinstance(value, (MaybeAbsent, Mapping)):
        return unknown
    is_list = kind.startswith("List<") or kind == "CommaDelimitedList"
    return _as_list(value, unknown) if is_list else value


def _as_list(value: Any, unknown: Value) -> Any:
    text = as_value(value)
    if text is None:
        return value
    if isinstance(text, Text) and any(part.can_hold(",") for part in text.unknowns):
        return unknown
    items = split(text, ",", _NO_LIMIT)
    return [item.strip() if isinstance(item, str) else item for item in items]


def _unknown(stack: Stack, name: str, declaration: Mapping[str, Any]) -> Value:
    label = f'parameter "{name}" of {stack.identity}'
    allowed = declaration.get("AllowedValues")
    values = [as_value(item) for item in allowed] if isinstance(allowed, list) else []
    known = [value for value in values if isinstance(value, str)]
    if len(known) == len(values) > 1:
        return one_of(label, known)
    pattern = declaration.get("AllowedPattern")
    if isinstance(pattern, str) and _DIGITS_ONLY.fullmatch(pattern):
        return Text((Unknown(label, DIGIT),))
    return Text((Unknown(label),))
