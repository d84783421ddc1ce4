"""`kms-access who-can`: everybody who has an access to a key, directly or by a detour."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN, UNDECIDED, VIOLATED
from kms_access.cli.inputs import add_inputs, add_rules, inventory_of, rules_of
from kms_access.cli.questions import add_key, key_asked, organization_of
from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands
    from kms_access.decisions.holders import Holders

_EPILOG = (
    "exit codes: 0 somebody can, 1 nobody can, 3 undecided for somebody, or only under a condition"
)


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "who-can",
        help="who can do something with a key, directly or by a detour",
        description="List everybody who can do one action, or the actions of a capability, with a "
        "key, and everybody who can obtain it: by a role, by writing a policy, by a grant.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "what",
        metavar="CAPABILITY_OR_ACTION",
        help='a capability such as "decrypt", or an action such as "kms:Decrypt"',
    )
    add_key(parser)
    add_rules(parser)
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list; the exit code tells whether it is empty, and whether it is decided."""
    from kms_access.decisions.access_map import access_map
    from kms_access.decisions.holders import holders_of
    from kms_access.decisions.queries import actions_meant
    from kms_access.reports.holders import render_holders

    try:
        actions_meant(args.what)
    except ValueError as error:
        raise UsageError(str(error)) from None
    rules = rules_of(args)
    organization = organization_of(rules)
    facts = access_map(inventory_of(args, rules), organization)
    holders = holders_of(facts, organization, args.what, key_asked(args, facts))
    sys.stdout.write(render_holders(holders))
    return _code(holders)


def _code(holders: Holders) -> int:
    if not holders:
        return VIOLATED
    if holders.is_decided and holders.somebody_surely_can:
        return PROVEN
    return UNDECIDED
