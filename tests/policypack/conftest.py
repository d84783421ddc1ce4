"""Every test tells the pack of its run by the variables that the language host sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .programs import RULES


@pytest.fixture(autouse=True)
def preview(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview, unless a test says otherwise, and nothing from the machine's environment."""
    for name, value in (
        ("PULUMI_ORGANIZATION", "organization"),
        ("PULUMI_PROJECT", "shop"),
        ("PULUMI_STACK", "dev"),
        ("PULUMI_DRY_RUN", "true"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KMS_ACCESS_RULES", raising=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Pulumi project, from which the user calls the command."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    monkeypatch.setenv("PWD", str(folder))
    return folder


@pytest.fixture
def write_rules(project: Path) -> Callable[[str], Path]:
    def write(text: str = RULES) -> Path:
        path = project / "access-rules.yaml"
        path.write_text(text)
        return path

    return write
