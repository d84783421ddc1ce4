"""The folder of the Pulumi project, which the engine does not tell a policy pack.

The language host starts the pack in the folder of the pack, with `PULUMI_PROJECT` and the other
variables of the run but without any path of the program; the handshake, which has a field for
one, names the folder of the pack and stops at the host. What is left: the host itself works in the
folder of the program (only Linux shows the folder of another process), and `PWD` is where the user
called `pulumi` (which `--cwd` and the Automation API do not change). Whatever is found counts only
if it or a folder above it holds the project file with the name of the running project.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")
_PROCESSES = Path("/proc")


def find_program_folder() -> Path | None:
    """The folder that holds the project file of the running project, or None."""
    project = os.environ.get("PULUMI_PROJECT", "")
    for start in _candidates():
        for folder in (start, *start.parents):
            if _holds_project(folder, project):
                return folder
    return None


def _candidates() -> Iterator[Path]:
    yield from _folders_of_parents()
    shell = os.environ.get("PWD", "")
    if os.path.isabs(shell):
        yield Path(shell)
    yield Path.cwd()


def _folders_of_parents() -> Iterator[Path]:
    """The working folders of the processes above this one, nearest first."""
    process = os.getppid()
    while process > 1:
        try:
            folder = (_PROCESSES / str(process) / "cwd").readlink()
            status = (_PROCESSES / str(process) / "stat").read_text(encoding="utf-8")
            # The name of the command comes before and may hold spaces and brackets.
            process = int(status.rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return
        yield folder


def _holds_project(folder: Path, project: str) -> bool:
    for name in _PROJECT_FILES:
        try:
            content = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        if isinstance(content, dict):
            return not project or content.get("name") == project
    return False
