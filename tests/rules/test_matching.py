"""Which keys a rule is for, and who belongs to a team."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.decisions.subjects import Subject, service, subject_elsewhere, subject_of
from kms_access.inventory.arns import iam_arn
from kms_access.inventory.model import Identity, Key
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Truth
from kms_access.policies.principals import parse_principal
from kms_access.policies.text import Text, Unknown
from kms_access.rules.matching import Accounts, belongs_to, key_matches
from kms_access.rules.model import KeyMatch, PrincipalPattern, Team
from kms_access.rules.yaml_nodes import Place
from tests.builders import ACCOUNT, OTHER, REGION, key, role, user

YES, NO, OPEN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
HERE = Place("rules.yaml", 1, 1)
STAGE = Unknown('parameter "Stage"', "[a-z]")
URN = "urn:pulumi:prod::shop::my:Component$aws:kms/key:Key::ledger"

KEY = replace(
    key("ledger", tags={"data": "card", "stage": Text((STAGE,))}),
    origin=Origin("Shop/LedgerKey1A2B", "Data/Ledger", "Shop"),
    arn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    aliases=("alias/ledger", Text(("alias/ledger-", STAGE))),
)
OF_PULUMI = replace(key("ledger"), origin=Origin(URN, "ledger", "prod"))
NAMELESS = replace(key("ledger"), aliases=())

KEYS: dict[str, tuple[KeyMatch, Key, Truth]] = {
    "alias": (KeyMatch(alias="alias/ledger"), KEY, YES),
    "alias with a wildcard": (KeyMatch(alias="alias/led*"), KEY, YES),
    "a second alias with a part not known": (KeyMatch(alias="alias/ledger-*"), KEY, YES),
    "an alias that a part not known may make": (KeyMatch(alias="alias/ledger-prod"), KEY, OPEN),
    "an alias that no value makes": (KeyMatch(alias="alias/ledger-1"), KEY, NO),
    "another alias": (KeyMatch(alias="alias/bills"), KEY, NO),
    "an alias of a key without one": (KeyMatch(alias="alias/*"), NAMELESS, NO),
    "arn": (KeyMatch(arn=str(KEY.arn)), KEY, YES),
    "arn of any Region": (KeyMatch(arn=f"arn:aws:kms:*:{ACCOUNT}:key/1234abcd-*"), KEY, YES),
    "arn of another account": (KeyMatch(arn=f"arn:aws:kms:*:{OTHER}:key/*"), KEY, NO),
    "an asterisk in an ARN stays in its part": (KeyMatch(arn="arn:*:*:*:*:key/*"), KEY, YES),
    "an asterisk does not span parts": (KeyMatch(arn="arn:*:x:*:*:key/*"), KEY, NO),
    "logical id": (KeyMatch(id="LedgerKey1A2B"), KEY, YES),
    "logical id with its stack": (KeyMatch(id="Shop/LedgerKey1A2B"), KEY, YES),
    "logical id without its hash": (KeyMatch(id="LedgerKey*"), KEY, YES),
    "logical id of another stack": (KeyMatch(id="Other/LedgerKey1A2B"), KEY, NO),
    "a part of a logical id": (KeyMatch(id="LedgerKey"), KEY, NO),
    "path": (KeyMatch(path="Data/Ledger"), KEY, YES),
    "path with its stack": (KeyMatch(path="Shop/Data/Ledger"), KEY, YES),
    "path below": (KeyMatch(path="Data/*"), KEY, YES),
    "another path": (KeyMatch(path="Ledger"), KEY, NO),
    "stack": (KeyMatch(stack="Shop"), KEY, YES),
    "stack with a wildcard": (KeyMatch(stack="Sh?p"), KEY, YES),
    "another stack": (KeyMatch(stack="Shopping"), KEY, NO),
    "urn": (KeyMatch(urn=URN), OF_PULUMI, YES),
    "urn by type and name": (KeyMatch(urn="urn:pulumi:*::aws:kms/key:Key::ledger"), OF_PULUMI, NO),
    "urn with a wildcard": (KeyMatch(urn="urn:pulumi:*$aws:kms/key:Key::led*"), OF_PULUMI, YES),
    "urn of another stack": (KeyMatch(urn="urn:pulumi:dev::*"), OF_PULUMI, NO),
    "tags": (KeyMatch(tags={"data": "card"}), KEY, YES),
    "tags with a wildcard": (KeyMatch(tags={"data": "c*"}), KEY, YES),
    "all tags": (KeyMatch(tags={"data": "card", "team": "x"}), KEY, NO),
    "a tag that is not known yet": (KeyMatch(tags={"stage": "prod"}), KEY, OPEN),
    "a tag with any value": (KeyMatch(tags={"stage": "*"}), KEY, YES),
    "a tag in another case": (KeyMatch(tags={"Data": "card"}), KEY, NO),
    "two fields": (KeyMatch(stack="Shop", tags={"data": "card"}), KEY, YES),
    "two fields of which one fails": (KeyMatch(stack="Shop", alias="alias/x"), KEY, NO),
    "two fields of which one is open": (KeyMatch(stack="Shop", tags={"stage": "a"}), KEY, OPEN),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys(name: str) -> None:
    match, one, expected = KEYS[name]
    assert key_matches(match, one).truth is expected


def elsewhere(arn: str) -> Subject:
    principal = parse_principal(arn)
    assert principal is not None
    return subject_elsewhere(principal)


def in_path(kind: str, path: str, name: Any, account: Any = ACCOUNT, **fields: Any) -> Subject:
    principal = parse_principal(iam_arn("aws", account, kind, path, name))
    assert principal is not None
    return subject_of(Identity(Origin("App/R", "Api/R", "App"), principal, **fields))


def team(*principals: str, definitions: Any = (), **tags: str) -> Team:
    patterns = tuple(PrincipalPattern(text, HERE) for text in principals)
    return Team("t", patterns, tags, tuple(definitions), HERE)


PLAIN = subject_of(role("payments-api"))
UNNAMED = subject_of(role(Text((Unknown("the name of role Api", "[a-zA-Z0-9-]"),))))
LOCAL = Accounts(frozenset({ACCOUNT}), frozenset({ACCOUNT}))
BOTH = Accounts(frozenset({ACCOUNT, OTHER}), frozenset({ACCOUNT}))
ANYWHERE = Accounts(frozenset(), frozenset({ACCOUNT}))
THERE = elsewhere(f"arn:aws:iam::{OTHER}:role/payments-api")
SESSION = elsewhere(f"arn:aws:sts::{ACCOUNT}:assumed-role/payments-api/me")

MEMBERS: dict[str, tuple[Team, Subject, Truth, Accounts]] = {
    "a name": (team("role/payments-api"), PLAIN, YES, LOCAL),
    "a name with a wildcard": (team("role/payments-*"), PLAIN, YES, LOCAL),
    "a name in another case": (team("role/Payments-*"), PLAIN, NO, LOCAL),
    "a user of that name": (team("user/payments-*"), PLAIN, NO, LOCAL),
    "the middle of a name": (team("role/ments-*"), PLAIN, NO, LOCAL),
    "one of several": (team("user/eve", "role/payments-api"), PLAIN, YES, LOCAL),
    "a role of an account that is not listed": (team("role/payments-*"), THERE, NO, LOCAL),
    "a role of a second listed account": (team("role/payments-*"), THERE, YES, BOTH),
    "a role where no account is listed": (team("role/payments-*"), THERE, YES, ANYWHERE),
    "a name that is not known yet": (team("role/payments-*"), UNNAMED, OPEN, LOCAL),
    "any name that is not known yet": (team("role/*"), UNNAMED, YES, LOCAL),
    "a session of the role": (team("role/payments-*"), SESSION, YES, LOCAL),
    "a path": (team("role/team/*"), in_path("role", "/team/", "x"), YES, LOCAL),
    "a path and a name": (team("role/team/x"), in_path("role", "/team/", "x"), YES, LOCAL),
    "a deeper path": (team("role/team/*"), in_path("role", "/team/a/b/", "x"), YES, LOCAL),
    "a name without its path": (team("role/x"), in_path("role", "/team/", "x"), YES, LOCAL),
    "another path": (team("role/team/*"), in_path("role", "/teams/", "x"), NO, LOCAL),
    "a path of a user": (team("user/team/*"), in_path("user", "/team/", "x"), YES, LOCAL),
    "an ARN": (team(f"arn:aws:iam::{OTHER}:role/payments-api"), THERE, YES, LOCAL),
    "an ARN with a wildcard": (team(f"arn:aws:iam::{OTHER}:role/pay*"), THERE, YES, LOCAL),
    "an ARN of another account": (team(f"arn:aws:iam::{ACCOUNT}:role/pay*"), THERE, NO, LOCAL),
    "the ARN of the role of a session": (
        team(f"arn:aws:iam::{ACCOUNT}:role/payments-api"),
        SESSION,
        YES,
        LOCAL,
    ),
    "the ARN of a session": (
        team(f"arn:aws:sts::{ACCOUNT}:assumed-role/payments-api/me"),
        SESSION,
        YES,
        LOCAL,
    ),
    "the ARN of another session": (
        team(f"arn:aws:sts::{ACCOUNT}:assumed-role/payments-api/you"),
        SESSION,
        NO,
        LOCAL,
    ),
    "an account": (team(OTHER), THERE, YES, LOCAL),
    "another account": (team(OTHER), PLAIN, NO, LOCAL),
    "a service": (team("logs.amazonaws.com"), service("logs.amazonaws.com"), YES, LOCAL),
    "another service": (team("logs.amazonaws.com"), service("sns.amazonaws.com"), NO, LOCAL),
    "tags": (team(team="pay"), subject_of(role("x", tags={"team": "pay"})), YES, LOCAL),
    "tags with a wildcard": (
        team(team="p*"),
        subject_of(user("x", tags={"team": "pay"})),
        YES,
        LOCAL,
    ),
    "all tags": (
        team(team="pay", stage="prod"),
        subject_of(role("x", tags={"team": "pay"})),
        NO,
        LOCAL,
    ),
    "tags of somebody defined elsewhere": (team(team="*"), THERE, NO, LOCAL),
    "tags or a name": (team("role/x", team="pay"), subject_of(role("x")), YES, LOCAL),
    "a tag that is not known yet": (
        team(team="pay"),
        subject_of(role("x", tags={"team": Text((STAGE,))})),
        OPEN,
        LOCAL,
    ),
    "a construct path": (team(definitions=["App/Api/R"]), in_path("role", "/", "x"), YES, LOCAL),
    "a logical id": (team(definitions=["App/R"]), in_path("role", "/", "x"), YES, LOCAL),
    "all of a stack": (team(definitions=["App/*"]), UNNAMED, YES, LOCAL),
    "another stack": (team(definitions=["Shop/*"]), UNNAMED, NO, LOCAL),
}  # fmt: skip


@pytest.mark.parametrize("name", MEMBERS)
def test_members(name: str) -> None:
    who, subject, expected, accounts = MEMBERS[name]
    assert belongs_to(subject, who, accounts).truth is expected
