"""Which rules file is in force, and what is said where it cannot be found or read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from policypack._evaluation import read_rules
from policypack.messages import Refusal
from policypack.rules_file import choose_rules_file

from .harness import Pack, Violation
from .programs import RULES, key_for, role

BROKEN = (role("billing"), key_for("billing"))


@pytest.fixture
def no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    return tmp_path


def chosen(configured: str | None = None) -> str:
    return read_rules(choose_rules_file(configured)).file


def judged(config: Mapping[str, object] | None = None) -> list[Violation]:
    return Pack({"kms-access": config or {}}).run(*BROKEN)


def test_the_property_wins_over_the_variable_and_that_over_the_default(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("property.yaml", "variable.yaml", "access-rules.yaml"):
        (project / name).write_text(RULES)
    assert chosen() == "access-rules.yaml"
    monkeypatch.setenv("KMS_ACCESS_RULES", "variable.yaml")
    assert chosen() == "variable.yaml"
    assert chosen("property.yaml") == "property.yaml"
    assert chosen("") == ""


def test_paths_are_shown_as_given(project: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text(RULES)
    assert chosen("../shared.yaml") == "../shared.yaml"
    assert chosen(str(tmp_path / "shared.yaml")) == str(tmp_path / "shared.yaml")


def test_reading_relative_paths_leaves_the_working_folder_alone(project: Path) -> None:
    before = Path.cwd()
    (project / "access-rules.yaml").write_text("broken: [")
    with pytest.raises(Refusal):
        chosen()
    assert Path.cwd() == before


def test_without_any_file_the_built_in_checks_speak_alone(project: Path) -> None:
    assert chosen() == ""
    assert judged() == []


def test_a_rule_of_the_configured_file_is_applied(project: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text(RULES)
    (violation,) = judged({"rules": "../shared.yaml"})
    assert "../shared.yaml:7" in violation.message
    assert judged({"rules": ""}) == []


def test_a_missing_configured_file_blocks_and_says_where_it_was_looked_for(project: Path) -> None:
    (violation,) = judged({"rules": "rules/missing.yaml"})
    assert violation.level == "mandatory"
    assert (
        'the rules file "rules/missing.yaml", named by the property "rules" of the policy '
        f'kms-access, does not exist; looked for "{project / "rules/missing.yaml"}"'
    ) in violation.message


def test_a_missing_file_of_the_variable_blocks(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KMS_ACCESS_RULES", "missing.yaml")
    (violation,) = judged()
    assert "named by the environment variable KMS_ACCESS_RULES, does not exist" in (
        violation.message
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 1\nteams:\n  a: {principals: [nobody]}\n", "access-rules.yaml:3:20: "),
        ("version: 1\nteams: [\n", "access-rules.yaml:3:1: "),
        ("", "access-rules.yaml:1:1: the rules file is empty"),
    ],
)
def test_a_broken_file_blocks_with_its_place(project: Path, text: str, place: str) -> None:
    (project / "access-rules.yaml").write_text(text)
    (violation,) = judged()
    assert violation.level == "mandatory"
    assert "the rules file cannot be used, so nothing was decided" in violation.message
    assert f"\n  {place}" in violation.message


def test_what_has_the_default_name_counts_even_if_it_cannot_be_read(project: Path) -> None:
    (project / "access-rules.yaml").symlink_to("nowhere")
    (violation,) = judged()
    assert "there is no such rules file" in violation.message


def test_an_unknown_project_folder_blocks_where_it_matters(no_project: Path) -> None:
    (violation,) = judged()
    assert "the folder of the Pulumi project cannot be told" in violation.message
    (violation,) = judged({"rules": "access-rules.yaml"})
    assert "is relative to the folder of the Pulumi project, which cannot be told" in (
        violation.message
    )
    (no_project / "own.yaml").write_text(RULES)
    (violation,) = judged({"rules": str(no_project / "own.yaml")})
    assert "role billing can decrypt with key payments" in violation.message
    assert judged({"rules": ""}) == []
