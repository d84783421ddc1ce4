"""Rules about what exists, which a single request cannot show: attachments and grants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.rules import Rules, assess
from kms_access.sources import load
from tests.builders import ACCOUNT, document, grant, iam, key, role_arn, user, user_arn

ALLOWED, DENIED = AccessState.ALLOWED, AccessState.IMPLICITLY_DENIED
UNDECIDED = AccessState.UNDECIDED
DECRYPT = document(iam("kms:Decrypt"))
KEY = {"Key": {"Type": "AWS::KMS::Key", "Properties": {}}}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::IAM::{kind}", "Properties": properties}


def state(inventory: Inventory, principal: str, on: str = "Key") -> AccessState:
    facts = access_map(inventory)
    cell = facts.cell(find_subject(facts, principal), find_key(facts, on))
    return next(access.state for access in cell if access.action == "kms:Decrypt")


ATTACHMENTS = {
    "K63 a policy of the user's group": (
        {
            "Alice": resource("User", UserName="alice", Groups=[{"Ref": "Staff"}]),
            "Staff": resource("Group", Policies=[{"PolicyName": "P", "PolicyDocument": DECRYPT}]),
        },
        ALLOWED,
    ),
    "K63 a membership of its own": (
        {
            "Alice": resource("User", UserName="alice"),
            "Staff": resource("Group", Policies=[{"PolicyName": "P", "PolicyDocument": DECRYPT}]),
            "Join": resource(
                "UserToGroupAddition", GroupName={"Ref": "Staff"}, Users=[{"Ref": "Alice"}]
            ),
        },
        ALLOWED,
    ),
    "K63 another group": (
        {
            "Alice": resource("User", UserName="alice"),
            "Staff": resource("Group", Policies=[{"PolicyName": "P", "PolicyDocument": DECRYPT}]),
        },
        DENIED,
    ),
    "K65 a managed policy of the definitions": (
        {
            "Alice": resource("User", UserName="alice", ManagedPolicyArns=[{"Ref": "Use"}]),
            "Use": resource("ManagedPolicy", PolicyDocument=DECRYPT),
        },
        ALLOWED,
    ),
    "K65 a managed policy that is not attached": (
        {
            "Alice": resource("User", UserName="alice"),
            "Use": resource("ManagedPolicy", PolicyDocument=DECRYPT),
        },
        DENIED,
    ),
    "K65 a managed policy from elsewhere": (
        {
            "Alice": resource(
                "User",
                UserName="alice",
                ManagedPolicyArns=[f"arn:aws:iam::{ACCOUNT}:policy/Elsewhere"],
            ),
        },
        UNDECIDED,
    ),
    "K67 a boundary caps": (
        {
            "Alice": resource(
                "User",
                UserName="alice",
                Policies=[{"PolicyName": "P", "PolicyDocument": DECRYPT}],
                PermissionsBoundary={"Ref": "Limit"},
            ),
            "Limit": resource("ManagedPolicy", PolicyDocument=document(iam("s3:*"))),
        },
        DENIED,
    ),
}


@pytest.mark.parametrize("name", ATTACHMENTS)
def test_attachments(name: str, tmp_path: Path) -> None:
    resources, wanted = ATTACHMENTS[name]
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Resources": {**KEY, **resources}}), encoding="utf-8")
    assert state(load([path]), "alice") is wanted


def test_an_identity_that_is_only_mentioned_may_have_more_policies() -> None:
    """K66: its identity side is open, one of the definitions is complete."""
    defined, mentioned = user("alice"), user("bob", complete=False)
    inventory = Inventory((key("Key"),), (defined, mentioned))
    assert state(inventory, "alice") is DENIED
    assert state(inventory, "bob") is AccessState.DELEGATED
    with_policy = user("bob", iam("kms:Decrypt"), complete=False)
    assert state(Inventory((key("Key"),), (with_policy,)), "bob") is ALLOWED


def granted(*fields: dict[str, Any]) -> Inventory:
    keys = (key("Key"), key("Other"))
    common = {"GranteePrincipal": user_arn("alice"), "Operations": ["Decrypt"]}
    return Inventory(
        keys, (user("alice"),), tuple(grant(keys[0], **(common | more)) for more in fields)
    )


def test_a_grant_is_for_one_key() -> None:
    """K106."""
    assert state(granted({}), "alice") is ALLOWED
    assert state(granted({}), "alice", "Other") is DENIED


def test_one_of_two_equal_grants_is_enough() -> None:
    """K104: grants without a name exist side by side."""
    assert state(granted({}, {}), "alice") is ALLOWED
    assert state(granted({}), "alice") is ALLOWED
    assert state(granted(), "alice") is DENIED


def test_a_grant_token_changes_nothing() -> None:
    """K105."""
    assert state(granted({"GrantTokens": ["x"]}), "alice") is ALLOWED
    assert state(granted({"GrantTokens": ["x"], "Operations": ["Encrypt"]}), "alice") is DENIED


def test_without_declared_grants_there_is_access_through_policies_only() -> None:
    """K107."""
    on = key("Key")
    bare = Inventory((on,), (user("alice"),))
    declared = grant(on, GranteePrincipal=user_arn("alice"), Operations=["Decrypt"])
    assert state(bare, "alice") is DENIED
    assert state(Inventory(bare.keys, bare.identities, (declared,)), "alice") is ALLOWED


@pytest.mark.parametrize(
    ("operations", "wrong"), [(["Sign", "GetPublicKey"], []), (["Sign", "Decrypt"], ["Decrypt"])]
)
def test_operations_of_a_grant_must_fit_the_key(operations: list[str], wrong: list[str]) -> None:
    """K94."""
    signing = key("Key", spec="RSA_2048", usage="SIGN_VERIFY")
    found = grant(signing, GranteePrincipal=role_arn("ci"), Operations=operations)
    findings = assess(Inventory((signing,), (), (found,)), Rules()).findings
    assert [f.claim for f in findings] == [
        f'grant G is not valid: key alias/Key cannot carry out "{name}"' for name in wrong
    ]
