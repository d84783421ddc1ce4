"""Evaluates template nodes: one resolver looks at all stacks of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from kms_access.policies.json_text import Number
from kms_access.policies.text import Value, unknown_text
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import (
    NO_VALUE,
    REFERENCE_START,
    MaybeAbsent,
    as_data,
    as_value,
    digest,
    with_dynamic_references,
)

if TYPE_CHECKING:
    from kms_access.sources.cloudformation.exports import Exports

MAXIMUM_DEPTH = 48
"""Levels of nodes and references, far above what templates have, below Python's stack."""

_MAXIMUM_OPTIONAL = 32

Atom: TypeAlias = frozenset[Value]
"""An undecided comparison of two values, by Fn::Equals."""

Function: TypeAlias = "Callable[[Resolver, Stack, Any], Any]"
"""An intrinsic function: the resolver, the stack, the argument as written -> what it gives."""

_Result = TypeVar("_Result")


class Resolver:
    """Gives each node its value, with unknown parts for what is not known.

    A resolved node is a `str`, `Text`, `Number`, `bool` or None, a list or dict of these,
    `NO_VALUE` or `MaybeAbsent`. `assumed` fixes undecided comparisons: such a resolver is a view
    of its `base`, which alone gives names and ARNs so that they are the same everywhere.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        exports: Exports,
        base: Resolver | None = None,
        assumed: Mapping[Atom, bool] | None = None,
    ) -> None:
        self.functions = functions
        self.exports = exports
        self.base = base or self
        self.assumed = assumed or {}
        self.open_atoms: set[Atom] = set()
        self.views = 0
        self._cache: dict[Hashable, tuple[Any, frozenset[Atom]]] = {}
        self._visiting: set[Hashable] = set()
        self._depth = 0

    def assuming(self, assumed: Mapping[Atom, bool]) -> Resolver:
        """A view in which some undecided comparisons have an answer."""
        self.base.views += 1
        return Resolver(self.functions, self.exports, self.base, assumed)

    def resolve(self, node: Any, stack: Stack) -> Any:
        """The value of `node` in the scope of `stack`; never raises."""
        if isinstance(node, str):
            return node if isinstance(node, Number) else with_dynamic_references(node)
        if not self.enter():
            return unknown_text(f"a value nested too deep in {stack.identity} {digest(node)}")
        try:
            return self._resolve(node, stack)
        finally:
            self.leave()

    def value(self, node: Any, stack: Stack) -> Value | None:
        """The value of a node that is to be a string; None if it is not there."""
        resolved = self.resolve(node, stack)
        if resolved is None or resolved is NO_VALUE:
            return None
        value = as_value(resolved)
        return unknown_text(f"a text given as {_shape(resolved)}") if value is None else value

    def data(self, node: Any, stack: Stack) -> Any:
        """The value of a node as data for a policy parser."""
        return as_data(self.resolve(node, stack))

    def enter(self) -> bool:
        """One level deeper, to be left again; False at the bound of nesting."""
        if self._depth >= MAXIMUM_DEPTH:
            return False
        self._depth += 1
        return True

    def leave(self) -> None:
        """One level up again."""
        self._depth -= 1

    def once(self, key: Hashable, compute: Callable[[], _Result], circular: _Result) -> _Result:
        """`compute()`, kept under `key`; `circular` if it asks for itself."""
        kept = self._cache.get(key)
        if kept is not None:
            self.open_atoms |= kept[1]
            return cast(_Result, kept[0])
        if key in self._visiting:
            return circular
        outer, self.open_atoms = self.open_atoms, set()
        self._visiting.add(key)
        try:
            result = compute()
            self._cache[key] = (result, frozenset(self.open_atoms))
        finally:
            self._visiting.discard(key)
            outer |= self.open_atoms
            self.open_atoms = outer
        return result

    def settled(
        self, key: Hashable, compute: Callable[[Resolver], _Result], circular: _Result
    ) -> _Result:
        """Like `once`, for names and ARNs: the same for all views, whatever they assume."""
        base = self.base
        before, base.open_atoms = base.open_atoms, set()
        try:
            return base.once(key, lambda: compute(base), circular)
        finally:
            base.open_atoms = before

    def traced(self, node: Any, stack: Stack) -> tuple[Any, frozenset[Atom]]:
        """The value of `node`, and the undecided comparisons that it hangs on."""
        before, self.open_atoms = self.open_atoms, set()
        try:
            resolved = self.resolve(node, stack)
            return resolved, frozenset(self.open_atoms)
        finally:
            self.open_atoms = before

    def _resolve(self, node: Any, stack: Stack) -> Any:
        if isinstance(node, list):
            items = [self.resolve(item, stack) for item in node]
            return _few_optional([item for item in items if item is not NO_VALUE], stack)
        if not isinstance(node, dict):
            return node
        name = intrinsic_name(node)
        if name is not None:
            return self._call(name, node[name], stack)
        for key in node:
            if key.startswith("Fn::"):
                return unknown_text(f"an object with {key} in {stack.identity} {digest(node)}")
        members = {key: self.resolve(value, stack) for key, value in node.items()}
        return {key: value for key, value in members.items() if value is not NO_VALUE}

    def _call(self, name: str, argument: Any, stack: Stack) -> Any:
        function = self.functions.get(name)
        if function is not None:
            return function(self, stack, argument)
        mark = digest([argument, stack.identity])
        return unknown_text(f"the result of {name} in {stack.identity} {mark}")


def _few_optional(items: list[Any], stack: Stack) -> list[Any]:
    """The items of a list; where very many may be absent, one stands for all of these.

    Each of them may be any text or nothing: together they say no more than one.
    """
    optional = [item for item in items if isinstance(item, MaybeAbsent)]
    if len(optional) <= _MAXIMUM_OPTIONAL:
        return items
    what = f"{len(optional)} items of a list of {stack.identity} that conditions choose"
    one = MaybeAbsent(unknown_text(f"{what} {digest(optional)}"))
    return [*(item for item in items if not isinstance(item, MaybeAbsent)), one]


def intrinsic_name(node: Any) -> str | None:
    """The intrinsic function that a node calls, None if it is plain data."""
    if not isinstance(node, dict) or len(node) != 1:
        return None
    key = next(iter(node))
    return key if key == "Ref" or key.startswith("Fn::") else None


def is_computed(node: Any) -> bool:
    """Whether a node as written says nothing about the size of its value."""
    if isinstance(node, str):
        return REFERENCE_START in node
    return isinstance(node, dict) and ("Ref" in node or any(k[:4] == "Fn::" for k in node))


def _shape(node: Any) -> str:
    return f"{'a list' if isinstance(node, list) else 'an object'} {digest(node)}"
