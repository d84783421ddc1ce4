"""A whole account: what is deployed, joined with a plan, read and decided."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accounts import RULES, write_account, write_plan
from benchmarks.measuring import MILLISECONDS, SECONDS, Noted

ROOT = Path(__file__).parent.parent
ROLES, USERS, KEYS = 1_000, 150, 50


def decided(folder: Path, *rules: str) -> dict[str, float]:
    """The CPU seconds of a process of its own: it needs much memory."""
    command = [sys.executable, "-m", "benchmarks.account_judged", str(folder), *rules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("ruled", [False, True], ids=["without rules", "with rules"])
def test_account(benchmark: Any, noted: Noted, tmp_path: Path, ruled: bool) -> None:
    write_account(tmp_path / "account", roles=ROLES, users=USERS, keys=KEYS)
    write_plan(tmp_path / "plan.json")
    (tmp_path / "access-rules.yaml").write_text(RULES, encoding="utf-8")
    rules = [str(tmp_path / "access-rules.yaml")] if ruled else []
    found = benchmark.pedantic(decided, (tmp_path, *rules), rounds=1)
    how = "with rules" if ruled else "without rules"
    name = f"account of {ROLES:,} roles, {USERS} users, {KEYS} keys {how}"
    noted(found["read"], name=f"{name}: read and joined", unit=SECONDS)
    findings = int(found["findings"])
    noted(found["decide"], name=f"{name}: decided, {findings:,} findings", unit=SECONDS)
    for_each = found["decide"] / findings * 1_000
    noted(for_each, name=f"{name}: for each finding", unit=MILLISECONDS)
