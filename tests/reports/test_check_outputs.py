"""`check`: where reports go, and that the exit code is the same whatever their form."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from kms_access.reports.interface import REPORT_NAMES
from tests.builders import allow
from tests.test_cli import RULES, run, template, write


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    Path("rules.yaml").write_text(RULES, encoding="utf-8")
    write("good.json", template())
    write("bad.json", template(allow("*", "kms:Decrypt")))
    write("unknown.json", template(allow({"AWS": {"Ref": "Reader"}}, "kms:Decrypt")))


@pytest.mark.parametrize("name", REPORT_NAMES)
@pytest.mark.parametrize(("file", "code"), [("good", 0), ("bad", 1), ("unknown", 3), ("none", 2)])
def test_the_exit_code_does_not_depend_on_the_report(
    name: str, file: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("check", "--rules", "rules.yaml", "--format", name, f"{file}.json")
    found, out, err = run(capsys, *arguments)
    assert found == code
    assert bool(out) == (code != 2)
    assert bool(err) == (code == 2)


def test_several_reports_of_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    options = [f"--report={name}={name}.out" for name in REPORT_NAMES]
    code, out, _ = run(capsys, "check", "--rules", "rules.yaml", *options, "bad.json")
    assert code == 1
    assert out == Path("text.out").read_text(encoding="utf-8")
    for name in REPORT_NAMES:
        alone = run(capsys, "check", "--rules", "rules.yaml", "--format", name, "bad.json")[1]
        assert Path(f"{name}.out").read_bytes() == alone.encode()
    assert json.loads(Path("json.out").read_text(encoding="utf-8"))["exit_code"] == 1


def test_output_goes_to_a_file_alone(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("check", "--format", "json", "--output", "out.json", "bad.json")
    code, out, err = run(capsys, *arguments)
    assert (code, out, err) == (1, "", "")
    assert json.loads(Path("out.json").read_text(encoding="utf-8"))["version"] == 1


def test_what_a_baseline_holds_is_told_and_does_not_block(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("worse.json", template(allow("*", "kms:Decrypt"), allow("*", "kms:Encrypt")))
    assert run(capsys, "map", "--output", "old.json", "bad.json")[0] == 0
    same = run(capsys, "check", "--baseline", "old.json", "--format", "json", "bad.json")
    assert same[0] == 0
    assert "public-access" in {finding["check"] for finding in json.loads(same[1])["known"]}
    code, out, _ = run(capsys, "check", "--baseline", "old.json", "worse.json")
    assert (code, "everyone can encrypt with key alias/data" in out) == (1, True)
    assert run(capsys, "check", "--baseline", "absent.json", "bad.json")[0] == 2
    assert run(capsys, "check", "--baseline", "bad.json", "bad.json")[0] == 2


BAD = {
    "unknown report": (["--report", "xml=a"], 'there is no report "xml"'),
    "no file": (["--report", "json"], '"json" is not NAME=FILE'),
    "empty file": (["--report", "json="], '"json=" is not NAME=FILE'),
    "a file for two": (["--report", "json=a", "--report", "sarif=./a"], "named for two reports"),
    "output for two": (["--output", "a", "--report", "sarif=a"], "named for two reports"),
    "a folder": (["--report", "json=."], '"." is a folder'),
    "no such folder": (["--output", "x/y.json"], 'there is no folder "x"'),
    "unknown format": (["--format", "xml"], "invalid choice: 'xml'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_outputs_are_refused_before_the_work(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options, message = BAD[name]
    code, out, err = run(capsys, "check", *options, "bad.json")
    assert (code, out) == (2, "")
    assert message in err
    assert sorted(p.name for p in Path().iterdir()) == [
        "bad.json",
        "good.json",
        "rules.yaml",
        "unknown.json",
    ]


def test_a_file_that_cannot_be_written_hides_no_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.write_text

    def write_text(self: Path, data: str, encoding: str, newline: str) -> int:
        if self.name == "full.json":
            raise OSError(28, "No space left on device")
        return whole(self, data, encoding=encoding, newline=newline)

    monkeypatch.setattr(Path, "write_text", write_text)
    options = ["--report", "json=full.json", "--report", "sarif=a.sarif"]
    code, out, err = run(capsys, "check", *options, "bad.json")
    assert code == 2
    assert "everyone can decrypt" in out
    assert err == 'error: "full.json" cannot be written: no space left on device\n'
    assert Path("a.sarif").exists()


def test_a_report_that_fails_hides_no_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("kms_access.reports.json.JsonReport.render", fail)
    code, out, err = run(capsys, "check", "--report", "json=a.json", "bad.json")
    assert code == 4
    assert "everyone can decrypt" in out
    assert "kms-access itself failed (RuntimeError: out of luck)" in err


def test_a_program_that_reads_gets_neither_width_nor_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    plain = run(capsys, "check", "bad.json")[1]
    shown = {}
    for name in REPORT_NAMES:
        monkeypatch.setenv("COLUMNS", "60")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        terminal = Terminal()
        with monkeypatch.context() as context:
            context.setattr(sys, "stdout", terminal)
            run(capsys, "check", "--format", name, "--report", "text=text.out", "bad.json")
        shown[name] = terminal.getvalue()
    assert "\x1b[1;31merror\x1b[0m" in shown.pop("text")
    assert not any("\x1b" in text for text in shown.values())
    assert Path("text.out").read_text(encoding="utf-8") == plain


def test_a_terminal_of_another_encoding_gets_escapes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = template(allow("*", "kms:Decrypt", Sid="Läuft"))
    write("umlaut.json", changed)
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding="ascii")
    with monkeypatch.context() as context:
        context.setattr(sys, "stdout", stream)
        code = run(capsys, "check", "umlaut.json")[0]
        stream.flush()
    assert code == 1
    assert data.getvalue().isascii()
    assert b"L\\xe4uft" in data.getvalue()
