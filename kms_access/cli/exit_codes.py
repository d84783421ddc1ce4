"""The exit codes of section 7 of the design."""

from __future__ import annotations

PROVEN, VIOLATED, USAGE, UNDECIDED, INTERNAL = 0, 1, 2, 3, 4
"""When several apply, the first of 4, 2, 1, 3."""

EXPLANATION = (
    "exit codes: 0 proven or allowed, 1 violated or denied, 2 wrong usage or input, "
    "3 undecided, 4 internal error"
)
