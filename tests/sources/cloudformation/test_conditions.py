"""Conditions: three-valued, and never a lost Allow or Deny."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.policies.answers import ReasonKind
from kms_access.policies.document import Effect, PolicyDocument
from kms_access.policies.text import Text
from tests.sources.cloudformation.conftest import LoadAssembly
from tests.sources.cloudformation.definitions import (
    NO_VALUE,
    OPEN_CONDITION,
    ROOT,
    actions,
    allow,
    allowed,
    document,
    get,
    identity,
    if_prod,
    key,
    key_of,
    key_policy,
    may,
    policy,
    possibly_allowed,
    principals,
    resource,
    role,
    template,
)

TRUE = {"Fn::Equals": ["a", "a"]}
FALSE = {"Fn::Equals": ["a", "b"]}
OPEN = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
LISTS = {"Fn::Equals": [["a"], ["a"]]}


def conditions(**named: Any) -> dict[str, Any]:
    return {**OPEN_CONDITION, "Conditions": {**OPEN_CONDITION["Conditions"], **named}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (TRUE, "yes"),
        (FALSE, "no"),
        (OPEN, "open"),
        (LISTS, "yes"),
        ({"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}, "yes"),
        ({"Fn::Equals": [True, "true"]}, "yes"),
        ({"Fn::Not": [TRUE]}, "no"),
        ({"Fn::Not": [OPEN]}, "open"),
        ({"Fn::And": [TRUE, TRUE]}, "yes"),
        ({"Fn::And": [OPEN, FALSE]}, "no"),
        ({"Fn::And": [OPEN, TRUE]}, "open"),
        ({"Fn::Or": [OPEN, TRUE]}, "yes"),
        ({"Fn::Or": [FALSE, FALSE]}, "no"),
        ({"Fn::Or": [OPEN, FALSE]}, "open"),
        ({"Condition": "IsProd"}, "open"),
        ({"Condition": "Tested"}, "open"),
        ({"Condition": "Missing"}, "open"),
        ({"Fn::Equals": ["a"]}, "open"),
        ("a text", "open"),
    ],
    ids=str,
)
def test_a_condition_is_true_false_or_open(
    load_assembly: LoadAssembly, condition: Any, expected: str
) -> None:
    sections = conditions(Tested=condition)
    node = {"Fn::If": ["Tested", "yes", "no"]}
    stack = template(sections, K=resource("AWS::KMS::Key", Description=node))
    description = key_of(load_assembly(S=stack)).description
    assert ("open" if isinstance(description, Text) else description) == expected


@pytest.mark.parametrize(("condition", "kept"), [(TRUE, True), (FALSE, False), (OPEN, True)])
def test_a_resource_goes_only_if_its_condition_is_false(
    load_assembly: LoadAssembly, condition: Any, kept: bool
) -> None:
    stack = template(conditions(Tested=condition), K=key(allow(ROOT), condition="Tested"))
    inventory = load_assembly(S=stack)
    assert bool(inventory.keys) is kept
    doubts = [s.uncertain for k in inventory.keys for s in k.policies[0].document.statements]
    assert [doubt is not None for doubt in doubts] == [condition is OPEN] * len(doubts)


def test_what_hangs_on_an_open_condition_says_so(load_assembly: LoadAssembly) -> None:
    stack = template(OPEN_CONDITION, K=key(if_prod(allow(ROOT))))
    (statement,) = key_policy(load_assembly(S=stack)).statements
    assert statement.uncertain is not None
    assert statement.uncertain.kind is ReasonKind.UNKNOWN_VALUE
    assert statement.uncertain.text == 'condition "IsProd" of S (parameter "Stage" of S)'


def summary(found: PolicyDocument) -> list[tuple[str, str, bool]]:
    return [
        (",".join(actions(s)), ",".join(principals(s)), s.uncertain is None)
        for s in found.statements
    ]


ROOT_ARN = "arn:aws:iam::111122223333:root"
OUT = "arn:aws:iam::444455556666:root"
OUT2 = "arn:aws:iam::777788889999:root"
BASE = allow(ROOT, "kms:*")

CHOICES: list[tuple[str, Any, list[tuple[str, str, bool]]]] = [
    (
        "one statement or none",
        document(BASE, if_prod(allow(OUT))),
        [("kms:*", ROOT_ARN, True), ("kms:Decrypt", OUT, False)],
    ),
    (
        "one statement or another",
        document(if_prod(allow(OUT), allow(OUT2, "kms:Sign"))),
        [("kms:Decrypt", OUT, False), ("kms:Sign", OUT2, False)],
    ),
    (
        "a whole list of statements",
        {"Version": "2012-10-17", "Statement": if_prod([BASE, allow(OUT)], [BASE])},
        [("kms:*", ROOT_ARN, True), ("kms:Decrypt", OUT, False)],
    ),
    (
        "a whole document: what all have is certain",
        if_prod(document(BASE, allow(OUT)), document(BASE)),
        [("kms:*", ROOT_ARN, True), ("kms:Decrypt", OUT, False)],
    ),
    (
        "one principal of several",
        document(allow([ROOT_ARN, if_prod(OUT)])),
        [("kms:Decrypt", ROOT_ARN, True), ("kms:Decrypt", OUT, False)],
    ),
    (
        "one action of several",
        document(allow(ROOT_ARN, ["kms:Sign", if_prod("kms:Verify", "kms:Decrypt")])),
        [
            ("kms:Sign", ROOT_ARN, True),
            ("kms:Verify", ROOT_ARN, False),
            ("kms:Decrypt", ROOT_ARN, False),
        ],
    ),
    (
        "a part of an ARN",
        document(
            allow({"Fn::Sub": ["arn:aws:iam::${A}:root", {"A": if_prod(OUT[13:25], OUT2[13:25])}]})
        ),
        [("kms:Decrypt", OUT, False), ("kms:Decrypt", OUT2, False)],
    ),
    (
        "the effect",
        document(allow(OUT, Effect=if_prod("Allow", "Deny"))),
        [("kms:Decrypt", OUT, False), ("kms:Decrypt", OUT, False)],
    ),
    (
        "a document or none: the default policy may be in force",
        if_prod(document(allow(OUT))),
        [("kms:Decrypt", OUT, False), ("kms:*", ROOT_ARN, False)],
    ),
]


@pytest.mark.parametrize(
    ("node", "expected"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES]
)
def test_an_open_choice_leaves_what_is_common_certain(
    load_assembly: LoadAssembly, node: Any, expected: list[tuple[str, str, bool]]
) -> None:
    stack = template(OPEN_CONDITION, K=resource("AWS::KMS::Key", KeyPolicy=node))
    found = key_policy(load_assembly(S=stack))
    assert summary(found) == expected
    assert not found.problems
    assert found.unreadable is None


def test_a_negated_list_is_not_taken_apart(load_assembly: LoadAssembly) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "NotAction": ["kms:Sign", if_prod("kms:Decrypt")],
        "Resource": "*",
    }
    stack = template(OPEN_CONDITION, K=key(deny))
    found = key_policy(load_assembly(S=stack)).statements
    assert [(actions(s), s.uncertain is None) for s in found] == [
        (["kms:Sign", "kms:Decrypt"], False),
        (["kms:Sign"], False),
    ]
    assert all(s.effects == {Effect.DENY} for s in found)


def test_comparisons_that_exclude_each_other_are_not_combined(load_assembly: LoadAssembly) -> None:
    sections = conditions(
        IsTest={"Fn::Equals": [{"Ref": "Stage"}, "test"]},
        IsNot={"Fn::Not": [{"Condition": "IsTest"}]},
    )
    both = {"Fn::If": ["IsProd", {"Fn::If": ["IsTest", "kms:Sign", "kms:Verify"]}, "kms:Decrypt"]}
    stack = template(sections, K=key(allow(OUT, both)))
    found = key_policy(load_assembly(S=stack)).statements
    assert sorted(actions(s)[0] for s in found) == ["kms:Decrypt", "kms:Verify"]


def test_one_condition_has_one_value_in_a_statement(load_assembly: LoadAssembly) -> None:
    statement = allow(if_prod(OUT, OUT2), if_prod("kms:Sign", "kms:Verify"))
    stack = template(OPEN_CONDITION, K=key(statement))
    assert summary(key_policy(load_assembly(S=stack))) == [
        ("kms:Sign", OUT, False),
        ("kms:Verify", OUT2, False),
    ]


def test_past_the_bound_the_values_stay_unknown(load_assembly: LoadAssembly) -> None:
    names = [f"P{i}" for i in range(9)]
    sections = {
        "Parameters": {name: {"Type": "String"} for name in names},
        "Conditions": {name: {"Fn::Equals": [{"Ref": name}, "x"]} for name in names},
    }
    choices = [{"Fn::If": [name, "kms:Sign", "kms:Verify"]} for name in names]
    stack = template(sections, K=key(allow(OUT, choices)))
    (found,) = key_policy(load_assembly(S=stack)).statements
    assert found.action is not None
    assert all(isinstance(pattern.source, Text) for pattern in found.action.patterns)
    assert found.uncertain is None


def test_a_condition_of_another_statement_changes_nothing(load_assembly: LoadAssembly) -> None:
    stack = template(OPEN_CONDITION, K=key(BASE, if_prod(allow(OUT, Condition=if_prod({})))))
    first = key_policy(load_assembly(S=stack)).statements[0]
    assert (actions(first), first.uncertain) == (["kms:*"], None)


def test_a_policy_resource_with_an_open_condition_keeps_its_statements(
    load_assembly: LoadAssembly,
) -> None:
    stack = template(
        OPEN_CONDITION,
        R=role(),
        P=policy(may("kms:Decrypt"), condition="IsProd", Roles=[{"Ref": "R"}]),
        Q=policy(may("kms:Sign"), Roles=[if_prod({"Ref": "R"})]),
    )
    found = identity(load_assembly(S=stack), "R").policies
    assert possibly_allowed(found) == {("kms:Decrypt", "*"), ("kms:Sign", "*")}
    assert all(s.uncertain for p in found for s in p.document.statements)


DECRYPT = document(may("kms:Decrypt"))
INLINE = {"PolicyName": "i", "PolicyDocument": DECRYPT}
DOUBTFUL: list[tuple[str, dict[str, Any]]] = [
    ("an inline policy", {"R": role(Policies=[if_prod(INLINE)])}),
    ("a list of inline policies", {"R": role(Policies=if_prod([INLINE]))}),
    ("a document", {"R": role(Policies=[{**INLINE, "PolicyDocument": if_prod(DECRYPT)}])}),
    ("a list of roles",
     {"R": role(), "P": policy(may("kms:Decrypt"), Roles=if_prod([{"Ref": "R"}]))}),
    ("the role", {"R": role(condition="IsProd", Policies=[INLINE])}),
    ("the role, attached", {"R": role(condition="IsProd", ManagedPolicyArns=[{"Ref": "M"}]),
                            "M": resource("AWS::IAM::ManagedPolicy", PolicyDocument=DECRYPT)}),
]  # fmt: skip


@pytest.mark.parametrize(
    "resources", [row[1] for row in DOUBTFUL], ids=[row[0] for row in DOUBTFUL]
)
def test_whatever_hangs_on_the_condition_the_statement_is_kept_with_a_doubt(
    load_assembly: LoadAssembly, resources: dict[str, Any]
) -> None:
    found = identity(load_assembly(S=template(OPEN_CONDITION, **resources)), "R").policies
    assert (allowed(found), possibly_allowed(found)) == (set(), {("kms:Decrypt", "*")})


def test_two_readings_of_a_statement_may_share_its_sid(load_assembly: LoadAssembly) -> None:
    statement = may(if_prod("kms:Sign", "kms:Verify"), Sid="Once")
    inline = {"PolicyName": "i", "PolicyDocument": document(statement)}
    stack = template(OPEN_CONDITION, R=role(Policies=[inline]))
    (found,) = identity(load_assembly(S=stack), "R").policies
    assert len(found.document.statements) == 2
    assert found.document.problems == ()


def test_a_repeated_sid_of_the_author_is_still_a_problem(load_assembly: LoadAssembly) -> None:
    statements = [may("kms:Sign", Sid="Twice"), may(if_prod("kms:Verify", "kms:*"), Sid="Twice")]
    inline = {"PolicyName": "i", "PolicyDocument": document(*statements)}
    stack = template(OPEN_CONDITION, R=role(Policies=[inline]))
    (found,) = identity(load_assembly(S=stack), "R").policies
    assert [problem.rule for problem in found.document.problems] == ["K28"]


def test_a_choice_with_a_document_that_cannot_be_read_cannot_be_read(
    load_assembly: LoadAssembly,
) -> None:
    node = if_prod(document(BASE), {"Ref": "Unheard"})
    stack = template(OPEN_CONDITION, K=resource("AWS::KMS::Key", KeyPolicy=node))
    assert key_policy(load_assembly(S=stack)).unreadable is not None


def test_a_nested_choice_reaches_through_names(load_assembly: LoadAssembly) -> None:
    """A role's name does not change with what a statement assumes about the condition."""
    stack = template(
        OPEN_CONDITION,
        R=role(RoleName=if_prod("app-prod", "app-test")),
        K=key(allow(get("R")), allow([get("R"), if_prod(OUT)], "kms:Sign")),
    )
    inventory = load_assembly(S=stack)
    expected = str(identity(inventory, "R").principal.arn)
    found = key_policy(inventory).statements
    assert [principals(s) for s in found] == [[expected], [expected], [OUT]]
    assert [s.uncertain is None for s in found] == [True, True, False]


def test_a_name_that_may_not_be_given_is_still_the_name_of_one_role(
    load_assembly: LoadAssembly,
) -> None:
    stack = template(OPEN_CONDITION, R=role(RoleName=if_prod("app", NO_VALUE)))
    name = identity(load_assembly(S=stack), "R").principal.name
    assert isinstance(name, Text)
    assert name.unknowns[0].unique
