"""Ending the process with a code of ours.

The CDK command line drops what a plugin reported for `--ignore-errors`, for commands that do not
read the report, and for stacks outside its selection. It never drops the exit code of the app.
"""

from __future__ import annotations

import logging
import os
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from cdk_aspects import _assembly, _coverage
from cdk_aspects._verdict import INTERNAL_ERROR

GRAVEST_FIRST = (4, 2, 1, 3)
NOT_EVALUATED = 2
FAILED_VALIDATION = "ValidationFailed: "
NEVER_ASKED_TEXT = """\
error  not-evaluated  kms-access was set up but never asked to evaluate {parts}
  note   no aspect visits an app or a Stage that is synthesized already
  help   call attach(app) before anything is synthesized
"""
NO_VERDICT_TEXT = """\
error  not-evaluated  kms-access was asked, but came to no verdict about {parts}
  note   a fault of kms-access, not of the app; synthesis is blocked, please report it
"""
WRITTEN_AFTERWARDS_TEXT = """\
error  not-evaluated  written after kms-access evaluated this app: {parts}
  help   let app.synth() write the files once, at the end, and change none of them afterwards
"""


@dataclass(slots=True, weakref_slot=True)
class _Process:
    code: int = 0
    asked: bool = False
    watched: bool = False
    judged: dict[Path, _coverage.File] = field(default_factory=dict)
    excepthook: Callable[..., object] = sys.__excepthook__


_process = _Process()


def run_by_cdk() -> bool:
    """Whether the CDK command line runs this program."""
    return "CDK_CLI_VERSION" in os.environ


def run_by_pytest() -> bool:
    """Whether this is a test run, whose exit code belongs to the tests.

    To be asked during the run: pytest takes the variable away before the interpreter exits. A
    program that a test merely starts inherits the variable, but has not loaded pytest.
    """
    return "PYTEST_VERSION" in os.environ and "_pytest" in sys.modules


def watch() -> None:
    """Have `end` called when the interpreter exits.

    `weakref.finalize` and not `atexit.register`: its handlers run after the one with which jsii
    stops its Node process, so that output still on its way and temporary directories are not lost.
    """
    if not _process.watched:
        _process.watched = True
        weakref.finalize(_process, _end, os.getpid())


def note_evaluation() -> None:
    """Remember that the library asked for an evaluation."""
    _process.asked = True


def note_judged(assembly: Path) -> None:
    """Remember what the files of an assembly are now. Raises what reading them raises."""
    _process.judged.update(_coverage.files_of(assembly))


def end_with(code: int) -> None:
    """End the process with `code`, or with the graver one if there are several.

    The trace of the exception with which the library ends a synthesis that was not valid is left
    out from now on: it says nothing about the app that was not printed before.
    """
    _process.code = min(filter(None, (_process.code, code)), key=GRAVEST_FIRST.index)
    if sys.excepthook is not _without_trace_of_validation:
        _process.excepthook = sys.excepthook
        sys.excepthook = _without_trace_of_validation


def _without_trace_of_validation(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not (kind is RuntimeError and str(error).startswith(FAILED_VALIDATION)):
        _process.excepthook(kind, error, trace)


def _end(owner: int) -> None:
    if os.getpid() != owner:  # a fork of the app
        return
    code = _process.code or _not_evaluated()
    if not code:
        return
    # Nothing runs after `os._exit`, so what is buffered is written here, as far as it can be.
    with suppress(Exception):
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


def _not_evaluated() -> int:
    """A code when the CDK command line is about to use what no guard was asked about."""
    failed_anyway = hasattr(sys, "last_value")
    outdir = os.environ.get("CDK_OUTDIR", "")
    if failed_anyway or not run_by_cdk() or not outdir:
        return 0
    parts = _coverage.not_judged(_process.judged, _assembly.STARTED_IN / outdir)
    if not parts:
        return 0
    if _process.judged:
        code, text = NOT_EVALUATED, WRITTEN_AFTERWARDS_TEXT
    elif _process.asked:
        code, text = INTERNAL_ERROR, NO_VERDICT_TEXT
    else:
        code, text = NOT_EVALUATED, NEVER_ASKED_TEXT
    with suppress(Exception):
        sys.stderr.write(text.format(parts=", ".join(parts)))
    return code
