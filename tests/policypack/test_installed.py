"""The pack from an installed wheel, and a pack of the user's own that imports its policies."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

from tests.small_engine import Engine

ROOT = Path(__file__).resolve().parents[2]
KEY = "urn:pulumi:dev::shop::aws:kms/key:Key::payments"
OWN_PACK = """
    from pulumi_policy import PolicyPack
    from policypack.policies import policies

    PolicyPack("my-pack", policies())
"""
RULES = """
version: 1
accounts: {main: "111122223333"}
teams:
  payments: {principals: [role/payments-*]}
keys:
  - name: payments data
    match: {urn: "*aws:kms/key:Key::payments"}
    allow: {payments: [use]}
"""
PROGRAM = """
    import pulumi_aws as aws
    from policypack.documents import PolicyDocument
    role = aws.iam.Role("api", name="ROLE", assume_role_policy={
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"}}]})
    document = PolicyDocument("payments", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
         "Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
         "Principal": {"AWS": role.arn}}]})
    aws.kms.Key("payments", policy=document.json)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    packages = folder / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    return packages


def write_project(project: Path, role: str) -> Path:
    (project / "access-rules.yaml").write_text(RULES)
    (project / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-central-1}\n")
    (project / "__main__.py").write_text(dedent(PROGRAM).replace("ROLE", role))
    return project


def preview(project: Path, pack: Path, packages: Path, role: str) -> tuple[int, list[str]]:
    environment = {"PWD": str(project), "PYTHONPATH": str(packages)}
    run = Engine(program=write_project(project, role), policy_pack=pack, environment=environment)
    outcome = run.preview()
    assert outcome.error == ""
    assert run.pack_label.startswith(("kms-access@v0.1.0 (", "my-pack@v"))
    return outcome.exit_code, [diagnostic.message for diagnostic in outcome.diagnostics]


def command(packages: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "kms_access.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_pack_is_printed_and_blocks(project: Path, installed: Path) -> None:
    printed = command(installed, project, "pulumi-pack")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == f"{installed / 'policypack'}\n"
    pack = Path(printed.stdout.strip())
    assert preview(project, pack, installed, "payments-api") == (0, [])
    code, (message,) = preview(project, pack, installed, "billing")
    assert code == 1
    assert "error  team-access  role billing can decrypt with key payments" in message


def test_the_installed_command_runs_a_program(project: Path, installed: Path) -> None:
    arguments = ("check", "--rules", "access-rules.yaml", "--pulumi-program", ".")
    clean = command(installed, write_project(project, "payments-api"), *arguments)
    assert (clean.returncode, clean.stderr) == (0, "")
    broken = command(installed, write_project(project, "billing"), *arguments)
    assert broken.returncode == 1
    assert "error  team-access  role billing can decrypt with key payments" in broken.stdout


def test_a_pack_of_ones_own_in_three_lines(project: Path, tmp_path: Path) -> None:
    pack = tmp_path / "my-pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("version: 0.0.1\nruntime: python\n")
    (pack / "__main__.py").write_text(dedent(OWN_PACK).lstrip())
    assert preview(project, pack, ROOT, "payments-api") == (0, [])
    code, (message,) = preview(project, pack, ROOT, "billing")
    assert code == 1
    assert "error  team-access  role billing can decrypt with key payments" in message
    assert dedent(OWN_PACK).strip() in (ROOT / "docs" / "pulumi.md").read_text(encoding="utf-8")
