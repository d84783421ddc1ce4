"""Callers and keys that say the same are decided once: as if each were asked alone (design 4.4)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_access.decisions import bulk
from kms_access.decisions.access_map import access_map
from kms_access.decisions.evaluator import Evaluator
from kms_access.inventory.model import Identity, Inventory, Key
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    allow,
    deny,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
)
from tests.decisions.reaching import ORGANIZATION

SOURCE = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
VIA = {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
KEY_POLICIES: list[list[dict[str, Any]]] = [
    [DELEGATION],
    [DELEGATION, allow({"Service": "logs.amazonaws.com"}, "kms:Decrypt", Condition=SOURCE)],
    [DELEGATION, allow(role_arn("r0"), ["kms:Decrypt", "kms:PutKeyPolicy"])],
    [DELEGATION, allow("*", "kms:Encrypt", Condition=VIA)],
    [DELEGATION, deny(role_arn("r1"), "kms:Decrypt", Condition=VIA)],
    [
        DELEGATION,
        allow("*", "kms:Decrypt", Condition={"StringEquals": {"aws:PrincipalTag/a": "x"}}),
    ],
    [allow(role_arn("r2"), "kms:*")],
]
STATEMENTS: list[list[dict[str, Any]]] = [
    [iam("kms:*")],
    [iam(["kms:Decrypt", "kms:CreateGrant"], Condition=VIA)],
    [iam("kms:*", Condition={"StringEquals": {"aws:ResourceTag/team": "pay"}})],
    [iam("kms:Retire*"), iam("kms:Decrypt", effect="Deny")],
    [iam("kms:Decrypt", Condition={"StringEquals": {"aws:PrincipalTag/a": "x"}})],
    [],
]
BOUNDARIES: list[Any] = [None, None, [iam("kms:Decrypt")], [iam("kms:*", Condition=VIA)]]
TAGS = [{}, {"a": "x"}, {"a": "y"}]


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    policies = draw(st.lists(st.sampled_from(KEY_POLICIES), min_size=1, max_size=2))
    keys = [
        key(
            f"k{number}",
            *draw(st.sampled_from(policies)),
            tags=draw(st.sampled_from([{}, {"team": "pay"}])),
        )
        for number in range(4)
    ]
    pool = draw(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=2))
    # A statement that names a key beside others is another one for each key that it names.
    pool += [[iam("kms:Decrypt", [str(keys[0].arn), str(other.arn)])] for other in keys[1:3]]
    people: list[Identity] = []
    for number in range(5):
        make, name = (role, "r") if number < 3 else (user, "u")
        people.append(
            make(
                f"{name}{number}",
                *draw(st.sampled_from(pool)),
                boundary=draw(st.sampled_from(BOUNDARIES)),
                tags=draw(st.sampled_from(TAGS)),
            )
        )
    return Inventory(tuple(keys), tuple(people), tuple(draw(st.lists(grants(keys), max_size=2))))


def grants(keys: list[Key]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda on, grantee, issued: grant(
            on,
            GranteePrincipal=grantee,
            Operations=["Decrypt"],
            **({"IssuingAccount": f"arn:aws:iam::{ACCOUNT}:root"} if issued else {}),
        ),
        st.sampled_from(keys),
        st.sampled_from([role_arn("r0"), role_arn("else"), f"arn:aws:iam::{ACCOUNT}:root"]),
        st.booleans(),
    )


@settings(max_examples=settings().max_examples // 2)
@given(inventories())
def test_alike_callers_have_what_each_has_alone(inventory: Inventory) -> None:
    facts = access_map(inventory, ORGANIZATION)
    alone = Evaluator(inventory, ORGANIZATION)
    for access in facts:
        expected = alone.access(access.subject, access.key, access.action).state
        place = (access.subject.label, access.key.label, access.action)
        assert access.state is expected, place


def test_a_further_caller_or_key_of_the_same_kind_asks_nothing(monkeypatch: Any) -> None:
    """Roles with policies of their own, keys with a grant and a service: two questions for all."""
    asked: list[tuple[object, ...]] = []
    states = bulk.BulkEvaluator._states

    def counted(self: Any, caller: Any, place: int, *rest: Any) -> Any:
        asked.append((caller.principal.arn, place))
        return states(self, caller, place, *rest)

    monkeypatch.setattr(bulk.BulkEvaluator, "_states", counted)
    to_service = allow({"Service": "logs.amazonaws.com"}, "kms:Decrypt", Condition=SOURCE)
    keys = [key(f"k{number}", DELEGATION, to_service) for number in range(6)]
    made = [grant(on, GranteePrincipal=role_arn("else"), Operations=["Decrypt"]) for on in keys]
    people = [
        role(
            f"r{n}",
            iam("kms:Decrypt", [str(keys[n].arn), str(keys[n - 1].arn)]),
            tags={"n": str(n)},
        )
        for n in range(6)
    ]
    access_map(Inventory(tuple(keys), tuple(people), tuple(made)), ORGANIZATION)
    of_roles = [arn for arn, _ in asked if ":role/r" in str(arn)]
    # For keys of which the own policy speaks, and for the others.
    assert len(of_roles) == 2, of_roles
