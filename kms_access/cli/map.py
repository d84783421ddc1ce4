"""`kms-access map`: who can do what."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN
from kms_access.cli.inputs import add_inputs, inventory_of

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("map", help="print who can do what, principals by keys")
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from kms_access.decisions.access_map import access_map
    from kms_access.reports.table import render_map

    sys.stdout.write(render_map(access_map(inventory_of(args))))
    return PROVEN
