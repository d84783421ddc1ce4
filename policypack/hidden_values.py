"""Values that the pack does not show, because they may be secrets.

The SDK hands secrets to a policy in plain text and without their mark, and a policy document that
is built from a secret is a secret as a whole. So no mark can decide what is shown. Findings name
principals, keys, statements, actions and resources, and these are shown. Everything else that
stands in a document, and the constraints of grants, is shown only under the condition keys whose
values AWS itself defines (names of services, ARNs, ids, regions).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kms_access.policies.wildcards import fold_case
from kms_access.reports.terminal import safe
from kms_access.sources.pulumi import StackResource

NOT_SHOWN = "(not shown)"
_SHORTEST = 4
_SHOWN_KEYS = re.compile(
    r"kms:(?!encryptioncontext:|recipientattestation:).*"
    r"|aws:(calledvia(first|last)?|currenttime|epochtime|multifactorauth(age|present)"
    r"|principal(account|arn|isawsservice|orgid|orgpaths|servicename|servicenameslist|type)"
    r"|requestedregion|resource(account|orgid|orgpaths)|securetransport"
    r"|source(account|arn|ip|orgid|orgpaths|vpc|vpce)|tagkeys|username|viaawsservice|vpcsourceip)"
    r"|.*:(aud|sub)"
)
_WORDS = frozenset({"Allow", "Deny", "2012-10-17", "2008-10-17", "true", "false"})
_CONDITION = "condition"
_STATEMENT = "statement"
_CONSTRAINTS = ("encryptionContextEquals", "encryptionContextSubset")
_NAMES = ("sid", "action", "notaction", "resource", "notresource", "principal", "notprincipal")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")


def hidden_values(resources: Iterable[StackResource]) -> frozenset[str]:
    """What is not shown of the documents and the constraints of the resources."""
    hidden: set[str] = set()
    names = set(_WORDS)
    for resource in resources:
        names.update(resource.urn.split("::"))
        for properties in (resource.inputs, resource.outputs):
            names.update(v for k, v in properties.items() if k == "name" and isinstance(v, str))
            _sort(properties, hidden, names, in_document=False)
    return frozenset(hidden - names)


def without(hidden: Iterable[str], text: str) -> str:
    """`text` in which no hidden value stands; texts show values in double quotes."""
    for value in hidden:
        for form in {value, safe(value)}:
            text = text.replace(f'"{form}"', NOT_SHOWN)
    return text


def without_values_of(properties: Iterable[Mapping[str, object]], text: str) -> str:
    """`text`, which may quote anything, without values of the properties and parts of them."""
    values = {value for each in properties for value in _leaves(each)}
    quoted = {a or b for a, b in _QUOTED.findall(text)}
    parts = {part for part in quoted if any(part in value for value in values)}
    whole = {value for value in values if len(value) >= _SHORTEST}
    for value in sorted(whole | parts, key=len, reverse=True):
        text = text.replace(value, NOT_SHOWN)
    return text


def _sort(node: object, hidden: set[str], names: set[str], *, in_document: bool) -> None:
    """Walk properties and documents; what a document names in the open hides nothing."""
    if not isinstance(node, Mapping | list):
        content = _parsed(node)
        if content is not None:
            _sort(content, hidden, names, in_document=True)
        elif in_document or _is_document(node):
            hidden.update(_leaves(node))
        return
    entries = list(_items(node))
    in_document = in_document or any(fold_case(key) == _STATEMENT for key, _ in entries)
    for key, value in entries:
        folded = fold_case(key)
        if folded == _CONDITION:
            hidden.update(v for k, v in _tests(value, "") if not _SHOWN_KEYS.fullmatch(k))
        elif key in _CONSTRAINTS:
            hidden.update(_leaves(value))
        elif in_document and folded in _NAMES:
            names.update(_leaves(value))
        else:
            _sort(value, hidden, names, in_document=in_document)


def _tests(node: object, key: str) -> Iterator[tuple[str, str]]:
    """The values below a condition, each with the condition key that it is for."""
    if isinstance(node, Mapping | list):
        for name, value in _items(node):
            yield from _tests(value, fold_case(name) or key)
    else:
        for text in _spellings(node):
            yield key, text


def _leaves(node: object) -> Iterator[str]:
    if isinstance(node, Mapping | list):
        for _, value in _items(node):
            yield from _leaves(value)
        return
    yield from _spellings(node)
    content = _parsed(node)
    if content is not None:
        yield from _leaves(content)
    elif _is_document(node):
        yield from _STRING.findall(str(node))


def _spellings(leaf: object) -> Iterator[str]:
    if isinstance(leaf, str):
        yield leaf
    elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
        yield str(leaf)
        if isinstance(leaf, float) and leaf.is_integer():
            yield str(int(leaf))


def _items(node: object) -> Iterator[tuple[str, Any]]:
    if isinstance(node, _Pairs):
        yield from node.pairs
    elif isinstance(node, Mapping):
        yield from ((str(key), value) for key, value in node.items())
    elif isinstance(node, list):
        yield from (("", value) for value in node)


class _Pairs(dict[str, Any]):
    """A JSON object with the entries that a repeated key would push out."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _is_document(leaf: object) -> bool:
    return isinstance(leaf, str) and leaf.lstrip().startswith(("{", "["))


def _parsed(leaf: object) -> object:
    """The content of a string that holds JSON, else None."""
    if not _is_document(leaf):
        return None
    try:
        # Numbers as they are spelled: that is how texts show them.
        return json.loads(str(leaf), object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
