"""The examples that stand in the help of each command."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands

_WIDTH = 80

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "check": (
        "kms-access check --rules access-rules.yaml cdk.out",
        "kms-access check --format markdown --report sarif=kms-access.sarif template.yaml",
        "kms-access check --rules access-rules.yaml --pulumi-program infra --stack prod",
    ),
    "init": (
        "kms-access init cdk.out",
        "kms-access init --output - template.yaml",
    ),
    "map": (
        "kms-access map cdk.out",
        "kms-access map --rules access-rules.yaml --output baseline.json cdk.out",
    ),
    "diff": (
        "kms-access diff baseline.json cdk.out",
        "kms-access diff before/cdk.out after/cdk.out",
    ),
    "can": (
        "kms-access can alice kms:Decrypt alias/payments-ledger cdk.out",
        "kms-access can arn:aws:iam::444455556666:role/partner kms:Decrypt LedgerKey template.yaml",
    ),
    "who-can": (
        "kms-access who-can decrypt alias/payments-ledger cdk.out",
        "kms-access who-can kms:PutKeyPolicy LedgerKey template.yaml",
    ),
    "explain": (
        "kms-access explain billing-api kms:Decrypt alias/payments-ledger cdk.out",
        "kms-access explain --rules access-rules.yaml everyone kms:Decrypt LedgerKey template.yaml",
    ),
    "authorize": (
        "kms-access authorize requests.jsonl",
        "kms-access authorize - < requests.jsonl",
    ),
    "check-rules": ("kms-access check-rules", "kms-access check-rules team/access-rules.yaml"),
    "completion": (
        'eval "$(kms-access completion bash)"',
        "kms-access completion fish > ~/.config/fish/completions/kms-access.fish",
    ),
    "pulumi-pack": ('pulumi preview --policy-pack "$(kms-access pulumi-pack)"',),
    "snapshot": (
        "kms-access snapshot --output account",
        "kms-access snapshot --output account --region eu-central-1 --profile audit",
    ),
    "schema": (
        "kms-access schema > access-rules.schema.json",
        "kms-access schema report > report.schema.json",
    ),
}


def add_examples(commands: Commands) -> None:
    """Write the examples under the help of every command, above what it says there itself."""
    for name, parser in commands.choices.items():
        own = textwrap.fill(parser.epilog, _WIDTH) if parser.epilog else ""
        lines = "\n".join(f"  {example}" for example in EXAMPLES.get(name, ()))
        parser.epilog = "\n\n".join(filter(None, [f"examples:\n{lines}" if lines else "", own]))
        if parser.description:
            parser.description = textwrap.fill(parser.description, _WIDTH)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
