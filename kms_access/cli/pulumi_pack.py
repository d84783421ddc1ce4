"""`kms-access pulumi-pack`: where the policy pack is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN
from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "pulumi-pack", help="print the folder of the Pulumi policy pack, for --policy-pack"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the folder."""
    from importlib.util import find_spec

    spec = find_spec("policypack")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / "PulumiPolicy.yaml").is_file():
            print(folder)
            return PROVEN
    raise UsageError("the policy pack is not installed beside kms-access")
