"""Which rules file is in force."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

from policypack.messages import Refusal
from policypack.program_folder import find_program_folder

VARIABLE = "KMS_ACCESS_RULES"
DEFAULT_NAME = "access-rules.yaml"


@dataclass(frozen=True, slots=True)
class RulesFile:
    """A rules file: its path as messages show it, and the folder that a relative path is for."""

    path: Path
    folder: Path | None = None

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """The path, usable while the context lasts: reading it then names it as the user did."""
        if self.folder is None:
            yield self.path
        else:
            with chdir(self.folder):
                yield self.path


def choose_rules_file(configured: str | None) -> RulesFile | None:
    """The rules file, or None for the built-in checks alone.

    `configured` is the property of the policy: a path, "" for the built-in checks, None if it is
    not set; then KMS_ACCESS_RULES counts, else access-rules.yaml beside the project file, if there
    is one. Relative paths are for the folder of the project file.
    Raises `Refusal` for a file that is named and is not there, and where the folder is needed and
    cannot be told: then there may be rules that would be passed over.
    """
    if configured is not None:
        return _named(configured, 'the property "rules" of the policy kms-access')
    if os.environ.get(VARIABLE):
        return _named(os.environ[VARIABLE], f"the environment variable {VARIABLE}")
    folder = find_program_folder()
    if folder is None:
        raise Refusal(
            f"the folder of the Pulumi project cannot be told, so {DEFAULT_NAME} in it would be "
            f"passed over; give an absolute path in {VARIABLE} or in the property "
            '"rules" of the policy kms-access, or set that to "" for the built-in checks alone'
        )
    # Anything of that name counts, also what cannot be read: reading it says what is wrong.
    if not os.path.lexists(folder / DEFAULT_NAME):
        return None
    return RulesFile(Path(DEFAULT_NAME), folder)


def _named(text: str, by: str) -> RulesFile | None:
    if text == "":
        return None
    path = Path(text).expanduser()
    folder = None
    if not path.is_absolute():
        folder = find_program_folder()
        if folder is None:
            raise Refusal(
                f'"{text}", named by {by}, is relative to the folder of the Pulumi project, which '
                "cannot be told; give an absolute path"
            )
    place = path if folder is None else folder / path
    if not os.path.lexists(place):
        raise Refusal(
            f'the rules file "{text}", named by {by}, does not exist; looked for "{place}"'
        )
    return RulesFile(path, folder)
