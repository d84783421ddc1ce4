"""Failures become violations that can be read, and nothing is taken for colour markup."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pulumi_policy.policy import _NotApplicableError
from pulumi_policy.proxy import UnknownValueError

from policypack.messages import (
    MAXIMUM_CHARACTERS,
    MAXIMUM_FINDINGS,
    Refusal,
    guarded,
    report_all,
    safe,
)

from .harness import UNKNOWN


def fail_with(error: Exception) -> Callable[[object, object], None]:
    def check(args: object, report: object) -> None:
        raise error

    return check


def reports_of(error: Exception) -> list[str]:
    reports: list[str] = []
    guarded(fail_with(error))(None, reports.append)
    return reports


@pytest.mark.parametrize(
    "error", [KeyError("policy"), RecursionError("deep"), UnknownValueError(UNKNOWN, ["policy"])]
)
def test_a_failure_is_a_violation_that_says_whose_it_is(error: Exception) -> None:
    (text,) = reports_of(error)
    lines = text.splitlines()
    assert lines[0].startswith("kms-access itself failed, so nothing was decided")
    assert lines[1].startswith(f"  {type(error).__name__}: ")
    assert "tests/policypack/test_messages.py:" in text
    assert "fail_with" not in lines[0]
    assert "in check" in text


def test_an_unknown_value_is_named_because_the_sdk_would_make_it_an_advice() -> None:
    (text,) = reports_of(UnknownValueError(UNKNOWN, ["policy"]))
    assert "string value at .policy can't be known during preview" in text


def test_the_text_of_a_failure_is_short() -> None:
    (text,) = reports_of(ValueError("x" * 10_000 + "\n" * 100))
    assert len(text) < 2_000
    assert len(text.splitlines()) < 12


def test_a_refusal_is_no_failure() -> None:
    assert reports_of(Refusal("there is no such file")) == ["there is no such file"]


def test_not_applicable_is_handed_on() -> None:
    with pytest.raises(_NotApplicableError):
        reports_of(_NotApplicableError("reason"))


def test_an_interrupt_is_handed_on() -> None:
    def check(args: object, report: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded(check)(None, None)  # type: ignore[arg-type]


def test_colour_markup_is_broken_up_everywhere() -> None:
    markup = "role <{%fg 1%}>red<{%reset%}>"
    assert "<{%" not in safe(markup)
    reports: list[tuple[str, str | None]] = []
    report_all(lambda message, urn: reports.append((message, urn)), [(markup, "")])
    assert reports == [(safe(markup), None)]
    for error in (Refusal(markup), ValueError(markup)):
        assert "<{%" not in reports_of(error)[0]


def test_long_and_many_messages_are_cut() -> None:
    reports: list[str] = []
    messages = [("x" * 2 * MAXIMUM_CHARACTERS, "urn")] * (MAXIMUM_FINDINGS + 2)
    report_all(lambda message, urn=None: reports.append(message), messages)
    assert len(reports) == MAXIMUM_FINDINGS + 1
    assert reports[-1] == "… and 2 more findings"
    assert sum(map(len, reports)) < 1 << 20
    reports.clear()
    report_all(lambda message, urn=None: reports.append(message), messages[1:])
    assert reports[-1] == "… and 1 more finding"
    reports.clear()
    report_all(lambda message, urn=None: reports.append(message), messages[2:])
    assert len(reports) == MAXIMUM_FINDINGS
