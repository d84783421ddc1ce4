"""What stands in a finding beside its claim, and what its fingerprint depends on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Key, Policy
from kms_access.policies.document import Problem, Statement
from kms_access.policies.parsing import parse_policy
from kms_access.rules import Finding, Level
from kms_access.rules.checks import CHECKS
from tests.builders import deny, document, role_arn
from tests.rules.test_checks import EVERY, result_of

UNRELATED = parse_policy(
    document(deny(role_arn("nobody"), "kms:NoSuchAction")), KEY_POLICY
).statements


def findings_of(name: str, check: str, folder: Path) -> list[Finding]:
    return [f for f in result_of(EVERY[name], folder).findings if f.check == check]


@pytest.mark.parametrize("check", [check for check in CHECKS if check != "new-access"])
def test_each_check_reports_and_keeps_quiet(check: str, tmp_path: Path) -> None:
    """Some case has a finding of the check, and its level is counted if the rules switch it off.

    What needs a baseline is in test_baseline.py.
    """
    name = next(n for n, case in EVERY.items() if any(f.startswith(check) for f in case.findings))
    case = EVERY[name]
    found = findings_of(name, check, tmp_path)
    assert found
    switch = f'{check}: "off"'
    written = re.sub(rf"checks: {{{check}: \w+", "checks: {", case.rules)
    rules = (
        written.replace("checks: {", f"checks: {{{switch}, ")
        if "checks: {" in written
        else f"{written}checks: {{{switch}}}\n"
    )
    off = result_of(replace(case, rules=rules), tmp_path)
    assert check not in {finding.check for finding in off.findings}
    assert off.silenced >= len(found)


LEVELS = {
    "separation-of-duties": Level.WARNING,
    "self-escalation": Level.WARNING,
    "external-account": Level.ERROR,
    "iam-delegation": Level.ERROR,
    "grant-delegation": Level.WARNING,
    "confused-deputy": Level.WARNING,
    "role-chain": Level.ERROR,
    "key-deletion": Level.WARNING,
    "ineffective-statement": Level.WARNING,
}


@pytest.mark.parametrize("check", LEVELS)
def test_levels_without_a_word_in_the_rules(check: str) -> None:
    assert CHECKS[check].level is LEVELS[check]


def test_the_wider_question_of_a_lockout_only_warns(tmp_path: Path) -> None:
    name = "lockout: an error stays one, and the wider question a warning"
    error, warning = findings_of(name, "lockout", tmp_path)
    assert (error.level, warning.level) == (Level.ERROR, Level.WARNING)
    assert (error.fact, warning.fact) == ("", "lasting")


TAGGING = [
    "key policy, statement 2, allows kms:TagResource to user/tags",
    "kms:TagResource lets it set the tags of alias/other",
    "key policy, statement 1, lets account 111122223333 delegate kms:*",
    "inline policy Access, statement 1, allows kms:Encrypt on *",
]
CONTENT = {
    "separation-of-duties: both under a condition": (
        "separation-of-duties",
        ("kms:DisableKey", "kms:Sign"),
        "if aws:MultiFactorAuthPresent is true",
        [
            "key policy, statement 2, allows kms:DisableKey to user/eve",
            "key policy, statement 3, allows kms:Sign to user/eve",
        ],
    ),
    "self-escalation: tags": (
        "self-escalation",
        ("kms:Encrypt",),
        "always",
        TAGGING,
    ),
    "external-account: an identity": (
        "external-account",
        ("kms:Decrypt", "kms:Encrypt"),
        "depending on identity policies of user eve elsewhere",
        ["key policy, statement 2, allows kms:Decrypt, kms:Encrypt to user/eve"],
    ),
    "iam-delegation: to some identities": (
        "iam-delegation",
        ("kms:Encrypt",),
        None,
        ["key policy, statement 4, lets account 111122223333 delegate kms:Encrypt"],
    ),
    "grant-delegation: through delegation, under a condition": (
        "grant-delegation",
        ("kms:CreateGrant",),
        "if aws:MultiFactorAuthPresent is true",
        [
            "key policy, statement 1, lets account 111122223333 delegate kms:*",
            "inline policy Access, statement 1, allows kms:Create* on *",
        ],
    ),
    "confused-deputy": (
        "confused-deputy",
        ("kms:Decrypt",),
        "always",
        ["key policy, statement 2, allows kms:Decrypt to lambda.amazonaws.com"],
    ),
    "role-chain": (
        "role-chain",
        ("kms:Decrypt",),
        "always",
        [
            "trust policy of role app-reader, statement 1, lets user bob assume it",
            "role app-reader holds kms:Decrypt",
            "key policy, statement 3, allows kms:Decrypt to role/app-reader",
        ],
    ),
    "key-deletion: through delegation": (
        "key-deletion",
        ("kms:ScheduleKeyDeletion",),
        "always",
        [
            "key policy, statement 1, lets account 111122223333 delegate kms:*",
            "inline policy Access, statement 1, allows kms:Schedule* on *",
        ],
    ),
}


@pytest.mark.parametrize("name", CONTENT)
def test_content(name: str, tmp_path: Path) -> None:
    check, actions, when, hops = CONTENT[name]
    (finding,) = findings_of(name, check, tmp_path)
    assert finding.actions == actions
    if when is not None:
        assert finding.when == when
    assert [hop.text for hop in finding.proof.hops] == hops
    assert finding.rule
    assert finding.fix


FIXES = {
    "undecided: a principal in an account that is not known": (
        "give the cdk.out folder, or write the account under accounts of the rules file"
    ),
    "undecided: a principal that is not known yet": (
        "give it an explicit name, or name it in the rules file by where it is defined"
    ),
}


@pytest.mark.parametrize("name", FIXES)
def test_the_fix_is_for_what_is_not_known(name: str, tmp_path: Path) -> None:
    (finding,) = findings_of(name, "undecided", tmp_path)
    assert finding.fix == FIXES[name]


def moved(key: Key) -> Key:
    return replace(key, policies=tuple(_moved(policy) for policy in key.policies))


def _moved(policy: Policy) -> Policy:
    document = policy.document
    later: tuple[Statement, ...] = tuple(
        replace(statement, index=statement.index + 1) for statement in document.statements
    )
    problems = tuple(_later(document.problems))
    return replace(
        policy,
        document=replace(document, statements=(*UNRELATED, *later), problems=problems),
    )


def _later(problems: tuple[Problem, ...]) -> Iterator[Problem]:
    for problem in problems:
        path = problem.path
        if len(path) > 1 and isinstance(path[1], int):
            path = (path[0], path[1] + 1, *path[2:])
        yield replace(problem, path=path)


@pytest.mark.parametrize("name", EVERY)
def test_fingerprints_tell_findings_apart_and_name_no_place(name: str, tmp_path: Path) -> None:
    """An unrelated statement in front of each key policy moves all and changes none of them."""
    case = EVERY[name]
    first = {f.fingerprint: f.check for f in result_of(case, tmp_path).findings}
    assert len(first) == len(result_of(case, tmp_path).findings)
    other = replace(case, keys=[moved(key) for key in case.keys])
    second = {f.fingerprint: f.check for f in result_of(other, tmp_path).findings}
    assert first == second
