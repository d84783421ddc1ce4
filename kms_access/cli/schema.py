"""`kms-access schema`: the JSON Schemas of what kms-access reads and writes."""

from __future__ import annotations

import argparse
import sys
from importlib import resources
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands

SCHEMAS = {
    "rules": ("kms_access.rules", "access-rules.schema.json"),
    "report": ("kms_access.reports", "report.schema.json"),
    "map": ("kms_access.decisions", "access-map.schema.json"),
}


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON Schema of the rules file, of the json report or of a saved map",
        epilog="an editor checks the rules file when its first line is "
        "# yaml-language-server: $schema=access-rules.schema.json",
    )
    parser.add_argument(
        "what",
        nargs="?",
        default="rules",
        choices=tuple(SCHEMAS),
        metavar="WHAT",
        help="rules, report or map (default: rules)",
    )
    parser.set_defaults(run=run)


def schema_text(what: str) -> str:
    """The schema as it is shipped; `what` is one of `SCHEMAS`."""
    package, name = SCHEMAS[what]
    return (resources.files(package) / name).read_text(encoding="utf-8")


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    sys.stdout.write(schema_text(args.what))
    return PROVEN
