"""Limits, waivers and parameters of a rules file: what is read, and what is refused and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kms_access.inventory.model import Inventory, Key
from kms_access.rules import RulesError, assess, load_rules
from kms_access.rules.limits import words_of
from kms_access.rules.model import Limit
from tests.builders import iam, key, role
from tests.rules.check_cases import RULES, Case
from tests.rules.check_cases_rules import RULES_CASES
from tests.rules.test_checks import TODAY, result_of
from tests.rules.test_loader import message_of, write

HEAD = "version: 1\nteams: {a: {principals: [role/a]}}\nkeys:\n  - name: k\n    match: {id: K}\n"
WAIVER = (
    "version: 1\nwaivers:\n  - check: team-access\n    key: alias/data\n    principal: role/x\n"
    "    capabilities: [decrypt]\n    reason: a reason\n    owner: dana\n    expires: 2027-03-31\n"
)


def allow(items: str) -> str:
    return f"{HEAD}    allow:\n      a: [{items}]\n"


def waiver(old: str, new: str) -> str:
    assert old in WAIVER
    return WAIVER.replace(old, new)


MISTAKES = {
    "a limit without a word": (
        allow("{decrypt: {}}"),
        'rules.yaml:7:21: the limit of "decrypt" is empty, accepted are via, when',
    ),
    "a limit that is a list": (
        allow("{decrypt: [s3]}"),
        'rules.yaml:7:21: the limit of "decrypt" is a list, a mapping is expected',
    ),
    "an unknown field of a limit": (
        allow("{decrypt: {vai: [s3]}}"),
        'rules.yaml:7:22: unknown field of the limit of "decrypt" "vai", accepted are via, when',
    ),
    "two capabilities in one item": (
        allow("{decrypt: {via: [s3]}, encrypt: {via: [s3]}}"),
        "rules.yaml:7:11: a limited capability is a mapping with one entry, found 2",
    ),
    "an unknown capability with a limit": (
        allow("{decript: {via: [s3]}}"),
        'rules.yaml:7:12: unknown capability "decript", accepted are use, view,',
    ),
    "no service": (allow("{decrypt: {via: []}}"), 'rules.yaml:7:27: "via" is empty'),
    "a service principal for a service": (
        allow("{decrypt: {via: [s3.amazonaws.com]}}"),
        'rules.yaml:7:28: "s3.amazonaws.com" is no service as kms:ViaService names it',
    ),
    "a pattern for a service": (
        allow('{decrypt: {via: ["*"]}}'),
        'rules.yaml:7:28: "*" is no service as kms:ViaService names it',
    ),
    "a service in two ways": (
        allow("{decrypt: {via: [s3], when: {StringEquals: {KMS:viaservice: x}}}}"),
        'rules.yaml:7:55: "KMS:viaservice" stands beside "via", which is about it',
    ),
    "no condition": (allow("{decrypt: {when: {}}}"), 'rules.yaml:7:28: "when" is empty'),
    "an operator without a key": (
        allow("{decrypt: {when: {StringEquals: {}}}}"),
        'rules.yaml:7:29: "StringEquals" is a mapping without a condition key',
    ),
    "an unknown operator": (
        allow("{decrypt: {when: {StringEqual: {aws:username: x}}}}"),
        'rules.yaml:7:29: unknown condition operator "StringEqual" (rule K126)',
    ),
    "an operator in another case": (
        allow("{decrypt: {when: {stringEquals: {aws:username: x}}}}"),
        'rules.yaml:7:29: operator "stringEquals" is not spelled "StringEquals" (rule K41)',
    ),
    "a value of another type": (
        allow("{decrypt: {when: {NumericLessThan: {aws:MultiFactorAuthAge: [1, soon]}}}}"),
        'rules.yaml:7:75: "soon" is no value for "NumericLessThan" (rule K126)',
    ),
    "a broken policy variable": (
        allow('{decrypt: {when: {StringEquals: {aws:username: "${x"}}}}'),
        'rules.yaml:7:58: "${x" holds a "${" that is no variable (rule K32)',
    ),
    "a limit that another item undoes": (
        allow("use, {decrypt: {via: [s3]}}"),
        'rules.yaml:7:17: the limit of "decrypt" has no effect: "use" in line 7 allows the same',
    ),
    "a limit under require": (
        f"{HEAD}    require: {{a: [{{decrypt: {{via: [s3]}}}}]}}\n",
        'rules.yaml:6:19: an item of "require" is a mapping, a capability is expected',
    ),
    "a waiver that is text": (
        "version: 1\nwaivers: [x]\n",
        'rules.yaml:2:11: an item of waivers is "x", a mapping is expected',
    ),
    **{
        f"a waiver without {field}": (
            waiver(f"    {line}\n", ""),
            f'rules.yaml:3:5: "{field}" is missing in a waiver',
        )
        for field, line in (
            ("key", "key: alias/data"),
            ("reason", "reason: a reason"),
            ("owner", "owner: dana"),
            ("expires", "expires: 2027-03-31"),
        )
    },
    "a waiver without a check": (
        waiver("check: team-access\n    ", ""),
        'rules.yaml:3:5: "check" is missing in a waiver',
    ),
    "an unknown check to be waived": (
        waiver("team-access", "team-acces"),
        'rules.yaml:3:12: unknown check "team-acces", accepted are team-access, required-access',
    ),
    "a waiver of an expired waiver": (
        waiver("team-access", "expired-waiver"),
        'rules.yaml:3:12: a finding of "expired-waiver" cannot be waived',
    ),
    "a waiver for many keys": (
        waiver("alias/data", "alias/*"),
        'rules.yaml:4:10: "alias/*" has a wildcard, a waiver names one key',
    ),
    "a waiver for many principals": (
        waiver("role/x", "role/?"),
        'rules.yaml:5:16: "role/?" has a wildcard, a waiver names one principal',
    ),
    "a waiver for an unquoted account": (
        waiver("role/x", "444455556666"),
        "rules.yaml:5:16: the account id 444455556666 is not quoted",
    ),
    "a waiver for no capability": (
        waiver("[decrypt]", "[]"),
        'rules.yaml:6:19: "capabilities" is empty',
    ),
    "a waiver for an unknown capability": (
        waiver("[decrypt]", "[all]"),
        'rules.yaml:6:20: unknown capability "all", accepted are use, view',
    ),
    "a blank reason": (waiver("a reason", '" "'), 'rules.yaml:7:13: "reason" is empty'),
    "a date in another order": (
        waiver("2027-03-31", "31.03.2027"),
        'rules.yaml:9:14: "31.03.2027" is no day in the form YYYY-MM-DD',
    ),
    "a date with a time": (
        waiver("2027-03-31", "2027-03-31T00:00:00Z"),
        'rules.yaml:9:14: "2027-03-31T00:00:00Z" is no day in the form YYYY-MM-DD',
    ),
    "a date in other digits": (
        waiver("2027-03-31", "２０２７-03-31"),
        'rules.yaml:9:14: "２０２７-03-31" is no day in the form YYYY-MM-DD',
    ),
    "a day that is not there": (
        waiver("2027-03-31", "2027-02-29"),
        'rules.yaml:9:14: there is no day "2027-02-29" in the calendar',
    ),
    "a fingerprint": (
        WAIVER + "    finding: xyz\n",
        'rules.yaml:10:14: "xyz" is no fingerprint of sixteen digits from 0 to f',
    ),
    "a waiver twice": (
        WAIVER + WAIVER.partition("waivers:\n")[2],
        "rules.yaml:10:5: a second waiver accepts the same, the first stands in rules.yaml:3",
    ),
    "no days": (
        "version: 1\nwaivers-at-most-days: 0\n",
        'rules.yaml:2:23: "0" is no number of days, accepted are 1 to 3650',
    ),
    "too many days": (
        "version: 1\nwaivers-at-most-days: 3651\n",
        'rules.yaml:2:23: "3651" is no number of days, accepted are 1 to 3650',
    ),
    "days in words": (
        "version: 1\nwaivers-at-most-days: a year\n",
        'rules.yaml:2:23: "a year" is no number of days, accepted are 1 to 3650',
    ),
    "a list for a parameter": (
        "version: 1\nparameters: {OrgId: [a]}\n",
        'rules.yaml:2:21: parameter "OrgId" is a list, text is expected',
    ),
    "an empty list of principals": (
        "version: 1\nteams: {a: {principals: []}}\n",
        'rules.yaml:2:25: "principals" of team "a" is empty',
    ),
    "a principal with a short ARN": (
        "version: 1\nteams: {a: {principals: ['arn:aws:iam:role/x']}}\n",
        'rules.yaml:2:26: "arn:aws:iam:role/x" is no principal, accepted are "role/NAME"',
    ),
    "a key with a short ARN": (
        "version: 1\nkeys: [{name: k, match: {arn: 'arn:aws:kms:*:key/*'}}]\n",
        'rules.yaml:2:31: "arn:aws:kms:*:key/*" is no ARN of six parts',
    ),
    "a name without a letter": (
        'version: 1\nteams: {" ": {principals: [role/a]}}\n',
        'rules.yaml:2:9: a name in "teams" is empty',
    ),
    "an escape for no character": (
        'version: "\\U00110000"\n',
        "rules.yaml:1:8: no readable YAML: after this stands an escape or a number that has no",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, message = MISTAKES[name]
    assert str(message_of(tmp_path, text, monkeypatch)).startswith(message)


def test_limits(tmp_path: Path) -> None:
    text = allow(
        '{decrypt: {via: [s3, rds.eu-central-1.amazonaws.com], when: {Bool: {"x:y": true}, '
        'StringLike: {"kms:EncryptionContext:app": [a, "b"]}}}}, view'
    )
    (rule,) = load_rules(write(tmp_path, text)).keys
    decrypt, view = rule.allow["a"]
    assert decrypt.limit == Limit(
        ("s3", "rds.eu-central-1.amazonaws.com"),
        {"Bool": {"x:y": ("true",)}, "StringLike": {"kms:EncryptionContext:app": ("a", "b")}},
    )
    assert words_of(decrypt.limit) == (
        "via s3 or rds.eu-central-1.amazonaws.com and when x:y is true and "
        'kms:EncryptionContext:app is like one of "a", "b"'
    )
    assert view.limit is None


def test_a_waiver(tmp_path: Path) -> None:
    (found,) = load_rules(write(tmp_path, WAIVER + "    finding: 0123456789abcdef\n")).waivers
    assert (found.check, found.key, found.principal) == ("team-access", "alias/data", "role/x")
    assert found.capabilities == ("decrypt",)
    assert "kms:ReEncryptFrom" in found.actions
    assert (found.reason, found.owner, found.expires) == ("a reason", "dana", date(2027, 3, 31))
    assert (found.fingerprint, found.line) == ("0123456789abcdef", 3)


def test_parameters_are_text_as_written(tmp_path: Path) -> None:
    text = 'version: 1\nparameters: {A: 0123, Stack.B: yes, C: "", D: 2027-03-31}\n'
    rules = load_rules(write(tmp_path, text))
    assert rules.parameters == {"A": "0123", "Stack.B": "yes", "C": "", "D": "2027-03-31"}


FORBIDDING = "  - {name: strict, match: {tags: {data: card}}, iam-delegation: forbidden}\n"
ALLOWING = "  - {name: open, match: {alias: alias/*}, iam-delegation: allowed}\n"


def test_rules_that_contradict_each_other_for_one_key_are_named_both(tmp_path: Path) -> None:
    case = Case([key("data", tags={"data": "card"})], rules=RULES + ALLOWING + FORBIDDING)
    with pytest.raises(RulesError) as caught:
        result_of(case, tmp_path)
    error = caught.value
    assert error.message == (
        '"strict" forbids iam-delegation for key alias/data, and "open" allows it at '
        f"{tmp_path}/rules.yaml:19"
    )
    assert (error.line, error.column) == (20, 65)


@pytest.mark.parametrize(
    ("keys", "rules"),
    [
        ([key("data")], ALLOWING + FORBIDDING),
        ([key("data")], ALLOWING + ALLOWING.replace("open", "wide")),
        ([], ALLOWING + FORBIDDING),
    ],
    ids=["another key", "of one mind", "no key"],
)
def test_rules_that_do_not_contradict_each_other(
    keys: list[Key], rules: str, tmp_path: Path
) -> None:
    result_of(Case(keys, [role("app-reader", iam("kms:Decrypt"))], rules=RULES + rules), tmp_path)


def test_today_is_asked_for_where_it_is_not_given(tmp_path: Path) -> None:
    text = waiver("2027-03-31", "2001-01-31")
    rules = load_rules(write(tmp_path, text))
    assert [f.check for f in assess(Inventory(), rules).findings] == ["expired-waiver"]
    early = assess(Inventory(), rules, date(2001, 1, 31)).findings
    assert [finding.check for finding in early] == ["unused-waiver"]
    assert [f.check for f in assess(Inventory(), rules, TODAY).findings] == ["expired-waiver"]


def test_a_key_without_a_rule_is_named_and_counts_as_nothing(tmp_path: Path) -> None:
    case = RULES_CASES["a key without a rule is no finding by itself"]
    assessment = result_of(case, tmp_path)
    assert (assessment.silenced, assessment.keys_without_rule) == (0, ("alias/other",))
    off = replace(case, rules=RULES + 'checks: {unmatched-key: "off"}\n')
    assert result_of(off, tmp_path).silenced == 1
