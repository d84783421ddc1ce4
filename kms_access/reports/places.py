"""Positions for machines: files relative to the working folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath

from kms_access.inventory.origin import Origin
from kms_access.rules.findings import Finding

_DRIVE = re.compile(r"[A-Za-z]:")
_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&'()*+,;=@"
)


def shown_file(file: str) -> str:
    """The file with forward slashes, and relative where it is inside the working folder."""
    if os.path.isabs(file):
        inside = os.path.relpath(file) if _same_drive(file) else file
        file = file if inside.startswith("..") else inside
    return PurePath(file).as_posix() if file else ""


def _same_drive(file: str) -> bool:
    return os.path.splitdrive(file)[0].lower() == os.path.splitdrive(os.getcwd())[0].lower()


def uri_of(file: str) -> str:
    """A relative URI reference (RFC 3986) to a file inside the working folder; empty for others.

    A path from elsewhere means nothing on the machine that reads the report.
    """
    shown = shown_file(file)
    parts = shown.split("/")
    if not shown or shown.startswith("/") or ".." in parts or _DRIVE.match(shown):
        return ""
    data = shown.encode("utf-8", "backslashreplace")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)


def shown_origin(finding: Finding) -> Origin | None:
    """Where a finding is shown: at its key, else at the step that gives the access, else at the
    principal; the first of these whose file is inside the working folder. None if there is none.
    """
    return next((origin for origin in origins_of(finding) if uri_of(origin.file)), None)


def origins_of(finding: Finding) -> Iterator[Origin]:
    """The definitions that a finding is about, the most telling first."""
    if finding.key_origin is not None:
        yield finding.key_origin
    yield from (hop.origin for hop in reversed(finding.proof.hops))
    if finding.principal_origin is not None:
        yield finding.principal_origin
