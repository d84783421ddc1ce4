"""What kms-access adds to `cdk synth`, and what other guards add to the same app."""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks.assemblies import write_assembly
from benchmarks.measuring import RATIO, SECONDS, Noted

ROOT = Path(__file__).parent.parent
CDK = ROOT / "node_modules" / ".bin" / "cdk"
RUNS = 3
PAIRS = 5
PERCENT = "% of the time without"
# Somebody waits for the clock here: the library synthesizes in another process.
pytestmark = pytest.mark.benchmark(timer=time.perf_counter)


def clock(command: Sequence[str]) -> float:
    """Seconds that a command takes, the median of a few; findings are no failure."""
    found: list[float] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        found.append(time.perf_counter() - start)
        assert not done.returncode or "AwsSolutions" in done.stderr, done.stderr
    return median(found)


def judged(assembly: Path) -> dict[str, float]:
    """CPU seconds of our own part, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.judged", str(assembly)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The assembly of an app with 50 keys and 100 roles, and the seconds of its synthesis."""
    folder = tmp_path_factory.mktemp("app") / "cdk.out"
    return folder, clock(synth(folder))


def synth(folder: Path, *further: str) -> list[str]:
    """`cdk synth` of the app into a folder."""
    app = shlex.join([sys.executable, "-m", "benchmarks.cdk_app", str(folder), *further])
    return [str(CDK), "synth", "--quiet", "--output", str(folder), "--app", app]


def parts(folder: Path, *guard: str) -> dict[str, float]:
    """The seconds that the app takes to construct, and to wait for a verdict."""
    command = [sys.executable, "-m", "benchmarks.cdk_app", str(folder), *guard]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_share_of_a_synthesis(benchmark: Any, noted: Noted, app: tuple[Path, float]) -> None:
    folder, synthesis = app
    noted(synthesis, name="for comparison: `cdk synth` of 50 keys and 100 roles", unit=SECONDS)

    def pairs() -> list[tuple[dict[str, float], dict[str, float]]]:
        return [(parts(folder), parts(folder, "kms-access")) for _ in range(PAIRS)]

    found = benchmark.pedantic(pairs, rounds=1)
    set_up = median(ours["construct"] - alone["construct"] for alone, ours in found)
    verdict = median(ours["verdict"] for _, ours in found)
    share = (set_up + verdict) / synthesis * 100
    noted(share, name="kms-access in it", unit=PERCENT, target="at most 5")
    noted(verdict / synthesis * 100, name="of which waiting for its verdict", unit=PERCENT)


def test_cdk_nag(benchmark: Any, noted: Noted, app: tuple[Path, float], tmp_path: Path) -> None:
    if importlib.util.find_spec("cdk_nag") is None:
        pytest.skip("cdk-nag is not installed: pip install 'kms-access[nag]'")
    _, synthesis = app
    command = synth(tmp_path / "cdk.out", "cdk-nag")
    with_pack = benchmark.pedantic(clock, (command,), rounds=1)
    share = (with_pack - synthesis) / synthesis * 100
    noted(share, name="for comparison: AwsSolutions of cdk-nag in it", unit=PERCENT)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("cfn-lint", ["--non-zero-exit-code", "none"]),
        ("checkov", ["--soft-fail", "--quiet", "--compact", "-f"]),
    ],
)
def test_linters(
    benchmark: Any, noted: Noted, app: tuple[Path, float], tool: str, arguments: list[str]
) -> None:
    command = shutil.which(tool)
    if command is None or subprocess.run([command, "--version"], capture_output=True).returncode:
        pytest.skip(f"{tool} is not installed: pip install {tool}")
    folder, synthesis = app
    template = str(folder / "Shop.template.json")
    seconds = benchmark.pedantic(clock, ([command, *arguments, template],), rounds=1)
    noted(seconds / synthesis * 100, name=f"for comparison: {tool} on its template", unit=PERCENT)


def test_large_assembly(benchmark: Any, noted: Noted, tmp_path: Path) -> None:
    folder = write_assembly(tmp_path, stacks=20, resources=6_000)
    found = benchmark.pedantic(judged, (folder,), rounds=1)
    assert (found["keys"], found["identities"]) == (200, 1_200)
    name = "20 stacks, 6,000 resources, 200 keys, 1,200 roles: read and decided"
    noted(found["read"] + found["decide"], name=name, unit=SECONDS, target="at most 1")
    noted(found["read"], name="of which read", unit=SECONDS)
    noted(found["decide"] / found["read"], name="decided against read", unit=RATIO)
