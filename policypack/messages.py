"""What the pack says: findings, refusals and failures of its own, safe for the engine's display."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pulumi_policy.policy import _NotApplicableError

MAXIMUM_FINDINGS = 50
MAXIMUM_CHARACTERS = 6_000
_FRAMES = 4
_ROOT = Path(__file__).resolve().parent.parent

Args = TypeVar("Args")
Report = Callable[..., Any]
"""The SDK's `report_violation(message, urn=None)`."""


class Refusal(Exception):
    """Why nothing can be decided; the text says what the user can do about it."""


def guarded(check: Callable[[Args, Report], None]) -> Callable[[Args, Report], None]:
    """`check` with every failure turned into a violation, so that it blocks and can be read.

    An exception would stop the engine with one line. The SDK turns an `UnknownValueError` into an
    advice, which lets the deployment pass: it is a failure like any other here, because values are
    never read in the way that raises it. Only "not applicable" is handed on.
    """

    def run(args: Args, report: Report) -> None:
        try:
            check(args, report)
        except _NotApplicableError:
            raise
        except Refusal as refusal:
            report(safe(str(refusal)))
        except Exception as error:
            report(safe(describe_failure(error)))

    return run


def describe_failure(error: Exception) -> str:
    """A failure of kms-access itself, with the end of its traceback."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    lines = [f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    what = " ".join(str(getattr(error, "message", "") or error).split())[:200]
    return "\n".join(
        [
            "kms-access itself failed, so nothing was decided; this is not a fault of the program",
            f"  {type(error).__name__}: {what}",
            *lines,
            "  please report it with these lines",
        ]
    )


def report_all(report: Report, messages: Sequence[tuple[str, str]]) -> None:
    """Report messages with their URNs; what goes past the limit is counted.

    The language host takes at most 4 MiB from a pack.
    """
    for message, urn in messages[:MAXIMUM_FINDINGS]:
        report(safe(_cut(message)), urn or None)
    more = len(messages) - MAXIMUM_FINDINGS
    if more > 0:
        report(f"… and {more} more {'finding' if more == 1 else 'findings'}")


def safe(text: str) -> str:
    """Text in which nothing is taken for the colour markup of the Pulumi command."""
    return text.replace("<{%", "<{ %")


def _cut(message: str) -> str:
    if len(message) <= MAXIMUM_CHARACTERS:
        return message
    return message[:MAXIMUM_CHARACTERS] + " … (cut)"


def _short(filename: str) -> str:
    path = Path(filename)
    return (path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(path.name)).as_posix()
