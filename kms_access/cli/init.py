"""`kms-access init`: a rules file from the access that is there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.inputs import add_inputs, inventory_of
from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands

_FILE = "access-rules.yaml"


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "init",
        help="write a rules file that allows the access that the definitions give today",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(_FILE),
        metavar="FILE",
        help=f'the rules file, "-" for standard output (default: {_FILE})',
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file if it is there")
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the rules file and say what is left to decide; the exit code is that of check."""
    is_stream = str(args.output) == "-"
    if not is_stream and not args.force and args.output.exists():
        raise UsageError(
            f'"{args.output}" is there already', "give --force to overwrite it, or --output FILE"
        )
    from kms_access.reports.terminal import safe
    from kms_access.reports.text import counted
    from kms_access.rules.suggested_rules import suggested_rules
    from kms_access.rules.suggested_text import suggested_text

    inventory = inventory_of(args)
    given = dict(text.split("=", 1) for text in args.parameter)
    suggestion = suggested_rules(inventory, given)
    text = suggested_text(suggestion)
    if is_stream:
        sys.stdout.write(text)
    else:
        _write(args.output, text, overwrite=args.force)
        rules = suggestion.rules
        counts = f"{counted(len(rules.teams), 'team')}, {counted(len(rules.keys), 'key')}"
        sys.stdout.write(f"{safe(str(args.output))} written: {counts}\n")
    for check, findings in suggestion.standing.items():
        sys.stderr.write(f"{check}: {len(findings)} today, see the comments in the file\n")
    return suggestion.assessment.exit_code


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f'"{path}" cannot be written: {reason}') from None
