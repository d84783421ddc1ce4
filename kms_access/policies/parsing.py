"""Policy text or data -> PolicyDocument, strictly, and without ever losing a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import PolicyDocument, Problem, Severity, Statement
from kms_access.policies.document_size import reason_of, size_of_data, size_of_text
from kms_access.policies.elements import (
    Notes,
    as_list,
    describe,
    duplicates_of,
    with_documented_spelling,
)
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.json_text import JsonError, JsonObject, Number, Path, read_json
from kms_access.policies.ordinary_document import ordinary_document
from kms_access.policies.ordinary_statement import ordinary_statement
from kms_access.policies.statement_parsing import read_statement
from kms_access.policies.text import (
    Text,
    Unknown,
    Value,
    concat,
    describe_unknowns,
    unknown_text,
)

CURRENT_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"
_ELEMENTS = ("Version", "Id", "Statement")
_REFUSED_CHARACTER = re.compile("[^\t\n\r\u0020-\u00ff]")
_FIRST_PLACEHOLDER = 0xF1000
_MAXIMUM_POSITIONS = 20
MAXIMUM_ERRORS = 200
"""Past them a policy is not read any further: what it says as a whole stays open."""


def parse_policy(
    source: object, grammar: PolicyGrammar, *, read_from: str | None = None
) -> PolicyDocument:
    """Parse a policy given as JSON text, as text with unknown parts, or as data.

    `source`: a `str` (JSON), a `Text` (JSON built from values not known yet), or a mapping with
    text keys whose leaves are strings, numbers, booleans or `Text`. Never raises for a malformed
    policy: what is wrong becomes problems, and the affected part answers "unknown" (K13–K41, K83).
    A policy past its limit is measured and not read (K29, K30), one with more than
    `MAXIMUM_ERRORS` errors is not read to its end: as a whole they answer "unknown".
    `read_from` is a JSON text that holds the data, if there is one: with it, it is read faster.
    """
    text = source if isinstance(source, str) else None
    if isinstance(source, (str, Text)):
        too_long = size_of_text(source, grammar)
        if too_long is not None:
            return unread_policy(too_long, grammar, text)
    node: object = source
    try:
        if isinstance(source, str):
            node = read_json(source)
        elif isinstance(source, Text):
            node = _read_json_with_unknowns(source)
    except JsonError as error:
        problem = Problem("K83", f"no readable JSON: {error.message}", (), position=error.position)
        reason = Reason(f"the {grammar.title}, which is no JSON", ReasonKind.UNREADABLE, "K83")
        return PolicyDocument(grammar, OLD_VERSION, (), (problem,), reason, text)
    whole = read_from if text is None else text
    if whole is not None:
        ordinary = ordinary_document(
            node, grammar, version=CURRENT_VERSION, read_from=whole, text=text
        )
        if ordinary is not None:
            return ordinary
    try:
        document = _read_document(node, grammar, text)
    except RecursionError:
        reason = Reason(f"a {grammar.title} that is nested too deep", ReasonKind.UNREADABLE, "K83")
        return unreadable_policy(grammar, reason)
    if text is None or not document.problems:
        return document
    # Each position reads the text again, so only the first problems get one.
    problems = list(document.problems)
    for index, problem in enumerate(problems[:_MAXIMUM_POSITIONS]):
        if problem.position is None:
            problems[index] = replace(problem, position=document.position(problem.path))
    return replace(document, problems=tuple(problems))


def unreadable_policy(grammar: PolicyGrammar, reason: Reason) -> PolicyDocument:
    """A policy that applies although its content is not known (K83)."""
    return PolicyDocument(grammar, OLD_VERSION, (), (), reason)


def unread_policy(
    problem: Problem, grammar: PolicyGrammar, text: str | None = None
) -> PolicyDocument:
    """A policy that nobody reads because of its size (K29, K30)."""
    return PolicyDocument(grammar, OLD_VERSION, (), (problem,), reason_of(problem), text)


def _read_document(node: object, grammar: PolicyGrammar, text: str | None) -> PolicyDocument:
    notes = Notes()
    if isinstance(node, Text):
        return unreadable_policy(
            grammar, Reason(describe_unknowns(node), ReasonKind.UNKNOWN_VALUE, "K83")
        )
    if not isinstance(node, Mapping):
        message = f"the policy is {describe(node)}, an object is expected"
        reason = notes.error("K83", message, ())
        return PolicyDocument(grammar, OLD_VERSION, (), tuple(notes.problems), reason, text)
    size = size_of_data(node, grammar) if text is None or not grammar.maximum_bytes else None
    if size is not None and size.severity is Severity.ERROR:
        return unread_policy(size, grammar, text)
    found = with_documented_spelling(node, _ELEMENTS, notes, ())
    elements, uncertain = found.known, found.uncertain
    if "Id" in elements and not grammar.id_allowed:
        uncertain = notes.error("K39", f"a {grammar.title} holds no Id", ("Id",))
    version, wrong_version = _version(elements, grammar, notes)
    uncertain = uncertain or wrong_version
    for path, character in _refused_characters(node):
        message = f"character U+{ord(character):04X} is not accepted in policies"
        uncertain = notes.error("K29", message, path)
    if size is not None:
        notes.problems.append(size)
    statements: tuple[Statement, ...] = ()
    if "Statement" not in found.unclear:
        is_unclear = wrong_version is not None or "Version" in found.unclear
        variables = None if is_unclear else version == CURRENT_VERSION
        statements = _statements(elements, grammar, notes, variables=variables)
    unreadable = found.uncertain if "Statement" in found.unclear else None
    if notes.errors > MAXIMUM_ERRORS:
        message = f"there are more than {MAXIMUM_ERRORS} errors, the policy is not read any further"
        statements, unreadable = (), notes.error("K83", message, ())
    if uncertain is not None:
        statements = tuple(replace(s, uncertain=s.uncertain or uncertain) for s in statements)
    return PolicyDocument(grammar, version, statements, tuple(notes.problems), unreadable, text)


def _version(
    elements: Mapping[str, Any], grammar: PolicyGrammar, notes: Notes
) -> tuple[str, Reason | None]:
    if "Version" not in elements:
        if grammar.version_required:
            # KMS takes it nevertheless: the key of every CDK bootstrap stack has none.
            notes.warning("K13", f"a {grammar.title} should say its Version", ())
        return OLD_VERSION, None
    version = elements["Version"]
    if version in (CURRENT_VERSION, OLD_VERSION):
        return version, None
    accepted = f'accepted are "{CURRENT_VERSION}" and "{OLD_VERSION}"'
    reason = notes.error("K31", f"the Version is {describe(version)}, {accepted}", ("Version",))
    return OLD_VERSION, reason


def _statements(
    elements: Mapping[str, Any], grammar: PolicyGrammar, notes: Notes, *, variables: bool | None
) -> tuple[Statement, ...]:
    node = elements.get("Statement", [])
    nodes = as_list(node)
    if not nodes:
        notes.error("K13", "the policy has no statement", ())
    listed = isinstance(node, list)
    statements = []
    sids: set[str] = set()
    for index, item in enumerate(nodes):
        path: Path = ("Statement", index) if listed else ("Statement",)
        statement = ordinary_statement(item, index, grammar, variables)
        if statement is None:
            statement = read_statement(item, index, grammar, notes, path, variables=variables)
        if statement.sid:
            if statement.sid in sids and not grammar.sid_with_spaces:
                notes.error("K28", f'the Sid "{statement.sid}" is not unique', (*path, "Sid"))
            sids.add(statement.sid)
        statements.append(statement)
        if notes.errors > MAXIMUM_ERRORS:
            break
    return tuple(statements)


def _refused_characters(node: Any) -> list[tuple[Path, str]]:
    if not _REFUSED_CHARACTER.search("".join(_known_strings(node))):
        return []
    found = []
    for path, string in _strings(node, ()):
        match = _REFUSED_CHARACTER.search(string)
        if match:
            found.append((path, match.group()))
    return found


def _known_strings(node: Any) -> list[str]:
    """All strings of the data, keys included: without their paths, which take longer."""
    if isinstance(node, str):
        return [node]
    strings: list[str] = []
    if isinstance(node, Mapping):
        strings += node
        for value in node.values():
            strings += [value] if type(value) is str else _known_strings(value)
    elif isinstance(node, list):
        for item in node:
            strings += [item] if type(item) is str else _known_strings(item)
    elif isinstance(node, Text):
        strings += [part for part in node.parts if isinstance(part, str)]
    return strings


def _strings(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield (*path, key), key
            yield from _strings(value, (*path, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _strings(item, (*path, index))
    elif isinstance(node, Text):
        yield from ((path, part) for part in node.parts if isinstance(part, str))
    elif isinstance(node, str):
        yield path, node


def _read_json_with_unknowns(source: Text) -> object:
    """JSON text with unknown parts inside its strings; anything else stays unknown."""
    unknowns = dict.fromkeys(source.unknowns)
    if len(source.parts) == len(unknowns) == 1 or any(u.can_hold('"') for u in unknowns):
        return source
    placeholders = {u: chr(_FIRST_PLACEHOLDER + i) for i, u in enumerate(unknowns)}
    node = read_json("".join(p if isinstance(p, str) else placeholders[p] for p in source.parts))
    return _put_back(node, {symbol: unknown for unknown, symbol in placeholders.items()})


def _put_back(node: Any, unknowns: Mapping[str, Unknown]) -> Any:
    if isinstance(node, Mapping):
        if not all(unknowns.keys().isdisjoint(key) for key in node):
            return unknown_text("an object with a key that is not known yet")
        restored = JsonObject([(key, _put_back(value, unknowns)) for key, value in node.items()])
        restored.duplicates = duplicates_of(node)
        return restored
    if isinstance(node, list):
        return [_put_back(item, unknowns) for item in node]
    if isinstance(node, str) and not isinstance(node, Number):
        return _restored(node, unknowns)
    return node


def _restored(text: str, unknowns: Mapping[str, Unknown]) -> Value:
    if text.isascii():
        return text
    return concat(unknowns.get(character, character) for character in text)
