"""Parameter values that a person supplies: `NAME` for every stack, `STACK.NAME` for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from kms_access.sources.cloudformation.parameters import is_hidden
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import as_value
from kms_access.sources.interface import SourceError

_SHOWN = 10


def give_parameters(
    stacks: Sequence[Stack], parameters: Mapping[str, str], *, known: Mapping[str, str]
) -> None:
    """Supply values to the stacks that are not nested; those take theirs from their parent.

    `parameters` are for these stacks: raises SourceError for a name that none of them has, and
    for a value that the template does not allow. `known` are values that are deployed wherever a
    stack has such a parameter, so a name may be for stacks of another deployment. What a person
    supplies wins over the manifest, `parameters` win over `known`, and a stack's own value over
    one for every stack.
    """
    own = [stack for stack in stacks if stack.parent is None]
    for given, strictly in ((known, False), (parameters, True)):
        for_one = {name: value for name, value in given.items() if "." in name}
        for_all = {name: value for name, value in given.items() if "." not in name}
        for name, value in (*for_all.items(), *for_one.items()):
            stack_name, _, parameter = name.rpartition(".")
            targets = list(_targets(own, stack_name, parameter))
            if not targets and strictly:
                raise _nowhere(own, stack_name, parameter)
            for stack in targets:
                _check_allowed(stack, parameter, value)
                stack.given = {**stack.given, parameter: value}


def _targets(stacks: Sequence[Stack], stack_name: str, parameter: str) -> Iterator[Stack]:
    for stack in stacks:
        is_meant = not stack_name or stack_name in _names(stack)
        if is_meant and parameter in stack.template.parameters:
            yield stack


def _names(stack: Stack) -> tuple[Any, ...]:
    return stack.name, stack.container, stack.construct_path


def _nowhere(stacks: Sequence[Stack], stack_name: str, parameter: str) -> SourceError:
    meant = [stack for stack in stacks if not stack_name or stack_name in _names(stack)]
    if not meant:
        found = list(dict.fromkeys(stack.container for stack in stacks))
        return SourceError(
            f'there is no stack "{stack_name}" for parameter "{parameter}"',
            help=_listing("stacks", stack_name, found),
        )
    names = list(dict.fromkeys(name for stack in meant for name in stack.template.parameters))
    where = f'stack "{stack_name}" has no' if stack_name else "no stack has a"
    return SourceError(
        f'{where} parameter "{parameter}"', help=_listing("parameters", parameter, names)
    )


def _listing(what: str, wanted: str, found: Sequence[str]) -> str:
    if not found:
        return f"there are no {what}"
    near = get_close_matches(wanted, found, 1)
    if near:
        return f'did you mean "{near[0]}"?'
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"the {what} are {', '.join(found[:_SHOWN])}{more}"


def _check_allowed(stack: Stack, name: str, value: str) -> None:
    """The allowed values of a list hold for each of its items."""
    declaration = stack.template.parameters[name]
    allowed = declaration.get("AllowedValues") if isinstance(declaration, Mapping) else None
    if not isinstance(allowed, list):
        return
    accepted = [as_value(item) for item in allowed]
    kind = str(declaration.get("Type"))
    is_list = kind.startswith("List<") or kind == "CommaDelimitedList"
    items = [item.strip() for item in value.split(",")] if is_list else [value]
    for item in items:
        if item not in accepted:
            listed = ", ".join(f'"{one}"' for one in accepted[:_SHOWN])
            shown = "what is given" if is_hidden(declaration) else f'"{item}"'
            raise SourceError(
                f'{shown} is no value for parameter "{name}" of stack "{stack.container}"',
                file=str(stack.template.file.path),
                help=f"the template allows {listed}",
            )
