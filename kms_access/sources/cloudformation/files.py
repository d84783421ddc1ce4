"""Reading the files of a deployment: bounded, UTF-8, never a pipe or a device."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kms_access.sources.interface import SourceError

MAXIMUM_TEMPLATE_BYTES = 4 << 20
"""CloudFormation takes 1 MiB; the rest is room for white space."""
MAXIMUM_ASSEMBLY_FILE_BYTES = 128 << 20
"""Manifests and metadata files grow with the number of constructs."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, and the path that a finding shows for it."""

    path: Path
    shown: str

    def read(self, maximum_bytes: int) -> str:
        """The text. Raises SourceError if there is no such file, or none that can be read."""
        try:
            if not self.path.is_file():
                what = "a folder" if self.path.is_dir() else "no file"
                found = f'"{self.path}" is {what}' if self.path.exists() else "no such file"
                raise SourceError(found, file=str(self.path))
            size = self.path.stat().st_size
            if size > maximum_bytes:
                raise SourceError(
                    f"the file has {size} bytes, at most {maximum_bytes} are accepted",
                    file=str(self.path),
                )
            return self.path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(
                f"byte {error.start} is not UTF-8 text", file=str(self.path)
            ) from error
        except OSError as error:
            raise unreadable(self.path, error) from error


def unreadable(path: Path, error: OSError) -> SourceError:
    """The error for a path that the operating system refuses."""
    cause = (error.strerror or type(error).__name__).lower()
    return SourceError(f'"{path}" cannot be read: {cause}', file=str(path))


def source_file(path: Path, root: Path) -> SourceFile:
    """`path` as a file of the deployment that the user named with `root`.

    Shown is the path relative to the working directory, or, for files that lie elsewhere, the
    path from `root` on: never an absolute one.
    """
    absolute = os.path.abspath(path)
    inside = relative_to_working_directory(absolute)
    if inside is None:
        start = os.path.dirname(os.path.abspath(root))
        inside = os.path.relpath(absolute, start)
    return SourceFile(path, inside.replace(os.sep, "/"))


def relative_to_working_directory(path: str) -> str | None:
    """The path from the working directory to `path`; None if it does not lie inside."""
    try:
        here = os.getcwd()
    except OSError:
        return None
    relative = os.path.relpath(os.path.join(here, path), here)
    outside = relative == os.pardir or relative.startswith(os.pardir + os.sep)
    return None if outside or os.path.isabs(relative) else relative


def lies_inside(path: Path, folder: Path) -> bool:
    """Whether `path`, with its links followed, lies in `folder`."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False
