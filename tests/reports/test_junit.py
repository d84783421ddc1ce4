"""JUnit: a case for each check and key, and what its outcome says."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from kms_access.inventory.model import Inventory
from kms_access.reports.junit import REPORT
from kms_access.rules import Assessment, Level, Rules, assess
from kms_access.rules.checks import CHECKS
from tests.reports.assessments import hostile

Case = tuple[str, str]


def cases_of(assessment: Assessment) -> dict[Case, ElementTree.Element]:
    root = ElementTree.fromstring(REPORT.render(assessment))
    cases = {(c.attrib["classname"], c.attrib["name"]): c for c in root.iter("testcase")}
    for element in (root, *root.iter("testsuite")):
        assert int(element.attrib["tests"]) == len(cases)
        for outcome, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[outcome]) == len(list(root.iter(tag)))
    return cases


def outcome(case: ElementTree.Element) -> str:
    return next((child.tag for child in case if child.tag != "system-out"), "passed")


def test_there_is_a_case_for_each_check_and_key(everything: Assessment) -> None:
    keys = {"alias/data", "alias/other (App/other)", "alias/other (App/third)"}
    assert set(cases_of(everything)) == {(check, key) for check in CHECKS for key in keys}
    assert cases_of(assess(Inventory(), Rules())) == {}


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("team-access", "failure"),
        ("undecided", "error"),
        ("separation-of-duties", "skipped"),
        ("key-deletion", "skipped"),
        ("lockout", "passed"),
    ],
)
def test_outcomes(check: str, expected: str, everything: Assessment) -> None:
    assert outcome(cases_of(everything)[check, "alias/data"]) == expected


def test_a_waived_case_says_why_and_a_failure_beside_it_fails(everything: Assessment) -> None:
    case = cases_of(replace(everything, findings=(), known=()))["team-access", "alias/data"]
    (skipped,) = case
    assert skipped.attrib["message"] == (
        "waived until 2027-03-31 by dana@example.com, rules.yaml:20: moves the archive to the new "
        "key: user eve can encrypt with key alias/data"
    )
    assert outcome(cases_of(everything)["team-access", "alias/data"]) == "failure"


def test_a_finding_about_a_waiver_is_of_the_key_that_it_names(everything: Assessment) -> None:
    expired = replace(everything.findings[0], check="expired-waiver", key_origin=None)
    cases = cases_of(replace(everything, findings=(expired,)))
    assert outcome(cases["expired-waiver", "alias/data"]) == "failure"
    assert len(cases) == 3 * len(CHECKS)
    unclear = replace(expired, key="alias/other")
    assert (
        outcome(
            cases_of(replace(everything, findings=(unclear,)))[
                "expired-waiver", "alias/other (alias/other)"
            ]
        )
        == "failure"
    )


def test_a_warning_is_told_and_does_not_fail(everything: Assessment) -> None:
    findings = tuple(replace(finding, level=Level.WARNING) for finding in everything.findings)
    warned = replace(everything, findings=findings, waived=(), known=())
    case = cases_of(warned)["team-access", "alias/data"]
    assert outcome(case) == "passed"
    assert "warning  team-access  user eve can decrypt" in (case.findtext("system-out") or "")


def test_no_name_breaks_the_document(everything: Assessment) -> None:
    text = REPORT.render(hostile(everything))
    assert text.isascii()
    root = ElementTree.fromstring(text)
    tags = {element.tag for element in root.iter()}
    assert "script" not in tags
    found = [case for case in root.iter("testcase") if outcome(case) == "failure"]
    # Each hostile finding is about a key of its own.
    assert len(found) == 2
    assert "<script>alert(1)</script> ]]>" in found[0][0].attrib["message"]
