"""The evaluator is imported while the library writes the templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk_aspects.synthesis import PYTHON, run_command

APP = """
import sys
import threading

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from cdk_aspects import KmsAccessAspect, KmsAccessPlugin, attach

validate = KmsAccessPlugin.validate
importing = []
start = threading.Thread.start


def noted(thread):
    importing.append(thread)
    start(thread)


def joined(plugin, context):
    for thread in importing:
        thread.join()
    assert "kms_access.rules" in sys.modules
    return validate(plugin, context)


threading.Thread.start = noted
app = cdk.App()
{guard}
kms.Key(cdk.Stack(app, "Stack"), "Key")
assert "kms_access.rules" not in sys.modules
{prepare}
app.synth()
print(*[thread.name for thread in importing])
"""
FORMS = {"attached": "attach(app)", "an aspect": "cdk.Aspects.of(app).add(KmsAccessAspect())"}


@pytest.mark.parametrize("guard", FORMS.values(), ids=FORMS)
def test_is_done_when_the_verdict_is_asked_for(tmp_path: Path, guard: str) -> None:
    app = APP.format(guard=guard, prepare="KmsAccessPlugin.validate = joined")
    run = run_command([PYTHON, "-c", app], tmp_path)
    assert (run.exit_code, run.printed.split("\n")[0]) == (0, "kms-access import"), run.printed


@pytest.mark.parametrize(
    ("prepare", "exit_code"),
    [
        ("sys.modules['kms_access.rules'] = None", 4),
        ("threading.Thread.start = None", 0),
    ],
    ids=["the evaluator cannot be imported", "no thread to be had"],
)
def test_a_failure_ends_as_any_other(tmp_path: Path, prepare: str, exit_code: int) -> None:
    app = APP.format(guard="attach(app)", prepare=prepare)
    run = run_command([PYTHON, "-c", app], tmp_path)
    assert run.exit_code == exit_code, run.printed
    assert ("internal-error" in run.printed) == (exit_code == 4)
    assert run.printed.count("Traceback") == 0
