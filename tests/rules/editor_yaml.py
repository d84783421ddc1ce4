"""Rules files as an editor reads them to hold them against the schema: YAML 1.2, no dates."""

from __future__ import annotations

import re
from typing import Any

from kms_access.rules.yaml_nodes import Mapping, Node, Scalar, parse_yaml

_TYPED: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


def as_editors_see_it(text: str) -> Any:
    return _typed(parse_yaml(text.encode(), "rules.yaml"))


def _typed(node: Node) -> Any:
    if isinstance(node, Mapping):
        return {entry.key.text: _typed(entry.value) for entry in node.entries}
    if not isinstance(node, Scalar):
        return [_typed(item) for item in node.items]
    if node.quoted:
        return node.text
    if re.fullmatch("[-+]?[0-9]+", node.text):
        return int(node.text)
    return _TYPED.get(node.text, node.text)
