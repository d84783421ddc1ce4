"""Ending the process: which code, and when not."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from cdk_aspects import _assembly, _exit
from tests.cdk_aspects.assemblies import write_assembly


class Ended(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> _exit._Process:
    process = _exit._Process()
    monkeypatch.setattr(_exit, "_process", process)
    return process


@pytest.fixture(autouse=True)
def codes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(logging, "shutdown", lambda: None)  # the test run still logs
    return codes


@pytest.mark.parametrize(
    ("reported", "code"),
    [([], None), ([1], 1), ([3, 1], 1), ([1, 3], 1), ([1, 2], 2), ([4, 2], 4), ([2, 4, 1], 4)],
)
def test_the_gravest_code_wins(codes: list[int], reported: list[int], code: int | None) -> None:
    for one in reported:
        _exit.end_with(one)
    _exit._end(os.getpid())
    assert codes == ([] if code is None else [code])


def test_a_fork_of_the_app_ends_as_it_likes(codes: list[int]) -> None:
    _exit.end_with(1)
    _exit._end(os.getpid() + 1)
    assert codes == []


def test_buffered_output_is_written_even_if_one_stream_is_closed(
    codes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = (tmp_path / "closed").open("w")
    closed.close()
    buffered = (tmp_path / "buffered").open("w")
    buffered.write("the report")
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr(sys, "stderr", buffered)
    _exit.end_with(1)
    _exit._end(os.getpid())
    assert codes == [1]
    assert (tmp_path / "buffered").read_text() == "the report"
    buffered.close()


class TestNotEvaluated:
    """What the command line is about to use, and no guard came to a verdict about."""

    @pytest.fixture(autouse=True)
    def assembly(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(_assembly, "STARTED_IN", tmp_path)
        monkeypatch.setenv("CDK_CLI_VERSION", "2.1148.1")
        monkeypatch.setenv("CDK_OUTDIR", "cdk.out")
        monkeypatch.delattr(sys, "last_value", raising=False)
        return write_assembly(tmp_path / "cdk.out")

    def test_never_asked(self, codes: list[int], capsys: pytest.CaptureFixture[str]) -> None:
        _exit._end(os.getpid())
        assert codes == [2]
        claim = 'never asked to evaluate "Ledger.template.json", stage "Prod"\n'
        assert claim in capsys.readouterr().err

    def test_asked_without_a_verdict(
        self, codes: list[int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        _exit.note_evaluation()
        _exit._end(os.getpid())
        assert codes == [4]
        assert "asked, but came to no verdict about" in capsys.readouterr().err

    def test_judged(self, codes: list[int], assembly: Path) -> None:
        _exit.note_evaluation()
        _exit.note_judged(assembly)
        _exit._end(os.getpid())
        assert codes == []

    @pytest.mark.parametrize(
        ("file", "part"),
        [
            ("Ledger.template.json", '"Ledger.template.json"'),
            ("assembly-Prod/Ledger.template.json", 'stage "Prod"'),
            ("assembly-Prod/Inner.nested.template.json", 'stage "Prod"'),
        ],
    )
    def test_written_afterwards(
        self,
        codes: list[int],
        assembly: Path,
        capsys: pytest.CaptureFixture[str],
        file: str,
        part: str,
    ) -> None:
        _exit.note_evaluation()
        _exit.note_judged(assembly)
        (assembly / file).write_text('{"Resources": {}}')
        _exit._end(os.getpid())
        assert codes == [2]
        assert f"written after kms-access evaluated this app: {part}\n" in capsys.readouterr().err

    def test_not_after_an_error_of_the_app(
        self, codes: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "last_value", ValueError(), raising=False)
        _exit._end(os.getpid())
        assert codes == []

    @pytest.mark.parametrize("variable", ["CDK_CLI_VERSION", "CDK_OUTDIR"])
    def test_not_without_the_command_line(
        self, codes: list[int], monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.delenv(variable)
        _exit._end(os.getpid())
        assert codes == []

    def test_not_without_stacks(self, codes: list[int], assembly: Path) -> None:
        (assembly / "Ledger.template.json").unlink()
        (assembly / "manifest.json").write_text('{"artifacts": {}}')
        _exit._end(os.getpid())
        assert codes == []

    def test_not_without_an_assembly(
        self, codes: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CDK_OUTDIR", "nowhere")
        _exit._end(os.getpid())
        assert codes == []


class TestTrace:
    """The trace of a synthesis that is not valid says nothing that was not printed before."""

    @pytest.fixture(autouse=True)
    def shown(self, monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
        shown: list[BaseException] = []
        monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: shown.append(error))
        return shown

    @pytest.mark.parametrize(
        ("error", "left_out"),
        [
            (RuntimeError("ValidationFailed: Validation failed."), True),
            (RuntimeError("AnotherError: in the app"), False),
            (ValueError("ValidationFailed: of the app itself"), False),
        ],
        ids=["validation", "another error", "another type"],
    )
    def test_is_left_out_after_a_verdict(
        self, shown: list[BaseException], error: BaseException, left_out: bool
    ) -> None:
        for code in (1, 3):
            _exit.end_with(code)
        sys.excepthook(type(error), error, None)
        assert shown == ([] if left_out else [error])

    def test_is_shown_otherwise(self, shown: list[BaseException]) -> None:
        error = RuntimeError("ValidationFailed: by another plugin")
        sys.excepthook(type(error), error, None)
        assert shown == [error]


def test_a_program_that_a_test_starts_is_no_test_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _exit.run_by_pytest()
    monkeypatch.delitem(sys.modules, "_pytest")
    assert not _exit.run_by_pytest()
