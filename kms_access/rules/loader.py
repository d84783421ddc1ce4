"""access-rules.yaml -> Rules, with errors that name file, line, column and what is accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from kms_access.rules.checks import CHECKS
from kms_access.rules.file_format import LEVELS
from kms_access.rules.included_files import RulesDocument, documents_of
from kms_access.rules.key_entries import key_rules_of
from kms_access.rules.model import WAIVERS_AT_MOST_DAYS, Level, Rules
from kms_access.rules.principal_entries import account_id, organization_id, principals_of, team_of
from kms_access.rules.reading import entries_of, items_of, one_of, text_of, unknown, value_of
from kms_access.rules.waiver_entries import at_most_days, waivers_of
from kms_access.rules.yaml_nodes import Entry, Node, Place


def load_rules(path: Path) -> Rules:
    """Read a rules file with what it includes; relative paths are shown in messages as given.

    Raises `RulesError` with file, line and column for everything that is not as documented.
    """
    shown = path.as_posix()
    documents = documents_of(path, shown)
    teams = {entry.key.text: team_of(entry) for entry in _entries(documents, "teams")}
    organization = _single(documents, "organization")
    days = _single(documents, "waivers-at-most-days")
    return Rules(
        shown,
        {
            entry.key.text: account_id(text_of(entry.value, f'account "{entry.key.text}"'))
            for entry in _entries(documents, "accounts")
        },
        organization_id(organization) if organization is not None else "",
        tuple(
            pattern
            for document in documents
            for pattern in principals_of(document.fields.get("deployers"), '"deployers"')
        ),
        teams,
        key_rules_of(list(_items(documents, "keys")), teams),
        dict(map(_level, _entries(documents, "checks"))),
        waivers_of(list(_items(documents, "waivers"))),
        at_most_days(days) if days is not None else WAIVERS_AT_MOST_DAYS,
        {
            entry.key.text: value_of(entry.value, f'parameter "{entry.key.text}"')
            for entry in _entries(documents, "parameters")
        },
        _digest(documents),
    )


def _entries(documents: Iterable[RulesDocument], field: str) -> Iterator[Entry]:
    """The entries of a mapping in all files, of which no two may have one name."""
    seen: dict[str, Place] = {}
    for document in documents:
        for entry in entries_of(document.fields.get(field), f'"{field}"'):
            name = entry.key
            if name.text in seen:
                raise name.place.error(
                    f'"{name.text}" of "{field}" stands in two files, first in {seen[name.text]}'
                )
            seen[name.text] = name.place
            yield entry


def _items(documents: Iterable[RulesDocument], field: str) -> Iterator[Node]:
    for document in documents:
        yield from items_of(document.fields.get(field), f'"{field}"')


def _single(documents: Iterable[RulesDocument], field: str) -> Node | None:
    found = [document.fields[field] for document in documents if field in document.fields]
    if len(found) > 1:
        raise found[1].place.error(f'"{field}" stands in two files, first in {found[0].place}')
    return found[0] if found else None


def _level(entry: Entry) -> tuple[str, Level]:
    name = entry.key.text
    if name not in CHECKS:
        raise unknown(entry.key, CHECKS, "check")
    return name, Level(one_of(entry.value, LEVELS, f'the level of "{name}"', "level"))


def _digest(documents: Iterable[RulesDocument]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(hashlib.sha256(document.data).digest())
    return digest.hexdigest()
