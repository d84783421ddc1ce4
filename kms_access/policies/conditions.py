"""The Condition block of a statement, decided for one request (K124–K133)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from kms_access.policies.answers import (
    NO,
    YES,
    Answer,
    Reason,
    ReasonKind,
    Truth,
    all_of,
    any_of,
    hangs_on_request,
    open_answer,
)
from kms_access.policies.context import Absent, Open, Present, RequestContext
from kms_access.policies.formula import Test
from kms_access.policies.operators import Operator
from kms_access.policies.text import Value
from kms_access.policies.variables import NoValue, Template, keys_of, substitute
from kms_access.policies.wildcards import fold_case


class Quantifier(Enum):
    """How an operator treats a key with several values."""

    SINGLE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key: `operator` is None for `Null`.

    `values` are ready to compare (wildcards compiled); `templates` are the values that hold
    policy variables; `unreadable_values` are reasons for values that may match anything.
    `uncertain` says why the result is open whatever the request; `refused` why AWS does not take
    the condition, so that it never surely holds.
    """

    key: str
    operator: Operator | None
    quantifier: Quantifier
    if_exists: bool
    values: tuple[Value, ...]
    templates: tuple[Template, ...] = ()
    unreadable_values: tuple[Reason, ...] = ()
    uncertain: Reason | None = None
    refused: Reason | None = None

    def holds(self, context: RequestContext) -> Answer:
        """Whether the condition is fulfilled by a request."""
        answer = self._holds(context)
        if answer.truth is Truth.UNKNOWN and hangs_on_request(answer):
            answer = Answer(Truth.UNKNOWN, answer.reasons, Test(self))
        return answer.capped(self.refused) if self.refused is not None else answer

    @property
    def keys(self) -> tuple[str, ...]:
        """The condition keys that it looks at, those of policy variables included."""
        names = {fold_case(self.key): None}
        for template in self.templates:
            names |= dict.fromkeys(keys_of(template))
        return tuple(names)

    def _holds(self, context: RequestContext) -> Answer:
        if self.uncertain is not None:
            return Answer(Truth.UNKNOWN, (self.uncertain,))
        state = context.lookup(self.key)
        if self.operator is None:
            return self._null(state)
        if isinstance(state, Open):
            return Answer(Truth.UNKNOWN, (state.reason,))
        if isinstance(state, Absent) or not state.values:
            return self._without_value(self.operator)
        return self._compare(self.operator, state, context)

    def _null(self, state: Present | Absent | Open) -> Answer:
        if isinstance(state, Open):
            return Answer(Truth.UNKNOWN, (state.reason,))
        present = isinstance(state, Present) and bool(state.values)
        wanted = {value == "false" for value in self.values}
        return YES if present in wanted else NO

    def _without_value(self, operator: Operator) -> Answer:
        if self.quantifier is Quantifier.ALL:
            return YES
        if self.quantifier is Quantifier.ANY:
            if self.if_exists:
                return open_answer(
                    ReasonKind.NOT_ESTABLISHED,
                    f'"ForAnyValue:{operator.name}IfExists" without the key "{self.key}"',
                    "K128",
                )
            return NO
        return YES if self.if_exists or operator.negated else NO

    def _compare(self, operator: Operator, state: Present, context: RequestContext) -> Answer:
        wanted = list(self.values)
        open_reasons = list(self.unreadable_values)
        for template in self.templates:
            value = substitute(template, context, wildcards=operator.wildcards)
            if isinstance(value, Reason):
                open_reasons.append(value)
            elif not isinstance(value, NoValue):
                wanted.append(value)

        def single(request: Value) -> Answer:
            answer = any_of(operator.compare(policy, request) for policy in wanted)
            if open_reasons:
                answer = answer | Answer(Truth.UNKNOWN, tuple(open_reasons))
            return ~answer if operator.negated else answer

        return self._over(operator, state, single)

    def _over(
        self, operator: Operator, state: Present, single: Callable[[Value], Answer]
    ) -> Answer:
        answers: Iterable[Answer] = (single(value) for value in state.values)
        if self.quantifier is Quantifier.ALL:
            return all_of(answers)
        if self.quantifier is Quantifier.ANY:
            return any_of(answers)
        if state.multivalued:
            return open_answer(
                ReasonKind.NOT_ESTABLISHED,
                f'"{operator.name}" on the multi-valued key "{self.key}" without a set operator',
                "K129",
            )
        return single(state.values[0])


def all_hold(conditions: Iterable[Condition], context: RequestContext) -> Answer:
    """Whether every condition of a block is fulfilled (K124)."""
    return all_of(condition.holds(context) for condition in conditions)
