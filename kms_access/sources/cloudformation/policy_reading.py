"""Policy documents of a template -> PolicyDocument, with undecided parts kept as such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

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
from kms_access.sources.cloudformation.written_statements import ReadPolicy, WrittenStatements

MAXIMUM_WRITTEN = 1 << 18
"""Characters of a policy as written, functions included: past them nothing is resolved.

A policy in force has 32,768 bytes or far fewer (K29, K30), a whole template 1 MiB.
"""
_REPEATED_SID = "K28"


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement as data, the node that it is written as, why it may not be there, and whether
    another reading of it stands beside it."""

    data: Any
    written: Any
    uncertain: Reason | None
    repeated: bool = False


_Parsed: TypeAlias = tuple[PolicyDocument, Sequence[Any]]
"""A document with the node of each of its statements."""


def read_policy(
    resolver: Resolver,
    stack: Stack,
    logical_id: str,
    node: Any,
    grammar: PolicyGrammar,
    *,
    absent: PolicyDocument | None = None,
    uncertain: Reason | None = None,
) -> ReadPolicy | None:
    """The document that a property of a resource holds; None if there is none.

    `node` may be an object, JSON text built by a function, or a choice of these. Where an
    undecided condition chooses, each statement that is not in all alternatives is uncertain: an
    Allow may hold, a Deny may not (K83). `absent` is the document that is in force where the
    property is not there; `uncertain` says why the resource itself may not be there. A policy
    that is surely too large is not resolved (K29), nor is one that is written with more than
    `MAXIMUM_WRITTEN` characters.
    """
    if is_surely_longer(node, MAXIMUM_WRITTEN):
        unresolved = _unresolved(stack, node, grammar)
        return ReadPolicy(unresolved, WrittenStatements(stack, logical_id, node, ()))
    found = [
        (whole.node, one.node, whole.uncertain or one.uncertain)
        for whole in branches(resolver, stack, node)
        for one in _readings(resolver, stack, whole.node)
    ]
    parsed = [
        (whole, *_document(resolver, stack, one, grammar, absent))
        for whole, one, _ in found
        if not _is_absent(one) or absent is not None
    ]
    if not parsed:
        return None
    if len(found) == 1:
        whole, document, nodes = parsed[0]
        places = WrittenStatements(stack, logical_id, whole, nodes)
        return ReadPolicy(with_uncertainty(document, uncertain), places)
    reason = next(doubt for _, _, doubt in found if doubt is not None)
    document, nodes = _merged(parsed, reason, everywhere=len(parsed) == len(found))
    places = WrittenStatements(stack, logical_id, node, nodes, is_merged=True)
    return ReadPolicy(with_uncertainty(document, uncertain), places)


def _unresolved(stack: Stack, node: Any, grammar: PolicyGrammar) -> PolicyDocument:
    too_large = surely_too_large(node, grammar, is_computed)
    if too_large is not None:
        return unread_policy(too_large, grammar)
    what = f"a {grammar.title} of {stack.identity}, written with more than {MAXIMUM_WRITTEN}"
    return unreadable_policy(grammar, Reason(f"{what} characters", ReasonKind.UNREADABLE, "K83"))


def _readings(resolver: Resolver, stack: Stack, node: Any) -> list[Alternative]:
    """A document that a function builds, resolved; another as written, once for each list of
    statements that it may have."""
    if not isinstance(node, dict) or intrinsic_name(node) is not None:
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
) -> _Parsed:
    if _is_absent(node) and absent is not None:
        return absent, ()
    too_large = surely_too_large(node, grammar, is_computed)
    if too_large is not None:
        return unread_policy(too_large, grammar), ()
    is_plain = isinstance(node, dict) and not any(key.startswith("Fn::") for key in node)
    if not is_plain or "Statement" not in node:
        return parse_policy(resolver.data(node, stack), grammar), ()
    rest = {key: value for key, value in node.items() if key != "Statement"}
    data = resolver.data(rest, stack)
    if not isinstance(data, dict):
        return parse_policy(data, grammar), ()
    statements = _statements(resolver, stack, node["Statement"])
    nodes = [statement.written for statement in statements]
    parsed = {**data, "Statement": [s.data for s in statements]}
    # Readings of one statement stand beside each other: together they may be too large.
    if not any(statement.uncertain or statement.repeated for statement in statements):
        return parse_policy(parsed, grammar), nodes
    measured = replace(grammar, maximum_bytes=0)
    document = replace(parse_policy(parsed, measured), grammar=grammar)
    return _with_doubts(document, statements), nodes


def _statements(resolver: Resolver, stack: Stack, node: Any) -> list[_Statement]:
    statements: list[_Statement] = []
    for item in items(resolver, stack, node):
        found = variants(resolver, stack, item.node)
        readings = [
            _Statement(one.node, item.node, one.uncertain)
            for one in found
            if one.node is not NO_VALUE
        ]
        if len(found) > 1 and len(readings) == len(found):
            common, rests = common_and_rest([reading.data for reading in readings])
            doubt = readings[0].uncertain
            readings = [_Statement(rest, item.node, doubt) for rest in rests]
            if common is not None:
                readings.insert(0, _Statement(common, item.node, None))
        statements.extend(
            _Statement(
                reading.data,
                item.node,
                reading.uncertain or item.uncertain,
                repeated=index > 0,
            )
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
    parsed: Sequence[tuple[Any, PolicyDocument, Sequence[Any]]], reason: Reason, *, everywhere: bool
) -> _Parsed:
    """One document for several of which one is in force, each with the node that it is written
    as and those of its statements."""
    documents = [document for _, document, _ in parsed]
    problems = tuple(dict.fromkeys(p for document in documents for p in document.problems))
    unreadable = next((d.unreadable for d in documents if d.unreadable), None)
    if unreadable is not None:
        unread = unreadable_policy(documents[0].grammar, unreadable)
        return replace(unread, problems=problems), ()
    held = [{replace(s, index=0) for s in document.statements} for document in documents]
    kept: dict[Statement, Statement] = {}
    kept_nodes: list[Any] = []
    for whole, document, nodes in parsed:
        for place, statement in enumerate(document.statements):
            plain = replace(statement, index=0)
            if plain not in kept:
                certain = everywhere and all(plain in each for each in held)
                doubt = statement.uncertain or (None if certain else reason)
                kept[plain] = replace(statement, index=len(kept), uncertain=doubt)
                kept_nodes.append(nodes[place] if place < len(nodes) else whole)
    statements = tuple(kept.values())
    merged = replace(documents[0], statements=statements, problems=problems, text=None)
    return merged, kept_nodes


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
