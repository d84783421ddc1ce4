"""The command line as argparse knows it -> scripts for bash, zsh and fish."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kms_access.cli.usage import Commands

GLOBAL_OPTIONS = ("--debug", "--help", "--version")
"""Those that stand before a command."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An option, or with no `flags` a positional argument: what completes its value.

    `choices` are the accepted words, `takes_file` stands for paths; with neither a value is free.
    `takes_value` is false for a switch; `may_repeat` is true for a positional argument that takes
    all words that are left.
    """

    flags: tuple[str, ...]
    help: str
    choices: tuple[str, ...] = ()
    takes_file: bool = False
    takes_value: bool = True
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """One command with its arguments."""

    name: str
    help: str
    options: tuple[Argument, ...]
    positionals: tuple[Argument, ...]

    @property
    def flags(self) -> list[str]:
        """The long forms of its options."""
        return [option.flags[-1] for option in self.options]

    @property
    def words(self) -> list[str]:
        """What its positional arguments accept, if that is a list."""
        return [word for argument in self.positionals for word in argument.choices]

    @property
    def takes_files(self) -> bool:
        """Whether a positional argument is a path."""
        return any(argument.takes_file for argument in self.positionals)


def described(commands: Commands) -> tuple[Described, ...]:
    """Every command, in the order of the help."""
    helps = {action.dest: _plain(action.help) for action in commands._choices_actions}
    return tuple(_command(name, helps[name], parser) for name, parser in commands.choices.items())


def _command(name: str, help: str, parser: argparse.ArgumentParser) -> Described:
    arguments = [_argument(action) for action in parser._actions]
    options = tuple(argument for argument in arguments if argument.flags)
    positionals = tuple(argument for argument in arguments if not argument.flags)
    return Described(name, help, options, positionals)


def _argument(action: argparse.Action) -> Argument:
    return Argument(
        tuple(action.option_strings),
        _plain(action.help),
        tuple(str(choice) for choice in action.choices or ()),
        action.type is Path or action.metavar == "FILE",
        action.nargs != 0,
        action.nargs in ("*", "+"),
    )


def _plain(help: str | None) -> str:
    return (help or "").replace("%%", "%")


def bash_script(commands: Iterable[Described]) -> str:
    """For bash 3.2 and newer: `eval "$(kms-access completion bash)"`."""
    every = tuple(commands)
    values = [line for command in every for line in _bash_values(command)]
    names = _bash_words(command.name for command in every)
    words = [f"    '') words={names} options={_bash_words(GLOBAL_OPTIONS)} ;;"]
    for command in every:
        found = f"words={_bash_words(command.words)} options={_bash_words(command.flags)}"
        files = " files=yes" if command.takes_files else ""
        words.append(f"    {command.name}) {found}{files} ;;")
    return "\n".join(
        [
            "# bash completion for kms-access",
            "_kms_access() {",
            "  local IFS=$'\\n' cur=${COMP_WORDS[COMP_CWORD]}",
            "  local previous= command= words= options= files= word",
            "  (( COMP_CWORD > 0 )) && previous=${COMP_WORDS[COMP_CWORD-1]}",
            '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
            '    case "$word" in -*) ;; *) command=$word; break ;; esac',
            "  done",
            "  COMPREPLY=()",
            '  case "$command $previous" in',
            *values,
            "  esac",
            '  case "$command" in',
            *words,
            "  esac",
            "  [[ $cur == -* ]] && words=$options files=",
            '  COMPREPLY=( $(compgen -W "$words" -- "$cur") )',
            '  [[ -n $files ]] && COMPREPLY+=( $(compgen -f -- "$cur") )',
            "  return 0",
            "}",
            "complete -o filenames -F _kms_access kms-access",
            "",
        ]
    )


def _bash_values(command: Described) -> Iterator[str]:
    for option in command.options:
        if not option.takes_value:
            continue
        pattern = " | ".join(f"'{command.name} {flag}'" for flag in option.flags)
        if option.choices:
            found = f'COMPREPLY=( $(compgen -W {_bash_words(option.choices)} -- "$cur") ); '
        else:
            found = 'COMPREPLY=( $(compgen -f -- "$cur") ); ' if option.takes_file else ""
        yield f"    {pattern}) {found}return 0 ;;"


def _bash_words(words: Iterable[str]) -> str:
    return "$'" + "\\n".join(words) + "'"


def zsh_script(commands: Iterable[Described]) -> str:
    """For zsh, as file `_kms-access` in a folder of `fpath`, or `source <(…)` after compinit."""
    every = tuple(commands)
    lines = ["#compdef kms-access", "", "_kms_access() {", "  local -a commands", "  commands=("]
    lines += [f"    {_quoted(f'{_colons(c.name)}:{c.help}')}" for c in every]
    lines += [
        "  )",
        "  local curcontext=$curcontext state line",
        "  _arguments -C \\",
        *(f"    {_quoted(flag)} \\" for flag in GLOBAL_OPTIONS),
        "    '1:command:->command' '*::argument:->argument'",
        "  case $state in",
        "    command) _describe command commands ;;",
        "    argument)",
        "      case $line[1] in",
    ]
    for command in every:
        specs = " ".join(_quoted(spec) for spec in _zsh_specs(command))
        lines.append(f"        {command.name}) _arguments {specs} ;;")
    lines += [
        *("      esac ;;", "  esac", "}", ""),
        "# As a file of fpath it is called to complete; otherwise it is read once.",
        'if [[ $funcstack[1] == _kms_access ]]; then _kms_access "$@"',
        "else compdef _kms_access kms-access",
        *("fi", ""),
    ]
    return "\n".join(lines)


def _zsh_specs(command: Described) -> Iterator[str]:
    for option in command.options:
        text = option.help.replace("[", "(").replace("]", ")")
        yield f"*{option.flags[-1]}[{_colons(text)}]{_zsh_value(option)}"
    for number, argument in enumerate(command.positionals, start=1):
        yield f"{'*' if argument.may_repeat else number}{_zsh_value(argument)}"


def _zsh_value(argument: Argument) -> str:
    if not argument.takes_value:
        return ""
    if argument.choices:
        return f":value:({' '.join(argument.choices)})"
    return ":file:_files" if argument.takes_file else ":value:"


def _colons(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def fish_script(commands: Iterable[Described]) -> str:
    """For fish, as file `completions/kms-access.fish`."""
    every = tuple(commands)
    lines = ["# fish completion for kms-access", "complete -c kms-access -f"]
    first = "__fish_use_subcommand"
    for flag in GLOBAL_OPTIONS:
        lines.append(f"complete -c kms-access -n {first} -l {flag.removeprefix('--')}")
    for command in every:
        help = _fish(command.help)
        lines.append(f"complete -c kms-access -n {first} -a {command.name} -d {help}")
    for command in every:
        seen = f"'__fish_seen_subcommand_from {command.name}'"
        for option in command.options:
            start = f"complete -c kms-access -n {seen} -l {option.flags[-1].removeprefix('--')}"
            lines.append(f"{start}{_fish_value(option)} -d {_fish(option.help)}")
        if command.words:
            words = _fish(" ".join(command.words))
            lines.append(f"complete -c kms-access -n {seen} -a {words}")
        if command.takes_files:
            lines.append(f"complete -c kms-access -n {seen} -F")
    return "\n".join([*lines, ""])


def _fish_value(option: Argument) -> str:
    if not option.takes_value:
        return ""
    if option.choices:
        return f" -x -a {_fish(' '.join(option.choices))}"
    return " -r -F" if option.takes_file else " -x"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SCRIPTS: Mapping[str, Callable[[Iterable[Described]], str]] = {
    "bash": bash_script,
    "zsh": zsh_script,
    "fish": fish_script,
}
