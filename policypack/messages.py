"""What the pack says: findings, refusals and failures of its own, safe for the engine's display."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pulumi_policy.policy import _NotApplicableError

from policypack.hidden_values import NOT_SHOWN, without_values_of

MAXIMUM_FINDINGS = 50
MAXIMUM_BYTES = 6_000
MAXIMUM_LINES = 500
MAXIMUM_LINE_BYTES = 400
_FRAMES = 4
_ROOT = Path(__file__).resolve().parent.parent

Args = TypeVar("Args")
Report = Callable[..., Any]
"""The SDK's `report_violation(message, urn=None)`."""


class Refusal(Exception):
    """Why nothing can be decided; the text says what the user can do about it."""


def guarded(
    check: Callable[[Args, Report], None],
    properties: Callable[[Args], Iterable[Mapping[str, object]]],
) -> Callable[[Args, Report], None]:
    """`check` with every failure turned into a violation, so that it blocks and can be read.

    An exception would stop the engine with one line. The SDK turns an `UnknownValueError` into an
    advice, which lets the deployment pass: it is a failure like any other here, because values are
    never read in the way that raises it. Only "not applicable" is handed on. The values of
    `properties` do not show in the text of a failure.
    """

    def run(args: Args, report: Report) -> None:
        try:
            check(args, report)
        except _NotApplicableError:
            raise
        except Refusal as refusal:
            report(_cut(safe(str(refusal)), MAXIMUM_BYTES))
        except Exception as error:
            report(safe(describe_failure(error, lambda: properties(args))))

    return run


def describe_failure(
    error: Exception, properties: Callable[[], Iterable[Mapping[str, object]]]
) -> str:
    """A failure of kms-access itself, with the end of its traceback."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    lines = [f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join(
        [
            "kms-access itself failed, so nothing was decided; this is not a fault of the program",
            f"  {type(error).__name__}: {_what(error, properties)}",
            *lines,
            "  please report it with these lines",
        ]
    )


def _what(error: Exception, properties: Callable[[], Iterable[Mapping[str, object]]]) -> str:
    try:
        text = str(getattr(error, "message", "") or error)
        return " ".join(without_values_of(properties(), text).split())[:200]
    except Exception:
        # What cannot be read cannot be told from a secret either.
        return NOT_SHOWN


def report_all(report: Report, messages: Sequence[tuple[str, str]]) -> None:
    """Report messages with their URNs, the first in full, then first lines, then their number.

    The language host takes at most 4 MiB from a pack for one call, all policies together; with
    these limits one policy stays below 0.6 MiB.
    """
    for message, urn in messages[:MAXIMUM_FINDINGS]:
        report(_cut(safe(message), MAXIMUM_BYTES), urn or None)
    rest = messages[MAXIMUM_FINDINGS:]
    if not rest:
        return
    findings = "finding" if len(rest) == 1 else "findings"
    lines = [f"… and {len(rest)} more {findings}, of each the first line:"]
    for message, _ in rest[:MAXIMUM_LINES]:
        lines.append("  " + _cut(safe(message).split("\n", 1)[0], MAXIMUM_LINE_BYTES))
    if len(rest) > MAXIMUM_LINES:
        lines.append(_left_out(len(rest) - MAXIMUM_LINES, "finding"))
    report("\n".join(lines))


def safe(text: str) -> str:
    """Text that a message can hold, and in which nothing is colour markup of the Pulumi command."""
    # Half a surrogate pair, which JSON can spell, is no text for gRPC.
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return whole.replace("<{%", "<{ %")


def shortened(lines: Sequence[str], maximum: int) -> list[str]:
    """At most `maximum` lines of bounded length; what is left out is counted."""
    kept = [_cut(safe(line), MAXIMUM_LINE_BYTES) for line in lines[:maximum]]
    more = len(lines) - maximum
    if more > 0:
        kept.append(_left_out(more, "line"))
    return kept


def _left_out(number: int, noun: str) -> str:
    return (
        f"{number} more {noun} is left out"
        if number == 1
        else f"{number} more {noun}s are left out"
    )


def _cut(text: str, maximum: int) -> str:
    encoded = text.encode("utf-8")
    if len(encoded) <= maximum:
        return text
    return encoded[:maximum].decode("utf-8", "ignore") + " … (cut)"


def _short(filename: str) -> str:
    path = Path(filename)
    return (path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(path.name)).as_posix()
