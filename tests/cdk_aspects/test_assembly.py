"""Where the assembly is looked for, and what is read from its manifest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from cdk_aspects import _assembly


def context(app: object, *template_paths: Path) -> SimpleNamespace:
    return SimpleNamespace(app_construct=app, template_paths=[str(path) for path in template_paths])


def test_something_that_is_no_app_is_refused() -> None:
    with pytest.raises(_assembly.AssemblyNotFoundError, match='"Stack"'):
        _assembly.locate(context(cdk.Stack()))


def test_an_absolute_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    assert _assembly.locate(context(cdk.App(outdir=str(tmp_path)))) == tmp_path


class TestRelativeDirectory:
    """The library hands paths over as its Node process sees them, from where it was started."""

    @pytest.fixture
    def outdir(self, tmp_path: Path) -> Path:
        return Path(os.path.relpath(tmp_path / "cdk.out", _assembly.STARTED_IN))

    @pytest.fixture
    def synthesized(self, outdir: Path) -> SimpleNamespace:
        app = cdk.App(outdir=str(outdir))
        kms.Key(cdk.Stack(app, "Ledger"), "Key")
        app.synth()
        return context(app, outdir / "Ledger.template.json")

    @pytest.fixture
    def decoy(self, outdir: Path, tmp_path: Path, synthesized: SimpleNamespace) -> Path:
        """A directory below which an earlier run left an assembly of the same name."""
        base = tmp_path.joinpath("decoy", *("down" for part in outdir.parts if part == ".."))
        base.mkdir(parents=True)
        earlier = base / outdir
        earlier.mkdir(parents=True)
        for name in ("manifest.json", "Ledger.template.json"):
            text = (tmp_path / "cdk.out" / name).read_text()
            (earlier / name).write_text(text.replace("kms:*", "kms:List*"))
        return base

    def test_is_found_from_the_start(self, synthesized: SimpleNamespace, tmp_path: Path) -> None:
        found = _assembly.locate(synthesized)
        assert found.is_absolute()
        assert found.samefile(tmp_path / "cdk.out")

    def test_is_not_confused_with_that_of_an_earlier_run(
        self,
        synthesized: SimpleNamespace,
        decoy: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(_assembly, "STARTED_IN", decoy)
        assert _assembly.locate(synthesized).samefile(tmp_path / "cdk.out")

    def test_is_not_guessed(
        self, synthesized: SimpleNamespace, decoy: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_assembly, "STARTED_IN", decoy)
        monkeypatch.chdir(decoy)
        with pytest.raises(_assembly.AssemblyNotFoundError, match="absolute outdir"):
            _assembly.locate(synthesized)


FAILED = {"$providerError": "no credentials have been configured", "$dontSaveContext": True}


@pytest.mark.parametrize(
    ("missing", "found", "missing_number", "failures", "to_come"),
    [
        ([], {}, 0, (), False),
        (["a"], {}, 1, (), True),
        (["a"], {"a": FAILED}, 1, ("no credentials have been configured",), False),
        # One has failed, but its value made the app ask for another one.
        (["a", "b"], {"a": FAILED}, 2, ("no credentials have been configured",), True),
        (["a"], {"a": {"keyId": "1"}}, 1, (), True),
    ],
)
def test_lookups(
    tmp_path: Path,
    missing: list[str],
    found: dict[str, object],
    missing_number: int,
    failures: tuple[str, ...],
    to_come: bool,
) -> None:
    entries = [{"key": key, "provider": "key-provider", "props": {}} for key in missing]
    manifest = {"version": "55.0.0", "missing": entries}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    lookups = _assembly.lookups(context(cdk.App(context=found)), tmp_path)
    assert lookups == _assembly.Lookups(missing_number, failures)
    assert lookups.to_come is to_come


@pytest.mark.parametrize("text", [None, "", "[", "[]", "\udcff"])
def test_a_manifest_that_cannot_be_read(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text, errors="surrogateescape")
    with pytest.raises((OSError, ValueError)):
        _assembly.read_manifest(tmp_path)
