"""Detours are looked for by keys at once, and only those that are wanted (design 4.4)."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.decisions.action_masks import mask_of
from kms_access.decisions.detour import BY_ROLES, Detour, DetourKind
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.reach import Reach
from kms_access.decisions.subject_search import Wanted
from kms_access.inventory.model import Identity, Key
from tests.builders import DELEGATION, ROOT, allow, iam, key, role, role_arn, user
from tests.decisions.reaching import lets, reach, told, trust

LAMBDA = trust(lets({"Service": "lambda.amazonaws.com"}))


def account() -> tuple[list[Identity], list[Key]]:
    """An administrator, somebody who writes policies, roles to take, to pass and to act as."""
    people = [
        role("admin", iam("*"), trust=trust(lets(ROOT))),
        role("iam", iam("iam:*"), trust=trust(lets(role_arn("app")))),
        role("app", iam("kms:Decrypt"), iam("sts:AssumeRole"), trust=LAMBDA),
        role("granter", iam("kms:CreateGrant"), trust=trust(lets(role_arn("admin")))),
        role("viewer", iam("kms:DescribeKey"), trust=LAMBDA),
        user("dev", iam(["iam:PassRole", "lambda:*"])),
        user("ops", iam("iam:CreateAccessKey"), iam("kms:PutKeyPolicy")),
    ]
    keys = [
        key("delegates", DELEGATION),
        key("closed", allow(role_arn("app"), ["kms:Decrypt", "kms:DescribeKey"])),
        key("rewritable", DELEGATION, allow(role_arn("viewer"), "kms:PutKeyPolicy")),
    ]
    return people, keys


def line(detour: Detour) -> tuple[Any, ...]:
    actions = tuple(sorted(detour.actions))
    return detour.subject.label, detour.key.label, told(detour), actions, detour.proof


def is_wanted(detour: Detour, wanted: Wanted, keys: tuple[Key, ...]) -> bool:
    place = keys.index(detour.key)
    if not wanted.keys >> place & 1:
        return False
    if detour.kinds[0] in BY_ROLES:
        return bool(wanted.keys_by_roles >> place & 1)
    rewrites = detour.kinds == (DetourKind.KEY_POLICY,)
    return rewrites or bool(mask_of(detour.actions) & wanted.actions)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(keys=0b010),
        Wanted(keys_by_roles=0),
        Wanted(keys_by_roles=0b100),
        Wanted(actions=mask_of(["kms:Decrypt"])),
        Wanted(keys_by_roles=0, actions=mask_of(["kms:PutKeyPolicy"])),
        Wanted(keys=0b101, keys_by_roles=0b001, actions=0),
    ],
    ids=str,
)
def test_what_is_wanted_is_found_as_among_all(wanted: Wanted) -> None:
    people, keys = account()
    search = reach(people, *keys)
    ordered = search.access_map.keys
    expected = [line(d) for d in search if is_wanted(d, wanted, ordered)]
    again = Reach(search.access_map, search._calls._organization)
    found = [line(d) for d in again.wanted(lambda subject: wanted) if is_wanted(d, wanted, ordered)]
    assert expected or wanted.actions == 0
    assert found == expected


def test_nothing_unwanted_is_worked_out() -> None:
    people, keys = account()
    search = reach(people, *keys)
    nothing = Wanted(keys_by_roles=0, actions=0)
    kinds = {detour.kinds for detour in search.wanted(lambda subject: nothing)}
    assert kinds == {(DetourKind.KEY_POLICY,)}


def test_one_question_finds_what_the_whole_search_finds() -> None:
    people, keys = account()
    search = reach(people, *keys)
    single = [d for s in search.subjects for k in search.access_map.keys for d in search.of(s, k)]
    assert [line(d) for d in single] == [line(d) for d in search]


def test_who_has_everything_obtains_nothing_but_a_grant_to_retire() -> None:
    """On keys that delegate to its account an administrator lacks RetireGrant alone (K102)."""
    people, keys = account()
    search = reach(people, keys[0])
    (admin,) = (s for s in search.subjects if s.label == "role admin")
    lacking = OwnAccess(search.access_map).lacking(admin)
    assert (lacking.nothing, lacking.nothing_but_retiring) == (0, 1)
    found = search.of(admin, search.access_map.keys[0])
    assert {a for detour in found for a in detour.actions} == {"kms:RetireGrant"}
    assert {detour.kinds[-1] for detour in found} == {DetourKind.GRANT}


def test_a_chain_by_way_of_an_administrator_is_idle_after_it() -> None:
    people, keys = account()
    taker = user("taker", iam("sts:AssumeRole", role_arn("admin")))
    search = reach([*people, taker], keys[0])
    (subject,) = (s for s in search.subjects if s.label == "user taker")
    ways = [d.through for d in search.of(subject, search.access_map.keys[0])]
    assert ("role admin",) in ways
    longer = [way for way in ways if way[:1] == ("role admin",) and len(way) > 1]
    gives = [
        d.actions for d in search.of(subject, search.access_map.keys[0]) if d.through in longer
    ]
    assert all(actions == {"kms:RetireGrant"} for actions in gives), gives


def test_means_are_worked_out_when_they_are_asked_for() -> None:
    people, keys = account()
    search = reach(people, *keys)
    evaluator = search.access_map.evaluator
    by_role = next(d for d in search if d.kinds[0] is DetourKind.PASSED_ROLE)
    before = len(evaluator._resolutions)
    assert by_role.proof.hops
    assert len(evaluator._resolutions) > before
