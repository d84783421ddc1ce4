"""Writes kms_access/inventory/managed_policies.json from the package moto (K182, K185).

moto carries the default version of every AWS managed policy. The file keeps of each policy the
statements that can match a KMS action on a KMS resource or one of the detour actions (K158-K163),
and of these statements what can match; of the other policies it keeps the names alone, so that a
policy which gives nothing of all this can be told from one that the file does not know. What AWS
may add to KMS later is kept as well: a pattern can match if some action of that service's prefix
could have such a name.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from kms_access.inventory.detour_actions import DETOUR_ACTIONS
from kms_access.policies.answers import Truth
from kms_access.policies.arns import arn_segments
from kms_access.policies.overlap import items_of, overlaps
from kms_access.policies.text import Unknown, concat
from kms_access.policies.wildcards import (
    compiled_matches,
    fold_case,
    glob_matches,
    with_wildcards,
)

DATA_FILE = Path(__file__).parents[1] / "kms_access" / "inventory" / "managed_policies.json"
PACKAGE = "moto"
TABLE_FILE = "moto/iam/aws_managed_policies.py"
TABLE_NAME = "aws_managed_policies_data"
LANGUAGE_VERSION = "2012-10-17"
"""The Version of every policy of the table, so that the data file need not repeat it."""
SERVICE = "kms"

_ELEMENTS = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_ANY_ACTION = items_of(with_wildcards(f"{SERVICE}:*"))
_DETOURS = frozenset(fold_case(action) for action in DETOUR_ACTIONS)


class TableError(Exception):
    """The table is missing or is not what this script reads; `help` says what to do."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts come from: the release of moto and the newest change date in its table."""

    moto: str
    newest_change: str

    def as_data(self) -> dict[str, str]:
        """The form in the data file."""
        return {"moto": self.moto, "newest_change": self.newest_change}


@dataclass(frozen=True, slots=True)
class Extract:
    """The content of the data file apart from the sources.

    `policies` has, by name with path, the default version and the statements by their place in
    AWS's policy; `names_alone` are the names of all other policies. `with_kms` counts the
    policies with a statement on KMS, `with_detours` those with one on a detour action.
    """

    policies: Mapping[str, Mapping[str, Any]]
    names_alone: Sequence[str]
    with_kms: int
    with_detours: int


def installed_version() -> str:
    """The installed release of moto; TableError if there is none."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        raise TableError(
            f'package "{PACKAGE}" is not installed',
            f"install it with pip install --no-deps {PACKAGE}",
        ) from None


def read_table() -> dict[str, Any]:
    """moto's table of policies by name; TableError if it is not there.

    The module is read and not imported: importing it would import all of moto and its
    dependencies, of which nothing is needed.
    """
    installed_version()
    path = Path(str(metadata.distribution(PACKAGE).locate_file(TABLE_FILE)))
    if not path.exists():
        raise TableError(
            f'package "{PACKAGE}" has no file "{TABLE_FILE}"', "find where it keeps the table now"
        )
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == [TABLE_NAME]:
            table: dict[str, Any] = json.loads(ast.literal_eval(node.value))
            return table
    raise TableError(f'"{TABLE_FILE}" assigns no "{TABLE_NAME}"', "find its name in this release")


def sources_of(table: Mapping[str, Any]) -> Sources:
    """The sources to record for a table of the installed release."""
    newest = max(entry["UpdateDate"] for entry in table.values())
    return Sources(installed_version(), newest[: len("2026-01-31")])


def build(table: Mapping[str, Any]) -> Extract:
    """What the table says about KMS and the detours; TableError for a form not seen before."""
    policies: dict[str, Mapping[str, Any]] = {}
    names_alone = []
    with_kms = with_detours = 0
    for entry_name, entry in table.items():
        name = entry["Path"].removeprefix("/") + entry_name
        statements = _statements(name, entry["Document"])
        found = {
            str(place): reduced
            for place, statement in enumerate(statements)
            if (reduced := _reduced(statement)) is not None
        }
        with_kms += any(map(_can_match_kms, statements))
        with_detours += any(map(_detours, statements))
        if found:
            policies[name] = {"version": entry["DefaultVersionId"], "statements": found}
        else:
            names_alone.append(name)
    return Extract(dict(sorted(policies.items())), sorted(names_alone), with_kms, with_detours)


def _statements(name: str, document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if document.get("Version") != LANGUAGE_VERSION:
        raise TableError(
            f'policy "{name}" has the Version "{document.get("Version")}"',
            "record versions in the data file and read them in managed_policies.py",
        )
    statements = _as_list(document["Statement"])
    for statement in statements:
        if unknown := set(statement).difference(_ELEMENTS):
            raise TableError(
                f'policy "{name}" has a statement with {", ".join(sorted(unknown))}',
                "review what the element means for the reduction",
            )
    return statements


def _reduced(statement: Mapping[str, Any]) -> dict[str, Any] | None:
    """The statement without actions and KMS resources that cannot match; None if none can.

    Resources stay whole where a detour action matches, for they are of many services. Lists of
    what is excepted stay whole: they are what a person reads in a proof.
    """
    on_kms, detours = _can_match_kms(statement), _detours(statement)
    if not on_kms and not detours:
        return None
    reduced = dict(statement)
    if "Action" in statement:
        reduced["Action"] = _kept(
            [
                pattern
                for pattern in _as_list(statement["Action"])
                if (on_kms and _can_match_action(pattern)) or _covered(pattern)
            ]
        )
    if "Resource" in statement and not detours:
        reduced["Resource"] = _kept(
            list(filter(_can_match_resource, _as_list(statement["Resource"])))
        )
    return {element: reduced[element] for element in _ELEMENTS if element in reduced}


def _can_match_kms(statement: Mapping[str, Any]) -> bool:
    """Whether the statement can match some action of KMS on some resource of KMS."""
    return (
        any(map(_can_match_action, _as_list(statement.get("Action", "*"))))
        and any(map(_can_match_resource, _as_list(statement.get("Resource", "*"))))
        and not any(map(_excepts_all, _as_list(statement.get("NotAction", []))))
    )


def _detours(statement: Mapping[str, Any]) -> frozenset[str]:
    """The detour actions, in lower case, that the statement's Action or NotAction matches."""
    if "Action" in statement:
        return _any_covered(statement["Action"])
    return _DETOURS - _any_covered(statement["NotAction"])


