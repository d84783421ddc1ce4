"""The plugin inside the real library: what it evaluates, what it returns, when it speaks."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_kms as kms

import cdk_aspects
from cdk_aspects import KmsAccessPlugin, _evaluation, _exit
from cdk_aspects._verdict import Verdict, Violation

BROKEN = Verdict(1, "the whole report", (Violation("team-access", "billing can decrypt"),))
WARNED = Verdict(0, "warning  iam-delegation", ())


class Evaluations:
    """Stands for the evaluator: gives the verdict, keeps what it was asked."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.asked: list[tuple[Path, Path | None]] = []

    def __call__(self, assembly: Path, rules: Path | None) -> Verdict:
        self.asked.append((assembly, rules))
        return self.verdict


Evaluator = Callable[[Verdict], Evaluations]


@pytest.fixture
def evaluator(monkeypatch: pytest.MonkeyPatch) -> Evaluator:
    def install(verdict: Verdict) -> Evaluations:
        evaluations = Evaluations(verdict)
        monkeypatch.setattr(_evaluation, "evaluate", evaluations)
        return evaluations

    return install


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> _exit._Process:
    """What the process would end with, kept apart from the test run's own."""
    process = _exit._Process(watched=True)
    monkeypatch.setattr(_exit, "_process", process)
    return process


@pytest.fixture
def no_test_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_exit, "run_by_pytest", lambda: False)


def app_with_key(outdir: Path) -> cdk.App:
    app = cdk.App(outdir=str(outdir))
    kms.Key(cdk.Stack(app, "Ledger"), "Key")
    return app


def guarded_app(outdir: Path, plugin: KmsAccessPlugin | None = None) -> cdk.App:
    app = app_with_key(outdir)
    cdk.Validations.of(app).add_plugins(plugin or KmsAccessPlugin())
    return app


def reports(outdir: Path) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = json.loads((outdir / "validation-report.json").read_text())[
        "pluginReports"
    ]
    return written


def test_synthesis_fails_with_the_report(evaluator: Evaluator, tmp_path: Path) -> None:
    evaluations = evaluator(BROKEN)
    with pytest.raises(RuntimeError, match="billing can decrypt"):
        guarded_app(tmp_path).synth()
    assert evaluations.asked == [(tmp_path, None)]


def test_the_report_is_fatal_and_about_the_whole_app(evaluator: Evaluator, tmp_path: Path) -> None:
    evaluator(BROKEN)
    with pytest.raises(RuntimeError):
        guarded_app(tmp_path).synth()
    (written,) = reports(tmp_path)
    assert (written["pluginName"], written["conclusion"]) == ("kms-access", "failure")
    (violation,) = written["violations"]
    assert violation["ruleName"] == "team-access"
    assert violation["severity"] == "fatal"
    assert [place["constructPath"] for place in violation["violatingConstructs"]] == [""]


def test_proven_passes(evaluator: Evaluator, tmp_path: Path) -> None:
    evaluations = evaluator(Verdict())
    guarded_app(tmp_path).synth()
    assert len(evaluations.asked) == 1
    assert reports(tmp_path) == []


def test_warnings_are_printed_and_pass(
    evaluator: Evaluator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluator(WARNED)
    guarded_app(tmp_path).synth()
    assert capsys.readouterr().err == "warning  iam-delegation\n"


@pytest.mark.parametrize(
    "error",
    [ValueError("odd\x1b[31m\nsecond line"), KeyError(), SystemExit(0), KeyboardInterrupt()],
    ids=lambda error: type(error).__name__,
)
def test_own_failure_blocks_and_is_called_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException
) -> None:
    def fail(assembly: Path, rules: Path | None) -> Verdict:
        raise error

    monkeypatch.setattr(_evaluation, "evaluate", fail)
    with pytest.raises(RuntimeError, match="kms-access itself failed") as raised:
        guarded_app(tmp_path).synth()
    assert type(error).__name__ in str(raised.value)
    assert "cdk_aspects/_plugin.py:" in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_a_verdict_that_blocks_without_a_reason_is_our_failure(
    evaluator: Evaluator, tmp_path: Path
) -> None:
    evaluator(Verdict(3))
    with pytest.raises(RuntimeError, match="kms-access itself failed"):
        guarded_app(tmp_path).synth()


def test_every_synthesis_is_judged(evaluator: Evaluator, tmp_path: Path) -> None:
    """`Template.from_stack` synthesizes each time: the second must not pass unseen."""
    evaluations = evaluator(BROKEN)
    stack = guarded_app(tmp_path).node.find_child("Ledger")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="billing can decrypt"):
            assertions.Template.from_stack(stack)
    assert len(evaluations.asked) == 2


def test_one_plugin_guards_two_apps_with_one_directory(
    evaluator: Evaluator, tmp_path: Path
) -> None:
    evaluations = evaluator(BROKEN)
    plugin = KmsAccessPlugin()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="billing can decrypt"):
            guarded_app(tmp_path, plugin).synth()
    assert len(evaluations.asked) == 2


def context(app: cdk.App, region: str) -> SimpleNamespace:
    return SimpleNamespace(
        app_construct=app, template_paths=[region], account_id="111122223333", region=region
    )


