"""Policy documents of a template -> PolicyDocument, with undecided parts kept as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import PolicyDocument, Problem, Statement
from kms_access.policies.document_size import is_surely_longer, surely_too_large
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.parsing import parse_policy, unread_policy, unreadable_policy
from kms_access.sources.cloudformation.alternatives import (
    Alternative,
    branches,
    items,
    variants,
)
from kms_access.sources.cloudformation.resolver import Resolver, intrinsic_name, is_computed
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.statement_parts import common_and_rest
from kms_access.sources.cloudformation.values import NO_VALUE

MAXIMUM_WRITTEN = 1 << 18
"""Characters of a policy as written, functions included: past them nothing is resolved.

A policy in force has 32,768 bytes or far fewer (K29, K30), a whole template 1 MiB.
"""
_REPEATED_SID = "K28"


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement as data, why it may not be there, and whether another reading of it stands
    beside it."""

    data: Any
    uncertain: Reason | None
    repeated: bool = False


def read_policy(
    resolver: Resolver,
    stack: Stack,
    node: Any,
    grammar: PolicyGrammar,
    *,
    absent: PolicyDocument | None = None,
    uncertain: Reason | None = None,
) -> PolicyDocument | None:
    """The document that a property holds; None if there is none.

    `node` may be an object, JSON text built by a function, or a choice of these. Where an
    undecided condition chooses, each statement that is not in all alternatives is uncertain: an
    Allow may hold, a Deny may not (K83). `absent` is the document that is in force where the
    property is not there; `uncertain` says why the resource itself may not be there. A policy
    that is surely too large is not resolved (K29), nor is one that is written with more than
    `MAXIMUM_WRITTEN` characters.
    """
    if is_surely_longer(node, MAXIMUM_WRITTEN):
        return _unresolved(stack, node, grammar)
    found = [
        Alternative(one.node, whole.uncertain or one.uncertain)
        for whole in branches(resolver, stack, node)
        for one in _readings(resolver, stack, whole.node)
    ]
    documents = [
        _document(resolver, stack, one.node, grammar, absent)
        for one in found
        if not _is_absent(one.node) or absent is not None
    ]
    if not documents:
        return None
    if len(found) == 1:
        return with_uncertainty(documents[0], uncertain)
    reason = next(one.uncertain for one in found if one.uncertain is not None)
    merged = _merged(documents, reason, everywhere=len(documents) == len(found))
    return with_uncertainty(merged, uncertain)


def _unresolved(stack: Stack, node: Any, grammar: PolicyGrammar) -> PolicyDocument:
    too_large = surely_too_large(node, grammar, is_computed)
    if too_large is not None:
        return unread_policy(too_large, grammar)
    what = f"a {grammar.title} of {stack.identity}, written with more than {MAXIMUM_WRITTEN}"
    return unreadable_policy(grammar, Reason(f"{what} characters", ReasonKind.UNREADABLE, "K83"))


def _readings(resolver: Resolver, stack: Stack, node: Any) -> list[Alternative]:
    """A document that a function builds, resolved; another as written, once for each list of
    statements that it may have."""
    if not isinstance(node, Mapping) or intrinsic_name(node) is not None:
        return variants(resolver, stack, node)
    if "Statement" not in node:
        return [Alternative(node)]
    return [
        Alternative({**node, "Statement": one.node}, one.uncertain)
        for one in branches(resolver, stack, node["Statement"])
    ]


def _is_absent(node: Any) -> bool:
    return node is None or node is NO_VALUE or node == ""


def _document(
    resolver: Resolver,
    stack: Stack,
    node: Any,
    grammar: PolicyGrammar,
    absent: PolicyDocument | None,
) -> PolicyDocument:
    if _is_absent(node) and absent is not None:
        return absent
    too_large = surely_too_large(node, grammar, is_computed)
    if too_large is not None:
        return unread_policy(too_large, grammar)
    is_plain = isinstance(node, Mapping) and not any(key.startswith("Fn::") for key in node)
    if not is_plain or "Statement" not in node:
        return parse_policy(resolver.data(node, stack), grammar)
    rest = {key: value for key, value in node.items() if key != "Statement"}
    data = resolver.data(rest, stack)
    if not isinstance(data, Mapping):
        return parse_policy(data, grammar)
    statements = _statements(resolver, stack, node["Statement"])
    parsed = {**data, "Statement": [s.data for s in statements]}
    # Readings of one statement stand beside each other: together they may be too large.
    if not any(statement.uncertain or statement.repeated for statement in statements):
        return parse_policy(parsed, grammar)
    measured = replace(grammar, maximum_bytes=0)
    document = replace(parse_policy(parsed, measured), grammar=grammar)
    return _with_doubts(document, statements)