def _any_covered(patterns: Any) -> frozenset[str]:
    return frozenset[str]().union(*map(_covered, _as_list(patterns)))


@cache
def _covered(pattern: str) -> frozenset[str]:
    """The detour actions that a pattern for actions matches."""
    compiled = str(with_wildcards(fold_case(pattern)))
    return frozenset(action for action in _DETOURS if glob_matches(compiled, action))


@cache
def _can_match_action(pattern: str) -> bool:
    return overlaps(items_of(with_wildcards(fold_case(pattern))), _ANY_ACTION)


@cache
def _excepts_all(pattern: str) -> bool:
    """Whether a pattern of NotAction covers every action of the service, however named."""
    any_action = concat((f"{SERVICE}:", Unknown("the name of an action")))
    compiled = with_wildcards(fold_case(pattern))
    return compiled_matches(compiled, any_action).truth is Truth.TRUE


def _can_match_resource(pattern: str) -> bool:
    """Whether the pattern can cover the ARN of a KMS resource (K22); variables can be anything."""
    segments = arn_segments(with_wildcards(_VARIABLE.sub("*", pattern)))
    return segments is None or glob_matches(str(segments[2]), SERVICE)


def _kept(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else items


def _as_list(node: Any) -> list[Any]:
    return list(node) if isinstance(node, list) else [node]


def render(extract: Extract, sources: Sources) -> str:
    """The text of the data file: sorted, one policy a line.

    A statement that stands in the file before is replaced by its place there, "POLICY#PLACE".
    """
    first_places: dict[str, str] = {}
    lines = []
    for name, policy in extract.policies.items():
        statements = {}
        for place, statement in policy["statements"].items():
            here = f"{name}#{place}"
            first = first_places.setdefault(json.dumps(statement), here)
            statements[place] = statement if first == here else first
        entry = {**policy, "statements": statements}
        lines.append(f"    {json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}")
    policies = ",\n".join(lines)
    names_alone = ",\n".join(f"    {json.dumps(name)}" for name in extract.names_alone)
    count = len(extract.policies) + len(extract.names_alone)
    return (
        "{\n"
        '  "generated_by": "scripts/generate_managed_policies.py",\n'
        f'  "sources": {json.dumps(sources.as_data())},\n'
        f'  "number_of_policies": {count},\n'
        f'  "number_with_kms": {extract.with_kms},\n'
        f'  "number_with_detours": {extract.with_detours},\n'
        f'  "policies": {{\n{policies}\n  }},\n'
        f'  "names_alone": [\n{names_alone}\n  ]\n'
        "}\n"
    )


def recorded_sources(text: str) -> Sources | None:
    """What a data file says it was made from; None if it cannot be read."""
    try:
        recorded = json.loads(text)["sources"]
        return Sources(str(recorded["moto"]), str(recorded["newest_change"]))
    except (KeyError, TypeError, ValueError):
        return None


def differences(extract: Extract, sources: Sources, text: str) -> list[str]:
    """What `text` lacks or has too much against `extract`.

    The sources alone are no difference between releases of moto: a later one with the same facts
    does not make the file stale. For the recorded release they must be right.
    """
    recorded = recorded_sources(text)
    if recorded is None or recorded.moto == sources.moto:
        recorded = sources
    expected = render(extract, recorded)
    return list(
        difflib.unified_diff(
            text.splitlines(), expected.splitlines(), "data file", "sources", n=0, lineterm=""
        )
    ) or ([] if text == expected else ["line ends differ"])


def main(arguments: Sequence[str] | None = None, data_file: Path = DATA_FILE) -> int:
    """Writes or checks `data_file`: 0 done or current, 1 stale, 2 the table cannot be used."""
    parser = argparse.ArgumentParser(description="generate the extract of AWS managed policies")
    parser.add_argument(
        "--check", action="store_true", help="compare without writing, exit with 1 if stale"
    )
    check = parser.parse_args(arguments).check
    try:
        table = read_table()
        sources = sources_of(table)
        extract = build(table)
    except TableError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    if not check:
        data_file.write_text(render(extract, sources), encoding="utf-8", newline="\n")
        return 0
    text = data_file.read_bytes().decode("utf-8") if data_file.exists() else ""
    if stale := differences(extract, sources, text):
        print("\n".join(stale), file=sys.stderr)
        print(
            f"error: {data_file.name} is stale\nhelp: run scripts/generate_managed_policies.py",
            file=sys.stderr,
        )
        return 1
    recorded = recorded_sources(text)
    if recorded is not None and recorded != sources:
        print(f"current; recorded moto {recorded.moto}, installed {sources.moto}, same facts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
