"""Every report of every example as a snapshot, and what no report may ever do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access.inventory.model import Inventory
from kms_access.reports.interface import REPORT_NAMES, report_named
from kms_access.rules import Assessment, Rules, assess
from tests.reports.assessments import hostile

# The rules of a SARIF log are the same in each: they have a snapshot of their own.
SHOWN = [name for name in REPORT_NAMES if name not in ("sarif", "html")]


@pytest.mark.parametrize("name", SHOWN)
def test_reports(name: str, assessment: Assessment, snapshot: SnapshotAssertion) -> None:
    assert report_named(name).render(assessment) == snapshot


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_a_report_is_found_by_its_own_name(name: str) -> None:
    assert report_named(name).name == name


def test_an_unknown_report_names_those_that_are() -> None:
    with pytest.raises(ValueError, match='no report "xml", accepted are text, json'):
        report_named("xml")


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_a_report_is_the_same_every_time_and_ends_its_last_line(
    name: str, everything: Assessment
) -> None:
    text = report_named(name).render(everything)
    assert text == report_named(name).render(replace(everything))
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_no_report_holds_what_moves_a_terminal_or_ends_a_line_elsewhere(
    name: str, everything: Assessment
) -> None:
    text = report_named(name).render(hostile(everything))
    assert not {sign for sign in text if ord(sign) < 32 and sign != "\n"}
    assert not set(text) & set("\x7f\x85\u2028\u2029\u202e\ud800")
    text.encode("utf-8")


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_a_report_about_nothing(name: str) -> None:
    assert report_named(name).render(assess(Inventory(), Rules()))
