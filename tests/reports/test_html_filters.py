"""The filters of the page in a real browser, held against the access map."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_access.decisions.resolution import AccessState
from kms_access.inventory.actions import find_action
from kms_access.reports.html import REPORT
from kms_access.rules import Assessment
from tests.reports.browser import INSTALL, Page, executable
from tests.reports.html_using import FOCUS, RESULT, load, set_filter

pytestmark = pytest.mark.skipif(executable() is None, reason=INSTALL)


def left(assessment: Assessment, given: dict[str, str]) -> tuple[int, int]:
    """How many principals and keys the map has for these filters."""
    facts = assessment.access_map
    told = [*assessment.findings, *assessment.known, *(w.finding for w in assessment.waived)]
    pairs = {(f.principal_identity, f.key_origin.identity) for f in told if f.key_origin}
    about_keys = {identity for principal, identity in pairs if not principal}
    subjects, keys = set(), set(about_keys) if "findings" in given else set()
    for subject in facts.subjects:
        if given.get("principal", "").lower() not in subject.label.lower():
            continue
        for each in facts.keys:
            pair = (subject.identity, each.origin.identity)
            states = [
                state
                for action, state in facts.states(subject, each).items()
                if given.get("capability") in (None, capability_of(action))
                and (STATES[state] == given["state"] if "state" in given else not state.is_denied)
            ]
            is_asked = {"capability", "state"} & set(given)
            if (states or not is_asked) and ("findings" not in given or pair in pairs):
                subjects.add(pair[0])
                keys.add(pair[1])
    return len(subjects), len(keys)


def capability_of(action: str) -> str:
    info = find_action(action)
    assert info is not None
    return info.capability


STATES = dict(
    zip(
        AccessState,
        (
            *("allowed", "under a condition", "undecided", "if its account allows"),
            *("denied explicitly", "denied by default"),
        ),
        strict=True,
    )
)
CELL_FILTERS: list[dict[str, str]] = [
    {"capability": "delete"},
    {"capability": "grant"},
    {"state": "allowed"},
    {"state": "under a condition"},
    {"state": "if its account allows"},
    {"state": "undecided"},
    {"capability": "decrypt", "state": "under a condition"},
    {"capability": "encrypt", "state": "under a condition"},
    {"findings": "yes"},
    {"findings": "yes", "principal": "eve"},
    {"findings": "yes", "capability": "encrypt", "state": "allowed"},
]


def names(given: dict[str, str]) -> str:
    return " ".join(given.values())


@pytest.mark.parametrize("given", CELL_FILTERS, ids=names)
def test_filters_of_cells(
    given: dict[str, str], shown: Page, tmp_path: Path, everything: Assessment
) -> None:
    filtered(shown, tmp_path, everything, given, left(everything, given))


# Filters of rows and columns, then how many of them are left.
FILTERS: list[tuple[dict[str, str], tuple[int, int]]] = [
    ({"principal": "USER ma"}, (1, 3)),
    ({"principal": "arn:aws eve"}, (1, 3)),
    ({"principal": "zzz"}, (0, 3)),
    ({"principal": "app-reader (stack App)"}, (1, 3)),
    ({"key": "alias/other"}, (6, 2)),
    ({"key": "alias/data"}, (6, 1)),
    ({"key": "64617461"}, (6, 1)),
    ({"team": "app"}, (2, 3)),
    ({"team": "in no team"}, (4, 3)),
    ({"team": "app", "capability": "decrypt", "principal": "reader"}, (2, 3)),
]


@pytest.mark.parametrize(("given", "expected"), FILTERS, ids=lambda given: str(given))
def test_filters_of_rows_and_columns(
    given: dict[str, str],
    expected: tuple[int, int],
    shown: Page,
    tmp_path: Path,
    everything: Assessment,
) -> None:
    assert len(everything.access_map.subjects) == 6
    filtered(shown, tmp_path, everything, given, expected)


def filtered(
    shown: Page,
    folder: Path,
    assessment: Assessment,
    given: dict[str, str],
    expected: tuple[int, int],
) -> None:
    """Set the filters as a user does and compare what is left; then reset them."""
    load(shown, folder, REPORT.render(assessment))
    for field, value in given.items():
        if field in ("principal", "key"):
            shown.click(f"#filter-{field}")
            shown.type(value)
        else:
            set_filter(shown, field, value)
    facts = assessment.access_map
    principals, keys = expected
    assert shown.ask(RESULT) == (
        f"{principals} of {len(facts.subjects)} principals, {keys} of {len(facts.keys)} keys"
    )
    drawn = "document.querySelectorAll('[role=rowheader]').length"
    assert shown.ask(drawn) == principals
    shown.click("#filter-reset")
    assert shown.ask(drawn) == len(facts.subjects)


def test_a_filter_keeps_the_focus_where_it_is(
    shown: Page, tmp_path: Path, everything: Assessment
) -> None:
    load(shown, tmp_path, REPORT.render(everything))
    shown.click("#filter-principal")
    shown.type("eve")
    assert shown.ask(FOCUS) == "filter-principal"
