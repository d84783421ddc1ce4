"""The report for other programs. Its schema is `report.schema.json` beside this module.

`version` changes when a field goes away, is renamed or means something else. A new field does not
change it: readers must pass over what they do not know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kms_access.inventory.origin import NotCovered, Origin
from kms_access.reports.evidence import Examples
from kms_access.reports.places import shown_file
from kms_access.reports.tool import NAME, VERSION
from kms_access.rules.assessment import Assessment
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.waivers import Waived
from kms_access.rules.yaml_nodes import Place

_VERSION = 1
_RESULTS = {0: "proven", 1: "violated", 3: "undecided"}


@dataclass(frozen=True, slots=True)
class JsonReport:
    """Everything that the assessment holds, as one JSON object."""

    name: str = "json"

    def render(self, assessment: Assessment) -> str:
        """The object, indented, in ASCII: no name can break a line or leave its string."""
        return json.dumps(_document(assessment), indent=2) + "\n"


REPORT = JsonReport()


def _document(assessment: Assessment) -> dict[str, Any]:
    facts, rules = assessment.access_map, assessment.rules
    describe = _Findings(assessment)
    errors = [f for f in assessment.findings if f.level is Level.ERROR]
    undecided = sum(f.check == "undecided" for f in errors)
    return {
        "version": _VERSION,
        "tool": {"name": NAME, "version": VERSION},
        "rules": {"file": shown_file(rules.file), "digest": rules.digest} if rules.file else None,
        "result": _RESULTS[assessment.exit_code],
        "exit_code": assessment.exit_code,
        "counts": {
            "keys": len(facts.keys),
            "principals": len(facts.subjects),
            "violated": len(errors) - undecided,
            "undecided": undecided,
            "warnings": len(assessment.findings) - len(errors),
            "waived": len(assessment.waived),
            "known": len(assessment.known),
            "silenced": assessment.silenced,
            "not_covered": len(assessment.not_covered),
        },
        "findings": [describe.finding(finding) for finding in assessment.findings],
        "waived": [describe.waived(waived) for waived in assessment.waived],
        "known": [describe.finding(finding) for finding in assessment.known],
        "not_covered": [_not_covered(item) for item in assessment.not_covered],
        "keys_without_rule": [_text(label) for label in assessment.keys_without_rule],
    }


class _Findings:
    def __init__(self, assessment: Assessment) -> None:
        self._examples = Examples(assessment)

    def finding(self, finding: Finding) -> dict[str, Any]:
        """One finding, in the words of the text report."""
        who = None
        if finding.principal:
            who = {
                "principal": _text(finding.principal),
                "identity": _text(finding.principal_identity),
                "place": _place(finding.principal_origin),
            }
        return {
            "fingerprint": finding.fingerprint,
            "check": finding.check,
            "level": finding.level.value,
            "claim": _text(finding.claim),
            "who": who,
            "can": {
                "capability": finding.capability or None,
                "actions": list(finding.actions),
                "when": _text(finding.when) or None,
                "example": _text(self._examples.of(finding)) or None,
            },
            "key": {"label": _text(finding.key), "place": _place(finding.key_origin)},
            "how": [
                {"text": _text(hop.text), "place": _place(hop.origin)} for hop in finding.proof.hops
            ],
            "notes": [_text(detail) for detail in finding.details],
            "rule": {
                "text": _text(finding.rule),
                "place": _rule_place(finding.rule_place),
            },
            "fix": _text(finding.fix) or None,
        }

    def waived(self, waived: Waived) -> dict[str, Any]:
        """A finding with the waiver that accepts it."""
        waiver = waived.waiver
        return {
            **self.finding(waived.finding),
            "waiver": {
                "reason": _text(waiver.reason),
                "owner": _text(waiver.owner),
                "expires": waiver.expires.isoformat(),
                "place": _rule_place(waiver.place),
            },
        }


def _place(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {
        "identity": _text(origin.identity),
        "label": _text(origin.label) or None,
        "stack": _text(origin.container) or None,
        "file": _text(shown_file(origin.file)) or None,
        "line": origin.line,
        "column": origin.column,
    }


def _rule_place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "file": _text(shown_file(place.file)),
        "line": place.line,
        "column": place.column,
    }


def _not_covered(item: NotCovered) -> dict[str, Any]:
    return {"place": _place(item.origin), "reason": _text(item.reason)}


def _text(text: str) -> str:
    """The text as it is; half a character, which strict readers refuse, as its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
