"""SARIF 2.1.0, for code scanning.

Results that a waiver accepts or a baseline holds are there with a suppression: leaving them out
would close their alerts as fixed. Conditions are not told in full: their values come from policies,
and a log of code scanning is read by more people than they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kms_access.inventory.origin import Origin
from kms_access.reports.check_help import claim_of, help_of, help_page, level_of
from kms_access.reports.places import origins_of, shown_file, shown_origin, uri_of
from kms_access.reports.terminal import safe
from kms_access.reports.tool import NAME, VERSION
from kms_access.rules.assessment import Assessment
from kms_access.rules.checks import CHECKS
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.yaml_nodes import Place

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.OFF: "none"}
_EXITS = {0: "proven", 1: "violated", 3: "undecided"}
_UNDECIDED = "undecided"
_TAGS = ("security", "aws", "kms")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True, slots=True)
class SarifReport:
    """One run with all checks as rules, and a result for each finding."""

    name: str = "sarif"

    def render(self, assessment: Assessment) -> str:
        """The log, indented, in ASCII."""
        log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(assessment)]}
        return json.dumps(log, indent=2) + "\n"


REPORT = SarifReport()


def _run(assessment: Assessment) -> dict[str, Any]:
    told = [
        *assessment.findings,
        *(waived.finding for waived in assessment.waived),
        *assessment.known,
    ]
    checks = list(dict.fromkeys([*CHECKS, *sorted({finding.check for finding in told})]))
    result = _Results(checks)
    return {
        "tool": {
            "driver": {
                "name": NAME,
                "semanticVersion": VERSION,
                "rules": [_rule(check) for check in checks],
            }
        },
        "invocations": [_invocation(assessment)],
        "columnKind": "unicodeCodePoints",
        "properties": {"rulesFile": _rules_file(assessment), "silenced": assessment.silenced},
        "results": [
            *(result.of(finding) for finding in assessment.findings),
            *(
                result.of(
                    waived.finding,
                    f"{waived.waiver.reason} (waived until {waived.waiver.expires.isoformat()} by "
                    f"{waived.waiver.owner})",
                )
                for waived in assessment.waived
            ),
            *(
                result.of(finding, "the access stands in the baseline")
                for finding in assessment.known
            ),
        ],
    }


def _rules_file(assessment: Assessment) -> dict[str, Any] | None:
    if not assessment.rules.file:
        return None
    file = safe(shown_file(assessment.rules.file))
    return {"file": file, "digest": assessment.rules.digest}


def _rule(check: str) -> dict[str, Any]:
    about = help_of(check)
    page = help_page(check)
    return {
        "id": check,
        "name": "".join(word.capitalize() for word in check.split("-")),
        "shortDescription": {"text": claim_of(check)},
        "fullDescription": {"text": about.why},
        "help": {
            "text": f"{about.why}\n\n{about.fix}",
            "markdown": f"{about.why}\n\n**Fix:** {about.fix}",
        },
        **({"helpUri": page} if page else {}),
        "defaultConfiguration": {"level": _LEVELS[level_of(check)]},
        "properties": {
            "security-severity": f"{about.severity:.1f}",
            "precision": "very-high",
            "tags": [*_TAGS, *about.controls],
        },
    }


def _invocation(assessment: Assessment) -> dict[str, Any]:
    # The analysis is whole only if everything that blocks was decided.
    open_ones = [f for f in assessment.findings if f.check == _UNDECIDED and f.level is Level.ERROR]
    notes = [
        {
            "level": "note",
            "message": _said(f"not evaluated: {item.origin}: {item.reason}"),
        }
        for item in assessment.not_covered
    ]
    return {
        "executionSuccessful": not open_ones,
        "exitCode": assessment.exit_code,
        "exitCodeDescription": _EXITS[assessment.exit_code],
        "toolExecutionNotifications": [
            *(
                {
                    "level": "error",
                    "message": _said(finding.claim),
                    "associatedRule": {"id": finding.check},
                }
                for finding in open_ones
            ),
            *notes,
        ],
    }


class _Results:
    def __init__(self, checks: list[str]) -> None:
        self._indexes = {check: index for index, check in enumerate(checks)}

    def of(self, finding: Finding, justification: str = "") -> dict[str, Any]:
        """One result; with a justification it is suppressed."""
        result: dict[str, Any] = {
            "ruleId": finding.check,
            "ruleIndex": self._indexes[finding.check],
            "level": _LEVELS[finding.level],
            "message": _message(finding),
            "locations": _locations(finding),
            "partialFingerprints": {"accessFact/v1": finding.fingerprint},
        }
        related = _rule_location(finding.rule_place)
        if related is not None:
            said = _said(finding.rule)
            result["relatedLocations"] = [{"id": 1, **related, "message": said}]
        if finding.proof.hops:
            steps = [
                {"location": {**_location(hop.origin), "message": _said(hop.text)}}
                for hop in finding.proof.hops
            ]
            result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
        if justification:
            result["suppressions"] = [
                {"kind": "external", "status": "accepted", "justification": safe(justification)}
            ]
        return result


def _said(text: str) -> dict[str, str]:
    """A message in which no name can be a link or a placeholder (SARIF 3.11.5, 3.11.6)."""
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", safe(text)).replace("](", "] (")}


def _message(finding: Finding) -> dict[str, str]:
    condition = "" if finding.when in ("", "always") else ", under a condition"
    lines = [f"{finding.claim}{condition}.", *(f"Note: {note}." for note in finding.details)]
    if finding.rule:
        lines.append(f"Rule: {finding.rule}.")
    if finding.fix:
        lines.append(f"Fix: {finding.fix}.")
    return {"text": "\n".join(_said(line)["text"] for line in lines)}


def _locations(finding: Finding) -> list[dict[str, Any]]:
    """One place; the rules file where no other file is known.

    A result without a file is not shown by code scanning.
    """
    shown = shown_origin(finding)
    if shown is not None:
        return [_location(shown)]
    logical = [_logical(origin) for origin in islice(origins_of(finding), 1)]
    fallback = _rule_location(finding.rule_place) or {}
    named = {"logicalLocations": logical} if logical else {}
    return [{**fallback, **named}] if fallback or named else []


def _location(origin: Origin) -> dict[str, Any]:
    uri = uri_of(origin.file)
    location: dict[str, Any] = {"logicalLocations": [_logical(origin)]}
    if uri:
        location["physicalLocation"] = _physical(uri, origin.line, origin.column)
    return location


def _rule_location(place: Place | None) -> dict[str, Any] | None:
    uri = uri_of(place.file) if place is not None else ""
    if place is None or not uri:
        return None
    return {"physicalLocation": _physical(uri, place.line, place.column)}


def _physical(uri: str, line: int | None, column: int | None = None) -> dict[str, Any]:
    numbers: Iterable[tuple[str, int | None]] = (("startLine", line), ("startColumn", column))
    region = {name: number for name, number in numbers if number}
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if region.get("startLine"):
        physical["region"] = region
    return physical


def _logical(origin: Origin) -> dict[str, Any]:
    return {
        "name": safe(origin.label or origin.identity),
        "fullyQualifiedName": safe(origin.identity),
        "kind": "resource",
    }
