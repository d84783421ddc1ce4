"""Entry point of the program process: what the Python language host does for a real program.

It runs as a file of its own, so it must not import anything from this package.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import pulumi
import pulumi.runtime


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("project", "stack", "organization", "monitor", "dry-run", "parallel", "root"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("program")
    args = parser.parse_args()

    for key, value in pulumi.runtime.get_config_env().items():
        pulumi.runtime.set_config(key, value)
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=args.project,
            stack=args.stack,
            organization=args.organization,
            monitor=args.monitor,
            engine=args.monitor,
            parallel=int(args.parallel),
            dry_run=args.dry_run == "true",
            root_directory=args.root,
        )
    )
    program = os.path.abspath(args.program)
    sys.argv = [program]
    # Running a file adds no import path, running a folder would: programs import their own modules.
    sys.path.insert(0, os.path.dirname(program))

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=int(args.parallel) * 4)
    loop.set_default_executor(executor)
    # A failed program leaves futures behind that nobody awaits; the reason is reported below.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def run() -> None:
        runpy.run_path(program, run_name="__main__")

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
        return 0
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:
        pulumi.log.error("Program failed with an unhandled exception:\n" + traceback.format_exc())
        return 32
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
