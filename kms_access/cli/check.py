"""`kms-access check`: definitions against a rules file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.inputs import add_inputs, add_rules, inventory_of, rules_of
from kms_access.cli.outputs import add_outputs, outputs_of, write_outputs

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("check", help="check definitions against a rules file")
    add_rules(parser)
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="a map that kms-access map --output FILE wrote: only access that it lacks blocks",
    )
    add_outputs(parser)
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the reports; the exit code says what the findings mean, in whatever form."""
    from kms_access.decisions.saved_map import load_saved_map
    from kms_access.rules import assess

    outputs = outputs_of(args)
    rules = rules_of(args)
    baseline = load_saved_map(args.baseline) if args.baseline else None
    assessment = assess(inventory_of(args, rules), rules, None, baseline)
    write_outputs(outputs, assessment)
    return assessment.exit_code
