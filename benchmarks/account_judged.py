"""Judges an account in a process of its own: `python -m benchmarks.account_judged FOLDER [RULES]`.

The folder holds `account`, a snapshot, and `plan.json`, a template that is joined with it.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks.accounts import ACCOUNT
from kms_access.inventory.joining import joined
from kms_access.rules import Rules, assess, load_rules
from kms_access.sources import load
from kms_access.sources.account_snapshot import load_snapshot


def main() -> None:
    """Print the CPU seconds of reading and of deciding, and the number of findings."""
    folder = Path(sys.argv[1])
    rules = load_rules(Path(sys.argv[2])) if sys.argv[2:] else Rules()
    start = time.process_time()
    planned = load([folder / "plan.json"], account=ACCOUNT)
    inventory = joined(planned, load_snapshot(folder / "account"))
    read = time.process_time()
    assessment = assess(inventory, rules, date(2026, 1, 1))
    decided = time.process_time()
    print(
        json.dumps(
            {
                "read": read - start,
                "decide": decided - read,
                "findings": len(assessment.findings),
            }
        )
    )


if __name__ == "__main__":
    main()
