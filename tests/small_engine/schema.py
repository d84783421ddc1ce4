"""What a resource type takes and computes, read from the source text of the installed SDK.

Reading the text costs a few milliseconds per type; importing the provider's SDK costs seconds and
would put a large package into the test process.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ASSIGNED = re.compile(r'^ +__props__\.__dict__\["(\w+)"\] = (.+)$', re.MULTILINE)
_GETTER = re.compile(r'@pulumi\.getter(?:\(name="(\w+)"\))?\s+def (\w+)\(self\)')
_DOCUMENT = re.compile(r"^ +(\w+): pulumi\.Input\[.*Union\[_builtins\.str, '\w*PolicyDocumentArgs'")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class TypeSchema:
    inputs: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()


@cache
def type_schema(token: str) -> TypeSchema:
    """The schema of a type such as `aws:kms/key:Key`; empty when no SDK describes it."""
    source = _source(token)
    if not source:
        return TypeSchema()
    camel: dict[str, str] = {python: wire or python for wire, python in _GETTER.findall(source)}
    # The constructor comes before `get`, which assigns the same names again for lookups.
    constructor = source.split("\n    def get(", 1)[0]
    inputs: set[str] = set()
    computed: set[str] = set()
    for python, value in _ASSIGNED.findall(constructor):
        (computed if value == "None" else inputs).add(camel.get(python, python))
    documents = {
        camel.get(match.group(1), match.group(1))
        for match in map(_DOCUMENT.match, constructor.splitlines())
        if match
    }
    return TypeSchema(frozenset(inputs), frozenset(computed), frozenset(documents))


def _source(token: str) -> str:
    package, _, rest = token.partition(":")
    module, _, class_name = rest.partition(":")
    parts = [_HUMP.sub("_", part).lower() for part in module.split("/")]
    if not class_name or not all(part.isidentifier() for part in parts):
        return ""
    spec = importlib.util.find_spec(f"pulumi_{package.replace('-', '_')}")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        for folder in (parts[0], f"{parts[0]}_"):
            file = Path(root, folder, f"{_HUMP.sub('_', class_name).lower()}.py")
            if file.is_file():
                source = file.read_text(encoding="utf-8")
                if f"'{token}'" in source:
                    return source
    return ""
