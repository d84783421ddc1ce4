"""`kms-access diff`: the access that a change gives and takes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN, UNDECIDED, VIOLATED
from kms_access.cli.inputs import rules_of

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands
    from kms_access.decisions.access_facts import AccessFacts
    from kms_access.rules import Rules

_WHAT = (
    "a synthesized CDK assembly (cdk.out), a CloudFormation template, an exported Pulumi stack, "
    "the event log of a Pulumi preview, a folder of kms-access snapshot, or a map that "
    "kms-access map --output FILE wrote"
)


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "diff",
        help="print the access that is gained and lost between two deployments",
        epilog="exit codes: 0 nothing is gained, 1 access is gained, 3 undecided",
    )
    parser.add_argument(
        "--rules", type=Path, help="rules file, for accounts, organization and parameters"
    )
    parser.add_argument("old", metavar="OLD", type=Path, help=_WHAT)
    parser.add_argument("new", metavar="NEW", type=Path, help="the same forms")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is gained and lost, with proofs."""
    from kms_access.decisions.access_difference import difference
    from kms_access.reports.difference import render_difference

    rules = rules_of(args)
    found = difference(_facts(args.old, rules), _facts(args.new, rules))
    sys.stdout.write(render_difference(found))
    if found.gained:
        return VIOLATED
    return PROVEN if found.is_decided else UNDECIDED


def _facts(path: Path, rules: Rules) -> AccessFacts:
    from kms_access.decisions.access_facts import facts_of_inventory
    from kms_access.decisions.saved_map import is_saved_map, load_saved_map
    from kms_access.decisions.static_facts import Organization
    from kms_access.sources import load
    from kms_access.sources.account_snapshot import is_snapshot, load_snapshot

    if is_saved_map(path):
        return load_saved_map(path)
    organization = Organization(rules.organization, frozenset(rules.accounts.values()))
    if is_snapshot(path):
        return facts_of_inventory(load_snapshot(path), organization)
    account, parameters = rules.only_account, rules.parameters
    inventory = load([path], account=account, known_parameters=parameters)
    return facts_of_inventory(inventory, organization)
