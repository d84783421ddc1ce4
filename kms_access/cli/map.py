"""`kms-access map`: who can do what."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN
from kms_access.cli.inputs import add_inputs, add_rules, inventory_of, rules_of
from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands

_TABLE, _JSON = "table", "json"


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("map", help="print or save who can do what")
    add_rules(parser)
    parser.add_argument(
        "--format",
        choices=(_TABLE, _JSON),
        help="principals by keys, or the saved map that diff and check --baseline read "
        f"(default: {_TABLE}, with --output {_JSON})",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to FILE instead")
    parser.add_argument(
        "--proofs", action="store_true", help="save the proof of each access as well"
    )
    add_inputs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table, or write the saved map."""
    form = args.format or (_JSON if args.output else _TABLE)
    if args.proofs and form != _JSON:
        raise UsageError("--proofs belongs to --format json")
    text = _text(args, form)
    if args.output is None:
        sys.stdout.write(text)
        return PROVEN
    try:
        args.output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f'"{args.output}" cannot be written: {reason}') from None
    return PROVEN


def _text(args: argparse.Namespace, form: str) -> str:
    from kms_access.decisions.static_facts import Organization

    rules = rules_of(args)
    inventory = inventory_of(args, rules)
    organization = Organization(rules.organization, frozenset(rules.accounts.values()))
    if form == _JSON:
        from kms_access.decisions.access_facts import facts_of_inventory
        from kms_access.decisions.saved_map import saved

        return saved(facts_of_inventory(inventory, organization), proofs=args.proofs)
    from kms_access.decisions.access_map import access_map
    from kms_access.reports.table import render_map

    return render_map(access_map(inventory, organization))
