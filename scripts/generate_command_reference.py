"""Writes docs/command-line.md from the parsers of the command line."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kms_access import cli
from kms_access.cli.examples import EXAMPLES
from kms_access.cli.exit_codes import INTERNAL, PROVEN, UNDECIDED, USAGE, VIOLATED
from kms_access.cli.inputs import add_inputs
from kms_access.reports.interface import REPORT_NAMES

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"

EXIT_CODES: Mapping[int, str] = {
    PROVEN: "proven or allowed; every request is decided; nothing is gained",
    VIOLATED: "a rule is broken, the answer is no, or access is gained",
    USAGE: "wrong usage, rules file or input",
    UNDECIDED: "undecided, or a request that depends on something open",
    INTERNAL: "kms-access itself failed or was interrupted: nothing was decided",
}
FORMATS: Mapping[str, str] = {
    "text": "for people; coloured on a terminal, unless `NO_COLOR` is set",
    "json": "for programs: versioned; `kms-access schema report` prints its JSON Schema",
    "sarif": "SARIF 2.1.0, for code scanning: every step of a finding, waivers as suppressions",
    "junit": "a test case for each check and key; undecided is an error, waived is skipped",
    "markdown": "for a comment on a pull request, of bounded size",
    "github": "workflow commands: findings as annotations of the lines that they name",
    "html": "one page without network: principals by keys, filters, proofs, changes to a baseline",
}

_INTRODUCTION = """\
# The command line

<!-- Written by scripts/generate_command_reference.py from the parsers. -->

`kms-access COMMAND --help` prints what stands here. Options may stand anywhere after the command.
Only `snapshot` uses the network. The output is the same for the same input: sorted, without
times and without absolute paths.
"""


def page() -> str:
    """The whole page."""
    parser = cli._parser()
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    helps = {action.dest: _plain(action.help) for action in commands._choices_actions}
    shared = argparse.ArgumentParser(add_help=False)
    add_inputs(shared)
    of_all = {_name(action) for action in shared._actions}
    lines = [_INTRODUCTION, *_global(parser), *_exit_codes(), *_definitions(shared), *_formats()]
    for name, command in commands.choices.items():
        lines += _command(name, command, helps[name], of_all)
    return "\n".join(lines).rstrip() + "\n"


def _global(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield _wrapped("These options stand before the command:") + "\n"
    yield from _table(a for a in parser._actions if a.option_strings)


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield "| exit code | meaning |"
    yield "| --- | --- |"
    yield from (f"| {code} | {text} |" for code, text in EXIT_CODES.items())
    yield ""
    yield _wrapped(
        "When several apply it is the first of 4, 2, 1, 3. The code does not depend on the form of "
        "the report. Undecided is never a pass."
    )
    yield ""


def _definitions(shared: argparse.ArgumentParser) -> Iterator[str]:
    yield "## Definitions\n"
    yield _wrapped(
        "What is read, the same for every command whose synopsis says DEFINITIONS. Several paths "
        "are read as one deployment."
    )
    yield ""
    yield from _table(shared._actions)


def _formats() -> Iterator[str]:
    assert tuple(FORMATS) == REPORT_NAMES
    yield "## Reports\n"
    yield "The forms that `check` writes with `--format` and `--report`.\n"
    yield "| name | what it is |"
    yield "| --- | --- |"
    yield from (f"| `{name}` | {text} |" for name, text in FORMATS.items())
    yield ""


def _command(
    name: str, parser: argparse.ArgumentParser, help: str, of_all: set[str]
) -> Iterator[str]:
    actions = [a for a in parser._actions if a.dest != "help"]
    own = [action for action in actions if _name(action) not in of_all]
    reads = len(own) < len(actions)
    yield f"## {name}\n"
    text = help[0].upper() + help[1:] + "."
    yield _wrapped(text) + "\n"
    if parser.description:
        yield _wrapped(" ".join(parser.description.split())) + "\n"
    yield "```text"
    yield _synopsis(name, own, reads)
    yield "```\n"
    if own:
        yield from _table(own)
    if reads:
        yield "DEFINITIONS: see [Definitions](#definitions).\n"
    codes = (parser.epilog or "").rpartition("\n\n")[2]
    if codes.startswith("exit codes: "):
        yield (
            _wrapped(f"Exit codes: {' '.join(codes.removeprefix('exit codes: ').split())}.") + "\n"
        )
    yield "```sh"
    yield from EXAMPLES[name]
    yield "```\n"


def _synopsis(name: str, own: list[argparse.Action], reads: bool) -> str:
    options = [action for action in own if action.option_strings]
    words = [_optional(f"{a.option_strings[-1]}{_value(a)}", not a.required) for a in options]
    words += [_optional(_name(a), a.nargs == "?") for a in own if not a.option_strings]
    return textwrap.fill(
        " ".join([f"kms-access {name}", *words, *(["DEFINITIONS"] if reads else [])]),
        100,
        subsequent_indent=" " * 4,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _optional(text: str, is_optional: bool) -> str:
    return f"[{text}]" if is_optional else text


def _table(actions: Iterable[argparse.Action]) -> Iterator[str]:
    yield "| argument | meaning |"
    yield "| --- | --- |"
    for action in actions:
        written = (f"`{flag}{_value(action)}`" for flag in action.option_strings)
        flags = ", ".join(written).replace("|", r"\|")
        yield f"| {flags or f'`{_name(action)}`'} | {_cell(_plain(action.help))} |"
    yield ""


def _name(action: argparse.Action) -> str:
    """What stands for a positional argument, or the long form of an option."""
    if action.option_strings:
        return action.option_strings[-1]
    return str(action.metavar or action.dest.upper())


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices:
        return " " + "|".join(map(str, action.choices)) if not action.metavar else _word(action)
    return _word(action)


def _word(action: argparse.Action) -> str:
    return f" {action.metavar or action.dest.upper()}"


def _plain(help: str | None) -> str:
    return (help or "").replace("%%", "%")


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
