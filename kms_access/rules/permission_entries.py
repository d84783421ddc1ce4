"""Capabilities, actions and limits of a rules file."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kms_access.inventory.actions import closest_action, expand_capability, find_action
from kms_access.policies.condition_parsing import read_conditions
from kms_access.policies.elements import Notes
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.json_text import Path
from kms_access.policies.wildcards import fold_case
from kms_access.rules.file_format import CAPABILITY_WORDS, LimitEntry
from kms_access.rules.model import Limit, Permission, Team
from kms_access.rules.patterns import CALLING_SERVICE
from kms_access.rules.reading import (
    describe,
    entries_of,
    fields_of,
    items_of,
    mapping_of,
    text_of,
    texts_of,
    unknown,
    value_of,
)
from kms_access.rules.yaml_nodes import Mapping, Node, Place, Scalar, Sequence

VIA_SERVICE = "kms:ViaService"
_CALLING_SERVICE = re.compile(CALLING_SERVICE, re.ASCII)


def actions_of_word(node: Scalar) -> frozenset[str]:
    """The actions that a capability or an action name means."""
    word = node.text
    if ":" in word:
        info = find_action(word)
        if info is None:
            close = closest_action(word)
            raise node.place.error(
                f'unknown action "{word}"', f'did you mean "{close}"?' if close else ""
            )
        return frozenset({info.name})
    if word not in CAPABILITY_WORDS:
        raise unknown(node, CAPABILITY_WORDS, "capability")
    return expand_capability(word)


def permissions_of(
    node: Node | None, teams: dict[str, Team], what: str, *, limits: bool
) -> dict[str, tuple[Permission, ...]]:
    """What each team is given; `limits` tells whether an item may have one."""
    result = {}
    for entry in entries_of(node, what):
        team = entry.key.text
        if team not in teams:
            raise unknown(entry.key, teams, "team")
        items = items_of(entry.value, f'the list of team "{team}"')
        permissions = tuple(_permission(item, what, limits=limits) for item in items)
        _refuse_idle_limits(permissions)
        result[team] = permissions
    return result


def _permission(node: Node, what: str, *, limits: bool) -> Permission:
    if not isinstance(node, Mapping):
        word = text_of(node, what)
        return Permission(word.text, actions_of_word(word), word.place)
    if not limits:
        raise node.place.error(
            f'an item of {what} is a mapping, a capability is expected: limits stand under "allow"'
        )
    if len(node.entries) != 1:
        raise node.place.error(
            f"a limited capability is a mapping with one entry, found {len(node.entries)}",
            "write each capability as an item of its own",
        )
    (entry,) = node.entries
    limit = _limit(entry.value, f'the limit of "{entry.key.text}"')
    return Permission(entry.key.text, actions_of_word(entry.key), entry.key.place, limit)


def _refuse_idle_limits(permissions: Iterable[Permission]) -> None:
    permissions = tuple(permissions)
    free = [permission for permission in permissions if permission.limit is None]
    for limited in permissions:
        if limited.limit is None:
            continue
        for other in free:
            if not limited.actions.isdisjoint(other.actions):
                raise limited.place.error(
                    f'the limit of "{limited.word}" has no effect: "{other.word}" in line '
                    f"{other.place.line} allows the same without it"
                )


def _limit(node: Node, what: str) -> Limit:
    mapping = mapping_of(node, what)
    fields = fields_of(mapping, LimitEntry, what)
    if not fields:
        raise mapping.place.error(f"{what} is empty, accepted are via, when")
    via = tuple(_service(text) for text in texts_of(fields.get("via"), '"via"'))
    if "via" in fields and not via:
        raise fields["via"].place.error('"via" is empty')
    when = _when(fields["when"], has_via=bool(via)) if "when" in fields else {}
    return Limit(via, when)


def _service(node: Scalar) -> str:
    if not _CALLING_SERVICE.fullmatch(node.text):
        raise node.place.error(
            f'"{node.text}" is no service as kms:ViaService names it',
            'write "s3" for every Region, "s3.eu-central-1.amazonaws.com" for one',
        )
    return node.text


def _when(node: Node, *, has_via: bool) -> dict[str, dict[str, tuple[str, ...]]]:
    mapping = mapping_of(node, '"when"')
    block: dict[str, dict[str, tuple[str, ...]]] = {}
    places: dict[Path, Place] = {(): mapping.place}
    for operator in mapping.entries:
        name = operator.key.text
        places[(name,)] = operator.key.place
        block[name] = {}
        for test in entries_of(operator.value, f'"{name}"'):
            key = test.key.text
            if has_via and fold_case(key) == fold_case(VIA_SERVICE):
                raise test.key.place.error(f'"{key}" stands beside "via", which is about it')
            places[(name, key)] = test.key.place
            values = test.value.items if isinstance(test.value, Sequence) else (test.value,)
            for index, value in enumerate(values):
                places[(name, key, index)] = value.place
            block[name][key] = tuple(value_of(value, f'a value of "{key}"') for value in values)
        if not block[name]:
            raise operator.key.place.error(
                f'"{name}" is {describe(operator.value)} without a condition key'
            )
    if not block:
        raise mapping.place.error('"when" is empty')
    _refuse_problems(block, places)
    return block


def _refuse_problems(
    block: dict[str, dict[str, tuple[str, ...]]], places: dict[Path, Place]
) -> None:
    notes = Notes()
    node = {
        operator: {key: list(values) for key, values in tests.items()}
        for operator, tests in block.items()
    }
    read_conditions(node, IDENTITY_POLICY, notes, (), variables=True)
    for problem in notes.problems:
        path = problem.path
        while path not in places:
            path = path[:-1]
        raise places[path].error(f"{problem.message} (rule {problem.rule})")
