"""`kms-access explain`: every step of one decision, also why not."""

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
        "explain",
        help="why a principal can or cannot do something, step by step",
        description="Print every step of the decision in its order with the statements that take "
        "part, what would have to change where the answer is no, and the detours that lead to it.",
        epilog=CODES_OF_ANSWER,
    )
    add_question(parser)
    add_rules(parser)
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the explanation; the exit code is the answer."""
    from kms_access.decisions.access_map import access_map
    from kms_access.decisions.explanation import explain
    from kms_access.reports.explanation import render_explanation

    action = action_asked(args)
    rules = rules_of(args)
    organization = organization_of(rules)
    facts = access_map(inventory_of(args, rules), organization)
    subject, key = asked(args, facts)
    explanation = explain(facts, organization, subject, key, action)
    sys.stdout.write(render_explanation(explanation))
    return code_of(explanation.access.state)
