"""The command line: connects sources, decisions, rules and reports, and decides nothing itself.

One module for each command. A command imports what it needs when it runs: help and usage errors
must not wait for the evaluator.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from kms_access import __version__
from kms_access.cli import (
    authorize,
    can,
    check,
    check_rules,
    completion,
    diff,
    explain,
    init,
    map,
    pulumi_pack,
    schema,
    snapshot,
    who_can,
)
from kms_access.cli.examples import add_examples
from kms_access.cli.exit_codes import EXPLANATION, INTERNAL, USAGE
from kms_access.cli.intermixed import IntermixedParser
from kms_access.cli.progress import progress_line
from kms_access.cli.usage import UsageError
from kms_access.inventory.input_error import InputError
from kms_access.reports.terminal import safe

__all__ = ["main"]

_COMMANDS = (
    *(check, init, map, diff, can, who_can, explain),
    *(authorize, check_rules, pulumi_pack, snapshot, schema, completion),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is that of section 7 of the design."""
    args = _parser().parse_args(arguments)
    try:
        with _progress(args):
            code: int = args.run(args)
        sys.stdout.flush()
        return code
    except InputError as error:
        return _fail(str(error), error.help)
    except UsageError as error:
        return _fail(str(error), error.help)
    except KeyboardInterrupt:
        print("error: stopped, and nothing was decided", file=sys.stderr)
        return INTERNAL
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


def _progress(args: argparse.Namespace) -> AbstractContextManager[None]:
    # One has a progress bar of its own, the other may wait for its input.
    is_quiet = args.run in (snapshot.run, authorize.run)
    return nullcontext() if is_quiet else progress_line(sys.stderr)


def _fail(message: str, help: str = "") -> int:
    print(f"error: {safe(message)}", file=sys.stderr)
    if help:
        print(f"help: {safe(help)}", file=sys.stderr)
    return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kms-access",
        description="Who will be able to do what with which AWS KMS key, before a deployment.",
        epilog=EXPLANATION,
    )
    parser.add_argument("--version", action="version", version=f"kms-access {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the trace of our own failures")
    of_command: type[argparse.ArgumentParser] = IntermixedParser
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=of_command)
    for command in _COMMANDS:
        command.add_to(commands)
    add_examples(commands)
    return parser
