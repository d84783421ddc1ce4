"""Running the apps of `apps.py`, with and without the CDK command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cdk_aspects.conftest import PROJECT

# Another Python, with another aws-cdk-lib, runs the apps in the oldest version that is supported.
PYTHON = os.environ.get("KMS_ACCESS_CDK_PYTHON", sys.executable)
APPS = Path(__file__).with_name("apps.py")
OFFLINE = ("--no-notices", "--no-version-reporting", "--no-color")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left behind: the exit code, and everything printed."""

    exit_code: int
    printed: str


def run_with_cdk(cdk_command: str, situation: str, directory: Path, *arguments: str) -> Run:
    """`cdk ARGUMENTS` on one app, in a directory of its own."""
    app = f'"{PYTHON}" {APPS.name} {situation}'
    shutil.copy(APPS, directory)
    return run_command([cdk_command, *arguments, *OFFLINE, "--app", app], directory)


def run_plainly(situation: str, directory: Path, **environment: str) -> Run:
    """`python apps.py SITUATION`, without the command line."""
    shutil.copy(APPS, directory)
    # The library prints in another way for a test run.
    environment = {"PYTEST_VERSION": "", **environment}
    return run_command([PYTHON, APPS.name, situation], directory, **environment)


def run_command(command: list[str], directory: Path, **environment: str) -> Run:
    """A command in an environment without network, credentials or settings of this machine."""
    dead_end = "http://127.0.0.1:9"
    settings = {
        "PATH": os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]]),
        "HOME": os.environ["HOME"],  # jsii unpacks the library once per home
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CDK_HOME": str(directory.parent / "cdk-home"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": dead_end,
        "HTTPS_PROXY": dead_end,
        # As it is in a program that a test starts; the guard must not take it for a test run.
        "PYTEST_VERSION": os.environ["PYTEST_VERSION"],
    }
    finished = subprocess.run(
        command,
        cwd=directory,
        env=settings | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return Run(finished.returncode, finished.stdout)
