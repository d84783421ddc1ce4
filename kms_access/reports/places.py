"""Positions for machines: files relative to the working folder, and where a broken rule stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath

from kms_access.inventory.origin import Origin
from kms_access.rules.findings import Finding
from kms_access.rules.model import Rules
from kms_access.rules.yaml_nodes import Place

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


class RulePlaces:
    """Where rules stand. A finding's rule begins with the place that it is about."""

    def __init__(self, rules: Rules) -> None:
        self._places = {str(place): place for place in _places(rules)}

    def of(self, finding: Finding) -> Place | None:
        """The place of the rule that is broken; None for a built-in one."""
        written = finding.rule.split(" ", 1)[0]
        if written in self._places:
            return self._places[written]
        # A file's name may hold spaces.
        begins = [text for text in self._places if finding.rule.startswith(f"{text} ")]
        return self._places[max(begins, key=len)] if begins else None


def _places(rules: Rules) -> Iterator[Place]:
    for rule in rules.keys:
        for lists in (rule.allow, rule.require):
            yield from (permission.place for listed in lists.values() for permission in listed)
        if rule.delegation_forbidden is not None:
            yield rule.delegation_forbidden
        # Last, because a rule is named by its own place: its column is the one that is meant.
        yield rule.place
    yield from (team.place for team in rules.teams.values())
    yield from (waiver.place for waiver in rules.waivers)
