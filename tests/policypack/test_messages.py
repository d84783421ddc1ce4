"""Failures become violations that can be read, and nothing is taken for colour markup."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pulumi_policy.policy import _NotApplicableError
from pulumi_policy.proxy import UnknownValueError

from policypack.messages import (
    MAXIMUM_BYTES,
    MAXIMUM_FINDINGS,
    MAXIMUM_LINES,
    Refusal,
    guarded,
    report_all,
    safe,
    shortened,
)

from .harness import UNKNOWN


def fail_with(error: Exception) -> Callable[[object, object], None]:
    def check(args: object, report: object) -> None:
        raise error

    return check


def reports_of(error: Exception) -> list[str]:
    reports: list[str] = []
    guarded(fail_with(error), lambda args: [])(None, reports.append)
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
        guarded(check, lambda args: [])(None, None)  # type: ignore[arg-type]


def test_colour_markup_is_broken_up_everywhere() -> None:
    markup = "role <{%fg 1%}>red<{%reset%}>"
    assert "<{%" not in safe(markup)
    reports: list[tuple[str, str | None]] = []
    report_all(lambda message, urn: reports.append((message, urn)), [(markup, "")])
    assert reports == [(safe(markup), None)]
    for error in (Refusal(markup), ValueError(markup)):
        assert "<{%" not in reports_of(error)[0]


def reports_about(messages: list[tuple[str, str]]) -> list[str]:
    reports: list[str] = []
    report_all(lambda message, urn=None: reports.append(message), messages)
    return reports


def test_many_messages_keep_their_first_lines() -> None:
    messages = [(f"claim {number}\n  evidence", "urn") for number in range(MAXIMUM_FINDINGS + 2)]
    *full, last = reports_about(messages)
    assert full == [message for message, _ in messages[:MAXIMUM_FINDINGS]]
    assert last.splitlines() == [
        "… and 2 more findings, of each the first line:",
        f"  claim {MAXIMUM_FINDINGS}",
        f"  claim {MAXIMUM_FINDINGS + 1}",
    ]
    assert len(reports_about(messages[2:])) == MAXIMUM_FINDINGS
    assert "… and 1 more finding," in reports_about(messages[1:])[-1]


def test_what_is_left_out_is_counted() -> None:
    messages = [("claim\n  evidence", "urn")] * (MAXIMUM_FINDINGS + MAXIMUM_LINES)
    assert "left out" not in reports_about(messages)[-1]
    assert reports_about([*messages, messages[0]])[-1].endswith("\n1 more finding is left out")
    assert reports_about(messages * 2)[-1].endswith("\n550 more findings are left out")


def test_messages_are_bounded_in_bytes() -> None:
    # Four bytes a character is the most that UTF-8 needs.
    reports = reports_about([("\U0001f511" * MAXIMUM_BYTES, "urn")] * 5_000)
    assert max(len(text.encode()) for text in reports[:-1]) <= MAXIMUM_BYTES + len(" … (cut)") + 2
    assert sum(len(text.encode()) for text in reports) < 600 << 10
    assert reports[0].startswith("\U0001f511\U0001f511")
    assert reports[0].endswith(" … (cut)")


def test_half_a_surrogate_pair_can_be_sent() -> None:
    (text,) = reports_about([("statement \ud800", "")])
    assert text == "statement \\ud800"


def test_lines_past_the_maximum_are_counted() -> None:
    assert shortened(["a", "b"], 2) == ["a", "b"]
    assert shortened(["a", "b", "c"], 2) == ["a", "b", "1 more line is left out"]
    assert shortened(["a", "b", "c"], 1) == ["a", "2 more lines are left out"]
