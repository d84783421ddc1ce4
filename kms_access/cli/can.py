"""`kms-access can`: one principal, one action, one key."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kms_access.cli.inputs import add_inputs, add_rules, inventory_of, rules_of
from kms_access.cli.questions import (
    CODES_OF_ANSWER,
    action_asked,
    add_question,
    asked,
    code_of,
    organization_of,
)

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "can",
        help="whether a principal can do something, and why",
        epilog=CODES_OF_ANSWER,
    )
    add_question(parser)
    add_rules(parser)
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the answer with its proof; the exit code is the answer."""
    from kms_access.decisions.access_map import access_map
    from kms_access.reports.access import render_access

    action = action_asked(args)
    rules = rules_of(args)
    facts = access_map(inventory_of(args, rules), organization_of(rules))
    subject, key = asked(args, facts)
    access = facts.evaluator.access(subject, key, action)
    sys.stdout.write(render_access(access, facts.evaluator.notes(subject, key, action)))
    return code_of(access.state)
