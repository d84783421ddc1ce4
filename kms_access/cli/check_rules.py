"""`kms-access check-rules`: whether a rules file can be read, without any definitions."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN
from kms_access.reports.terminal import safe

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands
    from kms_access.rules import Rules

_FILE = Path("access-rules.yaml")


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "check-rules",
        help="whether a rules file is valid, for editors and pre-commit",
        description="Read a rules file with all that it includes. Nothing else is read, so that it "
        "is fast enough for every commit.",
        epilog="exit codes: 0 valid, 2 not valid",
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=_FILE,
        metavar="FILE",
        help=f"the rules file (default: {_FILE})",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Say what the file holds, and which of its waivers hold no longer.

    Raises `RulesError` with file, line and column for a file that is not valid.
    """
    from kms_access.rules import load_rules

    rules = load_rules(args.file)
    counts = (
        (len(rules.teams), "team"),
        (len(rules.keys), "key rule"),
        (len(rules.waivers), "waiver"),
    )
    told = ", ".join(f"{number} {noun}" + ("" if number == 1 else "s") for number, noun in counts)
    sys.stdout.write(f"{safe(rules.file)} is valid: {told}\n")
    _warn(rules, date.today())
    return PROVEN


def _warn(rules: Rules, today: date) -> None:
    from kms_access.rules.waiver_days import has_expired, title_of

    for waiver in rules.waivers:
        if has_expired(waiver, today):
            text = f"{waiver.place} {title_of(waiver)} expired on {waiver.expires}"
            sys.stderr.write(f"warning: {safe(text)}\n")
