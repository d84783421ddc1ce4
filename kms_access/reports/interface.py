"""What a report is, and the reports by their names."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kms_access.rules.assessment import Assessment


class Report(Protocol):
    """One form in which an assessment is told. `name` is that of `--format`."""

    @property
    def name(self) -> str: ...

    def render(self, assessment: Assessment) -> str:
        """The whole text, with a line break at its end. Deterministic, the same everywhere."""
        ...


_MODULES: Mapping[str, str] = {
    "text": "kms_access.reports.text",
    "json": "kms_access.reports.json",
    "sarif": "kms_access.reports.sarif",
    "junit": "kms_access.reports.junit",
    "markdown": "kms_access.reports.markdown",
    "github": "kms_access.reports.github",
    "html": "kms_access.reports.html",
}
"""Each module holds its report as `REPORT`; it is imported when it is asked for."""

REPORT_NAMES = tuple(_MODULES)
"""The names that `report_named` takes."""


def report_named(name: str) -> Report:
    """The report of that name. Raises ValueError, with the accepted names, for any other."""
    if name not in _MODULES:
        raise ValueError(f'there is no report "{name}", accepted are {", ".join(REPORT_NAMES)}')
    report: Report = import_module(_MODULES[name]).REPORT
    return report
