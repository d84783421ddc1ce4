"""JSON text or data of the wire -> PolicyDocument; equal text is read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kms_access.policies.document import PolicyDocument
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import Text, unknown_text
from kms_access.sources.pulumi.wire import UNKNOWN


@lru_cache(maxsize=4096)
def parse(text: str | Text, grammar: PolicyGrammar) -> PolicyDocument:
    """Parse JSON text; the same text is read once, however often the stack is evaluated."""
    return parse_policy(text, grammar)


def parse_data(node: object, grammar: PolicyGrammar, what: str) -> PolicyDocument:
    """Parse a document that is given as data; `what` names it for its unknown leaves."""
    return parse_policy(_with_texts(node, what), grammar)


def _with_texts(node: object, what: str) -> object:
    if isinstance(node, Mapping):
        return {key: _with_texts(item, what) for key, item in node.items()}
    if isinstance(node, list):
        return [_with_texts(item, what) for item in node]
    return unknown_text(f"a value in {what}") if node is UNKNOWN else node
