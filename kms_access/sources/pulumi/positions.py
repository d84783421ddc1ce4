"""Where a program makes a resource, from the URI that the SDKs tell the engine.

`project:///keys.py#12,3` in a state, relative to the folder of the project; `file:///app/keys.py`
with a line of its own while a program runs. A line of a library is no line of the program.
"""

from __future__ import annotations

import os
import re

_LIBRARY_FOLDERS = frozenset(("site-packages", "dist-packages", "node_modules"))
_IN_STATE = re.compile(r"project://(/[^?#]*)#([0-9]{1,9})(?:,[0-9]{1,9})?")
_IN_RUN = re.compile(r"file://(/[^?#]*)")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")

Position = tuple[str, int | None]
NOWHERE: Position = ("", None)


def position_in_state(source_position: object) -> Position:
    """File, relative to the project, and line of a resource of a state; `NOWHERE` if not told."""
    found = _IN_STATE.fullmatch(source_position) if isinstance(source_position, str) else None
    path = _unescaped(found.group(1)).lstrip("/") if found else ""
    return NOWHERE if found is None or _is_outside(path) else (path, int(found.group(2)))


def position_in_run(uri: str, line: int) -> Position:
    """File, relative to the working folder, and line; `NOWHERE` for what lies outside of it."""
    found = _IN_RUN.fullmatch(uri)
    if found is None or line < 1:
        return NOWHERE
    path = os.path.relpath(_unescaped(found.group(1))).replace(os.sep, "/")
    return NOWHERE if _is_outside(path) else (path, line)


def _unescaped(path: str) -> str:
    plain = _ESCAPED.sub(lambda found: bytes((int(found.group(1), 16),)), path.encode())
    return plain.decode("utf-8", "replace")


def _is_outside(path: str) -> bool:
    steps = path.split("/")
    return not path or steps[0] == ".." or bool(_LIBRARY_FOLDERS.intersection(steps))
