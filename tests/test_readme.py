"""What the README shows is true."""

from __future__ import annotations

import re
from pathlib import Path

from kms_access.rules import load_rules
from kms_access.rules.checks import CHECKS
from tests.documented import ROOT, blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks(README)


def test_the_rules_file_is_accepted(tmp_path: Path) -> None:
    (text,) = [block.text for block in BLOCKS if block.kind == "yaml"]
    path = tmp_path / "access-rules.yaml"
    path.write_text(text, encoding="utf-8")
    assert set(load_rules(path).teams) == {"payments", "security", "batch"}


def test_the_number_of_checks_is_right() -> None:
    assert f"[{len(CHECKS)} checks](docs/checks/README.md)" in README


def test_the_commands_that_people_use_are_shown() -> None:
    shown = [arguments[0] for block in BLOCKS for arguments in block.commands]
    assert shown == ["check", "map", "can", "who-can", "explain", "diff"]


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|\$ )make (\w+)", README))
    assert named == {"demo", "test", "check", "docs", "bench", "clean"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_scripts_exist() -> None:
    named = set(re.findall(r"`(generate_\w+\.py)`", README))
    assert named == {path.name for path in (ROOT / "scripts").glob("generate_*.py")}


def test_the_cdk_snippet_is_what_the_example_does() -> None:
    (snippet,) = [block.text for block in BLOCKS if block.kind == "python"]
    example = ROOT / "examples/three_keys_four_users/cdk/app.py"
    text = example.read_text(encoding="utf-8").replace("../access-rules.yaml", "access-rules.yaml")
    assert all(line in text for line in snippet.splitlines())


def test_what_is_said_of_others_has_its_source() -> None:
    table = README.partition("## Beside other tools")[2].partition("## Development")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ")]
    used = {label for row in rows for label in re.findall(r"\]\[([\w-]+)\]", row)}
    assert used == set(re.findall(r"^\[([\w-]+)\]: https://", table, re.MULTILINE))
    assert {row.count("|") for row in rows} == {7}
