"""A rules file and the files that it includes, each once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from kms_access.rules.file_format import VERSION, RulesEntry
from kms_access.rules.patterns import INCLUDED
from kms_access.rules.reading import fields_of, mapping_of, text_of, texts_of
from kms_access.rules.yaml_nodes import Mapping, Node, Place, Scalar, parse_yaml, read_file

MAXIMUM_FILES = 50
_INCLUDED = re.compile(INCLUDED, re.ASCII)
_PACKAGE = "package:"
_FORMS = f'accepted are "FILE.yaml" below the folder of this file and "{_PACKAGE}NAME/FILE.yaml"'


@dataclass(frozen=True, slots=True)
class RulesDocument:
    """One file: its fields as written, and its bytes."""

    fields: dict[str, Node]
    data: bytes


def documents_of(path: Path, shown: str) -> list[RulesDocument]:
    """The file and, after it, those that it includes, in the order in which they are named.

    Raises `RulesError` for a file that cannot be used, that is included twice, or that includes
    itself.
    """
    return list(_Inclusion().documents(path, shown, None))


@dataclass(slots=True)
class _Inclusion:
    """What has been read: where each file was included, None for the first one."""

    seen: dict[Path, Place | None] = field(default_factory=dict)
    open_files: list[Path] = field(default_factory=list)

    def documents(self, path: Path, shown: str, included: Scalar | None) -> Iterator[RulesDocument]:
        real = path.resolve()
        if included is not None:
            self._refuse_repetition(real, included)
        self.seen[real] = included.place if included is not None else None
        data = read_file(path, shown)
        fields = _fields(mapping_of(parse_yaml(data, shown), "a rules file"))
        yield RulesDocument(fields, data)
        self.open_files.append(real)
        for name in texts_of(fields.get("include"), '"include"'):
            found, found_shown = _included(path, shown, name)
            yield from self.documents(found, found_shown, name)
        self.open_files.pop()

    def _refuse_repetition(self, real: Path, included: Scalar) -> None:
        if real in self.seen:
            first = self.seen[real]
            where = "is the first of these files" if first is None else f"is included in {first}"
            again = "includes itself" if real in self.open_files else "is included twice"
            raise included.place.error(f'"{included.text}" {again}: it {where}')
        if len(self.seen) == MAXIMUM_FILES:
            raise included.place.error(f"more than {MAXIMUM_FILES} rules files are included")


def _fields(root: Mapping) -> dict[str, Node]:
    """The fields of a file; its version is looked at first."""
    version = next((entry.value for entry in root.entries if entry.key.text == "version"), None)
    if version is None:
        raise root.place.error('"version" is missing', 'begin the file with "version: 1"')
    text = text_of(version, '"version"')
    if text.text != VERSION:
        raise text.place.error(f'version "{text.text}" is not known, accepted is {VERSION}')
    return fields_of(root, RulesEntry, "the rules file")


def _included(path: Path, shown: str, name: Scalar) -> tuple[Path, str]:
    """The file that an item of `include` means, and how messages name it."""
    if not _INCLUDED.fullmatch(name.text) or not name.text.endswith((".yaml", ".yml")):
        raise name.place.error(f'"{name.text}" is no rules file to include, {_FORMS}')
    if name.text.startswith(_PACKAGE):
        package, _, inside = name.text.removeprefix(_PACKAGE).partition("/")
        folders, found_shown = _folders_of(package, name), name.text
    else:
        inside, folders = name.text, [path.parent]
        found_shown = (PurePosixPath(shown).parent / name.text).as_posix()
    for folder in folders:
        found = folder / inside
        if found.is_file():
            if not found.resolve().is_relative_to(folder.resolve()):
                raise name.place.error(f'"{name.text}" leads out of its folder by a link')
            return found, found_shown
    raise name.place.error(f'there is no rules file "{name.text}"')


def _folders_of(package: str, name: Scalar) -> list[Path]:
    # Looking for a package by a name without dots does not run its code.
    try:
        spec = find_spec(package)
    except ValueError:
        spec = None
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        raise name.place.error(
            f'no package "{package}" is installed for "{name.text}"',
            "give the name by which Python imports it",
        )
    return [Path(folder) for folder in folders]
