"""What a user waits for before anything happens."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from benchmarks.measuring import MILLISECONDS, Measured

# Somebody waits for the clock here, not for the processor.
pytestmark = pytest.mark.benchmark(timer=time.perf_counter)


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def test_python_itself(measured: Measured) -> None:
    measured(lambda: run("-c", "pass"), name="for comparison: an empty Python", unit=MILLISECONDS)


def test_import(measured: Measured) -> None:
    measured(
        lambda: run("-c", "import kms_access"),
        name="`import kms_access`, with the start of Python",
        unit=MILLISECONDS,
        target="at most 120",
    )


def test_help(measured: Measured) -> None:
    measured(
        lambda: run("-m", "kms_access.cli", "--help"),
        name="`kms-access --help`",
        unit=MILLISECONDS,
        target="at most 250",
    )
