"""One statement of a policy, read strictly (K13–K17, K19–K28, K36–K39)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.arns import SEGMENTS, ArnPattern
from kms_access.policies.condition_parsing import read_conditions
from kms_access.policies.document import ActionElement, Effect, ResourceElement, Statement
from kms_access.policies.elements import (
    Notes,
    as_list,
    describe,
    scalar,
    string_items,
    with_documented_spelling,
)
from kms_access.policies.grammar import PolicyGrammar, Presence
from kms_access.policies.json_text import Path
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principal_parsing import read_principal
from kms_access.policies.principals import EntryKind
from kms_access.policies.text import (
    Text,
    Unknown,
    Value,
    concat,
    describe_unknowns,
    unknown_text,
)
from kms_access.policies.variables import Template, Variable, has_variables, parse_template
from kms_access.policies.wildcards import Pattern, with_wildcards

_ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
)
_PLAIN_SID = re.compile(r"[A-Za-z0-9]*", re.ASCII)
_EITHER = frozenset(Effect)


def read_statement(
    node: Any,
    index: int,
    grammar: PolicyGrammar,
    notes: Notes,
    path: Path,
    *,
    variables: bool | None,
) -> Statement:
    """Read one statement; one that cannot be read is kept as a statement that stays open."""
    if not isinstance(node, Mapping):
        if isinstance(node, Text):
            reason = Reason(describe_unknowns(node), ReasonKind.UNKNOWN_VALUE, "K83")
        else:
            message = f"the statement is {describe(node)}, an object is expected"
            reason = notes.error("K83", message, path)
        return Statement(index, "", _EITHER, uncertain=reason)
    return _Reader(index, grammar, notes, path, variables).read(node)


class _Reader:
    def __init__(
        self, index: int, grammar: PolicyGrammar, notes: Notes, path: Path, variables: bool | None
    ) -> None:
        self.index = index
        self.grammar = grammar
        self.notes = notes
        self.path = path
        self.variables = variables
        self.uncertain: Reason | None = None
        self.unclear: frozenset[str] = frozenset()
        self.inert = False

    def read(self, node: Mapping[str, Any]) -> Statement:
        found = with_documented_spelling(node, _ELEMENTS, self.notes, self.path)
        elements, self.unclear, self.uncertain = found.known, found.unclear, found.uncertain
        sid = self._sid(elements)
        effects = self._effects(elements)
        principal = self._principal(elements, effects)
        action = self._action(elements)
        resource = self._resource(elements)
        conditions: tuple[Any, ...] = ()
        if "Condition" in elements:
            conditions, reason = read_conditions(
                elements["Condition"],
                self.grammar,
                self.notes,
                (*self.path, "Condition"),
                variables=self.variables,
            )
            self.uncertain = self.uncertain or reason
        if self.grammar.deny_only and effects == {Effect.ALLOW} and not _is_full_access(node):
            message = f"a custom {self.grammar.title} holds no Allow"
            self.notes.error("K72", message, (*self.path, "Effect"))
            self.inert = True
        return Statement(
            self.index,
            sid,
            effects,
            principal,
            action,
            resource,
            conditions,
            self.uncertain,
            self.inert,
        )

    def _error(self, rule: str, message: str, element: str = "") -> None:
        path = (*self.path, element) if element else self.path
        self.uncertain = self.notes.error(rule, message, path)

    def _sid(self, elements: Mapping[str, Any]) -> str:
        node = elements.get("Sid")
        if node is None:
            return ""
        text = scalar(node)
        if text is None:
            self._error("K26", f"the Sid is {describe(node)}, a string is expected", "Sid")
            return ""
        sid = str(text)
        if not self.grammar.sid_with_spaces and not _PLAIN_SID.fullmatch(sid):
            path = (*self.path, "Sid")
            self.notes.error(
                "K28", f'the Sid "{sid}" of a {self.grammar.title} is not alphanumeric', path
            )
        return sid

    def _effects(self, elements: Mapping[str, Any]) -> frozenset[Effect]:
        if "Effect" not in elements and "Effect" in self.unclear:
            return _EITHER
        if "Effect" not in elements:
            self._error("K13", "the statement has no Effect")
            return _EITHER
        node = elements["Effect"]
        for effect in Effect:
            if node == effect.value:
                return frozenset({effect})
            if isinstance(node, str) and node.lower() == effect.value.lower():
                self._error("K41", f'the Effect "{node}" is not spelled "{effect.value}"', "Effect")
                return frozenset({effect})
        if isinstance(node, Text):
            self.uncertain = Reason(describe_unknowns(node), ReasonKind.UNKNOWN_VALUE, "K42")
        else:
            message = f'the Effect is {describe(node)}, accepted are "Allow" and "Deny"'
            self._error("K13", message, "Effect")
        return _EITHER

    def _pair(self, elements: Mapping[str, Any], name: str) -> tuple[str, bool] | None:
        """Which of an element and its negation is there; both together keep the statement open."""
        negation = f"Not{name}"
        if name in self.unclear or negation in self.unclear:
            return None
        if name in elements and negation in elements:
            self._error("K13", f"{name} and {negation} stand in one statement", negation)
            return None
        if name in elements:
            return name, False
        return (negation, True) if negation in elements else None

    def _principal(
        self, elements: Mapping[str, Any], effects: frozenset[Effect]
    ) -> PrincipalElement | None:
        presence = self.grammar.principal
        found = self._pair(elements, "Principal")
        if presence is Presence.FORBIDDEN:
            for name in ("Principal", "NotPrincipal"):
                if name in elements:
                    self._error("K39", f"a {self.grammar.title} holds no {name}", name)
            return None
        if found is None:
            if presence is Presence.REQUIRED and self._is_missing("Principal", elements):
                self.notes.error("K17", "the statement has no Principal", self.path)
                self.inert = True
            return None
        name, negated = found
        if negated and not self.grammar.not_principal:
            self._error("K39", f"a {self.grammar.title} holds no NotPrincipal", name)
        if negated and Effect.ALLOW in effects:
            self.notes.error("K36", "NotPrincipal with Allow is not supported", (*self.path, name))
        place = (*self.path, name)
        element = read_principal(
            elements[name],
            self.notes,
            place,
            negated=negated,
            federated=self.grammar.federated,
        )
        kinds = [entry.kind for entry in element.entries]
        if not kinds:
            self.notes.error("K17", "the Principal names nobody", place)
            self.inert = True
        elif EntryKind.REFUSED in kinds and {*kinds} != {EntryKind.REFUSED}:
            text = "a statement with an accepted and a refused principal"
            self.uncertain = self.uncertain or Reason(text, ReasonKind.NOT_ESTABLISHED, "K17")
        return element

    def _is_missing(self, name: str, elements: Mapping[str, Any]) -> bool:
        names = {name, f"Not{name}"}
        return not names & (elements.keys() | self.unclear)

    def _missing(self, name: str) -> None:
        message = f"the statement has no {name}"
        if self.grammar.missing_is_inert and self.uncertain is None:
            self.notes.error("K14", message, self.path)
            self.inert = True
        else:
            self._error("K13", message)

    def _action(self, elements: Mapping[str, Any]) -> ActionElement | None:
        found = self._pair(elements, "Action")
        if found is None:
            if self._is_missing("Action", elements):
                self._missing("Action")
            return None
        name, negated = found
        items = string_items(elements[name], self.notes, (*self.path, name))
        if not items:
            self._missing("Action")
        patterns = tuple(Pattern.of(value, ignore_case=True) for value, _ in items)
        return ActionElement(patterns, negated)

    def _resource(self, elements: Mapping[str, Any]) -> ResourceElement | None:
        found = self._pair(elements, "Resource")
        if self.grammar.resource is Presence.FORBIDDEN:
            for name in ("Resource", "NotResource"):
                if name in elements:
                    self._error("K39", f"a {self.grammar.title} holds no {name}", name)
            return None
        if found is None:
            required = self.grammar.resource is Presence.REQUIRED
            if required and self._is_missing("Resource", elements):
                self._missing("Resource")
            return None
        name, negated = found
        items = string_items(elements[name], self.notes, (*self.path, name))
        if not items:
            self._missing("Resource")
        return self._resource_element(items, negated)

    def _resource_element(self, items: list[tuple[Value, Path]], negated: bool) -> ResourceElement:
        patterns: list[ArnPattern] = []
        templates: list[tuple[Value, Template]] = []
        for value, place in items:
            if self.grammar.resource_is_self and value != "*":
                self.notes.error("K16", f'the Resource "{value}" is not "*"', place)
            if has_variables(value) and self.variables is None:
                unclear = unknown_text(f'whether "{value}" holds a policy variable')
                patterns.append(ArnPattern.of(value, unclear))
                continue
            if not has_variables(value) or not self.variables:
                if has_variables(value):
                    message = f'"{value}" is plain text in this policy version'
                    self.notes.warning("K31", message, place)
                patterns.append(ArnPattern.of(value, with_wildcards(value)))
                continue
            template = parse_template(value)
            if template is None:
                self._error("K32", f'"{value}" holds a "${{" that is no variable')
            elif _variable_before_resource(template):
                message = f'"{value}" holds a variable before the fifth colon'
                self.notes.error("K32", message, place)
                opaque = _with_opaque_variables(template)
                patterns.append(ArnPattern.of(value, with_wildcards(opaque)))
            else:
                templates.append((value, template))
        return ResourceElement(
            tuple(patterns), tuple(templates), negated, self.grammar.resource_is_self
        )


def _variable_before_resource(template: Template) -> bool:
    colons = 0
    for piece in template:
        if isinstance(piece, Variable):
            return colons < SEGMENTS - 1
        if isinstance(piece, str):
            colons += piece.count(":")
    return False


def _with_opaque_variables(template: Template) -> Value:
    return concat(
        piece if isinstance(piece, (str, Unknown)) else Unknown(f"the variable in {piece}")
        for piece in template
    )


def _is_full_access(node: Mapping[str, Any]) -> bool:
    """RCPFullAWSAccess, the one resource control policy that may allow (K72)."""
    everything = (as_list(node.get("Action")), as_list(node.get("Resource")))
    return everything == (["*"], ["*"]) and node.get("Principal") in ("*", {"AWS": "*"})
