"""JUnit XML: one test case for each check and key.

Violated is a failure and undecided an error. Waived, known by the baseline and off are skipped,
with the reason. Warnings do not block: their case passes, and its output tells them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from kms_access.reports.check_help import level_of
from kms_access.reports.places import shown_file
from kms_access.reports.terminal import safe
from kms_access.reports.text import describe_waiver, render_finding, render_tally
from kms_access.reports.tool import VERSION
from kms_access.rules.assessment import Assessment
from kms_access.rules.checks import CHECKS
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level

_UNDECIDED = "undecided"
_OUTCOMES = ("failures", "errors", "skipped")
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class JunitReport:
    """One suite; the class of a case is its check, its name the key."""

    name: str = "junit"

    def render(self, assessment: Assessment) -> str:
        """The document, in ASCII."""
        root = _suites(assessment)
        ElementTree.indent(root)
        text: bytes = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=True)
        return text.decode("ascii") + "\n"


REPORT = JunitReport()


@dataclass(slots=True)
class _Case:
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)


_Cases = dict[str, dict[str, _Case]]
"""By check, then by the identity of the key."""


def _suites(assessment: Assessment) -> ElementTree.Element:
    cases = _cases(assessment)
    names = _names(assessment)
    root = ElementTree.Element("testsuites", {"name": "kms-access"})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "kms-access"})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _provenance(assessment).items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": _xml(value)})
    counts: Counter[str] = Counter()
    for check, by_key in cases.items():
        is_off = assessment.rules.checks.get(check, level_of(check)) is Level.OFF
        for identity, case in sorted(by_key.items(), key=lambda item: names[item[0]]):
            attributes = {"classname": check, "name": _xml(names[identity])}
            element = ElementTree.SubElement(suite, "testcase", attributes)
            counts["tests"] += 1
            counts[_fill(element, case, check, is_off=is_off)] += 1
    ElementTree.SubElement(suite, "system-out").text = _xml(render_tally(assessment))
    for element in (root, suite):
        for outcome in ("tests", *_OUTCOMES):
            element.set(outcome, str(counts[outcome]))
    return root


def _provenance(assessment: Assessment) -> Mapping[str, str]:
    rules = assessment.rules
    return {
        "version": VERSION,
        "rules": safe(shown_file(rules.file)) or "built-in",
        **({"rules-digest": rules.digest} if rules.file else {}),
        "exit-code": str(assessment.exit_code),
    }


def _cases(assessment: Assessment) -> _Cases:
    keys = [key.origin.identity for key in assessment.access_map.keys]
    cases: _Cases = {check: {key: _Case() for key in keys} for check in CHECKS}

    def case_of(finding: Finding) -> _Case:
        by_key = cases.setdefault(finding.check, {key: _Case() for key in keys})
        return by_key.setdefault(_identity(finding, assessment), _Case())

    for finding in assessment.findings:
        case = case_of(finding)
        (case.errors if finding.level is Level.ERROR else case.warnings).append(finding)
    for waived in assessment.waived:
        reason = f"waived {describe_waiver(waived)}: {waived.waiver.reason}"
        case_of(waived.finding).excused.append(f"{reason}: {waived.finding.claim}")
    for finding in assessment.known:
        case_of(finding).excused.append(f"known by the baseline: {finding.claim}")
    return cases


def _identity(finding: Finding, assessment: Assessment) -> str:
    """Of which key a finding is; one about a waiver has the key as the waiver names it."""
    if finding.key_origin is not None:
        return finding.key_origin.identity
    keys = assessment.access_map.keys
    named = [key.origin.identity for key in keys if key.label == finding.key]
    return named[0] if len(named) == 1 else finding.key


def _names(assessment: Assessment) -> Mapping[str, str]:
    """What cases are called: the key's label, with its identity where two have one label."""
    labels = {key.origin.identity: key.label for key in assessment.access_map.keys}
    told = [*assessment.findings, *(w.finding for w in assessment.waived), *assessment.known]
    for finding in told:
        labels.setdefault(_identity(finding, assessment), finding.key)
    identities: dict[str, list[str]] = defaultdict(list)
    for identity, label in labels.items():
        identities[label].append(identity)
    return {
        identity: label if len(identities[label]) == 1 else f"{label} ({identity})"
        for identity, label in labels.items()
    }


def _fill(element: ElementTree.Element, case: _Case, check: str, *, is_off: bool) -> str:
    """The outcome of one case; returns which count it belongs to."""
    outcome = "passed"
    if case.errors:
        kind, outcome = ("error", "errors") if check == _UNDECIDED else ("failure", "failures")
        found = ElementTree.SubElement(
            element,
            kind,
            {"message": _xml("; ".join(f.claim for f in case.errors)), "type": check},
        )
        found.text = _texts(case.errors)
    elif case.excused or is_off:
        reason = "; ".join(case.excused) or "the check is off"
        ElementTree.SubElement(element, "skipped", {"message": _xml(reason)})
        outcome = "skipped"
    if case.warnings:
        ElementTree.SubElement(element, "system-out").text = _texts(case.warnings)
    return outcome


def _texts(findings: Sequence[Finding]) -> str:
    return _xml("\n\n".join(render_finding(finding) for finding in findings))


def _xml(text: str) -> str:
    """Text that XML 1.0 can hold; line breaks and tabs are ours alone in what is rendered."""
    return _NOT_XML.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
