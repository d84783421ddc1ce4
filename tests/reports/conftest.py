"""The assessments that the reports are tried on; each is worked out once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.inventories import inventory
from kms_access.reports.html import REPORT
from kms_access.rules import Assessment, Rules, assess
from tests.reports import assessments
from tests.reports.browser import Page, page

_ALL = "everything"


@contextmanager
def working_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="session")
def worked_out(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assessment]:
    """The assessments by name."""
    found = {}
    with working_folder(assessments.ROOT):
        for name, form in assessments.FORMS.items():
            found[name] = form(tmp_path_factory.mktemp("form"))
    folder = tmp_path_factory.mktemp("everything")
    with working_folder(folder):
        found[_ALL] = assessments.everything(folder)
    return found


@pytest.fixture(params=[*assessments.FORMS, _ALL])
def assessment(
    request: pytest.FixtureRequest,
    worked_out: dict[str, Assessment],
    monkeypatch: pytest.MonkeyPatch,
) -> Assessment:
    """Each of them, from the folder that its paths start from."""
    monkeypatch.chdir(assessments.ROOT)
    return worked_out[request.param]


@pytest.fixture
def everything(worked_out: dict[str, Assessment]) -> Assessment:
    """The one in which every kind of finding stands."""
    return worked_out[_ALL]


@pytest.fixture(scope="session")
def large() -> str:
    """The page for 3,000 principals and 200 keys."""
    return REPORT.render(assess(inventory(200, 3_000), Rules()))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with page(tmp_path_factory.mktemp("browser")) as shown:
        yield shown


@pytest.fixture
def shown(browser: Page) -> Iterator[Page]:
    """The browser's tab. Whatever a test does, the page reports no error and asks for nothing."""
    browser.problems.clear()
    browser.requests.clear()
    browser.size(1400, 800)
    browser.prefer("light")
    yield browser
    assert browser.problems == []
    assert len(set(browser.requests)) == 1
    assert browser.requests[0].startswith("file:")