def test_calls_per_environment_are_one_synthesis(evaluator: Evaluator, tmp_path: Path) -> None:
    """As aws-cdk-lib 2.262 to 2.268 call: once per environment, with one report for all."""
    evaluations = evaluator(BROKEN)
    app = app_with_key(tmp_path)
    app.synth()
    plugin = KmsAccessPlugin()
    calls = ["eu-west-1", "us-east-1", "eu-west-1"]
    successes = [plugin.validate(context(app, region)).success for region in calls]
    assert successes == [False, True, False]
    assert len(evaluations.asked) == 2


def test_a_later_synthesis_is_not_taken_for_another_environment(
    evaluator: Evaluator, tmp_path: Path
) -> None:
    evaluator(BROKEN)
    plugin = KmsAccessPlugin()
    manifest = tmp_path / "manifest.json"
    first = app_with_key(tmp_path)
    first.synth()
    assert not plugin.validate(context(first, "eu-west-1")).success
    written = manifest.stat().st_mtime_ns

    os.utime(manifest, ns=(written + 1, written + 1))
    assert not plugin.validate(context(first, "us-east-1")).success

    # The clock of the file system may be too coarse to tell two apps apart.
    assert not plugin.validate(context(app_with_key(tmp_path), "sa-east-1")).success


def test_rules_path_is_that_of_the_moment_of_construction(
    evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluations = evaluator(Verdict())
    monkeypatch.chdir(tmp_path)
    plugin = KmsAccessPlugin("access-rules.yaml")
    guarded_app(tmp_path / "cdk.out", plugin).synth()
    monkeypatch.chdir("/")
    guarded_app(tmp_path / "cdk.out", plugin).synth()
    named, moved = (rules for _, rules in evaluations.asked)
    assert (named, moved) == (Path("access-rules.yaml"), tmp_path / "access-rules.yaml")


class TestLookups:
    @pytest.fixture
    def outdir(self, tmp_path: Path) -> Path:
        """The assembly of an app whose lookups are still to come."""
        app_with_key(tmp_path).synth()
        manifest = tmp_path / "manifest.json"
        missing = {"missing": [{"key": "k", "provider": "key-provider", "props": {}}]}
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | missing))
        return tmp_path

    def validate(self, outdir: Path) -> cdk.PolicyValidationPluginReport:
        return KmsAccessPlugin().validate(context(cdk.App(outdir=str(outdir)), "eu-west-1"))

    def test_are_left_to_the_command_line(
        self,
        evaluator: Evaluator,
        outdir: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        evaluator(BROKEN)
        monkeypatch.setenv("CDK_CLI_VERSION", "2.1148.1")
        assert self.validate(outdir).success
        assert "context lookups are missing" in capsys.readouterr().err

    def test_do_not_matter_without_it(
        self, evaluator: Evaluator, outdir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        evaluator(BROKEN)
        monkeypatch.delenv("CDK_CLI_VERSION", raising=False)
        assert not self.validate(outdir).success


def test_an_unreadable_manifest_is_our_failure(evaluator: Evaluator, tmp_path: Path) -> None:
    evaluator(Verdict())
    found = KmsAccessPlugin().validate(context(cdk.App(outdir=str(tmp_path)), "eu-west-1"))
    assert [violation.rule_name for violation in found.violations] == ["internal-error"]


class TestVoice:
    """Who prints and who ends the process."""

    @pytest.mark.usefixtures("no_test_run")
    def test_the_guard_itself(
        self,
        evaluator: Evaluator,
        tmp_path: Path,
        process: _exit._Process,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        evaluator(BROKEN)
        with pytest.raises(RuntimeError):
            guarded_app(tmp_path).synth()
        assert process.code == 1
        assert capsys.readouterr().err.splitlines()[0] == "the whole report"

    def test_the_test_run(
        self,
        evaluator: Evaluator,
        tmp_path: Path,
        process: _exit._Process,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        evaluator(BROKEN)
        with pytest.raises(RuntimeError):
            guarded_app(tmp_path).synth()
        assert process.code == 0
        assert "the whole report" not in capsys.readouterr().err

    @pytest.mark.usefixtures("no_test_run")
    def test_the_framework_on_request(
        self,
        evaluator: Evaluator,
        tmp_path: Path,
        process: _exit._Process,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        evaluator(BROKEN)
        with pytest.raises(RuntimeError):
            guarded_app(tmp_path, KmsAccessPlugin(exit_process=False)).synth()
        assert process.code == 0
        assert "the whole report" not in capsys.readouterr().err

    @pytest.mark.usefixtures("no_test_run")
    def test_a_closed_stream_does_not_hide_the_finding(
        self, evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        evaluator(BROKEN)
        closed = (tmp_path / "closed").open("w")
        closed.close()
        app = guarded_app(tmp_path / "cdk.out")
        monkeypatch.setattr("sys.stderr", closed)
        with pytest.raises(RuntimeError, match="billing can decrypt"):
            app.synth()


def test_source_positions_are_recorded_unless_switched_off(
    evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator(Verdict())
    monkeypatch.delenv("JSII_HOST_STACK_TRACES", raising=False)
    importlib.reload(cdk_aspects)
    app_with_key(tmp_path).synth()
    assert f"{Path(__file__).name}:" in (tmp_path / "Ledger.metadata.json").read_text()

    monkeypatch.setenv("JSII_HOST_STACK_TRACES", "0")
    importlib.reload(cdk_aspects)
    app_with_key(tmp_path).synth()
    assert f"{Path(__file__).name}:" not in (tmp_path / "Ledger.metadata.json").read_text()
