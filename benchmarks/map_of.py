"""Builds one map in a process of its own: `python -m benchmarks.map_of KEYS PRINCIPALS`."""

from __future__ import annotations

import json
import resource
import sys
import time

from benchmarks.inventories import inventory
from kms_access.decisions.access_map import access_map


def main() -> None:
    """Print the CPU seconds of the map, the peak memory of the process and what was found."""
    keys, principals = map(int, sys.argv[1:3])
    definitions = inventory(keys, principals)
    start = time.process_time()
    facts = access_map(definitions)
    seconds = time.process_time() - start
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 2**20
    found = sum(1 for _ in facts.accesses())
    print(json.dumps({"seconds": seconds, "peak": peak, "facts": found}))


if __name__ == "__main__":
    main()
