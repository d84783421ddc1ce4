"""Run a command that the kernel kills when the process that started it dies, however it dies.

`python die_with_parent.py PARENT_PID COMMAND ARGUMENT...`. A pack serves for ever, so one whose
engine was killed would stay behind. Only Linux has the means; elsewhere the command just runs.
It is a file of its own and imports almost nothing, because every child pays for its start.
"""

from __future__ import annotations

import ctypes
import os
import sys

# Constants of prctl(2) and signal(7).
PR_SET_PDEATHSIG = 1
SIGKILL = 9
CANNOT_START = 126


def main(parent: int, command: list[str]) -> int:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
        if os.getppid() != parent:
            return 1
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f'cannot start "{command[0]}": {error.strerror}', file=sys.stderr)
    return CANNOT_START


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
