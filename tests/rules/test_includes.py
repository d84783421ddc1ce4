"""Rules files that include others: from the same folder and from installed packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_access.rules import Level, Rules, RulesError, load_rules

MAIN = """\
version: 1
include: [shared.yaml, "package:acme_rules/base/checks.yaml"]
accounts: {prod: "111122223333"}
keys:
  - {name: data, match: {alias: alias/data}, allow: {app: [use], security: [administer]}}
"""
SHARED = """\
version: 1
accounts: {audit: "444455556666"}
organization: o-a1b2c3d4e5
deployers: [role/deployer]
teams:
  app: {principals: [role/app]}
  security: {principals: [role/security]}
keys:
  - {name: everything, match: {alias: alias/*}, allow: {security: [view]}}
parameters: {Stage: prod}
"""
CHECKS = """\
version: 1
include: [more.yaml]
checks: {undecided: warning}
"""
MORE = """\
version: 1
checks: {key-deletion: error}
waivers:
  - {check: lockout, key: alias/data, capabilities: [administer], reason: r, owner: o,
     expires: 2027-01-31}
waivers-at-most-days: 90
"""


def load(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], package: bool = False
) -> Rules:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    if package:
        monkeypatch.syspath_prepend(folder / "site")
    return load_rules(Path("rules.yaml"))


def test_the_files_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "rules.yaml": MAIN,
        "shared.yaml": SHARED,
        "site/acme_rules/__init__.py": "raise RuntimeError('the package was run')\n",
        "site/acme_rules/base/checks.yaml": CHECKS,
        "site/acme_rules/base/more.yaml": MORE,
    }
    rules = load(tmp_path, monkeypatch, files, package=True)
    assert rules.file == "rules.yaml"
    assert rules.accounts == {"prod": "111122223333", "audit": "444455556666"}
    assert rules.organization == "o-a1b2c3d4e5"
    assert [pattern.text for pattern in rules.deployers] == ["role/deployer"]
    assert set(rules.teams) == {"app", "security"}
    assert [rule.name for rule in rules.keys] == ["data", "everything"]
    assert str(rules.keys[1].place) == "shared.yaml:9"
    assert rules.parameters == {"Stage": "prod"}
    assert rules.checks == {"undecided": Level.WARNING, "key-deletion": Level.ERROR}
    assert str(rules.waivers[0].place) == "package:acme_rules/base/more.yaml:4"
    assert rules.waivers_at_most_days == 90


def test_the_digest_is_that_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"rules.yaml": "version: 1\ninclude: [a.yaml]\n", "a.yaml": "version: 1\n"}
    first = load(tmp_path, monkeypatch, files).digest
    assert load(tmp_path, monkeypatch, files).digest == first
    assert load(tmp_path, monkeypatch, files | {"a.yaml": "version: 1 #\n"}).digest != first
    assert len(first) == 64


INCLUDING = "version: 1\ninclude: [{}]\n"
MISTAKES = {
    "an absolute path": (
        {"rules.yaml": INCLUDING.format("/etc/rules.yaml")},
        'rules.yaml:2:11: "/etc/rules.yaml" is no rules file to include, accepted are "FILE.yaml"',
    ),
    "a path upwards": (
        {"rules.yaml": INCLUDING.format("../rules.yaml")},
        'rules.yaml:2:11: "../rules.yaml" is no rules file to include',
    ),
    "a path upwards in the middle": (
        {"rules.yaml": INCLUDING.format("a/../../b.yaml")},
        'rules.yaml:2:11: "a/../../b.yaml" is no rules file to include',
    ),
    "a path upwards in a package": (
        {"rules.yaml": INCLUDING.format("package:yaml/../b.yaml")},
        'rules.yaml:2:11: "package:yaml/../b.yaml" is no rules file to include',
    ),
    "a path of Windows": (
        {"rules.yaml": INCLUDING.format("C:\\rules.yaml")},
        'rules.yaml:2:11: "C:\\rules.yaml" is no rules file to include',
    ),
    "another kind of file": (
        {"rules.yaml": INCLUDING.format("rules.json")},
        'rules.yaml:2:11: "rules.json" is no rules file to include',
    ),
    "a file that is not there": (
        {"rules.yaml": INCLUDING.format("absent.yaml")},
        'rules.yaml:2:11: there is no rules file "absent.yaml"',
    ),
    "a package that is not there": (
        {"rules.yaml": INCLUDING.format("package:no_such_package/a.yaml")},
        'rules.yaml:2:11: no package "no_such_package" is installed for '
        '"package:no_such_package/a.yaml"',
    ),
    "a module that is no package": (
        {"rules.yaml": INCLUDING.format("package:this/a.yaml")},
        'rules.yaml:2:11: no package "this" is installed',
    ),
    "a file of a package that is not there": (
        {"rules.yaml": INCLUDING.format("package:yaml/a.yaml")},
        'rules.yaml:2:11: there is no rules file "package:yaml/a.yaml"',
    ),
    "itself": (
        {"rules.yaml": INCLUDING.format("rules.yaml")},
        'rules.yaml:2:11: "rules.yaml" includes itself: it is the first of these files',
    ),
    "a cycle": (
        {
            "rules.yaml": INCLUDING.format("a.yaml"),
            "a.yaml": INCLUDING.format("b.yaml"),
            "b.yaml": INCLUDING.format("a.yaml"),
        },
        'b.yaml:2:11: "a.yaml" includes itself: it is included in rules.yaml:2',
    ),
    "twice": (
        {"rules.yaml": INCLUDING.format("a.yaml, a.yaml"), "a.yaml": "version: 1\n"},
        'rules.yaml:2:19: "a.yaml" is included twice: it is included in rules.yaml:2',
    ),
    "twice by two ways": (
        {
            "rules.yaml": INCLUDING.format("a.yaml, b.yaml"),
            "a.yaml": INCLUDING.format("b.yaml"),
            "b.yaml": "version: 1\n",
        },
        'rules.yaml:2:19: "b.yaml" is included twice: it is included in a.yaml:2',
    ),
    "one team in two files": (
        {
            "rules.yaml": "version: 1\ninclude: [a.yaml]\nteams: {x: {principals: [role/x]}}\n",
            "a.yaml": "version: 1\nteams: {x: {principals: [role/y]}}\n",
        },
        'a.yaml:2:9: "x" of "teams" stands in two files, first in rules.yaml:3',
    ),
    "one account in two files": (
        {
            "rules.yaml": 'version: 1\ninclude: [a.yaml]\naccounts: {x: "111122223333"}\n',
            "a.yaml": 'version: 1\naccounts: {x: "444455556666"}\n',
        },
        'a.yaml:2:12: "x" of "accounts" stands in two files, first in rules.yaml:3',
    ),
    "the level of a check in two files": (
        {
            "rules.yaml": "version: 1\ninclude: [a.yaml]\nchecks: {undecided: error}\n",
            "a.yaml": "version: 1\nchecks: {undecided: warning}\n",
        },
        'a.yaml:2:10: "undecided" of "checks" stands in two files, first in rules.yaml:3',
    ),
    "the organization in two files": (
        {
            "rules.yaml": "version: 1\ninclude: [a.yaml]\norganization: o-a1b2c3d4e5\n",
            "a.yaml": "version: 1\norganization: o-a1b2c3d4e5\n",
        },
        'a.yaml:2:15: "organization" stands in two files, first in rules.yaml:3',
    ),
    "one name of two key rules": (
        {
            "rules.yaml": "version: 1\ninclude: [a.yaml]\nkeys: [{name: k, match: {id: K}}]\n",
            "a.yaml": "version: 1\nkeys: [{name: k, match: {id: L}}]\n",
        },
        'a.yaml:2:15: a second key rule has the name "k", the first stands in rules.yaml:3',
    ),
    "a mistake in an included file": (
        {"rules.yaml": INCLUDING.format("sub/a.yaml"), "sub/a.yaml": "version: 1\nteam: {}\n"},
        'sub/a.yaml:2:1: unknown field of the rules file "team"',
    ),
    "another version in an included file": (
        {"rules.yaml": INCLUDING.format("a.yaml"), "a.yaml": "news: 1\nversion: 2\n"},
        'a.yaml:2:10: version "2" is not known, accepted is 1',
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, message = MISTAKES[name]
    with pytest.raises(RulesError) as caught:
        load(tmp_path, monkeypatch, files)
    assert str(caught.value).startswith(message)


def test_no_link_leads_out_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outside.yaml").write_text("version: 1\n", encoding="utf-8")
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(RulesError, match="leads out of its folder by a link"):
        load(folder, monkeypatch, {"rules.yaml": INCLUDING.format("link.yaml")})


def test_there_is_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"f{number}.yaml" for number in range(50)]
    files = dict.fromkeys(names, "version: 1\n")
    with pytest.raises(RulesError, match="more than 50 rules files are included") as caught:
        load(tmp_path, monkeypatch, files | {"rules.yaml": INCLUDING.format(", ".join(names))})
    assert caught.value.line == 2
    load(tmp_path, monkeypatch, files | {"rules.yaml": INCLUDING.format(", ".join(names[:49]))})
