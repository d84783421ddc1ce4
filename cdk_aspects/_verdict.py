"""What an evaluation hands to the CDK side."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

INTERNAL_ERROR = 4
_LONGEST_MESSAGE = 400
_SOURCE_ROOT = Path(__file__).resolve().parent.parent
_OWN_PACKAGES = ("cdk_aspects", "kms_access")


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason to block: the id of the check, and the text for a person."""

    check: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one assembly.

    `exit_code` is that of the command line, 0 lets the synthesis pass; `text` is the whole report,
    empty when there is nothing to say; a verdict that blocks has at least one violation.
    """

    exit_code: int = 0
    text: str = ""
    violations: tuple[Violation, ...] = ()


def blocked(check: str, exit_code: int, claim: str, **labelled: str) -> Verdict:
    """A verdict about something that kept the evaluation from happening, in a finding's layout."""
    lines = [f"error  {check}  {claim}"]
    lines += [f"  {label:<6} {text}" for label, text in labelled.items() if text]
    text = "\n".join(lines)
    return Verdict(exit_code, text, (Violation(check, text),))


def own_failure(error: BaseException) -> Verdict:
    """The verdict when kms-access itself failed: it blocks, and says whose fault it is."""
    return blocked(
        "internal-error",
        INTERNAL_ERROR,
        "kms-access itself failed, so nothing is proven about this app",
        what=f"{type(error).__name__}: {_first_line(str(error))}".removesuffix(": "),
        where=_own_frame(error),
        note="a fault of kms-access, not of the app; synthesis is blocked, please report it",
    )


def _first_line(message: str) -> str:
    line = next(iter(message.splitlines()), "")[:_LONGEST_MESSAGE]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _own_frame(error: BaseException) -> str:
    """The innermost place in this project that the error passed through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_SOURCE_ROOT):
            relative = path.relative_to(_SOURCE_ROOT)
            if relative.parts[0] in _OWN_PACKAGES:
                return f"{relative.as_posix()}:{frame.lineno} in {frame.name}"
    return ""
