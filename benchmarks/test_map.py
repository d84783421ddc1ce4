"""How long the access map of large inventories takes, and how it grows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.inventories import inventory
from benchmarks.measuring import MEGABYTES, RATIO, SECONDS, Noted
from kms_access.decisions.access_map import access_map
from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.static_facts import Organization

ROOT = Path(__file__).parent.parent


def built(keys: int, principals: int) -> dict[str, Any]:
    """The map in a fresh process, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.map_of", str(keys), str(principals)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("keys", "principals", "seconds", "memory"),
    [(200, 1_000, "at most 1.5", "at most 300"), (1_000, 5_000, "at most 15", "")],
)
def test_map(
    benchmark: Any, noted: Noted, keys: int, principals: int, seconds: str, memory: str
) -> None:
    found = benchmark.pedantic(built, (keys, principals), rounds=1)
    size = f"map of {keys:,} keys × {principals:,} principals"
    noted(found["seconds"], name=f"{size}, {found['facts']:,} facts", unit=SECONDS, target=seconds)
    noted(found["peak"], name=f"{size}, peak of the process", unit=MEGABYTES, target=memory)


def test_growth(benchmark: Any, noted: Noted) -> None:
    """Four times the keys and principals have four times the statements."""

    def both() -> tuple[dict[str, Any], dict[str, Any]]:
        return built(100, 500), built(400, 2_000)

    small, large = benchmark.pedantic(both, rounds=1)
    facts = large["facts"] / small["facts"]
    noted(
        large["seconds"] / small["seconds"],
        name=f"map of 400 × 2,000 against 100 × 500: 4 times the statements, {facts:.1f} the facts",
        unit=RATIO,
        target=f"at most {4 + facts:.1f}",
    )


def test_against_a_plain_loop(benchmark: Any, noted: Noted) -> None:
    """The same answers by asking each question alone, on a part of the questions."""
    definitions = inventory(40, 200)
    facts = benchmark.pedantic(access_map, (definitions,), rounds=3)
    start = time.process_time()
    access_map(definitions)
    bulk = time.process_time() - start
    alone = Evaluator(definitions, Organization())
    some = facts.subjects[::20]
    start = time.process_time()
    for subject in some:
        for key in facts.keys:
            for action in actions_of(key):
                alone.access(subject, key, action)
    plain = (time.process_time() - start) * len(facts.subjects) / len(some)
    noted(
        plain / bulk,
        name="a plain loop over `authorize` takes, 40 keys × 200 principals",
        unit=RATIO,
    )
