"""Conditions of a template, three-valued, and Fn::If."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_access.policies.answers import (
    NO,
    YES,
    Answer,
    Reason,
    ReasonKind,
    Truth,
    all_of,
    any_of,
    open_answer,
)
from kms_access.policies.overlap import same
from kms_access.policies.text import Text, unknown_text
from kms_access.sources.cloudformation.resolver import Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import (
    NO_VALUE,
    MaybeAbsent,
    as_value,
    describe_alternatives,
    digest,
    is_known,
    one_of,
)

_MAXIMUM_CAUSES = 400


def condition_holds(resolver: Resolver, stack: Stack, name: Any) -> Answer:
    """Whether the condition of that name holds in `stack`."""
    if not isinstance(name, str) or name not in stack.template.conditions:
        return _open(f"condition {_quoted(name)} of {stack.identity}, which is not defined")
    node = stack.template.conditions[name]
    circular = _open(f'condition "{name}" of {stack.identity}, which refers to itself')
    answer = resolver.once(
        ("condition", stack, name), lambda: _evaluate(resolver, stack, node), circular
    )
    if answer.truth is not Truth.UNKNOWN:
        return answer
    causes = ", ".join(dict.fromkeys(reason.text for reason in answer.reasons))
    text = f'condition "{name}" of {stack.identity}'
    if len(causes) > _MAXIMUM_CAUSES:
        # Conditions that name conditions would double the text with each level.
        causes = f"{causes[:_MAXIMUM_CAUSES]}… {digest(causes)}"
    return _open(text if text in causes else f"{text} ({causes})")


def undecided(resolver: Resolver, stack: Stack, name: Any) -> Reason | bool:
    """True or False for a decided condition, the reason for an undecided one."""
    answer = condition_holds(resolver, stack, name)
    if answer.truth is Truth.UNKNOWN:
        return answer.reasons[0]
    return answer.truth is Truth.TRUE


def if_function(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::If [condition, value if true, value if false]`."""
    if not isinstance(argument, list) or len(argument) != 3:
        return unknown_text(f"a Fn::If of {stack.identity} {digest(argument)}")
    name, first, second = argument
    decision = undecided(resolver, stack, name)
    if isinstance(decision, bool):
        return resolver.resolve(first if decision else second, stack)
    branches = [resolver.resolve(first, stack), resolver.resolve(second, stack)]
    if branches[0] == branches[1]:
        return branches[0]
    present = [branch for branch in branches if branch is not NO_VALUE]
    label = f"{describe_alternatives(present)}, by {decision.text}"
    if len(present) < len(branches) or any(isinstance(b, MaybeAbsent) for b in present):
        return MaybeAbsent(unknown_text(f"{label}, or nothing"))
    values = [value for value in map(as_value, present) if value is not None]
    return one_of(label, values) if len(values) == len(present) else unknown_text(label)


def _evaluate(resolver: Resolver, stack: Stack, node: Any) -> Answer:
    if not resolver.enter():
        return _open(f"a condition of {stack.identity} that is nested too deep")
    try:
        return _evaluate_node(resolver, stack, node)
    finally:
        resolver.leave()


def _evaluate_node(resolver: Resolver, stack: Stack, node: Any) -> Answer:
    name = next(iter(node)) if isinstance(node, Mapping) and len(node) == 1 else None
    argument = node[name] if name is not None else None
    if name == "Condition":
        return condition_holds(resolver, stack, argument)
    if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
        return _equals(resolver, stack, argument)
    if name in ("Fn::And", "Fn::Or", "Fn::Not") and isinstance(argument, list) and argument:
        answers = [_evaluate(resolver, stack, item) for item in argument]
        if name == "Fn::And":
            return all_of(answers)
        if name == "Fn::Or":
            return any_of(answers)
        if len(answers) == 1:
            return ~answers[0]
    return _open(f"a condition of {stack.identity} that is not understood {digest(node)}")


def _equals(resolver: Resolver, stack: Stack, argument: list[Any]) -> Answer:
    first, second = (resolver.resolve(item, stack) for item in argument)
    left, right = as_value(first), as_value(second)
    if left is None or right is None:
        if is_known(first) and is_known(second):
            return YES if first == second else NO
        return _open(f"a comparison of lists in {stack.identity} {digest([first, second])}")
    answer = same(left, right)
    if answer.truth is not Truth.UNKNOWN:
        return answer
    atom = frozenset((left, right))
    if atom in resolver.assumed:
        return YES if resolver.assumed[atom] else NO
    resolver.open_atoms.add(atom)
    return answer


def consistent(assumed: Mapping[frozenset[Any], bool]) -> bool:
    """Whether no two equalities that are assumed to hold give one text two known values."""
    known: dict[Text, str] = {}
    for atom, holds in assumed.items():
        literals = [value for value in atom if isinstance(value, str)]
        for unknown in (value for value in atom if isinstance(value, Text)):
            if holds and literals and known.setdefault(unknown, literals[0]) != literals[0]:
                return False
    return True


def _quoted(name: Any) -> str:
    return f'"{name}"' if isinstance(name, str) else digest(name)


def _open(text: str) -> Answer:
    return open_answer(ReasonKind.UNKNOWN_VALUE, text)
