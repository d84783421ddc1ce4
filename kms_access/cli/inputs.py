"""The definitions that a command reads: paths, or a program that is run under mocks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.inventory.model import Inventory
    from kms_access.rules import Rules

_PATHS = (
    "a synthesized CDK assembly (cdk.out), CloudFormation templates, an exported Pulumi stack, or "
    "the event log of a Pulumi preview"
)


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is read; `inventory_of` reads it."""
    parser.add_argument(
        "--pulumi-program",
        type=Path,
        metavar="DIR",
        help="run the Pulumi program in Python in DIR under mocks, without engine, plugin or cloud",
    )
    parser.add_argument("--stack", help="the stack whose configuration the program gets")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a template parameter as it is deployed; STACK.NAME=VALUE for one stack alone",
    )
    parser.add_argument(
        "--snapshot",
        type=Path,
        metavar="DIR",
        help="what the account has already, as kms-access snapshot writes it: joined with the "
        "definitions, or alone",
    )
    parser.add_argument(
        "--every-key",
        action="store_true",
        help="with --snapshot: look also at deployed keys to which the definitions change nobody's "
        "access",
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=_PATHS)


def add_rules(parser: argparse.ArgumentParser) -> None:
    """The argument that names the rules file; `rules_of` reads it."""
    parser.add_argument("--rules", type=Path, help="rules file; without it the built-in checks run")


def rules_of(args: argparse.Namespace) -> Rules:
    """The rules file of `add_rules`. Raises `RulesError` for a bad one."""
    from kms_access.rules import Rules, load_rules

    return load_rules(args.rules) if args.rules else Rules()


def inventory_of(args: argparse.Namespace, rules: Rules | None = None) -> Inventory:
    """What the arguments of `add_inputs` name, with what the rules know about it.

    Raises `UsageError` for arguments that contradict each other, `SourceError` for bad input.
    """
    if args.every_key and not args.snapshot:
        raise UsageError("--every-key belongs to --snapshot")
    account = rules.only_account if rules is not None else ""
    if args.snapshot:
        return _with_snapshot(args, rules, account)
    return _definitions(args, rules, account)


def _with_snapshot(args: argparse.Namespace, rules: Rules | None, account: str) -> Inventory:
    """The definitions joined with what is deployed; without definitions what is deployed."""
    from kms_access.decisions.deployed_keys import without_unconcerned_keys
    from kms_access.decisions.static_facts import Organization
    from kms_access.inventory.joining import joined
    from kms_access.sources.account_snapshot import accounts_of, load_snapshot

    accounts = accounts_of(args.snapshot)
    deployed = load_snapshot(args.snapshot)
    if not args.paths and not args.pulumi_program:
        return deployed
    # Where the definitions leave the account open, it is the one that was asked.
    account = account or (accounts[0] if len(accounts) == 1 else "")
    after = joined(_definitions(args, rules, account), deployed)
    if args.every_key:
        return after
    organization = Organization()
    if rules is not None:
        organization = Organization(rules.organization, frozenset(rules.accounts.values()))
    return without_unconcerned_keys(after, deployed, organization)


def _definitions(args: argparse.Namespace, rules: Rules | None, account: str) -> Inventory:
    if bool(args.paths) == bool(args.pulumi_program):
        raise UsageError("give either paths or --pulumi-program")
    if args.stack and not args.pulumi_program:
        raise UsageError("--stack belongs to --pulumi-program")
    parameters = _parameters(args.parameter)
    if parameters and args.pulumi_program:
        raise UsageError("--parameter belongs to templates")
    if args.pulumi_program:
        from kms_access.sources.pulumi.program import load_program

        return load_program(args.pulumi_program, stack=args.stack or "", account=account)
    from kms_access.sources import load

    known = rules.parameters if rules is not None else {}
    return load(args.paths, account=account, parameters=parameters, known_parameters=known)


def _parameters(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not name or not separator:
            raise UsageError(f'"{name}" is no parameter', "write --parameter NAME=VALUE")
        if name in found:
            raise UsageError(f'parameter "{name}" is given twice')
        found[name] = value
    return found
