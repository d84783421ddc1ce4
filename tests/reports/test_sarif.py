"""The SARIF report against the official schema, and what code scanning makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, ValidationError
from syrupy.assertion import SnapshotAssertion

from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import Origin
from kms_access.reports import check_help
from kms_access.reports.check_help import HELP, help_of, help_page
from kms_access.reports.sarif import REPORT
from kms_access.rules import Assessment, Level, Rules, assess
from kms_access.rules.checks import CHECKS
from tests.reports.assessments import ROOT, hostile

DATA = Path(__file__).parent / "data"
VALIDATOR = Draft4Validator(
    json.loads((DATA / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
)


def run_of(assessment: Assessment) -> dict[str, Any]:
    log = json.loads(REPORT.render(assessment))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    found: dict[str, Any] = run
    return found


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def texts_of_messages(value: Any) -> Iterator[str]:
    """Viewers look for links and placeholders in messages alone."""
    if isinstance(value, dict):
        if "message" in value:
            yield value["message"]["text"]
        for item in value.values():
            yield from texts_of_messages(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of_messages(item)


def test_results(assessment: Assessment, snapshot: SnapshotAssertion) -> None:
    run = run_of(assessment)
    run["tool"]["driver"].pop("rules")
    assert json.dumps(run, indent=2) == snapshot


def test_rules(everything: Assessment, snapshot: SnapshotAssertion) -> None:
    assert json.dumps(run_of(everything)["tool"]["driver"]["rules"], indent=2) == snapshot


def test_the_official_schema_refuses_what_is_no_sarif(everything: Assessment) -> None:
    log = json.loads(REPORT.render(everything))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(ValidationError):
        VALIDATOR.validate(log)


def test_logs_about_nothing_and_of_an_attacker_are_valid(everything: Assessment) -> None:
    run_of(assess(Inventory(), Rules()))
    run = run_of(hostile(everything))
    assert REPORT.render(hostile(everything)).isascii()
    messages = list(texts_of_messages(run))
    assert len(messages) > 3 * len(run["results"])
    for text in messages:
        assert "](" not in text
        assert "{0}" not in text.replace("{{0}}", "")
    assert all("\n" not in text for text in strings([r["codeFlows"] for r in run["results"]]))


def test_every_result_names_its_rule_and_its_access_fact(everything: Assessment) -> None:
    run = run_of(everything)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    findings = [
        *everything.findings,
        *(waived.finding for waived in everything.waived),
        *everything.known,
    ]
    assert len(run["results"]) == len(findings)
    for result, finding in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == finding.check
        assert result["partialFingerprints"] == {"accessFact/v1": finding.fingerprint}
        (flow,) = result["codeFlows"]
        (thread,) = flow["threadFlows"]
        steps = [step["location"]["message"]["text"] for step in thread["locations"]]
        assert steps == [hop.text for hop in finding.proof.hops]


def test_what_is_waived_or_known_is_suppressed_with_the_reason(everything: Assessment) -> None:
    results = run_of(everything)["results"]
    suppressed = [r.get("suppressions", []) for r in results]
    count = len(everything.findings)
    assert not any(suppressed[:count])
    assert suppressed[count:] == [
        [{"kind": "external", "status": "accepted", "justification": justification}]
        for justification in [
            "moves the archive to the new key (waived until 2027-03-31 by dana@example.com)",
            *["the access stands in the baseline"] * len(everything.known),
        ]
    ]


def test_a_run_that_left_something_open_was_no_success(everything: Assessment) -> None:
    (invocation,) = run_of(everything)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == everything.exit_code == 1
    levels = [note["level"] for note in invocation["toolExecutionNotifications"]]
    assert levels == ["error", "note"]
    decided = tuple(f for f in everything.findings if f.check != "undecided")
    (invocation,) = run_of(replace(everything, findings=decided))["invocations"]
    assert invocation["executionSuccessful"] is True
    open_warnings = tuple(replace(f, level=Level.WARNING) for f in everything.findings)
    (invocation,) = run_of(replace(everything, findings=open_warnings))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 0)


def test_messages_hold_no_value_of_a_condition(everything: Assessment) -> None:
    secret = tuple(
        replace(finding, when="if sts:ExternalId is hunter2") for finding in everything.findings
    )
    text = REPORT.render(replace(everything, findings=secret))
    assert "hunter2" not in text
    assert "under a condition" in text


URIS = [
    ("app.py", "app.py"),
    ("cdk out/ü%.json", "cdk%20out/%C3%BC%25.json"),
    ("a:b/c.json", ""),
    ("../outside.json", ""),
    ("/elsewhere/x.json", ""),
    (str(ROOT / "inside" / "x.json"), "inside/x.json"),
    ("a#b?c", "a%23b%3Fc"),
    ("", ""),
]


@pytest.mark.parametrize(("file", "uri"), URIS)
def test_files_are_relative_references_or_left_out(
    file: str, uri: str, everything: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    place = Origin("App/data", "data", "App", file, 7)
    finding = replace(everything.findings[2], key_origin=place, proof=everything.known[0].proof)
    finding = replace(finding, proof=type(finding.proof)(()))
    (result,) = run_of(replace(everything, findings=(finding,), waived=(), known=()))["results"]
    (location,) = result["locations"]
    physical = location.get("physicalLocation")
    if not uri:
        assert physical is None
    else:
        assert physical == {"artifactLocation": {"uri": uri}, "region": {"startLine": 7}}


def test_without_another_file_a_result_stands_at_the_rule(everything: Assessment) -> None:
    finding = replace(everything.findings[0], key_origin=None, principal_origin=None)
    finding = replace(finding, proof=type(finding.proof)(()))
    (result,) = run_of(replace(everything, findings=(finding,), waived=(), known=()))["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "rules.yaml"},
        "region": {"startLine": 6, "startColumn": 5},
    }


def test_every_check_has_help_and_a_severity() -> None:
    assert set(CHECKS) <= set(HELP)
    for check in CHECKS:
        about = help_of(check)
        assert 0 < about.severity <= 10
        # Code scanning shows ten tags of a rule.
        assert len(about.controls) <= 7
    # A check of level error is never less severe than medium (4.0) in code scanning.
    assert all(help_of(c.id).severity >= 4 for c in CHECKS.values() if c.level is Level.ERROR)
    assert help_of("of-tomorrow").why == "of tomorrow."


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (
            "Repository, https://example.com/kms",
            "https://example.com/kms/blob/main/docs/checks/x.md",
        ),
        ("Source, https://example.com/kms/", "https://example.com/kms/blob/main/docs/checks/x.md"),
        ("Homepage, https://example.com", ""),
        ("Repository, javascript:alert(1)", ""),
        (None, ""),
    ],
)
def test_help_pages_are_those_of_the_public_repository(
    url: str | None, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = Message()
    if url is not None:
        metadata["Project-URL"] = url
    monkeypatch.setattr(check_help, "metadata", lambda _: metadata)
    help_page.cache_clear()
    try:
        assert help_page("x") == page
    finally:
        help_page.cache_clear()
