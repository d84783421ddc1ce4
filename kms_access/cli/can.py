"""`kms-access can`: one principal, one action, one key."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN, UNDECIDED, VIOLATED
from kms_access.cli.inputs import add_inputs, inventory_of
from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("can", help="whether a principal can do something, and why")
    parser.add_argument("principal", metavar="PRINCIPAL", help="name, ARN, logical id or URN")
    parser.add_argument("action", metavar="ACTION", help='an action such as "kms:Decrypt"')
    parser.add_argument("key", metavar="KEY", help="alias, ARN, logical id, URN or construct path")
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the answer with its proof; the exit code is the answer."""
    from kms_access.decisions.access_map import access_map
    from kms_access.decisions.lookup import LookupFailed, find_key, find_subject
    from kms_access.decisions.resolution import AccessState
    from kms_access.inventory.actions import closest_action, find_action
    from kms_access.reports.access import render_access

    info = find_action(args.action)
    if info is None:
        close = closest_action(args.action)
        hint = f', did you mean "{close}"?' if close else ""
        raise UsageError(f'unknown action "{args.action}"{hint}')
    facts = access_map(inventory_of(args))
    try:
        subject, key = find_subject(facts, args.principal), find_key(facts, args.key)
    except LookupFailed as error:
        raise UsageError(str(error)) from None
    access = facts.evaluator.access(subject, key, info.name)
    sys.stdout.write(render_access(access, facts.evaluator.notes(subject, key, info.name)))
    if access.state is AccessState.ALLOWED:
        return PROVEN
    denied = (AccessState.EXPLICITLY_DENIED, AccessState.IMPLICITLY_DENIED)
    return VIOLATED if access.state in denied else UNDECIDED
