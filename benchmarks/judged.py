"""Judges an assembly in a process of its own: `python -m benchmarks.judged FOLDER`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Print the CPU seconds of importing, reading and deciding, and how much there was."""
    start = time.process_time()
    from kms_access.rules import Rules, assess
    from kms_access.sources import load

    imported = time.process_time()
    inventory = load([Path(sys.argv[1])])
    read = time.process_time()
    assessment = assess(inventory, Rules())
    decided = time.process_time()
    print(
        json.dumps(
            {
                "import": imported - start,
                "read": read - imported,
                "decide": decided - read,
                "keys": len(inventory.keys),
                "identities": len(inventory.identities),
                "findings": len(assessment.findings),
            }
        )
    )


if __name__ == "__main__":
    main()
