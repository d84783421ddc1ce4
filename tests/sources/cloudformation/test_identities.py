"""Roles, users and groups: everything that is attached to them, from either side."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.policies.answers import ReasonKind, Truth
from kms_access.policies.overlap import same
from kms_access.policies.principals import PrincipalKind, parse_principal
from kms_access.policies.text import Text
from tests.sources.cloudformation.conftest import LoadAssembly, LoadTemplates
from tests.sources.cloudformation.definitions import (
    NO_VALUE,
    OPEN_CONDITION,
    allowed,
    document,
    get,
    identity,
    if_prod,
    labels,
    may,
    policy,
    possibly_allowed,
    resource,
    role,
    template,
)

DECRYPT = ("kms:Decrypt", "*")
INLINE = {"PolicyName": "inline", "PolicyDocument": document(may("kms:Decrypt"))}
MANAGED = resource(
    "AWS::IAM::ManagedPolicy",
    ManagedPolicyName="managed",
    PolicyDocument=document(may("kms:Decrypt")),
)
MANAGED_ARN = "arn:aws:iam::111122223333:policy/managed"


def managed_for(*roles: Any) -> dict[str, Any]:
    return {**MANAGED, "Properties": {**MANAGED["Properties"], "Roles": list(roles)}}


def user(**properties: Any) -> dict[str, Any]:
    return resource("AWS::IAM::User", **properties)


def group(**properties: Any) -> dict[str, Any]:
    return resource("AWS::IAM::Group", **properties)


def single(kind: str, **properties: Any) -> dict[str, Any]:
    return resource(
        kind, PolicyName="single", PolicyDocument=document(may("kms:Decrypt")), **properties
    )


ATTACHED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("inline", {"X": role(Policies=[INLINE])}, ["inline policy inline"]),
    ("not in a list", {"X": role(Policies=INLINE)}, ["inline policy inline"]),
    ("policy to role", {"X": role(), "P": policy(may("kms:Decrypt"), Roles=[{"Ref": "X"}])},
     ["inline policy p"]),
    ("policy to role by name",
     {"X": role(RoleName="x"), "P": policy(may("kms:Decrypt"), Roles=["x"])},
     ["inline policy p"]),
    ("policy to user", {"X": user(), "P": policy(may("kms:Decrypt"), Users=[{"Ref": "X"}])},
     ["inline policy p"]),
    ("role policy", {"X": role(), "P": single("AWS::IAM::RolePolicy", RoleName={"Ref": "X"})},
     ["inline policy single"]),
    ("user policy", {"X": user(), "P": single("AWS::IAM::UserPolicy", UserName={"Ref": "X"})},
     ["inline policy single"]),
    ("managed, by reference", {"X": role(ManagedPolicyArns=[{"Ref": "M"}]), "M": MANAGED},
     ["managed policy managed"]),
    ("managed, by ARN", {"X": role(ManagedPolicyArns=[MANAGED_ARN]), "M": MANAGED},
     ["managed policy managed"]),
    ("managed, from the other side",
     {"X": role(), "M": managed_for({"Ref": "X"})},
     ["managed policy managed"]),
    ("managed, from both sides, once",
     {"X": role(ManagedPolicyArns=[{"Ref": "M"}]),
      "M": managed_for({"Ref": "X"})},
     ["managed policy managed"]),
    ("group of the user",
     {"X": user(Groups=[{"Ref": "G"}]), "G": group(GroupName="g", Policies=[INLINE])},
     ["inline policy inline of group g"]),
    ("group by membership",
     {"X": user(UserName="x"), "G": group(Policies=[INLINE], ManagedPolicyArns=[]),
      "A": resource("AWS::IAM::UserToGroupAddition", GroupName={"Ref": "G"}, Users=["x"])},
     ["inline policy inline of group G"]),
    ("group policy", {"X": user(Groups=[{"Ref": "G"}]), "G": group(),
                      "P": single("AWS::IAM::GroupPolicy", GroupName={"Ref": "G"})},
     ["inline policy single of group G"]),
    ("policy to a group", {"X": user(Groups=["g"]), "G": group(GroupName="g"),
                           "P": policy(may("kms:Decrypt"), Groups=["g"])},
     ["inline policy p of group g"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("resources", "expected"), [row[1:] for row in ATTACHED], ids=[row[0] for row in ATTACHED]
)
def test_policies_are_found_wherever_they_are_attached(
    load_assembly: LoadAssembly, resources: dict[str, Any], expected: list[str]
) -> None:
    inventory = load_assembly(S=template(**resources))
    found = identity(inventory, "X").policies
    assert labels(found) == expected
    assert allowed(found) == {DECRYPT}
    assert [i.complete for i in inventory.identities] == [True]


def test_attachments_work_between_stacks_of_one_account_only(load_assembly: LoadAssembly) -> None:
    elsewhere = {"environment": "aws://444455556666/eu-central-1"}
    inventory = load_assembly(
        A=template(X=role(RoleName="x")),
        B=template(P=policy(may("kms:Decrypt"), Roles=["x"])),
        C=(template(P=policy(may("kms:Sign"), Roles=["x"])), elsewhere),
    )
    assert allowed(identity(inventory, "X").policies) == {DECRYPT}
    (outsider,) = [i for i in inventory.identities if not i.complete]
    assert outsider.principal.account == "444455556666"
    assert allowed(outsider.policies) == {("kms:Sign", "*")}


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:iam::aws:policy/NotInTheData", "arn:aws:iam::111122223333:policy/elsewhere"],
)
def test_a_managed_policy_from_outside_is_kept_as_unreadable(
    load_assembly: LoadAssembly, arn: str
) -> None:
    inventory = load_assembly(S=template(X=role(ManagedPolicyArns=[arn])))
    (found,) = identity(inventory, "X").policies
    assert found.document.unreadable is not None
    assert found.document.unreadable.kind is ReasonKind.UNREADABLE
    assert arn in found.document.unreadable.text
    assert found.document.unreadable.rule == "K65"


MSK_ACTIONS = ("kms:CreateGrant", "kms:DescribeKey", "iam:PassRole")


def aws_managed(name: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{name}"}


def test_an_aws_managed_policy_says_what_it_gives_on_kms(load_assembly: LoadAssembly) -> None:
    arns = [aws_managed("service-role/AWSLambdaBasicExecutionRole"), aws_managed("PowerUserAccess")]
    boundary = aws_managed("AmazonMSKFullAccess")
    node = role(ManagedPolicyArns=arns, PermissionsBoundary=boundary)
    found = identity(load_assembly(S=template(X=node)), "X")
    assert [len(one.document.statements) for one in found.policies] == [0, 1]
    assert allowed(found.policies) == {("iam:*", "*"), ("organizations:*", "*"), ("account:*", "*")}
    assert found.policies[1].document.statements[0].action.negated
    assert allowed(found.boundary) == {(action, "*") for action in MSK_ACTIONS}
    assert found.boundary[0].document.grammar.title == "permissions boundary"


def test_without_a_region_only_what_an_aws_managed_policy_gives_is_open(
    load_templates: LoadTemplates,
) -> None:
    arns = [aws_managed("AmazonSQSFullAccess"), aws_managed("AmazonMSKFullAccess")]
    found = identity(load_templates(S=template(X=role(ManagedPolicyArns=arns))), "X")
    assert all(one.document.unreadable is None for one in found.policies)
    assert allowed(found.policies) == set()
    assert possibly_allowed(found.policies) == {(action, "*") for action in MSK_ACTIONS}


def test_an_aws_managed_policy_of_another_partition_is_kept_as_unreadable(
    load_assembly: LoadAssembly,
) -> None:
    china = {"environment": "aws://111122223333/cn-north-1"}
    node = role(ManagedPolicyArns=[aws_managed("AmazonSQSFullAccess")])
    (found,) = identity(load_assembly(S=(template(X=node), china)), "X").policies
    assert found.label == "managed policy arn:aws-cn:iam::aws:policy/AmazonSQSFullAccess"
    assert found.document.unreadable is not None
    assert found.document.unreadable.rule == "K65"


@pytest.mark.parametrize(
    "items",
    [[{"Ref": "Unheard"}], {"Ref": "Unheard"}, [{"x": "y"}], [["arn"]]],
    ids=str,
)
@pytest.mark.parametrize("name", ["ManagedPolicyArns", "Policies"])
def test_a_policy_that_is_not_known_is_never_lost(
    load_assembly: LoadAssembly, name: str, items: Any
) -> None:
    inventory = load_assembly(S=template(X=role(**{name: items})))
    (found,) = identity(inventory, "X").policies
    assert found.document.unreadable is not None


def test_properties_that_a_macro_fills_in_are_never_an_empty_role(
    load_assembly: LoadAssembly,
) -> None:
    node = {"Type": "AWS::IAM::Role", "Properties": {"Fn::Transform": {"Name": "AWS::Include"}}}
    found = identity(load_assembly(S=template(X=node)), "X")
    (policies,), (trust,) = found.policies, found.trust
    assert policies.document.unreadable is not None
    assert trust.document.unreadable is not None


def test_a_literal_name_that_no_role_has_is_an_outsider(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(
        S=template(
            Generated=role(),
            P=policy(may("kms:Decrypt"), Roles=["existing-production"], Users=["alice"]),
        )
    )
    assert identity(inventory, "Generated").policies == ()
    outsiders = [i for i in inventory.identities if not i.complete]
    (found_role,) = [i for i in outsiders if i.principal.kind is PrincipalKind.ROLE]
    (found_user,) = [i for i in outsiders if i.principal.kind is PrincipalKind.USER]
    assert found_role.principal.arn == "arn:aws:iam::111122223333:role/existing-production"
    assert not found_role.principal.path_known
    assert found_role.label == "role existing-production"
    assert found_user.label == "user alice"
    assert allowed(found_role.policies) == allowed(found_user.policies) == {DECRYPT}


def test_an_outsider_of_unknown_path_may_be_a_user_with_a_path(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(S=template(P=policy(may("kms:Decrypt"), Users=["alice"])))
    (found,) = inventory.identities
    for arn, expected in (
        ("arn:aws:iam::111122223333:user/alice", Truth.UNKNOWN),
        ("arn:aws:iam::111122223333:user/team/alice", Truth.UNKNOWN),
        ("arn:aws:iam::111122223333:user/bob", Truth.FALSE),
    ):
        other = parse_principal(arn)
        assert other is not None
        assert same(found.principal.path_and_name, other.path_and_name).truth is expected


def test_a_policy_for_a_role_of_unknown_name_may_be_anybodys(load_assembly: LoadAssembly) -> None:
    parameters = {"Parameters": {"Who": {"Type": "String"}}}
    inventory = load_assembly(
        S=template(
            parameters,
            A=role(RoleName="a"),
            B=role(),
            C=role(RoleName="xyz"),
            P=policy(may("kms:Decrypt"), Roles=[{"Ref": "Who"}]),
            Q=policy(may("kms:Sign"), Roles=[{"Fn::Sub": "x${Who}"}]),
            U=user(),
        )
    )
    sign = ("kms:Sign", "*")
    for name, expected in (("A", {DECRYPT}), ("B", {DECRYPT, sign}), ("C", {DECRYPT, sign})):
        found = identity(inventory, name).policies
        assert allowed(found) == set()
        assert possibly_allowed(found) == expected
    assert identity(inventory, "U").policies == ()
    outsiders = {i.label: i for i in inventory.identities if not i.complete}
    assert {name: allowed(i.policies) for name, i in outsiders.items()} == {
        'role <parameter "Who" of S>': {DECRYPT},
        'role x<parameter "Who" of S>': {sign},
    }


def test_a_policy_is_not_doubted_where_it_is_certain(load_assembly: LoadAssembly) -> None:
    parameters = {"Parameters": {"Who": {"Type": "String"}}}
    targets = [{"Ref": "X"}, {"Ref": "Who"}]
    stack = template(parameters, X=role(), P=policy(may("kms:Decrypt"), Roles=targets))
    found = identity(load_assembly(S=stack), "X").policies
    assert (allowed(found), possibly_allowed(found)) == ({DECRYPT}, set())


def test_a_role_that_is_named_by_a_parameter_is_recognised(load_assembly: LoadAssembly) -> None:
    parameters = {"Parameters": {"Who": {"Type": "String"}}}
    name = {"Fn::Sub": "app-${Who}"}
    inventory = load_assembly(
        S=template(parameters, X=role(RoleName=name), P=policy(may("kms:Decrypt"), Roles=[name]))
    )
    assert allowed(identity(inventory, "X").policies) == {DECRYPT}
    assert len(inventory.identities) == 1


def test_many_policies_of_unknown_holders_become_one_that_cannot_be_read(
    load_assembly: LoadAssembly,
) -> None:
    parameters = {"Parameters": {f"P{i}": {"Type": "String"} for i in range(60)}}
    policies = {f"Q{i}": policy(may("kms:Decrypt"), Roles=[{"Ref": f"P{i}"}]) for i in range(60)}
    inventory = load_assembly(S=template(parameters, X=role(), **policies))
    (found,) = identity(inventory, "X").policies
    assert found.document.unreadable is not None


def test_an_outside_group_has_policies_that_nobody_can_read(load_assembly: LoadAssembly) -> None:
    inventory = load_assembly(
        S=template(X=user(Groups=["staff"]), P=policy(may("kms:Decrypt"), Groups=["staff"]))
    )
    own, outside = identity(inventory, "X").policies
    assert allowed((own,)) == {DECRYPT}
    assert outside.document.unreadable is not None
    assert outside.document.unreadable.kind is ReasonKind.UNREADABLE


BOUNDARY = [
    ({"Ref": "M"}, False),
    (MANAGED_ARN, False),
    ("arn:aws:iam::111122223333:policy/elsewhere", True),
    (if_prod({"Ref": "M"}), True),
    ({"Ref": "Unheard"}, True),
    ({"x": "y"}, True),
]


@pytest.mark.parametrize(("node", "unreadable"), BOUNDARY, ids=str)
def test_a_boundary_caps_or_is_open(
    load_assembly: LoadAssembly, node: Any, unreadable: bool
) -> None:
    stack = template(OPEN_CONDITION, X=role(PermissionsBoundary=node), M=MANAGED)
    (found,) = identity(load_assembly(S=stack), "X").boundary
    assert (found.document.unreadable is not None) is unreadable
    assert found.document.grammar.title == "permissions boundary"


@pytest.mark.parametrize("node", [None, NO_VALUE], ids=str)
def test_without_a_boundary_there_is_none(load_assembly: LoadAssembly, node: Any) -> None:
    stack = template(X=role(PermissionsBoundary=node))
    assert identity(load_assembly(S=stack), "X").boundary == ()


def test_identities_have_arn_path_trust_and_tags(load_assembly: LoadAssembly) -> None:
    properties: dict[str, Any] = {
        "RoleName": "api",
        "Path": "/team/",
        "Tags": [{"Key": "team", "Value": "own"}],
    }
    stack = template(X=role(**properties), U=user(UserName="alice", Path="/people/"))
    extra = {"properties": {"tags": {"team": "of-stack", "stage": "prod"}}}
    inventory = load_assembly(S=(stack, extra))
    found = identity(inventory, "X")
    assert found.principal.arn == "arn:aws:iam::111122223333:role/team/api"
    assert (found.principal.path_and_name, found.principal.name) == ("/team/api", "api")
    assert found.tags == {"team": "own", "stage": "prod"}
    (trust,) = found.trust
    assert (trust.label, trust.document.grammar.title) == ("trust policy", "trust policy")
    assert identity(inventory, "U").principal.arn == "arn:aws:iam::111122223333:user/people/alice"
    assert identity(inventory, "U").trust == ()


def test_a_generated_name_is_one_unknown_part(load_assembly: LoadAssembly) -> None:
    stack = template(X=role(), Y=role(), P=policy(may("kms:*", get("K")), Roles=[{"Ref": "X"}]))
    inventory = load_assembly(S=stack)
    names = [identity(inventory, name).principal.name for name in "XY"]
    assert [isinstance(name, Text) and name.unknowns[0].unique for name in names] == [True, True]
    assert names[0] != names[1]
    assert len(identity(inventory, "X").policies) == 1
    assert identity(inventory, "Y").policies == ()
