"""Where the assembly of an app lies, and the little that the guard itself reads from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

MANIFEST = "manifest.json"
_FAILURE = "$providerError"  # what the command line gives as the value of a failed lookup

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


@dataclass(frozen=True, slots=True)
class Lookups:
    """The context lookups without a value, for which the templates hold dummy values.

    `failures` are the messages of those that the command line has tried in vain.
    """

    missing: int = 0
    failures: tuple[str, ...] = ()

    @property
    def to_come(self) -> bool:
        """Whether the command line is going to look something up and run the app again."""
        return self.missing > len(self.failures)


def lookups(context: cdk.IPolicyValidationContext, assembly: Path) -> Lookups:
    """What the manifest says of lookups, and the app's context of their failures."""
    missing = read_manifest(assembly).get("missing", [])
    values = [context.app_construct.node.try_get_context(entry["key"]) for entry in missing]
    failures = [
        value[_FAILURE] for value in values if isinstance(value, dict) and _FAILURE in value
    ]
    return Lookups(len(missing), tuple(str(failure) for failure in failures))


def read_manifest(assembly: Path) -> dict[str, Any]:
    """The manifest in a folder of an assembly. Raises `OSError` and `ValueError`."""
    manifest = json.loads((assembly / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict):
        raise ValueError(f'"{assembly / MANIFEST}" is no manifest')
    return manifest


def _same_file_for_node(relative: Path, absolute: Path) -> bool:
    if relative.is_absolute():
        return True
    if not absolute.is_file():
        return False
    fingerprint = cdk.FileSystem.fingerprint
    return fingerprint(str(relative)) == fingerprint(str(absolute))
