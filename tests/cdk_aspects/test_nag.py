"""The pack of cdk-nag: it is one, and it blocks like the plugin."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import aws_cdk as cdk
import cdk_nag
import pytest
from aws_cdk import aws_kms as kms

from cdk_aspects import UnsupportedLibraryError, _evaluation, _exit
from cdk_aspects._nag_version import require_nag_packs
from cdk_aspects.nag import KmsAccessChecks
from tests.cdk_aspects import apps
from tests.cdk_aspects.synthesis import run_with_cdk

OPEN = "error  public-access  everyone can decrypt with key OpenKey"


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> _exit._Process:
    process = _exit._Process(watched=True)
    monkeypatch.setattr(_exit, "_process", process)
    return process


def checked_app(outdir: Path) -> cdk.App:
    app = cdk.App(outdir=str(outdir))
    cdk.Validations.of(app).add_plugins(KmsAccessChecks(app))
    return app


def test_gives_the_findings_beside_another_pack(tmp_path: Path) -> None:
    app = checked_app(tmp_path)
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    apps.open_key(apps.stack(app))
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert str(raised.value).count(OPEN) == 1
    assert "Rule KmsAccess::public-access" in str(raised.value)
    assert "AwsSolutions-KMS5" in str(raised.value)


def test_passes_a_clean_app(tmp_path: Path) -> None:
    app = checked_app(tmp_path)
    kms.Key(apps.stack(app), "Key")
    app.synth()


def test_takes_the_rules_file(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    pack = KmsAccessChecks(app, rules="no-such-rules.yaml")
    assert isinstance(pack, cdk_nag.NagPack)
    cdk.Validations.of(app).add_plugins(pack)
    kms.Key(apps.stack(app), "Key")
    with pytest.raises(RuntimeError, match=r"access-rules  no-such-rules\.yaml: "):
        app.synth()


def test_its_own_crash_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_evaluation, "evaluate", apps.crash)
    app = checked_app(tmp_path)
    kms.Key(apps.stack(app), "Key")
    with pytest.raises(RuntimeError, match="kms-access itself failed"):
        app.synth()


@pytest.mark.parametrize("outside_of_cdk_nag", [False, True])
def test_constructs_alone_are_never_a_pass(outside_of_cdk_nag: bool) -> None:
    app = cdk.App()
    key = kms.CfnKey(apps.stack(app), "Key", key_policy={})
    pack = KmsAccessChecks(app)
    if outside_of_cdk_nag:
        with pytest.raises(NotImplementedError, match="was asked about constructs"):
            pack._check_resource(key)
    else:
        report = pack.validate_scope(app)
        assert not report.success
        assert [violation.severity for violation in report.violations] == ["fatal"]


@pytest.mark.parametrize("arguments", [(), ("--ignore-errors",)], ids=["synth", "--ignore-errors"])
@pytest.mark.parametrize(
    "situation", ["nag_pack_in_stage_acknowledged", "nag_pack_without_exit_in_stage_acknowledged"]
)
def test_blocks_the_command_line(
    cdk_command: str, tmp_path: Path, situation: str, arguments: tuple[str, ...]
) -> None:
    run = run_with_cdk(cdk_command, situation, tmp_path, "synth", "--quiet", *arguments)
    left_to_the_command_line = "without_exit" in situation and "--ignore-errors" in arguments
    assert run.exit_code == (0 if left_to_the_command_line else 1), run.printed
    assert run.printed.count(OPEN) == 1


class TestVersion:
    @pytest.mark.parametrize("version", ["2.38.2", "1.0.0", "", "main"])
    def test_without_plugin_packs_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, version: str
    ) -> None:
        monkeypatch.setattr(metadata, "version", lambda distribution: version)
        with pytest.raises(UnsupportedLibraryError, match=f'cdk-nag "{version}" is not supported'):
            require_nag_packs()

    def test_not_installed_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(distribution: str) -> str:
            raise metadata.PackageNotFoundError(distribution)

        monkeypatch.setattr(metadata, "version", unknown)
        with pytest.raises(UnsupportedLibraryError, match="cdk-nag is not installed") as refused:
            require_nag_packs()
        assert "pip install 'kms-access[nag]'" in refused.value.help

    @pytest.mark.parametrize("version", ["3.0.0", "3.0.2", "4.0.0"])
    def test_newer_is_accepted(self, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
        monkeypatch.setattr(metadata, "version", lambda distribution: version)
        require_nag_packs()
