"""What differs between two deployments: access, conditions, detours, delegation, identities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kms_access.decisions.access_difference import Change, Difference, difference
from kms_access.decisions.access_facts import AccessFacts, facts_of_inventory
from kms_access.decisions.saved_map import load_saved_map, saved
from kms_access.inventory.model import Grant, Identity, Inventory, Key
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.text import Text, Unknown
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    ROOT,
    allow,
    deny,
    grant,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import lets, trust

APP = role_arn("app")
PEOPLE = (role("app"), user("alice"))


def condition(**tests: Any) -> dict[str, Any]:
    """`StringEquals={"key": "value"}` as the Condition block of a statement."""
    return {"Condition": tests}


def via(*services: str) -> dict[str, Any]:
    return condition(StringEquals={"kms:ViaService": [f"{s}.amazonaws.com" for s in services]})


def with_policy(*statements: Any, identities: Iterable[Identity] = PEOPLE) -> Inventory:
    return Inventory((key("data", *statements),), tuple(identities))


def for_app(actions: Any = "kms:Decrypt", **more: Any) -> Inventory:
    return with_policy(allow(APP, actions, **more))


def step(old: Inventory, new: Inventory) -> Difference:
    return difference(facts_of_inventory(old), facts_of_inventory(new))


def told(changes: Iterable[Change]) -> list[tuple[str, str]]:
    return [
        (change.principal.label, action.removeprefix("kms:"))
        for change in changes
        for action in change.actions
    ]


def test_the_same_definitions_do_not_differ() -> None:
    nothing = step(for_app(**via("s3")), for_app(**via("s3")))
    assert (nothing.gained, nothing.lost, nothing.undecided) == ((), (), ())
    assert nothing.is_decided


def trusting(*statements: Any) -> Inventory:
    """The key of role app, which these statements let others assume."""
    people = (role("app", trust=trust(*statements)), user("alice", iam("sts:AssumeRole")))
    return with_policy(allow(APP, "kms:Decrypt"), identities=people)


def granted(operations: list[str] | None = None, **fields: Any) -> Inventory:
    """A key that says nothing about role app, with a grant for it."""
    data = key("data", allow(user_arn("alice"), "kms:Sign"))
    grants: tuple[Grant, ...] = ()
    if operations:
        grants = (grant(data, GranteePrincipal=APP, Operations=operations, **fields),)
    return Inventory((data,), PEOPLE, grants)


WIDER: dict[str, tuple[Inventory, Inventory]] = {
    "another action": (for_app(), for_app(["kms:Decrypt", "kms:Encrypt"])),
    "every action": (for_app(), for_app("kms:*")),
    "another principal": (for_app(), with_policy(allow([APP, user_arn("alice")], "kms:Decrypt"))),
    "no condition": (for_app(**via("s3")), for_app()),
    "a further value": (for_app(**via("s3")), for_app(**via("s3", "rds"))),
    "a fifth value": (
        for_app(**via("a", "b", "c", "d")),
        for_app(**via("a", "b", "c", "d", "e")),
    ),
    "another value": (for_app(**via("s3")), for_app(**via("rds"))),
    "one condition of two": (
        for_app(
            **condition(StringEquals={"kms:ViaService": "x.amazonaws.com", "aws:SourceVpc": "y"})
        ),
        for_app(**via("x")),
    ),
    "fewer excluded values": (
        for_app(**condition(StringNotEquals={"aws:SourceVpc": ["a", "b"]})),
        for_app(**condition(StringNotEquals={"aws:SourceVpc": ["a"]})),
    ),
    "absent as well": (
        for_app(**via("s3")),
        for_app(**condition(StringEqualsIfExists={"kms:ViaService": "s3.amazonaws.com"})),
    ),
    "no deny": (
        with_policy(allow(APP, "kms:Decrypt"), deny(APP, "kms:Decrypt")),
        for_app(),
    ),
    "a narrower deny": (
        with_policy(allow(APP, "kms:Decrypt"), deny("*", "kms:*", **via("s3", "rds"))),
        with_policy(allow(APP, "kms:Decrypt"), deny("*", "kms:*", **via("s3"))),
    ),
    "identity policies": (with_policy(allow(APP, "kms:Decrypt")), with_policy(DELEGATION)),
    "more by identity policies": (
        with_policy(allow(ROOT, "kms:Decrypt")),
        with_policy(allow(ROOT, "kms:*")),
    ),
    "identity policies without a condition": (
        with_policy(allow(ROOT, "kms:Decrypt", **via("s3"))),
        with_policy(allow(ROOT, "kms:Decrypt")),
    ),
    "identity policies of one identity": (
        for_app(),
        with_policy(
            allow(APP, "kms:Decrypt"),
            allow(ROOT, "kms:Encrypt", **condition(ArnEquals={"aws:PrincipalArn": APP})),
        ),
    ),
    "another account": (
        for_app(),
        with_policy(allow(APP, "kms:Decrypt"), allow(f"arn:aws:iam::{OTHER}:root", "kms:Encrypt")),
    ),
    "roles beside users of an account": (
        with_policy(
            allow(
                "*",
                "kms:Decrypt",
                **condition(
                    StringEquals={"aws:PrincipalType": "User", "kms:CallerAccount": ACCOUNT}
                ),
            ),
        ),
        with_policy(
            allow("*", "kms:Decrypt", **condition(StringEquals={"kms:CallerAccount": ACCOUNT})),
        ),
    ),
    "a role that can be assumed": (
        trusting(lets({"Service": "ec2.amazonaws.com"})),
        trusting(lets({"Service": "ec2.amazonaws.com"}), lets(user_arn("alice"))),
    ),
    "a trust policy without its condition": (
        trusting(lets(user_arn("alice"), **condition(Bool={"aws:MultiFactorAuthPresent": "true"}))),
        trusting(lets(user_arn("alice"))),
    ),
    "a trust policy for more sources": (
        trusting(lets(user_arn("alice"), **condition(IpAddress={"aws:SourceIp": ["10.0.0.1"]}))),
        trusting(
            lets(
                user_arn("alice"),
                **condition(IpAddress={"aws:SourceIp": ["10.0.0.1", "10.0.0.2"]}),
            )
        ),
    ),
    "a grant": (granted(), granted(["Decrypt"])),
    "an operation of a grant": (granted(["Decrypt"]), granted(["Decrypt", "Encrypt"])),
    "a grant without its context": (
        granted(["Decrypt"], Constraints={"EncryptionContextEquals": {"a": "b"}}),
        granted(["Decrypt"]),
    ),
    "a grant for more contexts": (
        granted(["Decrypt"], Constraints={"EncryptionContextEquals": {"a": "b"}}),
        granted(["Decrypt"], Constraints={"EncryptionContextSubset": {"a": "b"}}),
    ),
    "a new key": (
        for_app(),
        Inventory((*for_app().keys, key("new", allow(APP, "kms:Decrypt"))), PEOPLE),
    ),
}
"""What gives access to somebody; the way back takes it away again."""


@pytest.mark.parametrize("name", WIDER)
def test_wider_access_is_gained_and_the_way_back_loses_it(name: str) -> None:
    narrow, wide = WIDER[name]
    assert step(narrow, wide).gained, name
    back = step(wide, narrow)
    assert told(back.lost) == told(step(narrow, wide).gained)


NARROWER = [name for name in WIDER if name not in ("another value", "identity policies")]
"""Those that give and take nothing at the same time."""


@pytest.mark.parametrize("name", NARROWER)
def test_narrower_access_gains_nothing(name: str) -> None:
    narrow, wide = WIDER[name]
    back = step(wide, narrow)
    assert back.gained == ()
    assert back.is_decided


@pytest.mark.parametrize("name", WIDER)
def test_saved_maps_differ_as_the_definitions_do(name: str, tmp_path: Path) -> None:
    facts = [facts_of_inventory(inventory) for inventory in WIDER[name]]
    read = []
    for index, one in enumerate(facts):
        path = tmp_path / f"{index}.json"
        path.write_text(saved(one, proofs=True), encoding="utf-8")
        read.append(load_saved_map(path))
    live, kept = difference(*facts), difference(*read)
    assert told(kept.gained) == told(live.gained)
    assert told(kept.lost) == told(live.lost)
    texts = [[hop.text for hop in change.proof] for change in live.gained]
    assert [[hop.text for hop in change.proof] for change in kept.gained] == texts
    assert all(texts)


SAME: dict[str, tuple[Inventory, Inventory]] = {
    "the order of statements": (
        with_policy(allow(APP, "kms:Decrypt"), deny("*", "kms:Encrypt")),
        with_policy(deny("*", "kms:Encrypt"), allow(APP, "kms:Decrypt")),
    ),
    "a list": (for_app(), for_app(["kms:Decrypt"])),
    "the case of an action": (for_app(), for_app("kms:DECRYPT")),
    "two statements": (
        for_app(["kms:Decrypt", "kms:Encrypt"], **via("s3", "rds")),
        with_policy(
            allow(APP, "kms:Encrypt", **via("rds", "s3")),
            allow(APP, "kms:Decrypt", **via("s3", "rds")),
        ),
    ),
    "the case of a condition key": (
        for_app(**via("s3")),
        for_app(**condition(StringEquals={"KMS:viaservice": ["s3.amazonaws.com"]})),
    ),
    "a condition that another statement makes idle": (
        for_app(**via("s3")),
        with_policy(
            allow(APP, "kms:Decrypt", **via("s3")),
            allow(
                APP,
                "kms:Decrypt",
                **condition(
                    StringEquals={"kms:ViaService": "s3.amazonaws.com", "aws:SourceVpc": "v"}
                ),
            ),
        ),
    ),
    "a statement for nobody of ours": (
        with_policy(DELEGATION),
        with_policy(DELEGATION, deny(user_arn("zoe"), "kms:Verify")),
    ),
    "a session of a role that has it": (
        for_app(),
        with_policy(allow([APP, f"arn:aws:sts::{ACCOUNT}:assumed-role/app/debug"], "kms:Decrypt")),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_another_way_to_write_it_is_no_difference(name: str) -> None:
    assert step(*SAME[name]).gained == ()
    assert step(*SAME[name]).is_decided


def test_access_instead_of_a_detour_to_it_is_gained() -> None:
    alone = iam("kms:PutKeyPolicy")
    detour = with_policy(DELEGATION, identities=(role("app", alone),))
    direct = with_policy(DELEGATION, identities=(role("app", alone, iam("kms:Decrypt")),))
    assert told(step(detour, direct).gained) == [("role app", "Decrypt")]


def test_a_detour_of_who_could_rewrite_the_key_policy_is_nothing_new() -> None:
    """K156: whoever can rewrite the key policy can obtain everything."""
    writer = iam("kms:PutKeyPolicy")
    before = with_policy(DELEGATION, identities=(role("app", writer), role("other")))
    further = iam(["kms:PutKeyPolicy", "iam:PutRolePolicy"])
    after = with_policy(DELEGATION, identities=(role("app", further), role("other")))
    assert step(before, after).gained == ()


UNKNOWN = Text((Unknown("the parameter Reader"),))


def test_what_is_undecided_is_neither_gained_nor_passed() -> None:
    """Also if it was there before: an unknown value can be another one."""
    open_ = with_policy(allow({"AWS": UNKNOWN}, "kms:Decrypt"))
    for before in (with_policy(deny("*", "kms:Sign")), open_):
        found = step(before, open_)
        assert found.gained == ()
        assert ("role app", "Decrypt") in told(found.undecided)
        assert not found.is_decided


def test_what_was_undecided_and_is_sure_now_is_gained() -> None:
    open_ = with_policy(allow(APP, "kms:Decrypt", **condition(StringEquals={"aws:SourceVpc": "v"})))
    (data,) = open_.keys
    twice = replace(data, policies=(*data.policies, *key("data", deny("*", "kms:*")).policies))
    undecided = Inventory((twice,), PEOPLE)
    assert told(step(undecided, undecided).undecided) == [("role app", "Decrypt")]
    assert told(step(undecided, open_).gained) == [("role app", "Decrypt")]


def test_definitions_that_were_not_evaluated_keep_it_open() -> None:
    item = NotCovered(Origin("App/Custom", "Custom", "App"), "a custom resource", True)
    found = step(for_app(), replace(for_app(), not_covered=(item,)))
    assert found.not_evaluated == ("Custom (stack App): a custom resource",)
    assert not found.is_decided


def test_a_default_of_a_parameter_convicts() -> None:
    open_ = with_policy(deny("*", "kms:Sign"))
    found = step(for_app(), replace(open_, with_defaults=for_app("kms:*")))
    assert ("role app", "Encrypt") in told(found.gained)
    assert found.gained[0].proof


def test_what_was_there_by_a_default_is_not_gained() -> None:
    nobody = with_policy(deny("*", "kms:Sign"))
    before = replace(nobody, with_defaults=for_app())
    assert step(before, for_app()).gained == ()


def moved(inventory: Inventory, stack: str) -> Inventory:
    """The same definitions in a stack of another name."""

    def there(origin: Origin) -> Origin:
        rest = origin.identity.removeprefix("App/")
        return replace(origin, identity=f"{stack}/{rest}", container=stack)

    def of_key(one: Key) -> Key:
        return replace(one, origin=there(one.origin), aliases=(), arn=Text((Unknown("id"),)))

    return Inventory(
        tuple(map(of_key, inventory.keys)),
        tuple(replace(one, origin=there(one.origin)) for one in inventory.identities),
    )


def test_a_stack_of_another_name_is_the_same_stack_if_there_is_one() -> None:
    before, after = moved(for_app(), "Dev"), moved(for_app("kms:*"), "Prod")
    assert step(before, moved(for_app(), "Prod")).gained == ()
    assert ("role app", "Encrypt") in told(step(before, after).gained)
    assert ("role app", "Decrypt") not in told(step(before, after).gained)


def test_a_principal_that_is_defined_now_is_the_one_that_was_named() -> None:
    elsewhere = with_policy(allow(APP, "kms:Decrypt"), identities=())
    found = step(elsewhere, for_app())
    assert (found.gained, found.lost) == ((), ())


def test_a_new_key_with_the_alias_of_an_old_one_is_a_new_key() -> None:
    old = key("data", allow(APP, "kms:Decrypt"))
    stays = replace(old, aliases=("alias/archive",))
    new = replace(key("new", allow(APP, "kms:Decrypt")), aliases=("alias/data",))
    found = step(Inventory((old,), PEOPLE), Inventory((stays, new), PEOPLE))
    assert [change.key.identity for change in found.gained] == ["App/new"]


def test_a_replaced_key_is_the_one_with_its_alias() -> None:
    new = replace(key("new", allow(APP, "kms:Decrypt")), aliases=("alias/data",))
    assert step(for_app(), Inventory((new,), PEOPLE)).gained == ()


def test_facts_of_two_sides_are_left_as_they_are() -> None:
    before, after = (facts_of_inventory(moved(for_app(), stack)) for stack in ("Dev", "Prod"))
    copies: tuple[AccessFacts, ...] = tuple(replace(one) for one in (before, after))
    difference(before, after)
    assert (before, after) == copies
