"""Policies without anything odd, read quickly; `parse_policy` takes all others the exact way."""

from __future__ import annotations

from kms_access.policies.document import PolicyDocument, Statement
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.ordinary_statement import ordinary_statement

_NAMES = {"Version", "Statement"}


def ordinary_document(
    node: object, grammar: PolicyGrammar, *, version: str, read_from: str, text: str | None
) -> PolicyDocument | None:
    """The document in `node` if it is in `version` and has no problem; None to look closer.

    `read_from` is a JSON text that holds it; `text` that of the document alone, if there is one.
    """
    if type(node) is not dict or node.keys() != _NAMES or node["Version"] != version:
        return None
    nodes = node["Statement"]
    if type(nodes) is not list or not nodes:
        return None
    if not _is_plain(read_from) or not _is_surely_small(read_from, grammar):
        return None
    statements: list[Statement] = []
    sids: list[str] = []
    for index, item in enumerate(nodes):
        statement = ordinary_statement(item, index, grammar, True)
        if statement is None:
            return None
        statements.append(statement)
        if statement.sid:
            sids.append(statement.sid)
    if len(sids) > 1 and not grammar.sid_with_spaces and len({*sids}) < len(sids):
        return None
    return PolicyDocument(grammar, version, tuple(statements), (), None, text)


def _is_plain(text: str) -> bool:
    """Whether all strings in a JSON text surely hold accepted characters only (K29)."""
    # Strict JSON has control characters as escapes alone.
    return text.isascii() and "\\" not in text


def _is_surely_small(text: str, grammar: PolicyGrammar) -> bool:
    """Whether data that stands in a plain JSON text is within the limits, however it is written.

    Without white space it is at most twice as long: numbers are counted as strings.
    """
    size = 2 * len(text)
    return (not grammar.maximum_bytes or size <= grammar.maximum_bytes) and (
        not grammar.maximum_characters or size <= grammar.maximum_characters
    )
