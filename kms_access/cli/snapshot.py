"""`kms-access snapshot`: collect what an account already has, for `--snapshot`.

The collector is a package beside kms_access, which itself never uses the network.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN
from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands

_COLLECTOR = "account_snapshot"
_MOST_SHOWN = 20


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "snapshot",
        help="collect what an AWS account has: keys, their policies and grants, users and roles",
        description="Ask AWS for the keys of an account, their policies, aliases, tags and "
        "grants, and for its users, roles, groups and policies, and write the answers to a folder. "
        "A run that was stopped goes on where it stopped.",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder of the snapshot"
    )
    parser.add_argument(
        "--region",
        action="append",
        default=[],
        metavar="REGION",
        help="a Region with keys, may be repeated; without it all that the account has enabled",
    )
    parser.add_argument("--profile", help="profile of the AWS configuration")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Collect, and say on the standard error output what AWS did not tell."""
    from kms_access.sources.account_snapshot.loading import REGION

    for region in args.region:
        if not REGION.fullmatch(region):
            raise UsageError(f'"{region}" is no Region', help='give one such as "eu-central-1"')
    if args.output.exists() and not args.output.is_dir():
        raise UsageError(f'"{args.output}" is no folder')
    if find_spec("boto3") is None or find_spec(_COLLECTOR) is None:
        help = 'install it with "pip install kms-access[snapshot]"'
        raise UsageError("a snapshot needs boto3, which is not installed", help=help)
    collector = import_module(_COLLECTOR)
    progress = import_module(f"{_COLLECTOR}.progress").Progress(sys.stderr)
    try:
        summary = collector.collect(
            args.output, regions=args.region, profile=args.profile, progress=progress
        )
    except collector.CollectionError as error:
        raise UsageError(str(error), help=error.help) from None
    except KeyboardInterrupt:
        help = "run the same command again: it goes on where it stopped"
        raise UsageError("the collection was stopped", help=help) from None
    except OSError as error:
        cause = (error.strerror or type(error).__name__).lower()
        raise UsageError(f'"{error.filename}" cannot be written: {cause}') from None
    finally:
        progress.close()
    if not summary.asked:
        message = f'"{args.output}" already holds all of account {summary.account}'
        raise UsageError(message, help="remove the folder to collect the account anew")
    for refusal in summary.refusals[:_MOST_SHOWN]:
        subject = f"{refusal.call} for {refusal.subject}"
        print(f"warning: {subject} answered {refusal.code}, it stays undecided", file=sys.stderr)
    if len(summary.refusals) > _MOST_SHOWN:
        print(f"warning: and {len(summary.refusals) - _MOST_SHOWN} more", file=sys.stderr)
    regions = "1 Region" if len(summary.regions) == 1 else f"{len(summary.regions)} Regions"
    keys = "1 key" if summary.keys == 1 else f"{summary.keys} keys"
    print(f"account {summary.account}: {keys} in {regions}, in {args.output}")
    return PROVEN
