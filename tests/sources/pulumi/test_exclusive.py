"""What an exclusive resource does not list may be detached; what it lists stays."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory, Policy
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import (
    ACCOUNT,
    DECRYPT,
    DELEGATING,
    OF_ACCOUNT,
    TRUST,
    UNKNOWN,
    identity,
    resource,
    urn,
)

IAM = f"arn:aws:iam::{ACCOUNT}"
ROLE = resource("role", "api", {"name": "api", "assumeRolePolicy": TRUST})
USER = resource("user", "alice", {"name": "alice"})
GROUP = resource("group", "staff", {"name": "staff"})
MANAGED = resource("policy", "decrypting", {"name": "decrypting", "policy": DECRYPT})
OTHER = resource("policy", "other", {"name": "other", "policy": DECRYPT})
BASE = [ROLE, USER, GROUP, MANAGED, OTHER]
ATTACHED = resource(
    "role_attachment", "a", {"role": "api", "policyArn": f"{IAM}:policy/decrypting"}
)
INLINE = resource("role_policy", "inline", {"role": "api", "name": "reading", "policy": DECRYPT})
OF_GROUP = resource("group_policy", "inline", {"group": "staff", "name": "g", "policy": DECRYPT})
JOINED = resource("memberships", "joined", {"user": "alice", "groups": ["staff"]})


def only_attachments(*arns: str) -> StackResource:
    inputs = {"roleName": "api", "policyArns": list(arns)}
    return resource("role_exclusive", "only", inputs, depends={"policyArns": [MANAGED.urn]})


def only_names(names: object, role: str = "api") -> StackResource:
    return resource("only_policies", "only", {"roleName": role, "policyNames": names})


def only_of(kind: str, **inputs: object) -> StackResource:
    return resource(kind, "only", inputs)


def doubts(policies: Sequence[Policy]) -> dict[str, str]:
    return {
        policy.label: statement.uncertain.text if statement.uncertain else ""
        for policy in policies
        for statement in policy.document.statements
    }


STAYS = {"managed policy decrypting": ""}
DETACHED = {
    "managed policy decrypting": "whether managed policy decrypting stays attached to role api, "
    'because rolePolicyAttachmentsExclusive "only" detaches what it does not list'
}
READING = {"inline policy inline": ""}
DELETED = {
    "inline policy inline": "whether inline policy inline stays attached to role api, because "
    'rolePoliciesExclusive "only" deletes what it does not list'
}
MOVED = {
    "managed policy decrypting": "whether managed policy decrypting stays attached to role api, "
    'because policyAttachment "only" detaches it from all whom it does not list'
}
MEMBER = {"inline policy inline": ""}
REMOVED = {
    "inline policy inline": "whether user alice stays in group staff, because groupMembership "
    '"only" removes members whom it does not list'
}
ARN = f"{IAM}:policy/decrypting"


@pytest.mark.parametrize(
    ("resources", "owner", "expected"),
    [
        ([ATTACHED, only_attachments(ARN)], "api", STAYS),
        ([ATTACHED, only_attachments(UNKNOWN)], "api", STAYS),
        ([ATTACHED, only_attachments()], "api", DETACHED),
        (
            [ATTACHED, only_attachments(f"{IAM}:policy/other")],
            "api",
            {**DETACHED, "managed policy other": ""},
        ),
        ([only_attachments(ARN)], "api", STAYS),
        ([INLINE, only_attachments()], "api", READING),
        ([INLINE, only_names(["reading"])], "api", READING),
        ([INLINE, only_names(["writing", UNKNOWN])], "api", DELETED),
        ([INLINE, only_names([])], "api", DELETED),
        ([INLINE, only_names(UNKNOWN)], "api", DELETED),
        ([INLINE, only_names([], role="another")], "api", READING),
        ([ATTACHED, only_names([])], "api", STAYS),
        ([ATTACHED, only_of("attachment", policyArn=ARN, roles=["api"])], "api", STAYS),
        ([ATTACHED, only_of("attachment", policyArn=ARN, users=["alice"])], "api", MOVED),
        ([ATTACHED, only_of("attachment", policyArn=ARN, users=["alice"])], "alice", STAYS),
        (
            [ATTACHED, only_of("attachment", policyArn=f"{IAM}:policy/other", users=["alice"])],
            "api",
            STAYS,
        ),
        ([OF_GROUP, JOINED, only_of("members", group="staff", users=["alice"])], "alice", MEMBER),
        ([OF_GROUP, JOINED, only_of("members", group="staff", users=["bob"])], "alice", REMOVED),
        ([OF_GROUP, JOINED, only_of("members", group="others", users=[])], "alice", MEMBER),
    ],
)
def test_what_stays_attached(
    resources: list[StackResource], owner: str, expected: dict[str, str]
) -> None:
    for order in (resources, resources[::-1]):
        assert doubts(identity(read_stack([*BASE, *order]), owner).policies) == expected


@pytest.mark.parametrize("listed", [True, False])
def test_lists_of_the_role_itself_are_detached_as_well(listed: bool) -> None:
    inputs = {
        "name": "api",
        "managedPolicyArns": [ARN],
        "inlinePolicies": [{"name": "own", "policy": DECRYPT}],
    }
    role = resource("role", "api", inputs)
    names = only_names(["own"] if listed else [])
    only = only_attachments(*([ARN] if listed else []))
    policies = identity(read_stack([role, MANAGED, names, only]), "api").policies
    assert [bool(doubt) for doubt in doubts(policies).values()] == [not listed] * 2


def test_a_generated_name_is_the_same_in_the_list() -> None:
    inline = resource(
        "role_policy", "inline", {"role": "api", "name": "inline-1a2b3c4", "policy": DECRYPT}
    )
    found = read_stack([ROLE, inline, only_names(["inline-1a2b3c4"])])
    assert doubts(identity(found, "api").policies) == READING


def test_two_exclusive_resources_undo_each_other() -> None:
    second = resource("role_exclusive", "second", {"roleName": "api", "policyArns": []})
    policies = identity(read_stack([*BASE, only_attachments(ARN), second]), "api").policies
    (doubt,) = doubts(policies).values()
    assert 'rolePolicyAttachmentsExclusive "second" detaches what it does not list' in doubt


def test_until_the_exclusive_resource_follows_the_policy_is_attached() -> None:
    found = read_stack([*BASE, ATTACHED, only_attachments()], preview=False, partial=True)
    assert doubts(identity(found, "api").policies) == STAYS


def test_an_exclusive_list_of_another_account_changes_nothing() -> None:
    elsewhere = {**OF_ACCOUNT, "allowedAccountIds": '["444455556666"]'}
    only = resource(
        *("only_policies", "only", {"roleName": "api", "policyNames": []}),
        provider=elsewhere,
        provider_urn="x::y::z::other",
    )
    found = [i for i in read_stack([*BASE, INLINE, only]).identities if i.label == "role api"]
    assert [doubts(i.policies) for i in found] == [READING, {}]


@pytest.mark.parametrize(
    ("kind", "may_change"), [("only_policies", False), ("role_exclusive", True)]
)
def test_an_exclusive_resource_of_an_unclear_role_is_a_gap(kind: str, may_change: bool) -> None:
    inputs = {"roleName": UNKNOWN, "policyNames": [], "policyArns": [ARN]}
    only = resource(kind, "only", inputs, depends={"roleName": [urn("role", "x"), ROLE.urn]})
    (gap,) = read_stack([*BASE, only]).not_covered
    assert gap.may_change_key_access is may_change
    assert 'Exclusive "only" depends on "api", "x"' in gap.reason


def states(inventory: Inventory) -> set[AccessState]:
    return {
        access.state
        for access in access_map(inventory)
        if access.subject.label == "role api" and access.action == "kms:Decrypt"
    }


def test_access_that_hangs_on_what_may_be_detached_is_undecided() -> None:
    key = resource("key", "k", {"policy": DELEGATING})
    assert states(read_stack([*BASE, key, ATTACHED])) == {AccessState.ALLOWED}
    undone = read_stack([*BASE, key, ATTACHED, only_attachments()])
    assert states(undone) == {AccessState.UNDECIDED}
    # The same statement by another way is certain.
    certain = read_stack([*BASE, key, ATTACHED, only_attachments(), INLINE])
    assert states(certain) == {AccessState.ALLOWED}
