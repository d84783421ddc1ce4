"""The Condition element of a statement, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.conditions import Condition, Quantifier
from kms_access.policies.elements import (
    REMEMBERED_PIECES,
    Notes,
    describe,
    duplicates_of,
    string_items,
)
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.json_text import Path
from kms_access.policies.operators import NULL_OPERATOR, OPERATORS, Operator
from kms_access.policies.text import Text, Value, describe_unknowns
from kms_access.policies.variables import Template, has_variables, parse_template
from kms_access.policies.wildcards import fold_case, with_wildcards

_IF_EXISTS = "IfExists"
_BY_LOWER_CASE = {name.lower(): name for name in (*OPERATORS, NULL_OPERATOR)}


def read_conditions(
    node: Any, grammar: PolicyGrammar, notes: Notes, path: Path, *, variables: bool | None
) -> tuple[tuple[Condition, ...], Reason | None]:
    """The conditions of a block, and why the whole block is open if it is.

    `variables` tells whether the policy's version switches policy variables on (K31); None if
    that is not clear.
    """
    if not isinstance(node, Mapping):
        return (), _unreadable(node, "a Condition", notes, path)
    uncertain = _repeated(node, "operator", notes, path)
    conditions: list[Condition] = []
    for name, tests in node.items():
        place = (*path, name)
        if not isinstance(tests, Mapping):
            uncertain = _unreadable(tests, f'the operator "{name}"', notes, place)
            continue
        uncertain = _repeated(tests, "condition key", notes, place) or uncertain
        for key, values in tests.items():
            condition = _condition(
                name,
                key,
                values,
                grammar.refused_with_for_all_values,
                notes,
                (*place, key),
                variables=variables,
            )
            conditions.append(condition)
    return () if uncertain else tuple(conditions), uncertain


@lru_cache(REMEMBERED_PIECES)
def read_faultless_condition(
    operator: str,
    key: str,
    values: tuple[str, ...],
    refused_with_for_all_values: tuple[str, ...],
    variables: bool | None,
) -> Condition | None:
    """One condition of a block; None if there is a problem to be noted."""
    notes = Notes()
    condition = _condition(
        operator, key, [*values], refused_with_for_all_values, notes, (), variables=variables
    )
    return None if notes.problems else condition


def _unreadable(node: Any, subject: str, notes: Notes, path: Path) -> Reason:
    if isinstance(node, Text):
        return Reason(describe_unknowns(node), ReasonKind.UNKNOWN_VALUE, "K42")
    return notes.error("K26", f"{subject} is {describe(node)}, an object is expected", path)


def _repeated(node: Mapping[str, Any], what: str, notes: Notes, path: Path) -> Reason | None:
    reason = None
    for key in duplicates_of(node):
        reason = notes.error("K27", f'{what} "{key}" stands here more than once', (*path, key))
    return reason


def _condition(
    name: str,
    key: str,
    node: Any,
    refused_with_for_all_values: tuple[str, ...],
    notes: Notes,
    path: Path,
    *,
    variables: bool | None,
) -> Condition:
    quantifier, operator_name, if_exists, problem = _operator(name, notes, path[:-1])
    refused = None
    if quantifier is Quantifier.ALL and _is_any_of(key, refused_with_for_all_values):
        refused = notes.error(
            "K40", f'"ForAllValues" on "{key}" is refused as overly permissive', path
        )
    items = string_items(node, notes, path)
    if not items and problem is None:
        problem = notes.error("K26", f'the condition on "{key}" has no value', path)
    if operator_name == NULL_OPERATOR:
        values = [value for value, _ in items]
        wrong = [value for value in values if value not in ("true", "false")]
        for value in wrong:
            if isinstance(value, Text):
                problem = problem or Reason(
                    describe_unknowns(value), ReasonKind.UNKNOWN_VALUE, "K42"
                )
            else:
                problem = notes.error(
                    "K126", f'"Null" takes "true" or "false", found "{value}"', path
                )
        return Condition(key, None, quantifier, if_exists, tuple(values), uncertain=problem)
    operator = OPERATORS.get(operator_name)
    if operator is None:
        return Condition(key, None, quantifier, if_exists, (), uncertain=problem)
    known, templates, unreadable = _values(operator, items, notes, variables=variables)
    return Condition(
        key, operator, quantifier, if_exists, known, templates, unreadable, problem, refused
    )


def _operator(name: str, notes: Notes, path: Path) -> tuple[Quantifier, str, bool, Reason | None]:
    """The parts of an operator name, read without case; another case than AWS's is an error."""
    prefix, colon, base = name.rpartition(":")
    quantifier = Quantifier.SINGLE
    spelled = ""
    if colon:
        known = {q.value.lower(): q for q in Quantifier if q.value}
        found = known.get(prefix.lower())
        if found is None:
            return quantifier, "", False, _unknown_operator(name, notes, path)
        quantifier, spelled = found, f"{found.value}:"
    folded = base.lower()
    if_exists = folded.endswith(_IF_EXISTS.lower()) and folded not in _BY_LOWER_CASE
    stem = folded[: -len(_IF_EXISTS)] if if_exists else folded
    documented = _BY_LOWER_CASE.get(stem)
    if documented is None:
        return quantifier, "", if_exists, _unknown_operator(name, notes, path)
    spelled += documented + (_IF_EXISTS if if_exists else "")
    problem = None
    if documented == NULL_OPERATOR and (if_exists or quantifier is not Quantifier.SINGLE):
        problem = notes.error("K126", f'"Null" takes no prefix or suffix, found "{name}"', path)
    elif spelled != name:
        problem = notes.error("K41", f'operator "{name}" is not spelled "{spelled}"', path)
    return quantifier, documented, if_exists, problem


def _unknown_operator(name: str, notes: Notes, path: Path) -> Reason:
    return notes.error("K126", f'unknown condition operator "{name}"', path)


def _is_any_of(key: str, keys: tuple[str, ...]) -> bool:
    folded = fold_case(key)
    return any(
        folded == known or (known[-1] in ":/" and folded.startswith(known)) for known in keys
    )


def _values(
    operator: Operator, items: list[tuple[Value, Path]], notes: Notes, *, variables: bool | None
) -> tuple[tuple[Value, ...], tuple[Template, ...], tuple[Reason, ...]]:
    known: list[Value] = []
    templates: list[Template] = []
    unreadable: list[Reason] = []
    for value, place in items:
        if has_variables(value) and variables is None:
            message = f'whether "{value}" holds a policy variable'
            unreadable.append(Reason(message, ReasonKind.UNREADABLE, "K31"))
            continue
        if has_variables(value) and variables:
            template = parse_template(value)
            if template is None:
                message = f'"{value}" holds a "${{" that is no variable'
                unreadable.append(notes.error("K32", message, place))
            elif not operator.variables:
                message = f'the policy variable "{value}" under "{operator.name}"'
                notes.warning("K32", message, place)
                unreadable.append(Reason(message, ReasonKind.NOT_ESTABLISHED, "K32"))
            else:
                templates.append(template)
            continue
        if has_variables(value):
            notes.warning("K31", f'"{value}" is plain text in this policy version', place)
        if isinstance(value, str) and not operator.accepts(value):
            message = f'"{value}" is no value for "{operator.name}"'
            unreadable.append(notes.error("K126", message, place))
            continue
        known.append(with_wildcards(value) if operator.wildcards else value)
    return tuple(known), tuple(templates), tuple(unreadable)
