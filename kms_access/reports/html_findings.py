"""The lists of the page: findings, and what differs from a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kms_access.decisions.access_difference import Change, Difference
from kms_access.decisions.term_words import describe_term
from kms_access.decisions.terms import ALWAYS, Term
from kms_access.inventory.actions import CAPABILITIES, find_action
from kms_access.reports.evidence import Examples
from kms_access.reports.html_access import Matrix
from kms_access.reports.html_tables import NOWHERE, Tables
from kms_access.rules.assessment import Assessment
from kms_access.rules.checks import CHECKS
from kms_access.rules.findings import Finding
from kms_access.rules.waivers import Waived


def findings(assessment: Assessment, matrix: Matrix, tables: Tables) -> dict[str, Any]:
    """Open findings first, then those that a baseline holds, then waived ones."""
    write = _Findings(assessment, matrix, tables)
    return {
        "checks": {check.id: check.claim for check in CHECKS.values()},
        "findings": [
            *(write.finding(finding, "open") for finding in assessment.findings),
            *(write.finding(finding, "known") for finding in assessment.known),
            *(write.waived(waived) for waived in assessment.waived),
        ],
    }


class _Findings:
    def __init__(self, assessment: Assessment, matrix: Matrix, tables: Tables) -> None:
        self._examples = Examples(assessment)
        self._matrix, self._tables = matrix, tables

    def finding(self, finding: Finding, status: str) -> dict[str, Any]:
        """One finding; `principal` and `key` are numbers in the matrix, or nowhere."""
        text, texts, place = self._tables.text, self._tables.texts, self._tables.place
        key = finding.key_origin.identity if finding.key_origin else ""
        return {
            "status": status,
            "level": finding.level.value,
            "check": finding.check,
            "fingerprint": finding.fingerprint,
            "claim": text(finding.claim),
            "principal": self._matrix.principals.get(finding.principal_identity, NOWHERE)
            if finding.principal
            else NOWHERE,
            "who": text(finding.principal),
            "whoPlace": place(finding.principal_origin),
            "key": self._matrix.keys.get(key, NOWHERE),
            "keyName": text(finding.key),
            "keyPlace": place(finding.key_origin),
            "capability": text(finding.capability),
            "actions": text(", ".join(finding.actions)),
            "when": text(finding.when),
            "example": text(self._examples.of(finding)),
            "hops": [self._tables.hop(hop) for hop in finding.proof.hops],
            "notes": texts(finding.details),
            "rule": text(finding.rule),
            "fix": text(finding.fix),
        }

    def waived(self, waived: Waived) -> dict[str, Any]:
        """A finding with the waiver that accepts it."""
        waiver = waived.waiver
        words = f"until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason}"
        told = f"{words} ({waiver.place})"
        return {**self.finding(waived.finding, "waived"), "waiver": self._tables.text(told)}


def changes(difference: Difference | None, matrix: Matrix, tables: Tables) -> dict[str, Any]:
    """What is gained, lost and undecided since the baseline; `changes` is null without one."""
    if difference is None:
        return {"changes": None, "notEvaluated": []}
    return {
        "changes": [
            *_changes("gained", difference.gained, matrix, tables),
            *_changes("lost", difference.lost, matrix, tables),
            *_changes("undecided", difference.undecided, matrix, tables),
        ],
        "notEvaluated": tables.texts(difference.not_evaluated),
    }


def _changes(
    word: str, found: Iterable[Change], matrix: Matrix, tables: Tables
) -> Iterator[dict[str, Any]]:
    for change in found:
        yield {
            "what": word,
            "principal": matrix.principals.get(change.principal.identity, NOWHERE),
            "who": tables.text(change.principal.label),
            "key": matrix.keys.get(change.key.identity, NOWHERE),
            "keyName": tables.text(change.key.label),
            "capabilities": _capabilities(change.actions),
            "actions": tables.text(", ".join(change.actions)),
            "state": change.state.value,
            "when": tables.text(_when(change.term)),
            "was": tables.text("" if change.was is None else _when(change.was)),
            "way": tables.text(change.way),
            "hops": [tables.hop(hop) for hop in change.proof],
        }


def _capabilities(actions: Iterable[str]) -> list[int]:
    found = {info.capability for info in map(find_action, actions) if info is not None}
    return [number for number, name in enumerate(CAPABILITIES) if name in found]


def _when(term: Term) -> str:
    return "always" if term == ALWAYS else f"if {describe_term(term)}"
