"""Names that the engine generates: random for each operation until the resource exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kms_access.policies.text import Text, Unknown, Value, concat
from kms_access.sources.pulumi.resource import StackResource
from kms_access.sources.pulumi.tokens import ALIAS, NAMES, property_name
from kms_access.sources.pulumi.wire import plain

_GENERATED_END = re.compile(r"[0-9a-f]{7}")
_GENERATED_DIGITS = r"[0-9A-Za-z]"
_GIVEN_BY_AWS = ("arn", "id", "keyId", "policyArn", "roleId")
"""What a resource has only when it exists; a planned one has it empty or not known."""


class GeneratedNames:
    """Replaces the random end of names that the next operation will choose anew.

    At a preview the engine shows a name for each resource that it will create, and the update
    chooses another one. Documents of the same preview hold the shown name, so that every
    occurrence stands for the same unknown text.
    """

    def __init__(self, resources: Iterable[StackResource]) -> None:
        self._names: dict[str, Text] = {}
        for resource in resources:
            shown = _shown_name(resource)
            name = generated_name(resource, shown) if shown else None
            if name is not None:
                self._names[shown] = name
        longest_first = sorted(self._names, key=lambda name: (-len(name), name))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def replace(self, text: str) -> Value:
        """`text` with unknown parts in place of the names that will not last."""
        pieces: list[str | Text] = []
        end = 0
        for match in self._pattern.finditer(text):
            pieces += [text[end : match.start()], self._names[match.group()]]
            end = match.end()
        return concat((*pieces, text[end:])) if pieces else text


def generated_name(resource: StackResource, shown: str) -> Text | None:
    """The known beginning and the unknown end of a generated name; None for any other name."""
    stem = f"{resource.name}-"
    if resource.type == ALIAS and not stem.startswith("alias/"):
        stem = f"alias/{stem}"
    if not shown.startswith(stem) or not _GENERATED_END.fullmatch(shown, len(stem)):
        return None
    end = Unknown(
        f"the generated end of the name of {NAMES[resource.type]} {resource.qualified_name}",
        "[0-9a-f]",
        unique=True,
        shape=_GENERATED_END.pattern,
        matches_no_literal=True,
    )
    return Text((stem, end))


def name_with_prefix(prefix: Value, description: str, *, not_created_yet: bool) -> Value:
    """The name that AWS's provider makes of a `namePrefix`."""
    end = Unknown(
        f"the generated end of the name of {description}",
        _GENERATED_DIGITS,
        unique=True,
        shape=f"{_GENERATED_DIGITS}+",
        matches_no_literal=not_created_yet,
    )
    return concat((prefix, end))


def is_real(outputs: Mapping[str, object]) -> bool:
    """Whether outputs come from a resource that exists: what AWS gives it is known."""
    known = (plain(outputs[key]) for key in _GIVEN_BY_AWS if key in outputs)
    return any(isinstance(value, str) and value for value in known)


def _shown_name(resource: StackResource) -> str:
    if resource.type not in NAMES or is_real(resource.outputs):
        return ""
    for properties in (resource.outputs, resource.inputs):
        name = plain(properties.get(property_name(resource.type, "name")))
        if isinstance(name, str) and name:
            return name
    return ""
