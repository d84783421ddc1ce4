"""The `Policies:` block in the layout of the real command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .model import Diagnostic, urn_name, urn_type

_LEVELS = ("mandatory", "remediate", "advisory", "disabled")
_SEVERITIES = ("critical", "high", "medium", "low", "")
_INDENT = " " * 10


def policies_block(
    label: str, diagnostics: Sequence[Diagnostic], severities: Mapping[Diagnostic, str]
) -> str:
    mark = "✅"
    if diagnostics:
        mark = "❌" if any(item.level == "mandatory" for item in diagnostics) else "⚠️"
    lines = ["Policies:", f"    {mark} {label}"]
    for item in sorted(
        diagnostics,
        key=lambda one: (
            _LEVELS.index(one.level),
            _SEVERITIES.index(severities.get(one, "")),
            one.policy,
            one.urn,
        ),
    ):
        severity = severities.get(item, "")
        shown = f" [severity: {severity}]" if severity else ""
        where = f"  ({urn_type(item.urn)}: {urn_name(item.urn)})" if item.urn else ""
        lines.append(f"        - [{item.level}]{shown}  {item.policy}{where}")
        lines += [_INDENT + line for line in item.message.rstrip("\n").split("\n")]
    return "\n".join(lines)
