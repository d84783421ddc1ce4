"""The rules file: each mistake gives file, line, column, what was found and what is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_access.rules import Level, RulesError, load_rules

GOOD = """\
version: 1
accounts: {prod: "111122223333"}
organization: o-a1b2c3d4e5
deployers: [role/deployer]
teams:
  payments:
    principals: [role/payments-*, "444455556666", cloudtrail.amazonaws.com, o-a1b2c3d4e5]
    tags: {team: payments}
    definitions: [Billing/*]
keys:
  - name: payments data
    match: {alias: alias/payments-*, tags: {data: card}}
    allow:
      payments: [use, view, kms:CreateGrant]
    require:
      payments: [decrypt]
checks:
  undecided: warning
"""

MISTAKES = {
    "empty file": ("", "rules.yaml:1:1: the rules file is empty"),
    "a list": ("- a\n", "rules.yaml:1:1: a rules file is a list, a mapping is expected"),
    "no version": ("teams: {}\n", 'rules.yaml:1:1: "version" is missing'),
    "other version": ("version: 2\n", 'rules.yaml:1:10: version "2" is not known, accepted is 1'),
    "unknown field": (
        "version: 1\nteam: {}\n",
        'rules.yaml:2:1: unknown field of the rules file "team", accepted are version, '
        "include, accounts, organization, deployers, teams, keys, parameters, checks, waivers, "
        "waivers-at-most-days",
    ),
    "unquoted account id": (
        "version: 1\naccounts:\n  prod: 111122223333\n",
        "rules.yaml:3:9: the account id 111122223333 is not quoted",
    ),
    "octal account id": (
        "version: 1\naccounts:\n  prod: 012345670123\n",
        "rules.yaml:3:9: the account id 012345670123 is not quoted",
    ),
    "short account id": (
        'version: 1\naccounts: {prod: "1234"}\n',
        'rules.yaml:2:18: "1234" is no account id of twelve digits',
    ),
    "duplicate key": (
        "version: 1\nteams: {}\nteams: {}\n",
        'rules.yaml:3:1: "teams" stands here twice, first in line 2',
    ),
    "duplicate nested key": (
        "version: 1\nteams:\n  a: {principals: [user/x]}\n  a: {principals: [user/y]}\n",
        'rules.yaml:4:3: "a" stands here twice, first in line 3',
    ),
    "wrong type": (
        "version: 1\nteams: [a]\n",
        'rules.yaml:2:8: "teams" is a list, a mapping is expected',
    ),
    "text for a list": (
        "version: 1\nteams:\n  a: {principals: user/x}\n",
        'rules.yaml:3:19: "principals" is "user/x", a list is expected',
    ),
    "mapping for text": (
        "version: 1\norganization: {a: b}\n",
        'rules.yaml:2:15: "organization" is a mapping, text is expected',
    ),
    "organization id": (
        "version: 1\norganization: acme\n",
        'rules.yaml:2:15: "acme" is no organization id such as "o-a1b2c3d4e5"',
    ),
    "unknown principal form": (
        "version: 1\nteams:\n  a: {principals: [alice]}\n",
        'rules.yaml:3:20: "alice" is no principal, accepted are "role/NAME", "user/NAME", an ARN',
    ),
    "unquoted account as principal": (
        "version: 1\nteams:\n  a: {principals: [444455556666]}\n",
        "rules.yaml:3:20: the account id 444455556666 is not quoted",
    ),
    "empty team": ("version: 1\nteams:\n  a: {}\n", 'rules.yaml:3:6: team "a" has nobody in it'),
    "unknown team": (
        "version: 1\nteams:\n  payments: {principals: [user/x]}\nkeys:\n  - name: k\n"
        "    match: {alias: alias/k}\n    allow: {payment: [use]}\n",
        'rules.yaml:7:13: unknown team "payment", accepted are payments',
    ),
    "unknown capability": (
        "version: 1\nteams:\n  a: {principals: [user/x]}\nkeys:\n  - name: k\n"
        "    match: {alias: alias/k}\n    allow: {a: [decript]}\n",
        'rules.yaml:7:17: unknown capability "decript", accepted are use, view, encrypt, decrypt',
    ),
    "unknown action": (
        "version: 1\nteams:\n  a: {principals: [user/x]}\nkeys:\n  - name: k\n"
        "    match: {alias: alias/k}\n    allow: {a: [kms:Decript]}\n",
        'rules.yaml:7:17: unknown action "kms:Decript"',
    ),
    "key rule without match": (
        "version: 1\nkeys:\n  - name: k\n",
        'rules.yaml:3:5: "match" is missing in a key rule',
    ),
    "unknown field of a key rule": (
        "version: 1\nkeys:\n  - name: k\n    iam_delegation: allowed\n",
        'rules.yaml:4:5: unknown field of a key rule "iam_delegation", accepted are name, match, '
        "allow, require, iam-delegation",
    ),
    "unknown delegation": (
        "version: 1\nkeys:\n  - name: k\n    match: {alias: alias/k}\n    iam-delegation: deny\n",
        'rules.yaml:5:21: unknown value of "iam-delegation" "deny", accepted are allowed, '
        "forbidden",
    ),
    "delegation as a list": (
        "version: 1\nkeys:\n  - name: k\n    match: {alias: alias/k}\n"
        "    iam-delegation: [forbidden]\n",
        'rules.yaml:5:21: "iam-delegation" is a list, text is expected',
    ),
    "delegation without a word": (
        "version: 1\nkeys:\n  - name: k\n    match: {alias: alias/k}\n    iam-delegation:\n",
        'rules.yaml:5:20: "iam-delegation" is empty',
    ),
    "empty match": (
        "version: 1\nkeys:\n  - name: k\n    match: {}\n",
        'rules.yaml:4:12: "match" is empty, accepted are alias, arn, id, path, urn, stack, tags',
    ),
    "alias without its prefix": (
        "version: 1\nkeys:\n  - name: k\n    match: {alias: payments}\n",
        'rules.yaml:4:20: the alias "payments" does not begin with "alias/"',
    ),
    "unknown check": (
        "version: 1\nchecks: {team-acces: error}\n",
        'rules.yaml:2:10: unknown check "team-acces", accepted are team-access',
    ),
    "unknown level": (
        "version: 1\nchecks: {team-access: fatal}\n",
        'rules.yaml:2:23: unknown level "fatal", accepted are error, warning, off',
    ),
    "anchor": ("version: &v 1\n", 'rules.yaml:1:10: the anchor "&v" is not accepted'),
    "alias": (
        "version: 1\nteams: *v\n",
        'rules.yaml:2:8: the alias "*v" is not accepted',
    ),
    "tag": ("version: !!int 1\n", "rules.yaml:1:10: a tag is not accepted"),
    "merge key": (
        "version: 1\n<<: {teams: {}}\n",
        'rules.yaml:2:1: the merge key "<<" is not accepted',
    ),
    "second document": ("version: 1\n---\nversion: 1\n", "rules.yaml:2:1: a second document is"),
    "broken YAML": ("version: [1\n", "rules.yaml:2:1: expected ',' or ']', but got '<stream end>'"),
    "tab": ("version: 1\nteams:\n\ta: 1\n", "rules.yaml:3:1: found character '\\t' that cannot"),
    "control character": ("version: \x07\n", "rules.yaml:1:10: no readable YAML: "),
    "depth": ("version: " + "[" * 30 + "]" * 30, "rules.yaml:1:29: the file is too deep"),
}


def write(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def message_of(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> RulesError:
    write(folder, text)
    monkeypatch.chdir(folder)
    with pytest.raises(RulesError) as caught:
        load_rules(Path("rules.yaml"))
    return caught.value


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, message = MISTAKES[name]
    assert str(message_of(tmp_path, text, monkeypatch)).startswith(message)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("version: 1\naccounts: {prod: 111122223333}\n", 'write "111122223333", ids are text'),
        ("version: 1\nteam: {}\n", 'did you mean "teams"?'),
        ("version: 1\nchecks: {team-acces: error}\n", 'did you mean "team-access"?'),
        (
            "version: 1\nkeys:\n  - {name: k, match: {alias: alias/k}, iam-delegation: allow}\n",
            'did you mean "allowed"?',
        ),
    ],
)
def test_help_stands_apart_from_the_message(
    text: str, help: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = message_of(tmp_path, text, monkeypatch)
    assert error.help == help
    assert help not in error.message


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="there is no such rules file"):
        load_rules(tmp_path / "absent.yaml")
    with pytest.raises(RulesError, match="the rules file cannot be read: is a directory"):
        load_rules(tmp_path)
    path = tmp_path / "rules.yaml"
    path.write_bytes(b"version: \xff\n")
    with pytest.raises(RulesError, match="byte 9 is not UTF-8"):
        load_rules(path)
    path.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(RulesError, match="bytes, at most 1048576"):
        load_rules(path)


def test_good_file(tmp_path: Path) -> None:
    rules = load_rules(write(tmp_path, GOOD))
    assert rules.accounts == {"prod": "111122223333"}
    assert rules.organization == "o-a1b2c3d4e5"
    assert [pattern.text for pattern in rules.deployers] == ["role/deployer"]
    team = rules.teams["payments"]
    assert [pattern.text for pattern in team.principals] == [
        "role/payments-*",
        "444455556666",
        "cloudtrail.amazonaws.com",
        "o-a1b2c3d4e5",
    ]
    assert (team.tags, team.definitions) == ({"team": "payments"}, ("Billing/*",))
    (rule,) = rules.keys
    assert (rule.match.alias, rule.match.tags) == ("alias/payments-*", {"data": "card"})
    assert [p.word for p in rule.allow["payments"]] == ["use", "view", "kms:CreateGrant"]
    assert rule.allow["payments"][2].actions == {"kms:CreateGrant"}
    assert "kms:Decrypt" in rule.allow["payments"][0].actions
    assert rules.checks == {"undecided": Level.WARNING}
    assert rule.place.line == 11
    assert rule.delegation_forbidden is None


@pytest.mark.parametrize(("word", "line"), [("allowed", None), ("forbidden", 4)])
def test_delegation_of_a_key_rule(word: str, line: int | None, tmp_path: Path) -> None:
    text = f"version: 1\nkeys:\n  - {{name: k, match: {{id: K}},\n     iam-delegation: {word}}}\n"
    (rule,) = load_rules(write(tmp_path, text)).keys
    found = rule.delegation_forbidden
    assert (found.line if found is not None else None) == line
