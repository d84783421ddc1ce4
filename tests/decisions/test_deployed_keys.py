"""Which deployed keys a plan concerns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_access.decisions.deployed_keys import without_unconcerned_keys
from kms_access.inventory.joining import joined
from kms_access.inventory.model import Identity, Inventory, Key
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.grammar import TRUST_POLICY
from kms_access.policies.parsing import parse_policy
from tests import builders
from tests.builders import DELEGATION, ROOT, allow, document, grant, iam, role, role_arn


def there(one: Any) -> Any:
    arn = str(one.arn if isinstance(one, Key) else one.principal.arn)
    return replace(one, origin=Origin(arn, arn.rpartition("/")[2]))


def trusting(identity: Identity, principal: Any) -> Identity:
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    policy = builders.Policy("trust policy", parse_policy(trust, TRUST_POLICY), identity.origin)
    return replace(identity, trust=(policy,))


def api(*statements: Any) -> Identity:
    return trusting(role("api", *statements), ROOT)


OPEN = there(builders.key("open", DELEGATION))
NAMED = there(builders.key("named", allow(role_arn("api"), "kms:Decrypt")))
TAGGED = there(
    builders.key(
        "pattern",
        allow("*", "kms:Decrypt", Condition={"ArnLike": {"aws:PrincipalArn": role_arn("team-*")}}),
    )
)
KEYS = (OPEN, NAMED, TAGGED)
DEPLOYED = Inventory(
    KEYS,
    (
        there(api(iam("kms:Encrypt"))),
        there(role("idle", iam("s3:*"))),
    ),
    not_covered=tuple(NotCovered(key.origin, "its tags", True) for key in KEYS),
)
ASSUMES = iam("sts:AssumeRole", role_arn("api"))


@pytest.mark.parametrize(
    ("planned", "concerned"),
    [
        ([], []),
        ([api(iam("kms:Encrypt"))], []),
        ([api(iam("kms:Encrypt"), iam("s3:*"))], []),
        ([api(iam("kms:Decrypt"))], ["open"]),
        ([api(iam("kms:*", str(NAMED.arn)))], ["open"]),
        ([role("new", iam("kms:Decrypt", str(OPEN.arn)))], ["open"]),
        ([role("new", iam("kms:Decrypt", str(NAMED.arn)))], []),
        ([role("new", iam("s3:*"))], []),
        ([role("team-new")], ["pattern"]),
        ([api(iam("kms:*", effect="Deny"))], ["named", "open"]),
        ([replace(role("idle", iam("kms:Decrypt")), complete=False)], ["open"]),
        ([role("new", ASSUMES)], ["named", "open"]),
        ([trusting(api(iam("kms:Encrypt")), "*")], ["named", "open"]),
        ([builders.key("named", allow(role_arn("x"), "kms:*"))], ["named"]),
        ([grant(TAGGED, GranteePrincipal=role_arn("x"), Operations=["Decrypt"])], ["pattern"]),
    ],
)
def test_keys_to_which_access_changes(planned: list[Any], concerned: list[str]) -> None:
    plan = Inventory(
        tuple(one for one in planned if isinstance(one, Key)),
        tuple(one for one in planned if isinstance(one, Identity)),
        tuple(one for one in planned if not isinstance(one, (Key, Identity))),
    )
    after = joined(plan, DEPLOYED)
    found = without_unconcerned_keys(after, DEPLOYED)
    assert sorted(key.aliases[0] for key in found.keys) == [f"alias/{name}" for name in concerned]
    assert found.identities == after.identities
    noted = {note.origin.identity for note in found.not_covered}
    assert noted == {str(key.arn) for key in found.keys}


def test_grants_go_with_their_key() -> None:
    there_before = grant(OPEN, GranteePrincipal=role_arn("x"), Operations=["Decrypt"])
    deployed = replace(DEPLOYED, grants=(there_before,))
    found = without_unconcerned_keys(joined(Inventory(), deployed), deployed)
    assert (found.keys, found.grants) == ((), ())


def test_the_inventory_with_defaults_is_cut_as_well() -> None:
    plan = Inventory(with_defaults=Inventory())
    found = without_unconcerned_keys(joined(plan, DEPLOYED), DEPLOYED)
    assert found.with_defaults is not None
    assert found.with_defaults.keys == ()
