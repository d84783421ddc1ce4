"""What remains open is solved: no access by contradiction, a witness for everything else."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.resolution import AccessState, Resolution, resolve
from kms_access.inventory.arns import key_arn
from kms_access.inventory.model import Inventory
from kms_access.policies.context import ABSENT, KeyState, Present
from kms_access.policies.text import NAME_CHARACTER, Text, Unknown
from tests.builders import ACCOUNT, DELEGATION, REGION, allow, deny, iam, key, role
from tests.decisions.open_questions import (
    APP,
    RDS,
    S3,
    both,
    open_question,
    policies,
    through,
    when,
)


def resolved(*key_side: Any, action: str = "kms:Decrypt") -> Resolution:
    return resolve(open_question(action), policies(*key_side))


CONTRADICTIONS = {
    "allowed through S3, denied unless through S3 of another Region": (
        AccessState.EXPLICITLY_DENIED,
        allow(APP, "kms:*", **through(S3)),
        deny(
            "*", "kms:*", **when("StringNotEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com")
        ),
    ),
    "two services at once": (
        AccessState.IMPLICITLY_DENIED,
        allow(APP, "kms:*", **both(through(S3), when("StringLike", "kms:ViaService", "rds.*"))),
    ),
    "patterns that never meet": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("StringLike", "aws:PrincipalTag/team", "pay*"),
                when("StringEqualsIgnoreCase", "aws:PrincipalTag/team", "Security"),
            ),
        ),
    ),
    "present and absent": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(through(S3), when("Null", "kms:ViaService", "true")),
        ),
    ),
    "before and after": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"),
                when("DateGreaterThan", "aws:CurrentTime", "2027-01-01T00:00:00Z"),
            ),
        ),
    ),
    "an address that the Deny takes away": (
        AccessState.EXPLICITLY_DENIED,
        allow(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.1.2.0/24")),
        deny(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.1.0.0/16")),
    ),
    "more than one number can be": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("NumericLessThan", "aws:MultiFactorAuthAge", "60"),
                when("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", "60"),
            ),
        ),
    ),
    "called by a service and not by a service": (
        AccessState.IMPLICITLY_DENIED,
        allow(APP, "kms:*", **both(through(S3), when("Bool", "aws:ViaAWSService", "false"))),
    ),
    "a list of which no item may and one must be": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("ForAllValues:StringEquals", "aws:CalledVia", ["athena.amazonaws.com"]),
                when("ForAnyValue:StringEquals", "aws:CalledVia", ["glue.amazonaws.com"]),
            ),
        ),
    ),
    "a pair that the list must hold and that is not there": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("Null", "kms:EncryptionContext:app", "true"),
                when("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "app"),
            ),
        ),
    ),
    "every address there is": (
        AccessState.EXPLICITLY_DENIED,
        allow(APP, "kms:*"),
        deny(APP, "kms:*", **when("IpAddress", "aws:SourceIp", ["0.0.0.0/0", "::/0"])),
        deny(APP, "kms:*", **when("Null", "aws:SourceIp", "true")),
    ),
    "no whole number lies between": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("NumericGreaterThan", "aws:MultiFactorAuthAge", "90"),
                when("NumericLessThan", "aws:MultiFactorAuthAge", "91"),
            ),
        ),
    ),
    "the first of a chain of services that is not there": (
        AccessState.IMPLICITLY_DENIED,
        allow(
            APP,
            "kms:*",
            **both(
                when("StringEquals", "aws:CalledViaFirst", "athena.amazonaws.com"),
                when("Null", "aws:CalledVia", "true"),
            ),
        ),
    ),
    "no operation is left of those that may be granted": (
        AccessState.EXPLICITLY_DENIED,
        allow(
            APP,
            "kms:CreateGrant",
            **when("ForAllValues:StringEquals", "kms:GrantOperations", ["Decrypt", "Encrypt"]),
        ),
        deny(
            APP,
            "kms:CreateGrant",
            **when("ForAnyValue:StringEquals", "kms:GrantOperations", ["Decrypt", "Encrypt"]),
        ),
    ),
}


@pytest.mark.parametrize(
    ("state", "statements"),
    [(row[0], row[1:]) for row in CONTRADICTIONS.values()],
    ids=list(CONTRADICTIONS),
)
def test_a_contradiction_is_no_access(state: AccessState, statements: tuple[Any, ...]) -> None:
    action = "kms:CreateGrant" if "Grant" in str(statements[0]["Action"]) else "kms:Decrypt"
    found = resolved(*statements, action=action)
    assert (found.state, found.witness, found.decision.reasons) == (state, None, ())


def operation(*names: str) -> KeyState:
    return Present(names, multivalued=True)


SOLVABLE: dict[str, tuple[str, dict[str, KeyState], tuple[Any, ...]]] = {
    "through one service": (
        f'kms:ViaService is "{S3}"',
        {"kms:viaservice": Present((S3,))},
        (allow(APP, "kms:*", **through(S3)),),
    ),
    "a Deny leaves one of two services": (
        f'kms:ViaService is one of "{S3}", "{RDS}" and kms:ViaService is "{RDS}"',
        {"kms:viaservice": Present((RDS,))},
        (
            allow(APP, "kms:*", **when("StringEquals", "kms:ViaService", [S3, RDS])),
            deny("*", "kms:*", **when("StringNotEquals", "kms:ViaService", RDS)),
        ),
    ),
    "another spelling of a pair's name than a list forbids": (
        'kms:EncryptionContext:app is "x" and no kms:EncryptionContextKeys is "app"',
        {"kms:encryptioncontextkeys": Present(("APP",), multivalued=True)},
        (
            allow(APP, "kms:*", **when("StringEquals", "kms:EncryptionContext:app", "x")),
            deny(
                "*", "kms:*", **when("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "app")
            ),
        ),
    ),
    "a spelling that a pattern with case covers": (
        'aws:PrincipalTag/env is, in any case, "prod" and aws:PrincipalTag/env is not one of '
        '"prod", "PROD"',
        {"aws:principaltag/env": Present(("Prod",))},
        (
            allow(APP, "kms:*", **when("StringEqualsIgnoreCase", "aws:PrincipalTag/env", "prod")),
            deny(APP, "kms:*", **when("StringEquals", "aws:PrincipalTag/env", ["prod", "PROD"])),
        ),
    ),
    "half a second between two dates": (
        'aws:CurrentTime is after "2026-01-01T00:00:00Z" and aws:CurrentTime is before '
        '"2026-01-01T00:00:01Z"',
        {"aws:currenttime": Present(("2026-01-01T00:00:00.500000Z",))},
        (
            allow(
                APP,
                "kms:*",
                **both(
                    when("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"),
                    when("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:01Z"),
                ),
            ),
        ),
    ),
    "the list of keys holds the pair that is asked for": (
        'kms:EncryptionContext:app is "x" and every kms:EncryptionContextKeys, if present, is '
        'one of "app", "zone"',
        {"kms:encryptioncontextkeys": Present(("app",), multivalued=True)},
        (
            allow(
                APP,
                "kms:*",
                **both(
                    when("StringEquals", "kms:EncryptionContext:app", "x"),
                    when(
                        "ForAllValues:StringEquals",
                        "kms:EncryptionContextKeys",
                        ["app", "zone"],
                    ),
                ),
            ),
        ),
    ),
    "absence is enough": (
        'aws:PrincipalTag/team is not "x"',
        {"aws:principaltag/team": ABSENT},
        (allow(APP, "kms:*", **when("StringNotEquals", "aws:PrincipalTag/team", "x")),),
    ),
    "a pattern gets a value": (
        'kms:ViaService is like "s3.*.amazonaws.com"',
        {"kms:viaservice": Present(("s3.any.amazonaws.com",))},
        (allow(APP, "kms:*", **when("StringLike", "kms:ViaService", "s3.*.amazonaws.com")),),
    ),
    "two patterns meet in one value": (
        'aws:PrincipalTag/a is like "x*" and aws:PrincipalTag/a is like "*y"',
        {"aws:principaltag/a": Present(("xy",))},
        (
            allow(
                APP,
                "kms:*",
                **both(
                    when("StringLike", "aws:PrincipalTag/a", "x*"),
                    {"Condition": {"StringLikeIfExists": {"aws:PrincipalTag/a": "*y"}}},
                    when("Null", "aws:PrincipalTag/a", "false"),
                ),
            ),
        ),
    ),
    "outside of one network, inside the wider one": (
        'aws:SourceIp is in "10.0.0.0/8" and aws:SourceIp is not in "10.0.0.0/9"',
        {"aws:sourceip": Present(("10.255.255.255",))},
        (
            allow(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/8")),
            deny(APP, "kms:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/9")),
        ),
    ),
}


@pytest.mark.parametrize(
    ("condition", "expected", "statements"), list(SOLVABLE.values()), ids=list(SOLVABLE)
)
def test_what_remains_is_said_and_solved(
    condition: str, expected: dict[str, KeyState], statements: tuple[Any, ...]
) -> None:
    found = resolved(*statements)
    assert found.state is AccessState.CONDITIONAL
    assert found.witness is not None
    assert {key: found.witness.context.lookup(key) for key in expected} == expected
    if "IfExists" not in str(statements):
        assert found.condition == condition


def test_the_session_that_a_statement_names_is_the_witness() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/deploy"
    found = resolved(allow(session, "kms:*"))
    assert found.condition == 'the session name is "deploy"'
    assert found.witness is not None
    assert found.witness.principal.session == "deploy"


def test_what_no_search_can_settle_stays_undecided() -> None:
    """Tag names that differ make one free key each: more ways than the bound."""
    names = [f"aws:PrincipalTag/t{i}" for i in range(24)]
    chain = [
        deny(APP, "kms:*", **both(*(when("StringEquals", n, str(i % 2)) for n in names[i : i + 2])))
        for i in range(23)
    ]
    never = [
        deny(APP, "kms:*", **when("StringEquals", names[-1], "x")),
        deny(APP, "kms:*", **when("StringNotEquals", names[-1], "x")),
    ]
    found = resolved(allow(APP, "kms:*"), *chain, *never)
    assert found.state in (AccessState.UNDECIDED, AccessState.EXPLICITLY_DENIED)


def test_both_sides_are_solved_together() -> None:
    """The key asks for S3, the identity for RDS: delegation never comes about (K8)."""
    given_policies = policies(
        DELEGATION | through(S3), identity=(iam("kms:Decrypt", **through(RDS)),)
    )
    assert resolve(open_question(), given_policies).state is AccessState.IMPLICITLY_DENIED


NEW = Text((Unknown("the id of key new", NAME_CHARACTER, unique=True, matches_no_literal=True),))
BY_TAG = f"arn:aws:kms:*:{ACCOUNT}:key/${{aws:PrincipalTag/for}}"
VARIABLES: dict[str, tuple[AccessState, str, dict[str, Any]]] = {
    "in a Resource": (
        AccessState.CONDITIONAL,
        'aws:principaltag/for "6b000000-0000-0000-0000-000000000000"',
        iam("kms:Decrypt", BY_TAG),
    ),
    "for a tag of the key": (
        AccessState.CONDITIONAL,
        'aws:principaltag/team "pay"',
        iam(
            "kms:Decrypt",
            **when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}"),
        ),
    ),
    "as a part of a pattern": (
        AccessState.CONDITIONAL,
        'aws:principaltag/team "a"',
        iam(
            "kms:Decrypt",
            **when("StringLike", "aws:ResourceTag/team", "p${aws:PrincipalTag/team}*"),
        ),
    ),
    "for a tag that the key lacks": (
        AccessState.IMPLICITLY_DENIED,
        "",
        iam(
            "kms:Decrypt",
            **when("StringEquals", "aws:ResourceTag/none", "${aws:PrincipalTag/team}"),
        ),
    ),
    "two free keys": (
        AccessState.CONDITIONAL,
        'aws:principaltag/b "other-value", aws:PrincipalTag/a "other-value-x"',
        iam(
            "kms:Decrypt",
            **when("StringEquals", "aws:PrincipalTag/a", "${aws:PrincipalTag/b}-x"),
        ),
    ),
    "a role has no user name": (
        AccessState.IMPLICITLY_DENIED,
        "",
        iam("kms:Decrypt", **when("StringEquals", "aws:PrincipalTag/a", "${aws:username}")),
    ),
    "nobody knows the unique id": (
        AccessState.UNDECIDED,
        "",
        iam("kms:Decrypt", **when("StringEquals", "aws:PrincipalTag/a", "${aws:userid}")),
    ),
}


@pytest.mark.parametrize(
    ("state", "example", "statement"), list(VARIABLES.values()), ids=list(VARIABLES)
)
def test_policy_variables_are_solved(
    state: AccessState, example: str, statement: dict[str, Any]
) -> None:
    tagged = key("k", DELEGATION, tags={"team": "pay"})
    facts = access_map(Inventory((tagged,), (role("app", statement),)))
    (access,) = (a for a in facts if a.subject.label == "role app" and a.action == "kms:Decrypt")
    assert (access.state, access.example) == (state, example)


def test_a_variable_can_stand_for_the_id_of_a_new_key() -> None:
    new = key("k", DELEGATION, arn=key_arn("aws", REGION, ACCOUNT, NEW))
    facts = access_map(Inventory((new,), (role("app", iam("kms:Decrypt", BY_TAG)),)))
    (access,) = (a for a in facts if a.subject.label == "role app" and a.action == "kms:Decrypt")
    assert access.example == 'aws:principaltag/for "<the id of key new>"'
