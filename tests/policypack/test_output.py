"""However much is found, what one call answers stays below what gRPC takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pulumi.runtime.proto import analyzer_pb2 as proto

from kms_access.inventory.model import Inventory
from kms_access.rules import Assessment, Level, Rules
from policypack import _evaluation
from policypack.messages import MAXIMUM_FINDINGS, MAXIMUM_LINES

from .harness import KEY, Declared, Pack, Violation
from .programs import DELEGATION, allow, document

LIMIT = 4 << 20
"""gRPC's own limit, which the proxy between the engine and a pack keeps."""
FOUND = 5_000
LONG = "x" * 200
OPEN = [
    Declared(
        *(KEY, f"open-{number}-{LONG}"),
        {"policy": document(DELEGATION, allow(f"All-{LONG}", "*", "kms:*"))},
    )
    for number in range(3)
]


@pytest.fixture
def thousands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each error that the evaluator finds, thousands of times, and half of them as warnings."""
    original = _evaluation.assess

    def assess(inventory: Inventory, rules: Rules) -> Assessment:
        assessment = original(inventory, rules)
        errors = [f for f in assessment.findings if f.level is Level.ERROR]
        many = [
            replace(errors[i % len(errors)], fact=str(i), level=level)
            for level in (Level.ERROR, Level.WARNING)
            for i in range(FOUND if errors else 0)
        ]
        return replace(assessment, findings=tuple(many))

    monkeypatch.setattr(_evaluation, "assess", assess)


@pytest.fixture(autouse=True)
def rules(write_rules: Callable[..., Path]) -> None:
    write_rules()


def size(violations: list[Violation]) -> int:
    response = proto.AnalyzeResponse()
    for violation in violations:
        response.diagnostics.append(
            proto.AnalyzeDiagnostic(
                policyName=violation.policy,
                policyPackName="kms-access",
                policyPackVersion="0.1.0",
                message=violation.message,
                description="x" * 100,
                urn=violation.urn,
            )
        )
    return response.ByteSize()


@pytest.mark.usefixtures("thousands")
def test_thousands_of_findings_fit() -> None:
    violations = Pack().run(*OPEN)
    assert size(violations) < LIMIT // 2
    for level in ("mandatory", "advisory"):
        texts = [v.message for v in violations if v.level == level]
        assert len(texts) == MAXIMUM_FINDINGS + 1
        lines = texts[-1].splitlines()
        assert len(lines) == MAXIMUM_LINES + 3
        assert f"… and {FOUND - MAXIMUM_FINDINGS:d} more findings" in lines[1]
        word = "error" if level == "mandatory" else "warning"
        assert all(line.startswith(f"  {word}  ") for line in lines[2:-1])
        left_out = FOUND - MAXIMUM_FINDINGS - MAXIMUM_LINES
        assert lines[-1] == f"{left_out} more findings are left out"


@pytest.mark.usefixtures("thousands")
def test_an_update_that_stops_at_one_resource_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_DRY_RUN", "false")
    violations = Pack().register(OPEN[0])
    assert len(violations) == MAXIMUM_FINDINGS + 1
    assert "more findings are left out" in violations[-1].message
    assert size(violations) < LIMIT // 4


def test_a_long_summary_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    carriers = [
        Declared("aws:cloudformation/stack:Stack", f"carrier-{number}-{LONG}", {"templateBody": ""})
        for number in range(500)
    ]
    Pack().run(*OPEN, *carriers)
    told = capsys.readouterr().out
    assert len(told.encode()) < 40 << 10
    assert len(told.splitlines()) < 60


def test_text_that_is_no_unicode_is_reported_and_no_failure() -> None:
    key = Declared(
        KEY,
        "open",
        {"policy": document(DELEGATION, allow("Half \ud800 <{%reset%}>", "*", "kms:*"))},
    )
    assert "\\ud800" in str(key.inputs["policy"])
    messages = "\n".join(violation.message for violation in Pack().run(key))
    assert "invalid-policy  key policy of open: " in messages
    assert "itself failed" not in messages
    assert "<{%" not in messages


def test_a_failure_with_a_long_text_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def assess(inventory: object, rules: object) -> None:
        raise ValueError("x" * LIMIT)

    monkeypatch.setattr(_evaluation, "assess", assess)
    violations = Pack().run(OPEN[0])
    assert [violation.level for violation in violations] == ["mandatory"]
    assert size(violations) < 4_000
