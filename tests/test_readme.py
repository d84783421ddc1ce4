"""What the README shows is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kms_access import cli
from kms_access.decisions.request_json import answer, read_request
from kms_access.rules import load_rules
from kms_access.rules.checks import CHECKS
from kms_access.rules.model import Level

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_rules_file_is_accepted(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    path = tmp_path / "access-rules.yaml"
    path.write_text(text, encoding="utf-8")
    rules = load_rules(path)
    assert set(rules.teams) == {"payments", "security", "batch"}
    assert rules.checks == {"undecided": Level.ERROR}


def test_the_request_has_the_answer_that_is_shown() -> None:
    request, shown = blocks("json")
    assert answer(read_request(request)) == json.loads(shown)


def test_every_check_is_described() -> None:
    described = re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE)
    assert described == list(CHECKS)


def test_the_commands_exist(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.findall(r"^\$ kms-access ([\w-]+) ", "".join(blocks("console")), re.MULTILINE)
    assert shown == ["check", "map", "can", "who-can", "explain", "check-rules", "authorize"]
    for command in shown:
        with pytest.raises(SystemExit) as stop:
            cli.main([command, "--help"])
        assert stop.value.code == 0
    capsys.readouterr()


def test_the_make_targets_exist() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make (demo|test|check|bench|clean)\b", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_cdk_snippet_is_what_the_example_does() -> None:
    (snippet,) = blocks("python")
    example = Path(__file__).parent.parent / "examples/three_keys_four_users/cdk/app.py"
    text = example.read_text(encoding="utf-8").replace("../access-rules.yaml", "access-rules.yaml")
    assert all(line in text for line in snippet.splitlines())
