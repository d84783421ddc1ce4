"""A whole account: what is deployed, joined with a plan, read and decided."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accounts import ACCOUNT, RULES, write_account, write_plan
from benchmarks.measuring import MILLISECONDS, SECONDS, Noted
from kms_access.inventory.joining import joined
from kms_access.rules import Rules, assess, load_rules
from kms_access.sources import load
from kms_access.sources.account_snapshot import load_snapshot

ROLES, USERS, KEYS = 2_000, 300, 103


def decided(folder: Path, *, ruled: bool) -> tuple[float, float, int]:
    """CPU seconds of reading and of deciding, and the number of findings."""
    (folder / "access-rules.yaml").write_text(RULES, encoding="utf-8")
    rules = load_rules(folder / "access-rules.yaml") if ruled else Rules()
    start = time.process_time()
    planned = load([folder / "plan.json"], account=ACCOUNT)
    inventory = joined(planned, load_snapshot(folder / "account"))
    read = time.process_time()
    assessment = assess(inventory, rules, date(2026, 1, 1))
    return read - start, time.process_time() - read, len(assessment.findings)


@pytest.mark.parametrize("ruled", [False, True], ids=["without rules", "with rules"])
def test_account(benchmark: Any, noted: Noted, tmp_path: Path, ruled: bool) -> None:
    write_account(tmp_path / "account", roles=ROLES, users=USERS, keys=KEYS)
    write_plan(tmp_path / "plan.json")
    read, found, findings = benchmark.pedantic(decided, (tmp_path,), {"ruled": ruled}, rounds=1)
    how = "with rules" if ruled else "without rules"
    name = f"account of {ROLES:,} roles, {USERS} users, {KEYS} keys {how}"
    noted(read, name=f"{name}: read and joined", unit=SECONDS)
    noted(found, name=f"{name}: decided, {findings:,} findings", unit=SECONDS)
    noted(found / findings * 1_000, name=f"{name}: for each finding", unit=MILLISECONDS)
