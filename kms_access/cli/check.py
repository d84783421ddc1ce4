"""`kms-access check`: definitions against a rules file."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kms_access.cli.inputs import add_inputs, add_rules, inventory_of, rules_of

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("check", help="check definitions against a rules file")
    add_rules(parser)
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings; the exit code says what they mean."""
    from kms_access.reports.text import render
    from kms_access.rules import assess

    rules = rules_of(args)
    assessment = assess(inventory_of(args, rules.only_account), rules)
    sys.stdout.write(render(assessment))
    return assessment.exit_code
