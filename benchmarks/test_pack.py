"""What the policy pack adds to a Pulumi run, against a pack that looks at nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks.measuring import MILLISECONDS, RATIO, Noted

ROOT = Path(__file__).parent.parent
PROCESSES = 5


def asked(size: int) -> dict[str, float]:
    """CPU seconds of packs in fresh processes, the medians of a few."""
    command = [sys.executable, "-m", "benchmarks.pack_on", str(size)]
    found: list[dict[str, float]] = []
    for _ in range(PROCESSES if size <= 1_000 else 1):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    return {name: median(each[name] for each in found) for name in found[0]}


@pytest.mark.parametrize(
    ("size", "times", "more"),
    [(100, "", "at most 0.3"), (1_000, "at most 2", "at most 0.3"), (5_000, "", "at most 0.3")],
)
def test_pack(benchmark: Any, noted: Noted, size: int, times: str, more: str) -> None:
    found = benchmark.pedantic(asked, (size,), rounds=1)
    name = f"{size:,} resources, {size // 20:,} keys, {size // 5:,} roles"
    empty, ours = found["empty at the end"], found["ours at the end"]
    noted(ours / empty, name=f"AnalyzeStack of {name}", unit=RATIO, target=times)
    own = ours - found["evaluation"]
    noted(own / empty, name=f"the same without the evaluation, {size:,}", unit=RATIO)
    noted(
        (found["ours"] - found["empty"]) / size * 1_000,
        name=f"more for each Analyze at preview, {size:,}",
        unit=MILLISECONDS,
        target=more,
    )


def test_second_stack_policy(benchmark: Any, noted: Noted) -> None:
    """Why warnings that are not there must not cost a stack policy."""
    found = benchmark.pedantic(asked, (1_000,), rounds=1)
    noted(
        found["two at the end"] / found["empty at the end"],
        name="for comparison: AnalyzeStack of two empty stack policies, 1,000",
        unit=RATIO,
    )
