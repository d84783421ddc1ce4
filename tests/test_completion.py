"""What a shell offers, and the examples in the help."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access import cli
from kms_access.cli.completion import SHELLS
from kms_access.cli.completion_scripts import GLOBAL_OPTIONS, SCRIPTS, Described, described
from kms_access.cli.examples import EXAMPLES

BASH = shutil.which("bash")
FISH = shutil.which("fish")
ZSH = shutil.which("zsh")
OFFERED_BY_ZSH = Path(__file__).with_name("offered_by.zsh")


def parsers() -> Iterator[argparse._SubParsersAction[argparse.ArgumentParser]]:
    for action in cli._parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield action


def commands() -> tuple[Described, ...]:
    (action,) = parsers()
    return described(action)


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


def offered(line: str, completion: str, folder: Path) -> list[str]:
    """What bash offers for the last word of a command line."""
    assert BASH is not None
    words = line.split(" ")
    program = f"""{completion}
COMP_WORDS=({" ".join(shlex.quote(word) for word in words)})
COMP_CWORD={len(words) - 1}
_kms_access
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    found = subprocess.run(
        [BASH, "--norc", "-u"], input=program, capture_output=True, text=True, cwd=folder
    )
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout.split("\n")[:-1]


OFFERED = {
    "kms-access ch": ["check", "check-rules"],
    "kms-access --d": ["--debug"],
    "kms-access check --ba": ["--baseline"],
    "kms-access check --format j": ["json", "junit"],
    "kms-access check --rules ru": ["rules with space.yaml", "rules.yaml"],
    "kms-access --debug check --rules x.yaml te": ["template.json"],
    "kms-access check --stack ": [""],
    "kms-access map --format ": ["table", "json"],
    "kms-access completion ": ["bash", "fish", "zsh"],
    "kms-access completion f": ["fish"],
    "kms-access authorize r": ["rules with space.yaml", "rules.yaml"],
    "kms-access pulumi-pack t": [""],
}


SHELL_FILES = ("rules.yaml", "rules with space.yaml", "template.json")


def offered_by_fish(line: str, completion: str, folder: Path) -> list[str]:
    """What fish offers; words of a list come with their descriptions, files without."""
    assert FISH is not None
    program = f"{completion}\ncomplete -C {shlex.quote(line)}\n"
    found = run_shell([FISH, "--no-config"], folder, program)
    return [one.split("\t")[0] for one in found.splitlines()]


def offered_by_zsh(line: str, completion: str, folder: Path) -> list[str]:
    """What zsh offers in a terminal of its own, where it completes only."""
    assert ZSH is not None
    path = folder.parent / "completion.zsh"
    path.write_text(completion)
    found = run_shell([ZSH, "-f", str(OFFERED_BY_ZSH), str(path), line], folder)
    return [one.replace("\\", "") for one in re.findall(r"offered:(.*?)\r?\n", found)]


def run_shell(command: list[str], folder: Path, program: str = "") -> str:
    """What a shell prints that has no settings of this user."""
    home = folder.parent.parent / "home"  # zsh keeps an index there
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", "LC_ALL": "C"}
    found = subprocess.run(
        command,
        input=program,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which only the files are that a shell is to offer."""
    found = tmp_path / "work"
    found.mkdir()
    for name in SHELL_FILES:
        (found / name).touch()
    return found


# Files are offered for a word that may be one of many, free words never; the rest is as in bash.
OFFERED_ELSEWHERE = {
    **{line: words for line, words in OFFERED.items() if words != [""]},
    "kms-access check --stack ": [],
    "kms-access diff r": ["rules with space.yaml", "rules.yaml"],
    "kms-access diff rules.yaml t": ["template.json"],
    "kms-access can alice kms:Decrypt alias/x --rules rules.yaml t": ["template.json"],
    "kms-access pulumi-pack t": [],
}


@pytest.mark.skipif(FISH is None, reason="there is no fish: install the package fish")
@pytest.mark.parametrize("line", OFFERED_ELSEWHERE)
def test_what_fish_offers(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = offered_by_fish(line, script("fish", capsys), folder)
    assert sorted(found) == sorted(OFFERED_ELSEWHERE[line])


@pytest.mark.skipif(ZSH is None, reason="there is no zsh: install the package zsh")
@pytest.mark.parametrize("line", OFFERED_ELSEWHERE)
def test_what_zsh_offers(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = offered_by_zsh(line, script("zsh", capsys), folder)
    assert sorted(found) == sorted(OFFERED_ELSEWHERE[line])


@pytest.mark.skipif(ZSH is None, reason="there is no zsh: install the package zsh")
def test_zsh_takes_the_arguments_of_every_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    completion = script("zsh", capsys)
    for command in commands():
        found = offered_by_zsh(f"kms-access {command.name} --", completion, folder)
        assert sorted(found) == sorted(command.flags)


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize("line", OFFERED)
def test_what_bash_offers(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("rules.yaml", "rules with space.yaml", "template.json"):
        (tmp_path / name).touch()
    assert sorted(offered(line, script("bash", capsys), tmp_path)) == sorted(OFFERED[line])


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_bash_offers_every_option_of_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    completion = script("bash", capsys)
    for command in commands():
        assert offered(f"kms-access {command.name} --", completion, tmp_path) == command.flags


def small_commands() -> tuple[Described, ...]:
    """Of each kind of argument one, and characters that mean something to a shell."""
    parser = argparse.ArgumentParser()
    found = parser.add_subparsers()
    bake = found.add_parser("bake", help="make cake: it's [really] 100%% good")
    bake.add_argument("--form", choices=("round", "square"), help="the form")
    bake.add_argument("--recipe", type=Path, help="a file")
    bake.add_argument("--name", help="free $(text) `here`")
    bake.add_argument("--vegan", action="store_true", help="without eggs")
    bake.add_argument("paths", nargs="*", type=Path)
    found.add_parser("eat", help="eat").add_argument("what", choices=("cake", "bread"))
    return described(found)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script(shell: str, snapshot: SnapshotAssertion) -> None:
    assert SCRIPTS[shell](small_commands()) == snapshot


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_every_command_and_option(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = script(shell, capsys)
    for command in commands():
        assert re.search(rf"\b{command.name}\b", text)
        for flag in command.flags:
            assert flag.removeprefix("--") in text


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    found = subprocess.run([program, "-n"], input=script(shell, capsys), text=True)
    assert found.returncode == 0


def test_the_options_before_a_command() -> None:
    options = [a.option_strings[-1] for a in cli._parser()._actions if a.option_strings]
    assert sorted(options) == sorted(GLOBAL_OPTIONS)


def test_every_command_has_examples_that_can_be_run() -> None:
    names = [command.name for command in commands()]
    assert sorted(EXAMPLES) == sorted(names)
    for name, examples in EXAMPLES.items():
        for example in examples:
            (call,) = re.findall(r"kms-access ([^\")<>]+)", re.sub(r"> .*", "", example))
            args = cli._parser().parse_args(shlex.split(call))
            assert call.split()[0] == name
            assert callable(args.run)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_help_shows_the_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert all(f"\n  {example}\n" in out for example in EXAMPLES[name])