def _statements(resolver: Resolver, stack: Stack, node: Any) -> list[_Statement]:
    statements: list[_Statement] = []
    for item in items(resolver, stack, node):
        found = variants(resolver, stack, item.node)
        readings = [_Statement(v.node, v.uncertain) for v in found if v.node is not NO_VALUE]
        if len(found) > 1 and len(readings) == len(found):
            common, rests = common_and_rest([reading.data for reading in readings])
            doubt = readings[0].uncertain
            readings = [_Statement(rest, doubt) for rest in rests]
            if common is not None:
                readings.insert(0, _Statement(common, None))
        statements.extend(
            _Statement(reading.data, reading.uncertain or item.uncertain, repeated=index > 0)
            for index, reading in enumerate(readings)
        )
    return statements


def _with_doubts(document: PolicyDocument, statements: Sequence[_Statement]) -> PolicyDocument:
    """Only `statements` with `repeated` may repeat a Sid: they are readings of one statement."""
    if len(document.statements) != len(statements):
        doubt = next((read.uncertain for read in statements if read.uncertain), None)
        return with_uncertainty(document, doubt)
    parsed = tuple(
        replace(statement, uncertain=statement.uncertain or read.uncertain)
        for statement, read in zip(document.statements, statements, strict=True)
    )
    problems = tuple(p for p in document.problems if not _is_own_repetition(p, statements))
    return replace(document, statements=parsed, problems=problems)


def _is_own_repetition(problem: Problem, statements: Sequence[_Statement]) -> bool:
    path = problem.path
    return (
        problem.rule == _REPEATED_SID
        and "not unique" in problem.message
        and len(path) > 1
        and isinstance(path[1], int)
        and statements[path[1]].repeated
    )


def _merged(
    documents: Sequence[PolicyDocument], reason: Reason, *, everywhere: bool
) -> PolicyDocument:
    """One document for several of which one is in force."""
    problems = tuple(dict.fromkeys(p for document in documents for p in document.problems))
    unreadable = next((d.unreadable for d in documents if d.unreadable), None)
    if unreadable is not None:
        return replace(unreadable_policy(documents[0].grammar, unreadable), problems=problems)
    held = [{replace(s, index=0) for s in document.statements} for document in documents]
    kept: dict[Statement, Statement] = {}
    for document in documents:
        for statement in document.statements:
            plain = replace(statement, index=0)
            if plain not in kept:
                certain = everywhere and all(plain in each for each in held)
                doubt = statement.uncertain or (None if certain else reason)
                kept[plain] = replace(statement, index=len(kept), uncertain=doubt)
    statements = tuple(kept.values())
    return replace(documents[0], statements=statements, problems=problems, text=None)


def with_uncertainty(document: PolicyDocument, reason: Reason | None) -> PolicyDocument:
    """The same document, in which nothing is certain because of `reason`."""
    if reason is None:
        return document
    doubted = tuple(replace(s, uncertain=s.uncertain or reason) for s in document.statements)
    return replace(document, statements=doubted)


def outside_policy(grammar: PolicyGrammar, what: str) -> PolicyDocument:
    """A policy whose content is not part of the definitions (K65)."""
    return unreadable_policy(grammar, Reason(what, ReasonKind.UNREADABLE, "K65"))


def unknown_policy(grammar: PolicyGrammar, what: str) -> PolicyDocument:
    """A policy of which the definitions do not say yet what it holds (K83)."""
    return unreadable_policy(grammar, Reason(what, ReasonKind.UNKNOWN_VALUE, "K83"))
