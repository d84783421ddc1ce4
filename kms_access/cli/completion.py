"""`kms-access completion`: scripts that complete commands, options and files in a shell."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands

SHELLS = ("bash", "fish", "zsh")


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "completion", help="print a script that completes commands and options in a shell"
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=run, commands=commands)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from kms_access.cli.completion_scripts import SCRIPTS, described

    sys.stdout.write(SCRIPTS[args.shell](described(args.commands)))
    return PROVEN
