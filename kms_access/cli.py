"""The command line: connects sources, decisions, rules and reports, and decides nothing itself."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access import __version__
from kms_access.inventory.input_error import InputError
from kms_access.reports.terminal import safe

if TYPE_CHECKING:
    from kms_access.inventory.model import Inventory

# Each command imports what it needs: help and usage errors must not wait for the evaluator.

PROVEN, VIOLATED, USAGE, UNDECIDED, INTERNAL = 0, 1, 2, 3, 4
"""The exit codes of section 7 of the design."""

_PATHS = (
    "a synthesized CDK assembly (cdk.out), CloudFormation templates, an exported Pulumi stack, or "
    "the event log of a Pulumi preview"
)
_EXIT_CODES = (
    "exit codes: 0 proven or allowed, 1 violated or denied, 2 wrong usage or input, "
    "3 undecided, 4 internal error"
)


class UsageError(Exception):
    """What the user asked for cannot be done; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is that of section 7 of the design."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except InputError as error:
        return _fail(str(error), error.help)
    except UsageError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # The reader went away; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERNAL
    except Exception as error:
        if args.debug:
            traceback.print_exc()
        print(
            f"error: kms-access itself failed ({type(error).__name__}: {safe(str(error))}); "
            "this is our mistake, not yours, and nothing was decided",
            file=sys.stderr,
        )
        print("help: run again with --debug and report the trace", file=sys.stderr)
        return INTERNAL


def _fail(message: str, help: str = "") -> int:
    print(f"error: {safe(message)}", file=sys.stderr)
    if help:
        print(f"help: {safe(help)}", file=sys.stderr)
    return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kms-access",
        description="Who will be able to do what with which AWS KMS key, before a deployment.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"kms-access {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the trace of our own failures")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="check definitions against a rules file")
    check.add_argument("--rules", type=Path, help="rules file; without it the built-in checks run")
    check.add_argument(
        "--pulumi-program",
        type=Path,
        metavar="DIR",
        help="run the Pulumi program in Python in DIR under mocks, without engine, plugin or cloud",
    )
    check.add_argument("--stack", help="the stack whose configuration the program gets")
    check.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=_PATHS)
    check.set_defaults(run=_check)

    table = commands.add_parser("map", help="print who can do what, principals by keys")
    table.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=_PATHS)
    table.set_defaults(run=_map)

    can = commands.add_parser("can", help="whether a principal can do something, and why")
    can.add_argument("principal", metavar="PRINCIPAL", help="name, ARN, logical id or URN")
    can.add_argument("action", metavar="ACTION", help='an action such as "kms:Decrypt"')
    can.add_argument("key", metavar="KEY", help="alias, ARN, logical id, URN or construct path")
    can.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=_PATHS)
    can.set_defaults(run=_can)

    authorize = commands.add_parser(
        "authorize", help="decide concrete requests, one JSON object a line"
    )
    authorize.add_argument("file", metavar="FILE", help='JSON Lines, "-" for standard input')
    authorize.set_defaults(run=_authorize)

    pack = commands.add_parser(
        "pulumi-pack", help="print the folder of the Pulumi policy pack, for --policy-pack"
    )
    pack.set_defaults(run=_pulumi_pack)
    return parser


def _check(args: argparse.Namespace) -> int:
    from kms_access.reports.text import render
    from kms_access.rules import Rules, assess, load_rules

    if bool(args.paths) == bool(args.pulumi_program):
        raise UsageError("give either paths or --pulumi-program")
    if args.stack and not args.pulumi_program:
        raise UsageError("--stack belongs to --pulumi-program")
    rules = load_rules(args.rules) if args.rules else Rules()
    assessment = assess(_inventory(args, rules.only_account), rules)
    sys.stdout.write(render(assessment))
    return assessment.exit_code


def _inventory(args: argparse.Namespace, account: str) -> Inventory:
    if args.pulumi_program:
        from kms_access.sources.pulumi.program import load_program

        return load_program(args.pulumi_program, stack=args.stack or "", account=account)
    from kms_access.sources import load

    return load(args.paths, account=account)


def _map(args: argparse.Namespace) -> int:
    from kms_access.decisions.access_map import access_map
    from kms_access.reports.table import render_map
    from kms_access.sources import load

    sys.stdout.write(render_map(access_map(load(args.paths))))
    return PROVEN


def _can(args: argparse.Namespace) -> int:
    from kms_access.decisions.access_map import access_map
    from kms_access.decisions.lookup import LookupFailed, find_key, find_subject
    from kms_access.decisions.resolution import AccessState
    from kms_access.inventory.actions import closest_action, find_action
    from kms_access.reports.access import render_access
    from kms_access.sources import load

    info = find_action(args.action)
    if info is None:
        close = closest_action(args.action)
        hint = f', did you mean "{close}"?' if close else ""
        raise UsageError(f'unknown action "{args.action}"{hint}')
    facts = access_map(load(args.paths))
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


def _pulumi_pack(args: argparse.Namespace) -> int:
    from importlib.util import find_spec

    spec = find_spec("policypack")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / "PulumiPolicy.yaml").is_file():
            print(folder)
            return PROVEN
    raise UsageError("the policy pack is not installed beside kms-access")


def _authorize(args: argparse.Namespace) -> int:
    """Every line gets an answer; a line that cannot be read gets an error object."""
    from kms_access.decisions.request_json import RequestError, answer, read_request

    code = PROVEN
    name = "<stdin>" if args.file == "-" else args.file
    for number, line in enumerate(_lines(args.file), 1):
        if not line.strip():
            continue
        try:
            result = answer(read_request(line))
        except RequestError as error:
            print(safe(f"error: {name}:{number}:{error.column}: {error}"), file=sys.stderr)
            result = {"error": f"{number}:{error.column}: {error}"}
            code = USAGE
        if result.get("decision") == "depends" and code == PROVEN:
            code = UNDECIDED
        print(json.dumps(result))
    return code


def _lines(file: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f'"{file}" cannot be read: {reason}') from None
    except UnicodeDecodeError as error:
        raise UsageError(f'"{file}" is not UTF-8: byte {error.start}') from None
    return text.split("\n")


if __name__ == "__main__":
    sys.exit(main())
