"""Who is meant: accounts, organization, principals and teams of a rules file."""

from __future__ import annotations

import re

from kms_access.rules.file_format import TeamEntry
from kms_access.rules.model import PrincipalPattern, Team
from kms_access.rules.patterns import ACCOUNT_ID, ORGANIZATION_ID, PRINCIPAL
from kms_access.rules.reading import (
    entries_of,
    fields_of,
    mapping_of,
    text_of,
    texts_of,
    value_of,
)
from kms_access.rules.yaml_nodes import Entry, Node, Scalar, Sequence

_ACCOUNT_ID = re.compile(ACCOUNT_ID, re.ASCII)
_ORGANIZATION_ID = re.compile(ORGANIZATION_ID, re.ASCII)
_PRINCIPAL = re.compile(PRINCIPAL, re.ASCII | re.DOTALL)
PRINCIPAL_FORMS = (
    '"role/NAME", "user/NAME", an ARN, a service such as "cloudtrail.amazonaws.com", '
    "a quoted account id or an organization id"
)


def account_id(node: Scalar) -> str:
    """A quoted account id: unquoted, YAML's own reading of it depends on its digits."""
    if not node.quoted:
        raise node.place.error(
            f"the account id {node.text} is not quoted", f'write "{node.text}", ids are text'
        )
    if not _ACCOUNT_ID.fullmatch(node.text):
        raise node.place.error(f'"{node.text}" is no account id of twelve digits')
    return node.text


def organization_id(node: Node) -> str:
    """An organization id."""
    text = text_of(node, '"organization"')
    if not _ORGANIZATION_ID.fullmatch(text.text):
        raise text.place.error(f'"{text.text}" is no organization id such as "o-a1b2c3d4e5"')
    return text.text


def principals_of(node: Node | None, what: str) -> tuple[PrincipalPattern, ...]:
    """A list of principals."""
    return tuple(map(_principal, texts_of(node, what)))


def _principal(node: Scalar) -> PrincipalPattern:
    if node.text.isdigit():
        account_id(node)
    elif not _PRINCIPAL.fullmatch(node.text):
        raise node.place.error(f'"{node.text}" is no principal, accepted are {PRINCIPAL_FORMS}')
    return PrincipalPattern(node.text, node.place)


def tags_of(node: Node | None) -> dict[str, str]:
    """Tags with patterns for their values."""
    entries = entries_of(node, '"tags"')
    if node is not None and not entries:
        raise node.place.error('"tags" is empty')
    return {e.key.text: value_of(e.value, f'tag "{e.key.text}"') for e in entries}


def team_of(entry: Entry) -> Team:
    """One entry of `teams`."""
    name = entry.key.text
    what = f'team "{name}"'
    mapping = mapping_of(entry.value, what)
    fields = fields_of(mapping, TeamEntry, what)
    if not fields:
        raise mapping.place.error(f"{what} has nobody in it")
    for field, value in fields.items():
        if isinstance(value, Sequence) and not value.items:
            raise value.place.error(f'"{field}" of {what} is empty')
    definitions = texts_of(fields.get("definitions"), '"definitions"')
    return Team(
        name,
        principals_of(fields.get("principals"), '"principals"'),
        tags_of(fields.get("tags")),
        tuple(text.text for text in definitions),
        entry.key.place,
    )
