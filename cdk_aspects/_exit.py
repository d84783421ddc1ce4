"""Ending the process with a code of ours.

The CDK command line drops what a plugin reported for `--ignore-errors`, for commands that do not
read the report, and for stacks outside its selection. It never drops the exit code of the app.
"""

from __future__ import annotations

import logging
import os
import sys
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cdk_aspects import _assembly

GRAVEST_FIRST = (4, 2, 1, 3)
NEVER_ASKED = 2
NEVER_ASKED_TEXT = """\
error  not-evaluated  kms-access was set up but never asked to evaluate this app
  help   add KmsAccessAspect to the App, a Stage or a Stack before app.synth(), not in an aspect
"""


@dataclass(slots=True, weakref_slot=True)
class _Process:
    code: int = 0
    evaluated: bool = False
    watched: bool = False


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
    _process.evaluated = True


def end_with(code: int) -> None:
    """End the process with `code`, or with the graver one if there are several."""
    _process.code = min(filter(None, (_process.code, code)), key=GRAVEST_FIRST.index)


def _end(owner: int) -> None:
    if os.getpid() != owner:  # a fork of the app
        return
    code = _process.code or _never_asked()
    if not code:
        return
    # Nothing runs after `os._exit`, so what is buffered is written here, as far as it can be.
    with suppress(Exception):
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


def _never_asked() -> int:
    """A code when stacks were synthesized for the CDK command line and no guard was asked."""
    failed_anyway = hasattr(sys, "last_value")
    if _process.evaluated or failed_anyway or not run_by_cdk():
        return 0
    outdir = os.environ.get("CDK_OUTDIR", "")
    if not outdir or not _assembly.has_stacks(_assembly.STARTED_IN / Path(outdir)):
        return 0
    with suppress(Exception):
        sys.stderr.write(NEVER_ASKED_TEXT)
    return NEVER_ASKED
