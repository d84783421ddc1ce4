"""The folder of the project is found by its name, from the processes above or where the user is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from policypack.program_folder import find_program_folder

ROOT = Path(__file__).resolve().parents[2]
FIND = "from policypack.program_folder import find_program_folder as f; print(f())"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without a project, as that of an installed pack."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PWD", str(folder))
    return folder


def write_project(folder: Path, name: str = "Pulumi.yaml", text: str = "name: shop\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Pulumi.yaml", "name: shop\nruntime: python\n"),
        ("Pulumi.yml", "name: shop\n"),
        ("Pulumi.json", '{"name": "shop"}'),
    ],
)
@pytest.mark.parametrize("below", ["", "src/program"])
def test_it_is_where_the_user_calls_the_command_or_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, below: str
) -> None:
    folder = write_project(tmp_path / "project", name, text)
    (folder / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PWD", str(folder / below))
    assert find_program_folder() == folder


@pytest.mark.parametrize(
    "text", ["name: other\n", "- shop\n", "name: [shop\n", "", "name: shop\n\0", "description: x\n"]
)
def test_another_project_and_what_cannot_be_read_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    folder = write_project(tmp_path / "shop" / "inner", text=text)
    monkeypatch.setenv("PWD", str(folder))
    assert find_program_folder() is None
    write_project(tmp_path / "shop")
    assert find_program_folder() == tmp_path / "shop"


@pytest.mark.parametrize("pwd", ["", "project", "/nowhere/at/all"])
def test_a_useless_pwd_finds_nothing(monkeypatch: pytest.MonkeyPatch, pwd: str) -> None:
    monkeypatch.setenv("PWD", pwd)
    assert find_program_folder() is None


def test_a_pack_inside_the_project_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = write_project(tmp_path / "project") / "policypack"
    pack.mkdir()
    monkeypatch.chdir(pack)
    assert find_program_folder() == tmp_path / "project"


def test_without_a_running_project_the_nearest_project_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_project(tmp_path / "project", text="name: anything\n")
    monkeypatch.setenv("PWD", str(folder))
    monkeypatch.delenv("PULUMI_PROJECT")
    assert find_program_folder() == folder


@pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(),
    reason="only Linux shows the working folder of another process",
)
@pytest.mark.parametrize("steps", [1, 2])
def test_the_language_host_works_in_the_folder_of_the_program(
    tmp_path: Path, elsewhere: Path, steps: int
) -> None:
    # The host starts the pack, by itself or through a tool such as uv, in the folder of the pack.
    folder = write_project(tmp_path / "project")
    other = write_project(tmp_path / "caller", text="name: caller\n")
    argv = [sys.executable, "-c", FIND]
    for _ in range(steps):
        start = f"import subprocess; subprocess.run({argv!r}, cwd={str(elsewhere)!r}, check=True)"
        argv = [sys.executable, "-c", start]
    environment = {**os.environ, "PWD": str(other), "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        argv, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert found.stdout.strip() == str(folder)
