"""`kms-access authorize`: concrete requests, one JSON object a line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN, UNDECIDED, USAGE
from kms_access.cli.usage import UsageError
from kms_access.reports.terminal import safe

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "authorize", help="decide concrete requests, one JSON object a line"
    )
    parser.add_argument("file", metavar="FILE", help='JSON Lines, "-" for standard input')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print an answer for every line; a line that cannot be read gets an error object."""
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
