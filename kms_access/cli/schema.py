"""`kms-access schema`: the JSON Schema of the rules file, for editors."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON Schema of the rules file",
        epilog="example: kms-access schema > access-rules.schema.json, and as first line of the "
        "rules file: # yaml-language-server: $schema=access-rules.schema.json",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    from kms_access.rules.json_schema import schema_text

    sys.stdout.write(schema_text())
    return PROVEN
