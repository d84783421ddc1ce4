"""What the pages say is so: the commands that they show are run, other claims are tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kms_access import cli
from kms_access.decisions.request_json import _OPTIONAL, _REQUIRED
from kms_access.inventory.detour_actions import COMPUTE_STARTS, DETOUR_ACTIONS
from tests.documented import DOCS, ROOT, Today, blocks, play, write_files

FOLLOWED = ("tutorial", "writing-rules", "adopting", "waivers", "authorize")
NOT_FOLLOWED = {
    "README": "the commands need the examples, and a cdk.out",
    "docs/account-snapshot": "an AWS account; tests/account_snapshot has one of its own",
    "docs/cdk": "the cdk command; tests/cdk_aspects runs it",
    "docs/ci": "a synthesized app; tests/test_ci_files.py runs the commands",
    "docs/pulumi": "the pulumi command; tests/policypack runs it",
}
PAGES = sorted(
    path for path in (ROOT / "README.md", *DOCS.rglob("*.md")) if path.parent.name != "checks"
)


@pytest.fixture(autouse=True)
def on_a_fixed_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kms_access.rules.assessment.date", Today)


def name(page: Path) -> str:
    return page.relative_to(ROOT).with_suffix("").as_posix()


@pytest.mark.parametrize("page", FOLLOWED)
def test_the_commands_of_a_page_print_what_it_shows(
    page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    play(DOCS / f"{page}.md", capsys)


def test_every_page_with_commands_is_followed_or_says_why_not() -> None:
    with_commands = {
        name(page)
        for page in PAGES
        if any(block.is_session for block in blocks(page.read_text(encoding="utf-8")))
    }
    assert with_commands == {f"docs/{page}" for page in FOLLOWED} | set(NOT_FOLLOWED)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_is_one_that_is_understood(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        lines = re.findall(r"^(?:\$ )?(kms-access .+)$", block.text, re.MULTILINE)
        if block.kind == "sh" or block.is_session:
            for arguments in block.commands if block.is_session else map(_split, lines):
                cli._parser().parse_args(arguments)


def _split(line: str) -> list[str]:
    # What a shell would take away.
    return re.split(r" +", re.sub(r" [<>].*", "", line))[1:]


def test_the_tutorial_blocks_a_change_and_lets_its_correction_through() -> None:
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    assert re.findall(r"^\$ echo \$\?\n(\d)$", text, re.MULTILINE) == list("00101")


@pytest.mark.parametrize(
    ("principal", "code"),
    [
        ("role/payments-*", 0),
        ("arn:aws:iam::111122223333:role/payments-*", 0),
        ("role/payments-x/evil", 0),
        ("role/evil", 0),
        ("role/payments-api", 1),
    ],
)
def test_an_asterisk_in_a_name_crosses_slashes(
    principal: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(blocks((DOCS / "writing-rules.md").read_text(encoding="utf-8")))
    template, teams = Path("template.yaml"), Path("shared/teams.yaml")
    other = "RoleName: evil\n      Path: /payments-x/"
    template.write_text(template.read_text().replace("RoleName: payments-api", other))
    teams.write_text(teams.read_text().replace("role/payments-*", f'"{principal}"'))
    assert cli.main(["check", "--rules", "access-rules.yaml", "template.yaml"]) == code
    assert "evil" in template.read_text()
    capsys.readouterr()


def test_without_the_parameter_the_example_is_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    write_files(blocks((DOCS / "writing-rules.md").read_text(encoding="utf-8")))
    rules = Path("access-rules.yaml")
    rules.write_text(rules.read_text().replace("parameters: {App: reports}\n", ""))
    assert cli.main(["check", "--rules", "access-rules.yaml", "template.yaml"]) == 3
    assert 'parameter "App"' in capsys.readouterr().out


def test_every_field_of_a_request_is_described() -> None:
    text = (DOCS / "authorize.md").read_text(encoding="utf-8")
    table = "".join(re.findall(r"^\| (`.+?) \|", text, re.MULTILINE))
    assert re.findall("`([a-zA-Z]+)`", table) == [*_REQUIRED, *_OPTIONAL]


def test_what_is_called_a_detour_that_is_not_followed_is_none_that_is() -> None:
    text = (DOCS / "not-covered.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z]+:[A-Z]\w+)`", text.partition("## Detours")[2]))
    assert named
    assert named.isdisjoint(DETOUR_ACTIONS)
    assert len(COMPUTE_STARTS) == 12, "the services in the list of the page"


def test_every_rule_that_the_page_of_decisions_names_is_proven_by_a_test() -> None:
    named = set(re.findall(r"\bK\d+\b", (DOCS / "decisions.md").read_text(encoding="utf-8")))
    proven = set()
    for path in (ROOT / "tests").rglob("*.*"):
        if path.suffix in (".py", ".json", ".yaml", ".jsonl"):
            proven |= set(re.findall(r"\bK\d+\b", path.read_text(encoding="utf-8")))
    assert named <= proven
