"""Statements without anything odd, read quickly; `read_statement` takes all others.

Whatever would be a problem of the policy, or is rare, is not ordinary: then nothing is decided
here. What small pieces mean (an action list, a principal, a condition) is remembered by value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from kms_access.policies.arns import ArnPattern
from kms_access.policies.condition_parsing import read_faultless_condition
from kms_access.policies.conditions import Condition
from kms_access.policies.document import ActionElement, Effect, ResourceElement, Statement
from kms_access.policies.elements import REMEMBERED_PIECES, scalar
from kms_access.policies.grammar import PolicyGrammar, Presence
from kms_access.policies.json_text import Number
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principal_parsing import EVERYONE, read_faultless_principal
from kms_access.policies.variables import has_variables
from kms_access.policies.wildcards import Pattern, with_wildcards

_NAMES = frozenset(
    {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_EFFECTS = {effect.value: frozenset({effect}) for effect in Effect}
_ALLOW = _EFFECTS["Allow"]
_STRINGS = {str}
_REQUIRED = Presence.REQUIRED
_MAXIMUM_CHARACTERS = 1024
"""Of an element; what is remembered stays small, whatever the texts are."""
_EVERYONE = PrincipalElement((EVERYONE,))


def ordinary_statement(
    node: Any, index: int, grammar: PolicyGrammar, variables: bool | None
) -> Statement | None:
    """What `read_statement` gives for `node` if it notes no problem; None to let it decide."""
    if type(node) is not dict or not node.keys() <= _NAMES:
        return None
    effect, sid = node.get("Effect"), node.get("Sid", "")
    if type(effect) is not str or type(sid) is not str:
        return None
    effects = _EFFECTS.get(effect)
    if effects is None or (grammar.deny_only and effects is _ALLOW):
        return None
    if sid and not grammar.sid_with_spaces and not (sid.isascii() and sid.isalnum()):
        return None
    action = _action(node)
    if action is None:
        return None
    principal = resource = None
    if grammar.principal is _REQUIRED:
        principal = _principal(node.get("Principal"), grammar.federated)
        if principal is None:
            return None
    elif "Principal" in node:
        return None
    if grammar.resource is _REQUIRED:
        resource = _resource(node, grammar.resource_is_self)
        if resource is None:
            return None
    elif "Resource" in node or "NotResource" in node:
        return None
    if "Condition" not in node:
        return Statement(index, sid, effects, principal, action, resource)
    conditions = _conditions(node["Condition"], grammar, variables)
    if conditions is None:
        return None
    return Statement(index, sid, effects, principal, action, resource, conditions)


def _texts(node: Any) -> tuple[str, ...] | None:
    """The strings of an element that is a short string or list of strings and not empty."""
    if type(node) is str:
        return (node,) if len(node) <= _MAXIMUM_CHARACTERS else None
    if type(node) is not list or set(map(type, node)) != _STRINGS:
        return None
    return tuple(node) if len(node) + sum(map(len, node)) <= _MAXIMUM_CHARACTERS else None


def _action(node: dict[str, Any]) -> ActionElement | None:
    negated = "NotAction" in node
    if negated and "Action" in node:
        return None
    texts = _texts(node.get("NotAction" if negated else "Action"))
    return _action_element(texts, negated) if texts is not None else None


@lru_cache(REMEMBERED_PIECES)
def _action_element(texts: tuple[str, ...], negated: bool) -> ActionElement:
    return ActionElement(tuple([Pattern.of(text, ignore_case=True) for text in texts]), negated)


def _resource(node: dict[str, Any], self_only: bool) -> ResourceElement | None:
    negated = "NotResource" in node
    if negated and "Resource" in node:
        return None
    texts = _texts(node.get("NotResource" if negated else "Resource"))
    return _resource_element(texts, negated, self_only) if texts is not None else None


@lru_cache(REMEMBERED_PIECES)
def _resource_element(
    texts: tuple[str, ...], negated: bool, self_only: bool
) -> ResourceElement | None:
    patterns: list[ArnPattern] = []
    for text in texts:
        if has_variables(text) or (self_only and text != "*"):
            return None
        patterns.append(ArnPattern.of(text, with_wildcards(text)))
    return ResourceElement(tuple(patterns), (), negated, self_only)


def _principal(node: Any, federated: bool) -> PrincipalElement | None:
    if type(node) is not dict:
        return _EVERYONE if type(node) is str and node == "*" else None
    elements: list[PrincipalElement] = []
    for kind, values in node.items():
        texts = _texts(values)
        if texts is None or (kind == "Federated" and not federated):
            return None
        element = read_faultless_principal(kind, texts)
        if element is None:
            return None
        elements.append(element)
    if len(elements) == 1:
        return elements[0]
    entries = tuple([entry for element in elements for entry in element.entries])
    return PrincipalElement(entries) if entries else None


def _conditions(
    node: Any, grammar: PolicyGrammar, variables: bool | None
) -> tuple[Condition, ...] | None:
    if type(node) is not dict:
        return None
    conditions: list[Condition] = []
    for operator, tests in node.items():
        if type(tests) is not dict:
            return None
        for key, values in tests.items():
            is_scalar = type(values) in (bool, Number)
            texts = _texts(str(scalar(values)) if is_scalar else values)
            if texts is None or len(operator) + len(key) > _MAXIMUM_CHARACTERS:
                return None
            condition = read_faultless_condition(
                operator, key, texts, grammar.refused_with_for_all_values, variables
            )
            if condition is None:
                return None
            conditions.append(condition)
    return tuple(conditions)
