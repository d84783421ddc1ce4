"""The matrix of the page: principals, keys, and what stands behind each cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.action_masks import ACTIONS, possible_on
from kms_access.decisions.key_coverage import bits
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Subject
from kms_access.inventory.actions import CAPABILITIES, find_action
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.policies.text import Value
from kms_access.reports.html_cells import Evidence, KeyHop, View
from kms_access.reports.html_evidence import CellEvidence
from kms_access.reports.html_tables import Table, Tables
from kms_access.rules.assessment import Assessment
from kms_access.rules.findings import Finding
from kms_access.rules.model import Rules
from kms_access.rules.situation import Situation

_STATES = tuple(AccessState)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The part of the page's data for the matrix, and the numbers of principals and keys in it."""

    data: dict[str, Any]
    principals: dict[str, int]
    keys: dict[str, int]


def matrix(assessment: Assessment, tables: Tables) -> Matrix:
    """Every principal and key of the map; principals that only a finding names come last."""
    facts = assessment.access_map
    rows = _Rows(facts, tables)
    teams = _Teams(facts, assessment.rules)
    names = _told_apart([(subject.label, subject.identity) for subject in facts.subjects])
    principals = [
        {**_described(subject, name, tables), **teams.of(subject), **rows.of(subject)}
        for subject, name in zip(facts.subjects, names, strict=True)
    ]
    numbers = {subject.identity: n for n, subject in enumerate(facts.subjects)}
    for finding in _all_findings(assessment):
        if finding.principal and finding.principal_identity not in numbers:
            numbers[finding.principal_identity] = len(principals)
            principals.append(_stranger(finding, tables) | rows.none())
    data = {
        "capabilities": list(CAPABILITIES),
        "capabilityOf": [_capability_of(action) for action in ACTIONS],
        "states": [state.value for state in _STATES],
        "teams": [tables.text(name) for name in sorted(assessment.rules.teams)],
        "keys": _keys(facts.keys, rows, tables),
        "principals": principals,
        **rows.document(),
    }
    keys = {key.origin.identity: place for place, key in enumerate(facts.keys)}
    return Matrix(data, numbers, keys)


def _all_findings(assessment: Assessment) -> Iterable[Finding]:
    waived = (item.finding for item in assessment.waived)
    return (*assessment.findings, *waived, *assessment.known)


def _told_apart(named: Sequence[tuple[str, str]]) -> list[str]:
    """Labels; those that stand there twice with what tells them apart."""
    count = Counter(label for label, _ in named)
    return [f"{label} ({identity})" if count[label] > 1 else label for label, identity in named]


def _described(subject: Subject, name: str, tables: Tables) -> dict[str, Any]:
    return {
        "name": tables.text(name),
        "kind": tables.text(subject.kind.value),
        "arn": tables.text(subject.arn),
        "place": tables.place(subject.origin),
    }


def _stranger(finding: Finding, tables: Tables) -> dict[str, Any]:
    return {
        "name": tables.text(finding.principal),
        "kind": tables.text("named by a finding alone"),
        "arn": tables.text(finding.principal_identity),
        "place": tables.place(finding.principal_origin),
        "teams": [],
        "perhaps": [],
    }


def _keys(keys: Sequence[Key], rows: _Rows, tables: Tables) -> list[dict[str, Any]]:
    names = _told_apart([(key.label, key.origin.identity) for key in keys])
    return [
        {"name": tables.text(name), **_key(key, tables), "hops": rows.key_hops(place)}
        for place, (key, name) in enumerate(zip(keys, names, strict=True))
    ]


def _key(key: Key, tables: Tables) -> dict[str, Any]:
    possible = possible_on(key.spec, key.usage)
    return {
        "arn": tables.text(key.arn),
        "aliases": tables.texts(key.aliases),
        "what": tables.text(f"{_or_unknown(key.spec)}, {_or_unknown(key.usage)}"),
        "place": tables.place(key.origin),
        "possible": tables.actions(possible),
    }


def _or_unknown(value: Value | None) -> str:
    return "not known" if value is None else str(value)


def _capability_of(action: str) -> int:
    info = find_action(action)
    assert info is not None, action
    return CAPABILITIES.index(info.capability)


class _Teams:
    """Who belongs to which team of the rules file, and who perhaps does."""

    def __init__(self, facts: AccessMap, rules: Rules) -> None:
        organization = Organization(rules.organization, frozenset(rules.accounts.values()))
        self._situation = Situation(facts, rules, organization)
        self._names = sorted(rules.teams)

    def of(self, subject: Subject) -> dict[str, list[int]]:
        """The numbers of the teams."""
        found: dict[Truth, list[int]] = {truth: [] for truth in Truth}
        for number, name in enumerate(self._names):
            found[self._situation.member(subject, name).truth].append(number)
        return {"teams": found[Truth.TRUE], "perhaps": found[Truth.UNKNOWN]}


class _Rows:
    """Rows, views and hops by number: equal ones are written once."""

    def __init__(self, facts: AccessMap, tables: Tables) -> None:
        self._facts, self._tables = facts, tables
        self._evidence = CellEvidence(facts)
        self._views, self._rows, self._alike = Table(), Table(), Table()
        self._slots = Table()
        self._slots_of: dict[int, dict[KeyHop, int]] = {}

    def of(self, subject: Subject) -> dict[str, int]:
        """The row of a subject; `alike` is equal for principals with the same access."""
        cells = [
            (self._view(view, keys), self._tables.runs(keys))
            for view, keys in self._evidence.row(subject)
        ]
        numbers = tuple(number for cell in sorted(cells) for number in cell)
        blocks = self._facts.rows[subject.identity]
        alike = self._alike.number(frozenset((block.keys, block.states) for block in blocks))
        return {"row": self._rows.number(numbers), "alike": alike}

    def none(self) -> dict[str, int]:
        """The row of a principal without any access."""
        return {"row": self._rows.number(()), "alike": self._alike.number(frozenset())}

    def _view(self, view: View, keys: int) -> int:
        written = sorted(
            (self._one(evidence) for evidence in view), key=lambda one: (one[0], one[1])
        )
        for hop in (hop for one in view for hop in one.hops if isinstance(hop, KeyHop)):
            for place in bits(keys):
                self._slots_of.setdefault(place, {})[hop] = self._slots.number(hop)
        return self._views.number(tuple(written))

    def _one(self, one: Evidence) -> tuple[Any, ...]:
        # A step that each key has in its own key policy is written as a negative number.
        hops = (
            ~self._slots.number(hop) if isinstance(hop, KeyHop) else self._tables.hop(hop)
            for hop in one.hops
        )
        return (
            _STATES.index(one.state),
            self._tables.actions(one.actions),
            tuple(hops),
            self._tables.text(one.condition),
            self._tables.text(one.example),
            tuple(self._tables.texts(one.reasons)),
        )

    def key_hops(self, place: int) -> dict[str, int]:
        """The steps that a key has in its own key policy, by their number in views."""
        found = self._slots_of.get(place, {})
        return {
            str(number): self._tables.hop(self._evidence.key_hop(hop, place))
            for hop, number in sorted(found.items(), key=lambda item: item[1])
        }

    def document(self) -> dict[str, Any]:
        """All rows and views."""
        return {"rows": self._rows.items(), "views": self._views.items()}
