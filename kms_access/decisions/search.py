"""The search for values of a request that fulfil what a decision hangs on (design 4.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kms_access.decisions.decision import Residual
from kms_access.decisions.open_parts import OpenPart, Remaining, after, reasons_for, remaining_of
from kms_access.decisions.paired_keys import list_of, with_lists_that_fit
from kms_access.decisions.request import Request
from kms_access.decisions.request_values import Choices
from kms_access.decisions.service_chain import CHAIN_KEYS, is_consistent
from kms_access.policies.answers import Answer, Reason, Truth
from kms_access.policies.context import ABSENT, KeyState, Present, RequestContext
from kms_access.policies.formula import Question
from kms_access.policies.text import Text, Unknown, Value, concat

MAXIMUM_TRIALS = 2_000
"""How many partial assignments of request keys are tried before the answer stays open."""

MAXIMUM_QUESTIONS = 8_000
"""How many questions of policies are answered for them."""

Variables: TypeAlias = Mapping[str | Unknown, Choices]
"""What a request is free to choose: condition keys, and unknown parts of what it brings."""

Assignment: TypeAlias = Mapping[str | Unknown, KeyState | str]
"""The state of a condition key, or the string in the place of an unknown part."""

_VIA_SERVICE = ("kms:viaservice", *CHAIN_KEYS)
_RELATED = frozenset({"aws:viaawsservice", "kms:grantisforawsresource", *_VIA_SERVICE})


@dataclass(frozen=True, slots=True)
class _Node:
    """A partial assignment, what it leaves open, and the keys that its last choice decides."""

    assigned: Assignment
    allows: Remaining
    denied: Remaining
    changed: frozenset[str] = frozenset()

    @property
    def is_settled(self) -> bool:
        return isinstance(self.allows, Truth) and isinstance(self.denied, Truth)

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys that open questions ask for."""
        return _keys_of(self.allows) | _keys_of(self.denied)


@dataclass(slots=True)
class Search:
    """One search through the assignments, depth first, with what it has seen.

    `pair_names` spells the names of the pairs that keys are about. `is_cut` is true
    if it ended at a bound, `outweighed` if in some way only a Deny stood against the access.
    """

    residual: Residual
    request: Request
    variables: Variables
    pair_names: Mapping[str, str]
    is_cut: bool = False
    undecided: dict[Reason, None] = field(default_factory=dict)
    outweighed: bool = False
    _questions: int = 0
    _touched: Mapping[str | Unknown, frozenset[str]] = field(init=False)
    _lists_follow: bool = field(init=False)

    def __post_init__(self) -> None:
        self._lists_follow = any(list_of(pair) in self.variables for pair in self.pair_names)
        self._touched = {name: self._touched_by(name) for name in self.variables}

    def run(self) -> Iterator[Assignment]:
        """The possible assignments under which the residual holds, completed."""
        start = _Node({}, remaining_of(self.residual.allows), remaining_of(self.residual.denied))
        pending = [start]
        trials = 0
        while pending:
            if trials >= MAXIMUM_TRIALS or self._questions >= MAXIMUM_QUESTIONS:
                self.is_cut = True
                return
            trials += 1
            node = self._narrowed(pending.pop())
            self.outweighed |= node.allows is not Truth.FALSE and node.denied is Truth.TRUE
            if node.allows is Truth.FALSE or node.denied is Truth.TRUE:
                continue
            if node.is_settled:
                complete = completed(node.assigned, self.variables)
                if is_possible(complete):
                    yield with_lists_that_fit(complete, self.pair_names)
                    continue
            pending += self._further(node, start)

    def _narrowed(self, node: _Node) -> _Node:
        """The node with what its last choice has decided."""
        chosen = with_lists_that_fit(node.assigned, self.pair_names)
        context = refined_context(self.request.context, chosen)

        def ask(question: Question) -> Answer:
            self._questions += 1
            return question.holds(context)

        allows = after(node.allows, node.changed, ask)
        if allows is Truth.FALSE:
            return _Node(node.assigned, allows, node.denied)
        found = _Node(node.assigned, allows, after(node.denied, node.changed, ask))
        if found.denied is Truth.TRUE:
            return found
        if not found.is_settled and self._mattering(found) is None:
            self.undecided |= dict.fromkeys(reasons_for((found.allows, found.denied), context))
        return found

    def _further(self, node: _Node, start: _Node) -> Iterator[_Node]:
        """The node with each choice for the next key that matters, the likeliest last."""
        name = self._mattering(node)
        if name is None:
            return
        for state in reversed(self.variables[name].states):
            assigned = {**node.assigned, name: state}
            if not is_possible(assigned):
                continue
            if self._lists_follow:
                # A list of names follows the single pairs: no answer about it is final.
                changed = frozenset().union(*(self._touched[other] for other in assigned))
                yield _Node(assigned, start.allows, start.denied, changed)
            else:
                yield _Node(assigned, node.allows, node.denied, self._touched[name])

    def _mattering(self, node: _Node) -> str | Unknown | None:
        """What is to be chosen next: what open questions ask for, else what goes with that."""
        keys = _RELATED if node.is_settled else node.keys
        for name in self.variables:
            if name not in node.assigned and not self._touched[name].isdisjoint(keys):
                return name
        return None

    def _touched_by(self, name: str | Unknown) -> frozenset[str]:
        """The condition keys that a choice for `name` says something about."""
        if isinstance(name, str):
            return frozenset(filter(None, (name, list_of(name))))
        return frozenset(
            key
            for key, state in self.request.context.values.items()
            if isinstance(state, Present)
            and any(isinstance(value, Text) and name in value.unknowns for value in state.values)
        )


def _keys_of(remaining: Remaining) -> frozenset[str]:
    return remaining.keys if isinstance(remaining, OpenPart) else frozenset()


def is_possible(assigned: Assignment) -> bool:
    """A call through a service says so in each of its keys (K75, K110)."""
    direct = assigned.get("aws:viaawsservice") in (ABSENT, Present(("false",)))
    through = any(isinstance(assigned.get(key), Present) for key in _VIA_SERVICE)
    for_service = assigned.get("kms:grantisforawsresource") == Present(("true",))
    return not (direct and (through or for_service)) and is_consistent(assigned)


def completed(assigned: Assignment, variables: Variables) -> Assignment:
    """The assignment with what it leaves open in the first state."""
    return {**{name: variable.states[0] for name, variable in variables.items()}, **assigned}


def refined_context(context: RequestContext, assigned: Assignment) -> RequestContext:
    """The context with the assigned keys, and unknown parts replaced in all others."""
    values = dict(context.values)
    filled = filling(assigned)
    if filled:
        for key, state in values.items():
            if isinstance(state, Present):
                values[key] = replace(
                    state, values=tuple(filled_value(value, filled) for value in state.values)
                )
    for name, chosen in assigned.items():
        if isinstance(name, str) and not isinstance(chosen, str):
            values[name] = chosen
    return replace(context, values=values)


def filling(assigned: Assignment) -> dict[Unknown, str]:
    """The strings that an assignment puts in the place of unknown parts."""
    return {
        name: text
        for name, text in assigned.items()
        if isinstance(name, Unknown) and isinstance(text, str)
    }


def filled_value(value: Value, filled: Mapping[Unknown, str]) -> Value:
    """A value with the strings in the place of its unknown parts."""
    if isinstance(value, str):
        return value
    return concat(filled.get(p, p) if isinstance(p, Unknown) else p for p in value.parts)
