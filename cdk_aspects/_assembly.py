"""Where the assembly of an app lies, and the little that the guard itself reads from it."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk

MANIFEST = "manifest.json"

# The library resolves its paths against the directory in which its Node process was started. That
# is this one unless the program changed it between importing aws_cdk and importing us.
STARTED_IN = Path.cwd()


class AssemblyNotFoundError(Exception):
    """The directory that the app was synthesized to cannot be told for certain."""


def locate(context: cdk.IPolicyValidationContext) -> Path:
    """The absolute root directory of the assembly that is being validated.

    The library gives it relative to the working directory of its Node process, which stays where it
    was when Python changes its own. A candidate counts only if Node sees the same files there, so
    that the assembly of an earlier run in another directory is never taken for this one.
    Raises `AssemblyNotFoundError`.
    """
    app = context.app_construct
    if not isinstance(app, cdk.Stage):
        raise AssemblyNotFoundError(f'no app but "{type(app).__name__}" is being validated')
    outdir = Path(app.outdir)
    if outdir.is_absolute():
        return outdir
    written = [outdir / MANIFEST, *(Path(path) for path in context.template_paths)]
    for base in dict.fromkeys((STARTED_IN, Path.cwd())):
        if all(_same_file_for_node(path, base / path) for path in written):
            return base / outdir
    raise AssemblyNotFoundError(
        f'"{outdir}" is not below "{STARTED_IN}": import cdk_aspects before changing the working'
        " directory, or give cdk.App an absolute outdir"
    )


def lookups_missing(assembly: Path) -> bool:
    """Whether values of context lookups are still to come, so that templates hold dummy values."""
    return bool(_manifest(assembly).get("missing"))


def has_stacks(assembly: Path) -> bool:
    """Whether the assembly holds something to guard. No readable manifest, no stacks."""
    try:
        artifacts = _manifest(assembly).get("artifacts", {})
    except (OSError, ValueError):
        return False
    guarded = {"aws:cloudformation:stack", "cdk:cloud-assembly"}
    return any(artifact.get("type") in guarded for artifact in artifacts.values())


def _manifest(assembly: Path) -> dict[str, dict[str, dict[str, object]]]:
    manifest: dict[str, dict[str, dict[str, object]]] = json.loads(
        (assembly / MANIFEST).read_text(encoding="utf-8")
    )
    return manifest


def _same_file_for_node(relative: Path, absolute: Path) -> bool:
    if relative.is_absolute():
        return True
    if not absolute.is_file():
        return False
    fingerprint = cdk.FileSystem.fingerprint
    return fingerprint(str(relative)) == fingerprint(str(absolute))
