"""Which libraries are refused."""

from __future__ import annotations

from importlib import metadata

import aws_cdk as cdk
import pytest

from cdk_aspects import UnsupportedLibraryError
from cdk_aspects._version import require_supported_library


def installed(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(metadata, "version", lambda distribution: version)


@pytest.mark.parametrize("version", ["1.204.0", "2.9.0", "2.200.0", "2.261.0", "2", "", "main"])
def test_older_or_unknown_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    installed(monkeypatch, version)
    with pytest.raises(UnsupportedLibraryError) as refused:
        require_supported_library()
    assert refused.value.message == f'aws-cdk-lib "{version}" is not supported'
    assert "2.262.0 or newer" in str(refused.value)


@pytest.mark.parametrize("version", ["2.262.0", "2.262.0rc1", "2.275.0", "3.0.0"])
def test_newer_is_accepted(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    installed(monkeypatch, version)
    require_supported_library()


def test_not_installed_as_a_distribution_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(distribution: str) -> str:
        raise metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(metadata, "version", unknown)
    with pytest.raises(UnsupportedLibraryError, match="version unknown"):
        require_supported_library()


@pytest.mark.parametrize("name", ["Validations", "IPolicyValidationContext"])
def test_a_library_without_what_the_guard_uses_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delattr(cdk, name)
    with pytest.raises(UnsupportedLibraryError, match="without"):
        require_supported_library()


def test_is_no_import_error() -> None:
    """`except ImportError: pass` around an optional import must not drop the guard."""
    assert not issubclass(UnsupportedLibraryError, ImportError)
