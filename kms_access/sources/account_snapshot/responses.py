"""API responses as they stand in the files of a snapshot; each error has its file and place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kms_access.inventory.statement_places import StatementPlaces
from kms_access.policies.elements import describe, duplicates_of
from kms_access.policies.json_text import JsonError, position_of, read_json
from kms_access.policies.json_text import Path as JsonPath
from kms_access.policies.principals import ACCOUNT_ID
from kms_access.sources.account_snapshot.layout import ERROR
from kms_access.sources.account_snapshot.written_policies import WrittenPolicy, WrittenText
from kms_access.sources.interface import SourceError

_MAXIMUM_BYTES = 1 << 30
"""GetAccountAuthorizationDetails of an account with 10,000 roles takes some 100 MB."""
_OWN_ARN = re.compile(r'"Arn"\s*:\s*"([^"\\]+)"')
FINISH = 'run "kms-access snapshot" again with the same folder: it goes on where it stopped'


class Node:
    """An object of a response, with the place where it stands."""

    def __init__(self, response: Response, value: Mapping[str, Any], path: JsonPath) -> None:
        self._response = response
        self._value = value
        self._path = path
        for field in duplicates_of(value):
            raise self.fail(f'"{field}" stands here more than once', field)

    def __contains__(self, field: str) -> bool:
        return self._value.get(field) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def fail(self, message: str, *path: str | int) -> SourceError:
        """The error that something below this object is wrong."""
        return self._response.error_at(message, (*self._path, *path))

    def raw(self, field: str) -> Any:
        """Whatever stands in the field; None for nothing."""
        return self._value.get(field)

    def text(self, field: str) -> str:
        """A string that must be there."""
        value = self._value.get(field)
        if not isinstance(value, str) or not value:
            raise self.fail(self._expected(field, "a string"), *self._there(field))
        return str(value)

    def optional_text(self, field: str) -> str | None:
        """A string, None if there is none."""
        return self.text(field) if self._value.get(field) not in (None, "") else None

    def flag(self, field: str) -> bool | None:
        """True or false, None if there is nothing."""
        value = self._value.get(field)
        if value is not None and not isinstance(value, bool):
            raise self.fail(self._expected(field, "true or false"), field)
        return value

    def object(self, field: str) -> Node:
        """An object that must be there."""
        value = self._value.get(field)
        if not isinstance(value, Mapping):
            raise self.fail(self._expected(field, "an object"), *self._there(field))
        return Node(self._response, value, (*self._path, field))

    def places(self, field: str) -> StatementPlaces:
        """The places of the statements of the policy in a field."""
        return self._response.places_at((*self._path, field))

    def optional_object(self, field: str) -> Node | None:
        """An object, None if there is none."""
        return self.object(field) if field in self else None

    def objects(self, field: str, *, optional: bool = False) -> Iterator[Node]:
        """The objects of a list that must be there."""
        for index, value in enumerate(self._list(field, optional)):
            if not isinstance(value, Mapping):
                message = f"{describe(value)} stands where an object is expected"
                raise self.fail(message, field, index)
            yield Node(self._response, value, (*self._path, field, index))

    def texts(self, field: str, *, optional: bool = False) -> Iterator[str]:
        """The strings of a list."""
        for index, value in enumerate(self._list(field, optional)):
            if not isinstance(value, str):
                message = f"{describe(value)} stands where a string is expected"
                raise self.fail(message, field, index)
            yield str(value)

    def _list(self, field: str, optional: bool) -> list[Any]:
        value = self._value.get(field)
        if value is None and optional:
            return []
        if not isinstance(value, list):
            raise self.fail(self._expected(field, "a list"), *self._there(field))
        return value

    def _expected(self, field: str, what: str) -> str:
        if field not in self._value:
            return f'there is no "{field}", {what} is expected'
        return f'"{field}" is {describe(self._value[field])}, {what} is expected'

    def _there(self, field: str) -> tuple[str, ...]:
        return (field,) if field in self._value else ()


class Response(Node):
    """One file of a snapshot.

    `shown` is what a finding shows as its file: never an absolute path. `error` is the code with
    which the API refused to answer, empty if it answered. Raises `SourceError` for a file that is
    missing or cannot be read, and for what is no JSON object.
    """

    def __init__(self, file: Path) -> None:
        self.file = str(file)
        self.shown = _shown(file)
        self._text = _read(file)
        self._places = WrittenText(self._text)
        try:
            value = read_json(self._text, maximum_characters=_MAXIMUM_BYTES)
        except JsonError as error:
            place = error.position
            message = f"no JSON: {error.message}"
            raise SourceError(message, self.file, place.line, place.column, FINISH) from None
        if not isinstance(value, Mapping):
            raise SourceError(f"{describe(value)} is no response, an object is expected", self.file)
        super().__init__(self, value, ())
        self.error = self.object(ERROR).text("Code") if ERROR in self else ""

    def error_at(self, message: str, path: JsonPath) -> SourceError:
        """The error that what stands at `path` in the file is wrong."""
        position = position_of(self._text, path)
        line, column = (position.line, position.column) if position else (None, None)
        return SourceError(message, self.file, line, column)

    def places_at(self, path: JsonPath) -> StatementPlaces:
        """The places of the statements of the policy at a path."""
        return WrittenPolicy(self._places, path)

    def lines_of_arns(self) -> dict[str, int]:
        """The line on which each `Arn` stands first."""
        lines: dict[str, int] = {}
        line, seen = 1, 0
        for match in _OWN_ARN.finditer(self._text):
            line += self._text.count("\n", seen, match.start())
            seen = match.start()
            lines.setdefault(match.group(1), line)
        return lines


def _shown(file: Path) -> str:
    """The path from the working directory, or for files elsewhere from the snapshot's folder on."""
    if file.is_absolute():
        try:
            file = file.relative_to(Path.cwd())
        except (OSError, ValueError):
            snapshot = next((p.parent for p in file.parents if ACCOUNT_ID.fullmatch(p.name)), file)
            file = file.relative_to(snapshot.parent)
    return file.as_posix()


def _read(file: Path) -> str:
    try:
        if not file.exists():
            raise SourceError("the snapshot lacks this file", str(file), help=FINISH)
        if not file.is_file():
            raise SourceError("this is no file", str(file))
        size = file.stat().st_size
        if size > _MAXIMUM_BYTES:
            message = f"the file has {size} bytes, at most {_MAXIMUM_BYTES} are accepted"
            raise SourceError(message, str(file))
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"byte {error.start} is not UTF-8", str(file)) from None
    except OSError as error:
        cause = (error.strerror or type(error).__name__).lower()
        raise SourceError(f"the file cannot be read: {cause}", str(file)) from None
