"""Users and roles get what is attached to them directly, by attachments and through groups."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kms_access.inventory.model import Inventory
from kms_access.policies.answers import ReasonKind, Truth
from kms_access.policies.principals import PrincipalKind, parse_principal
from kms_access.sources.pulumi import StackResource, read_stack
from kms_access.sources.pulumi.tokens import (
    ATTACHMENTS,
    EXCLUSIVE_ATTACHMENTS,
    INLINE_POLICIES,
    property_name,
)

from .stack import (
    ACCOUNT,
    DECRYPT,
    OF_ACCOUNT,
    PROVIDER,
    TRUST,
    UNKNOWN,
    document,
    existing_key,
    identity,
    resource,
    statement,
    urn,
)

IAM = f"arn:aws:iam::{ACCOUNT}"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ELSEWHERE = f"{IAM}:policy/elsewhere"
ROLE = resource("role", "api", {"name": "api", "path": "/", "assumeRolePolicy": TRUST})
USER = resource("user", "alice", {"name": "alice", "path": "/"})
GROUP = resource("group", "staff", {"name": "staff", "path": "/"})
MANAGED = resource("policy", "decrypting", {"name": "decrypting", "path": "/", "policy": DECRYPT})
OWNERS = {"role": ROLE, "user": USER, "group": GROUP}


def labels(inventory: Inventory, name: str) -> list[str]:
    return [policy.label for policy in identity(inventory, name).policies]


def read(*resources: StackResource) -> Inventory:
    return read_stack([ROLE, USER, GROUP, MANAGED, *resources])


def owner_name(kind: str) -> str:
    return OWNERS[kind].name


def test_a_role_is_read_with_trust_policy_tags_and_predicted_arn() -> None:
    role = resource(
        "role",
        "api",
        {"name": "api", "path": "/service/", "assumeRolePolicy": TRUST, "tags": {"team": "a"}},
    )
    found = identity(read_stack([role]), "api")
    assert found.principal == parse_principal(f"{IAM}:role/service/api")
    assert [policy.label for policy in found.trust] == ["trust policy"]
    assert found.tags == {"team": "a"}
    assert found.complete
    assert (found.origin.identity, found.origin.container) == (role.urn, "dev")


@pytest.mark.parametrize("inputs", [{"name": "api"}, {"name": "api", "path": "/"}])
def test_the_path_is_a_slash_unless_given(inputs: Mapping[str, object]) -> None:
    found = identity(read_stack([resource("role", "api", inputs)]), "api")
    assert found.principal.arn == f"{IAM}:role/api"


def test_an_unknown_path_leaves_the_role_open() -> None:
    role = resource("role", "api", {"name": "api", "path": UNKNOWN})
    principal = identity(read_stack([role]), "api").principal
    assert principal.name == "api"
    assert principal.kind is PrincipalKind.ROLE


def test_inline_and_managed_policies_of_the_role_itself() -> None:
    role = resource(
        "role",
        "api",
        {
            "name": "api",
            "inlinePolicies": [
                {"name": "known", "policy": DECRYPT},
                {"name": "later", "policy": UNKNOWN},
                {"name": "nothing", "policy": ""},
            ],
            "managedPolicyArns": [ELSEWHERE, READ_ONLY, UNKNOWN],
        },
        # AWS reports what is attached by other resources, too.
        {"managedPolicyArns": UNKNOWN, "inlinePolicies": UNKNOWN},
        depends={"managedPolicyArns": [MANAGED.urn], "inlinePolicies": [urn("key", "k")]},
    )
    found = identity(read_stack([role, MANAGED]), "api")
    assert {policy.label: policy.document.unreadable is None for policy in found.policies} == {
        "inline policy known": True,
        "inline policy later": False,
        "managed policy elsewhere": False,
        "managed policy ReadOnlyAccess": True,
        "managed policy decrypting": True,
    }


def test_an_inline_policy_that_the_provider_drops_is_not_forgotten() -> None:
    """Only the dependency on a new resource tells that an element is missing from the inputs."""
    depends = {"inlinePolicies": [urn("key", "k")]}
    inputs = {"name": "api", "inlinePolicies": [{"name": "known", "policy": DECRYPT}]}
    role = resource("role", "api", inputs, depends=depends)
    new = read_stack([role, resource("key", "k")])
    assert labels(new, "api") == ["inline policy known", "inline policy of unknown name"]
    assert identity(new, "api").policies[1].document.unreadable is not None
    assert labels(read_stack([role, existing_key("k")]), "api") == ["inline policy known"]


def test_outputs_of_a_role_do_not_bring_back_what_was_detached() -> None:
    outputs = {
        "arn": f"{IAM}:role/api",
        "inlinePolicies": [{"name": "old", "policy": DECRYPT}],
        "managedPolicyArns": [READ_ONLY],
    }
    assert labels(read_stack([resource("role", "api", {"name": "api"}, outputs)]), "api") == []


@pytest.mark.parametrize("token", INLINE_POLICIES)
@pytest.mark.parametrize("by_dependency", [True, False])
def test_inline_policies_reach_their_owner(token: str, by_dependency: bool) -> None:
    kind = INLINE_POLICIES[token]
    owner, document_ = property_name(token, kind), property_name(token, "policy")
    inputs = {owner: UNKNOWN if by_dependency else owner_name(kind), document_: DECRYPT}
    depends = {owner: [OWNERS[kind].urn]} if by_dependency else {}
    inline = resource(token, "inline", inputs, depends=depends)
    member = resource("members", "m", {"group": "staff", "users": ["alice"]})
    found = read(inline, member)
    assert found.not_covered == ()
    assert labels(found, "api") == (["inline policy inline"] if kind == "role" else [])
    assert labels(found, "alice") == ([] if kind == "role" else ["inline policy inline"])


@pytest.mark.parametrize("token", [*ATTACHMENTS, *EXCLUSIVE_ATTACHMENTS])
@pytest.mark.parametrize("by_dependency", [True, False])
def test_attachments_reach_their_owner(token: str, by_dependency: bool) -> None:
    kind = {**ATTACHMENTS, **EXCLUSIVE_ATTACHMENTS}[token]
    owner_key = property_name(token, kind)
    policies_key = "policyArns" if token in EXCLUSIVE_ATTACHMENTS else "policyArn"
    arn = UNKNOWN if by_dependency else f"{IAM}:policy/decrypting"
    inputs = {
        owner_key: UNKNOWN if by_dependency else owner_name(kind),
        policies_key: [arn] if policies_key == "policyArns" else arn,
    }
    depends = {owner_key: [OWNERS[kind].urn], policies_key: [MANAGED.urn]}
    attached = resource(token, "attached", inputs, depends=depends if by_dependency else {})
    member = resource("members", "m", {"group": "staff", "users": ["alice"]})
    found = read(attached, member)
    assert found.not_covered == ()
    assert labels(found, "api") == (["managed policy decrypting"] if kind == "role" else [])
    assert labels(found, "alice") == ([] if kind == "role" else ["managed policy decrypting"])


def test_one_attachment_for_many() -> None:
    attachment = resource(
        "attachment",
        "all",
        {"policyArn": UNKNOWN, "roles": ["api"], "users": [UNKNOWN], "groups": ["staff"]},
        depends={"policyArn": [MANAGED.urn], "users": [USER.urn]},
    )
    found = read(attachment)
    assert labels(found, "api") == labels(found, "alice") == ["managed policy decrypting"]


@pytest.mark.parametrize(
    "membership",
    [
        resource("members", "m", {"group": "staff", "users": ["alice"]}),
        resource(
            *("members", "m", {"group": UNKNOWN, "users": [UNKNOWN]}),
            depends={"group": [GROUP.urn], "users": [USER.urn]},
        ),
        resource("memberships", "m", {"user": "alice", "groups": ["staff"]}),
        resource(
            *("memberships", "m", {"user": UNKNOWN, "groups": ["elsewhere", UNKNOWN]}),
            depends={"user": [USER.urn], "groups": [GROUP.urn]},
        ),
    ],
)
def test_a_user_has_the_policies_of_its_groups(membership: StackResource) -> None:
    # The name sorts behind the membership, so that the policy is read after it.
    inline = resource("group_policy", "zz", {"group": "staff", "policy": DECRYPT})
    found = read(inline, membership)
    assert labels(found, "alice") == ["inline policy zz"]
    assert found.not_covered == ()


def test_the_same_policy_by_two_ways_counts_once() -> None:
    for_user = resource("user_attachment", "a", {"user": "alice", "policyArn": MANAGED.urn})
    direct = resource(
        *("user_attachment", "a", {"user": "alice", "policyArn": UNKNOWN}),
        depends={"policyArn": [MANAGED.urn]},
    )
    by_group = resource(
        *("group_attachment", "b", {"group": "staff", "policyArn": UNKNOWN}),
        depends={"policyArn": [MANAGED.urn]},
    )
    member = resource("members", "m", {"group": "staff", "users": ["alice"]})
    assert labels(read(direct, by_group, member), "alice") == ["managed policy decrypting"]
    assert for_user.name == "a"


def test_a_managed_policy_from_elsewhere_is_open() -> None:
    attached = resource("role_attachment", "a", {"role": "api", "policyArn": ELSEWHERE})
    (policy,) = identity(read(attached), "api").policies
    assert policy.document.unreadable is not None
    assert policy.document.unreadable.kind is ReasonKind.UNREADABLE
    assert ELSEWHERE in policy.document.unreadable.text


@pytest.mark.parametrize(
    ("name", "creates_grants"), [("AmazonMSKFullAccess", True), ("AmazonSQSFullAccess", False)]
)
def test_an_aws_managed_policy_says_what_it_gives_on_kms(name: str, creates_grants: bool) -> None:
    arn = f"arn:aws:iam::aws:policy/{name}"
    inputs = {"name": "x", "managedPolicyArns": [arn], "permissionsBoundary": arn}
    found = identity(read_stack([resource("role", "x", inputs)]), "x")
    assert len(found.policies) == len(found.boundary) == 1
    assert found.policies[0].label == f"managed policy {name}"
    assert found.boundary[0].document.grammar.title == "permissions boundary"
    for policy in (*found.policies, *found.boundary):
        assert policy.document.unreadable is None
        statements = policy.document.statements
        patterns = [p.source for s in statements if s.action for p in s.action.patterns]
        assert ("kms:CreateGrant" in patterns) is creates_grants
        assert bool(statements) is creates_grants


def test_an_attachment_of_an_unclear_policy_is_open_for_its_owner_only() -> None:
    attached = resource(
        *("role_attachment", "a", {"role": "api", "policyArn": UNKNOWN}),
        depends={"policyArn": [MANAGED.urn, ROLE.urn]},
    )
    found = read(attached)
    (policy,) = identity(found, "api").policies
    assert policy.document.unreadable is not None
    assert 'the policyArn of rolePolicyAttachment "a" depends on "api", "decrypting"' in (
        policy.document.unreadable.text
    )
    assert labels(found, "alice") == []
    assert found.not_covered == ()


@pytest.mark.parametrize("inputs", [{"role": UNKNOWN, "policy": DECRYPT}, {"policy": DECRYPT}])
def test_a_policy_whose_owner_is_unclear_is_a_gap(inputs: Mapping[str, object]) -> None:
    (gap,) = read(resource("role_policy", "loose", inputs)).not_covered
    assert gap.may_change_key_access
    assert 'rolePolicy "loose"' in gap.reason
    assert "which role gets the policy" in gap.reason


def test_an_unclear_membership_is_a_gap() -> None:
    unclear = resource(
        *("memberships", "m", {"user": "alice", "groups": [UNKNOWN, UNKNOWN]}),
        depends={"groups": [GROUP.urn]},
    )
    (gap,) = read(unclear).not_covered
    assert gap.may_change_key_access
    assert "so the membership is not known" in gap.reason


def test_permissions_boundaries_are_read_apart() -> None:
    boundary = resource("policy", "limit", {"name": "limit", "policy": DECRYPT})
    limited = resource(
        *("role", "limited", {"name": "limited", "permissionsBoundary": UNKNOWN}),
        depends={"permissionsBoundary": [boundary.urn]},
    )
    free = resource("role", "free", {"name": "free", "permissionsBoundary": ""})
    inventory = read_stack([boundary, limited, free])
    (policy,) = identity(inventory, "limited").boundary
    assert policy.document.grammar.title == "permissions boundary"
    assert identity(inventory, "limited").policies == ()
    assert identity(inventory, "free").boundary == ()


def test_an_identity_from_elsewhere_is_kept_as_incomplete() -> None:
    role_policy = resource("role_policy", "a", {"role": "legacy", "policy": DECRYPT})
    attached = resource("user_attachment", "b", {"user": "bob", "policyArn": READ_ONLY})
    inventory = read_stack([role_policy, attached])
    legacy, bob = identity(inventory, "legacy"), identity(inventory, "bob")
    assert not legacy.complete
    assert not bob.complete
    assert legacy.label == "role legacy"
    named = parse_principal(f"{IAM}:role/some/path/legacy")
    assert named is not None
    for found, arn in ((legacy, f"{IAM}:role/some/path/legacy"), (bob, f"{IAM}:user/bob")):
        principal = parse_principal(arn)
        assert principal is not None
        from kms_access.policies.principals import EntryKind, PrincipalEntry

        entry = PrincipalEntry(EntryKind.IDENTITY, arn, principal)
        naming = entry.names(found.principal)
        assert naming is not None
        assert naming[1].truth is not Truth.FALSE


def test_equal_names_in_two_accounts_are_two_identities() -> None:
    other = {**OF_ACCOUNT, "allowedAccountIds": '["444455556666"]'}
    twin = resource(
        *("role", "twin", {"name": "api"}), provider=other, provider_urn=f"{PROVIDER}-other"
    )
    inline = resource(
        *("role_policy", "inline", {"role": "api", "policy": DECRYPT}),
        provider=other,
        provider_urn=f"{PROVIDER}-other",
    )
    inventory = read_stack([ROLE, twin, inline])
    assert labels(inventory, "api") == []
    assert labels(inventory, "twin") == ["inline policy inline"]


def test_dict_documents_keep_their_unknown_leaves_apart() -> None:
    allow = statement(["kms:Decrypt", UNKNOWN], Sid="mixed")
    raw = {"Version": "2012-10-17", "Statement": [allow, statement("s3:*")]}
    inline = resource("role_policy", "raw", {"role": "api", "policy": raw})
    (policy,) = identity(read(inline), "api").policies
    mixed, plain = policy.document.statements
    assert mixed.action is not None
    assert plain.action is not None
    assert mixed.action.matches("kms:Decrypt").truth is Truth.TRUE
    assert mixed.action.matches("kms:Encrypt").truth is Truth.UNKNOWN
    assert plain.action.matches("kms:Decrypt").truth is Truth.FALSE


def test_a_secret_document_is_read() -> None:
    signature = "4dabf18193072939515e22adb298388d"
    hidden = {signature: "1b47061264138c4ac30d75fd1eb44270", "value": document(statement())}
    inline = resource("role_policy", "hidden", {"role": "api", "policy": hidden})
    (policy,) = identity(read(inline), "api").policies
    assert policy.document.unreadable is None


def test_order_of_the_resources_does_not_matter() -> None:
    inline = resource("role_policy", "inline", {"role": "api", "policy": DECRYPT})
    resources = [ROLE, USER, GROUP, MANAGED, inline]
    assert read_stack(resources) == read_stack(resources[::-1])


def test_a_managed_policy_counts_for_whoever_has_it_attached_already() -> None:
    policy = resource("policy", "shared", {"name": "shared", "path": "/", "policy": DECRYPT})
    (found,) = read_stack([policy, resource("role", "api", {"name": "api"})]).managed_policies
    assert found.arn == f"arn:aws:iam::{ACCOUNT}:policy/shared"
    (only,) = found.policy.document.statements
    assert only.reaches("kms:Decrypt").truth is Truth.TRUE
