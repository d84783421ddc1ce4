"""Packs and programs that fail say why, and leave nothing behind."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.small_engine import Engine
from tests.small_engine.testbed import (
    CHAIN,
    is_alive,
    judge,
    names,
    write_pack,
    write_program,
)

LAST_WORDS = "print('last words', file=sys.stderr); sys.stderr.flush(); os._exit(3)"
# What a resource policy does, what a stack policy does, and what the error says.
FAULTS = {
    "resource": (
        "raise ValueError('lost my way')",
        "pass",
        "failed to run policy: Exception calling",
    ),
    "stack": ("pass", "raise ValueError('lost my way')", "Exception calling application"),
    "crash": (LAST_WORDS, "pass", "last words"),
    "crash at the end": ("pass", LAST_WORDS, "(the pack ended with exit code 3)"),
    # More than the 4 MiB that the proxy in front of a real pack lets through.
    "flood": ("pass", "[report('x' * 600) for _ in range(8000)]", "RESOURCE_EXHAUSTED"),
    "unready": ("pass", "pass\nraise SystemExit('not today')", "not today"),
    "chatty": ("pass", "pass\nprint('hello')", 'printed "hello" where its port was expected'),
}


def faulty_pack(folder: Path, fault: str) -> Path:
    """A pack with the fault, which writes the number of its process into the file `pid`."""
    resource, stack, _ = FAULTS[fault]
    pack = write_pack(folder / "pack", "")
    (pack / "__main__.py").write_text(
        "import os, pathlib, sys\n"
        "from pulumi_policy import PolicyPack, ResourceValidationPolicy, StackValidationPolicy\n"
        f"pathlib.Path({str(folder / 'pid')!r}).write_text(str(os.getpid()))\n"
        f"def resource(args, report):\n    {resource}\n"
        f"def stack(args, report):\n    {stack}\n"
        "PolicyPack('faulty', [ResourceValidationPolicy('r', 'r', resource),"
        " StackValidationPolicy('s', 's', stack)])\n"
    )
    return pack


@pytest.mark.parametrize("fault", FAULTS)
def test_failing_pack_is_a_hard_stop(tmp_path: Path, fault: str) -> None:
    text = FAULTS[fault][2]
    pack = faulty_pack(tmp_path, fault)
    program = write_program(tmp_path / "program", CHAIN)
    outcome = Engine(program=program, policy_pack=pack).preview()
    assert outcome.exit_code == 1
    assert text in outcome.error
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_pack_that_dies_between_two_calls_is_noticed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pack = write_pack(
        tmp_path / "pack",
        f"""
        import os, threading
        from pulumi_policy import PolicyPack, ResourceValidationPolicy

        def die():
            with open({str(pipe)!r}, "w"):
                os._exit(4)

        def check(args, report):
            if args.name == "first":
                threading.Thread(target=die).start()

        PolicyPack("mortal", [ResourceValidationPolicy("r", "r", check)])
        """,
    )
    program = write_program(
        tmp_path / "program",
        f"""
        import pulumi_aws as aws

        def wait_for_the_end(_):
            with open({str(pipe)!r}) as pipe:
                return pipe.read()

        first = aws.iam.User("first")
        aws.iam.User("last", path=first.urn.apply(wait_for_the_end))
        """,
    )
    outcome = Engine(program=program, policy_pack=pack).preview()
    assert outcome.exit_code == 1
    assert "UNAVAILABLE" in outcome.error
    assert "(the pack ended with exit code 4)" in outcome.error
    assert names(outcome.registered)[-1] == "last"


UNUSABLE = {
    "missing": ({}, "does not exist"),
    "no policy project": ({"__main__.py": ""}, "failed to load Pulumi policy project"),
    "broken policy project": ({"PulumiPolicy.yaml": "a: ["}, "cannot read"),
    "no code": ({"PulumiPolicy.yaml": ""}, "is not runnable"),
    "nameless package": (
        {"PulumiPolicy.yaml": "", "pyproject.toml": "[project]"},
        "cannot read the project name in",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_pack_is_named_before_the_program_starts(tmp_path: Path, case: str) -> None:
    files, text = UNUSABLE[case]
    pack = tmp_path / "pack"
    for name, content in files.items():
        pack.mkdir(exist_ok=True)
        (pack / name).write_text(content)
    program = write_program(tmp_path / "program", "raise SystemExit('started')\n")
    outcome = Engine(program=program, policy_pack=pack).preview()
    assert outcome.exit_code == 1
    assert text in outcome.error
    assert str(pack) in outcome.error
    assert "started" not in outcome.error


def test_file_that_is_no_executable_pack_is_refused_with_the_reason(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.write_text("no program")
    outcome = Engine(program=write_program(tmp_path, ""), policy_pack=pack).preview()
    assert outcome.exit_code == 1
    assert f'cannot start "{pack}": Permission denied' in outcome.error


@pytest.mark.parametrize(
    ("last_line", "texts"),
    [
        ("raise RuntimeError('out of coffee')", ["RuntimeError: out of coffee", "__main__.py"]),
        ("raise SystemExit(7)", ["failed with exit code 7"]),
        ("print('half way'); 1 / 0", ["half way", "ZeroDivisionError"]),
        ("aws.iam.get_account_alias()", ['does not know the function "aws:iam/getAccountAlias']),
        ("aws.iam.User('first')", ["duplicate resource URN", "aws:iam/user:User::first"]),
    ],
)
def test_program_error_is_reported_and_skips_the_stack_analysis(
    tmp_path: Path, last_line: str, texts: list[str]
) -> None:
    program = write_program(tmp_path / "program", CHAIN + f"\n    {last_line}\n")
    pack = judge(tmp_path / "pack", stack="MANDATORY")
    outcome = Engine(program=program, policy_pack=pack).preview()
    assert outcome.exit_code == 1
    assert [text for text in texts if text not in outcome.error] == []
    assert outcome.diagnostics == ()


def read_to_the_end(pipe: int | IO[bytes]) -> bytes:
    """All that comes out of a pipe; fails when one of its writers is still there after a while."""
    number = pipe if isinstance(pipe, int) else pipe.fileno()
    content = b""
    while select.select([number], [], [], 10)[0]:
        piece = os.read(number, 1024)
        if not piece:
            return content
        content += piece
    raise AssertionError(f"a process still holds the pipe open: {content!r}")


def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    source = f"""
        import subprocess
        with open({str(pipe)!r}, "w") as pipe:
            pipe.write("started")
            pipe.flush()
            subprocess.Popen(["sleep", "600"], stdout=pipe, stderr=pipe)
    """
    outcome = Engine(program=write_program(tmp_path / "program", source)).preview()
    assert outcome.error == ""
    assert read_to_the_end(reader) == b"started"
    os.close(reader)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_killed_engine_takes_pack_and_program_with_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hold = f"held = open({str(pipe)!r}, 'a')\nheld.write('here\\n'); held.flush()\n"
    pack = write_pack(tmp_path / "pack", "")
    (pack / "__main__.py").write_text(
        hold + "from pulumi_policy import *\n"
        "PolicyPack('holder', [StackValidationPolicy('s', 's', lambda args, report: None)])\n"
    )
    program = write_program(tmp_path / "program", "")
    (program / "__main__.py").write_text(hold + "import threading\nthreading.Event().wait()\n")
    command = [sys.executable, "-m", "tests.small_engine", "preview", "--program", str(program)]
    with (
        subprocess.Popen(
            [*command, "--policy-pack", str(pack)], cwd=Path(__file__).parents[2]
        ) as engine,
        open(pipe, "rb", buffering=0) as reader,
    ):
        assert [reader.readline() for _ in range(2)] == [b"here\n"] * 2
        engine.kill()
        assert read_to_the_end(reader) == b""
