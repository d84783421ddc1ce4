"""What a node can turn out to be while conditions are undecided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.text import Text
from kms_access.sources.cloudformation.conditions import consistent, undecided
from kms_access.sources.cloudformation.resolver import Resolver, intrinsic_name
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import NO_VALUE, as_data

MAXIMUM_OPEN_COMPARISONS = 4
"""More undecided comparisons in one node are not told apart: their values stay unknown parts."""
MAXIMUM_VIEWS = 4_096
"""Past so many readings in one deployment, values stay unknown parts as well."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One thing that a node may be: `node` as written or resolved; `uncertain` says on what it
    hangs, None for the only one."""

    node: Any
    uncertain: Reason | None = None


def branches(resolver: Resolver, stack: Stack, node: Any) -> list[Alternative]:
    """The nodes, as written, that a `Fn::If` leads to; the node itself if it is none.

    `NO_VALUE` among them means that nothing may stand there.
    """
    if intrinsic_name(node) == "Fn::If" and isinstance(node["Fn::If"], list):
        argument = node["Fn::If"]
        if len(argument) == 3:
            if argument[1] == argument[2]:
                return branches(resolver, stack, argument[1])
            decision = undecided(resolver, stack, argument[0])
            if isinstance(decision, bool):
                return branches(resolver, stack, argument[1 if decision else 2])
            return [
                Alternative(found.node, found.uncertain or decision)
                for branch in argument[1:]
                for found in branches(resolver, stack, branch)
            ]
    if isinstance(node, dict) and node == {"Ref": "AWS::NoValue"}:
        return [Alternative(NO_VALUE)]
    return [Alternative(node)]


def items(resolver: Resolver, stack: Stack, node: Any) -> list[Alternative]:
    """The items, as written, of a property that is a list; a single value counts as one item."""
    found: list[Alternative] = []
    for listed in branches(resolver, stack, node):
        if listed.node is None or listed.node is NO_VALUE:
            continue
        if isinstance(listed.node, list):
            inner = [one for item in listed.node for one in branches(resolver, stack, item)]
        else:
            inner = list(_resolved_items(resolver, stack, listed.node))
        found.extend(
            Alternative(one.node, listed.uncertain or one.uncertain)
            for one in inner
            if one.node is not NO_VALUE
        )
    return found


def _resolved_items(resolver: Resolver, stack: Stack, node: Any) -> Iterator[Alternative]:
    if intrinsic_name(node) is None:
        yield Alternative(node)
        return
    for variant in variants(resolver, stack, node):
        for item in variant.node if isinstance(variant.node, list) else [variant.node]:
            if item is not None and item is not NO_VALUE:
                yield Alternative(item, variant.uncertain)


def variants(resolver: Resolver, stack: Stack, node: Any) -> list[Alternative]:
    """The values that `node` can have, one for each way in which its comparisons turn out."""
    resolved, atoms = resolver.traced(node, stack)
    if not atoms or len(atoms) > MAXIMUM_OPEN_COMPARISONS or resolver.views >= MAXIMUM_VIEWS:
        return [Alternative(_with_absence(resolved))]
    ordered = sorted(atoms, key=lambda atom: sorted(map(repr, atom)))
    found: list[Any] = []
    for answers in product((True, False), repeat=len(ordered)):
        assumed = dict(zip(ordered, answers, strict=True))
        if consistent(assumed):
            value = _with_absence(resolver.assuming(assumed).resolve(node, stack))
            if value not in found:
                found.append(value)
    if len(found) == 1:
        return [Alternative(found[0])]
    reason = Reason(_comparisons(ordered), ReasonKind.UNKNOWN_VALUE)
    return [Alternative(value, reason) for value in found]


def _with_absence(resolved: Any) -> Any:
    return resolved if resolved is NO_VALUE else as_data(resolved)


def _comparisons(atoms: list[frozenset[Any]]) -> str:
    texts = []
    for atom in atoms:
        sides = sorted(atom, key=lambda value: (not isinstance(value, Text), str(value)))
        texts.append(" is ".join(_side(value) for value in sides))
    return f"whether {' and '.join(texts)}"


def _side(value: Any) -> str:
    if isinstance(value, Text) and len(value.parts) == 1:
        return value.unknowns[0].stands_for
    return f'"{value}"'
