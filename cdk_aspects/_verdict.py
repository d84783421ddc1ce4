"""What an evaluation hands to the CDK side."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
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


def summarized(verdict: Verdict) -> tuple[Violation, ...]:
    """What is left to say where the text of a verdict is printed already."""
    checks = dict.fromkeys(violation.check for violation in verdict.violations)
    number = len(verdict.violations)
    text = f"{number} finding{'s' * (number > 1)} of kms-access, printed above"
    return (Violation(min(checks) if len(checks) == 1 else "findings", text),) if checks else ()


def with_notes(verdict: Verdict, notes: Iterable[str]) -> Verdict:
    """The verdict with something said before its text, for a person."""
    lines = [*map(_first_line, notes), verdict.text]
    return replace(verdict, text="\n".join(line for line in lines if line))


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
