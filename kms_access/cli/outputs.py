"""Where the reports of one run go: standard output, and files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.usage import UsageError
from kms_access.reports.interface import REPORT_NAMES, report_named

if TYPE_CHECKING:
    from kms_access.reports.interface import Report
    from kms_access.rules import Assessment

_NAMES = ", ".join(REPORT_NAMES)


@dataclass(frozen=True, slots=True)
class Output:
    """One report and its file, None for standard output."""

    report: Report
    file: Path | None


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is written where; `outputs_of` reads them."""
    parser.add_argument(
        "--format",
        choices=REPORT_NAMES,
        default="text",
        metavar="NAME",
        help=f"the report: {_NAMES}; the exit code does not depend on it",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the report there, not to the terminal"
    )
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="write one more report of the same run to a file; may stand more than once",
    )


def outputs_of(args: argparse.Namespace) -> tuple[Output, ...]:
    """What the arguments of `add_outputs` name.

    Raises `UsageError` for unknown reports, for two reports in one file, and for files that no
    folder is there for: before the work, not after it.
    """
    outputs = [Output(report_named(args.format), args.output)]
    for option in args.report:
        name, separator, file = option.partition("=")
        if not separator or not file:
            raise UsageError(f'"{option}" is not NAME=FILE', "for example sarif=kms-access.sarif")
        if name not in REPORT_NAMES:
            raise UsageError(f'there is no report "{name}"', f"accepted are {_NAMES}")
        outputs.append(Output(report_named(name), Path(file)))
    _refuse_bad_files([output.file for output in outputs if output.file is not None])
    return tuple(outputs)


def _refuse_bad_files(files: Sequence[Path]) -> None:
    seen: set[str] = set()
    for file in files:
        place = os.path.realpath(file)
        if place in seen:
            raise UsageError(f'"{file}" is named for two reports')
        seen.add(place)
        if file.is_dir():
            raise UsageError(f'"{file}" is a folder, not a file to write a report to')
        if not file.parent.is_dir():
            raise UsageError(f'"{file}" cannot be written: there is no folder "{file.parent}"')


def write_outputs(outputs: Sequence[Output], assessment: Assessment) -> None:
    """Write every report; standard output first, so that a file that fails hides nothing.

    Raises `UsageError` if a file cannot be written; the others are written all the same.
    """
    failed = []
    for output in sorted(outputs, key=lambda output: output.file is not None):
        if output.file is None:
            _print(_fitting(output.report).render(assessment))
            continue
        try:
            output.file.write_text(output.report.render(assessment), encoding="utf-8", newline="\n")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            failed.append(f'"{output.file}" cannot be written: {reason}')
    if failed:
        raise UsageError("; ".join(failed))


def _fitting(report: Report) -> Report:
    """The report as standard output can show it: only text has a width and colours."""
    from kms_access.reports.terminal import style_of
    from kms_access.reports.text import TextReport

    if not isinstance(report, TextReport):
        return report
    return TextReport(style=style_of(sys.stdout, os.environ))


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
