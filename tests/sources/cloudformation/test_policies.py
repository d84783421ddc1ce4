"""Policy documents as templates write them: objects, JSON text, and what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_access.inventory.key_policies import DEFAULT_KEY_POLICY_LABEL
from kms_access.policies.answers import ReasonKind
from tests.sources.cloudformation.conftest import LoadAssembly
from tests.sources.cloudformation.definitions import (
    LAMBDA,
    NO_VALUE,
    ROOT,
    actions,
    allow,
    document,
    get,
    identity,
    key,
    key_of,
    key_policy,
    named,
    principals,
    resource,
    role,
    template,
)

OUT = "arn:aws:iam::444455556666:root"


def loaded(load_assembly: LoadAssembly, node: Any) -> Any:
    return load_assembly(S=template(K=resource("AWS::KMS::Key", KeyPolicy=node), R=role()))


@pytest.mark.parametrize("node", [None, "", NO_VALUE, {"Fn::Join": ["", []]}], ids=str)
def test_a_key_without_a_policy_has_the_default_one(load_assembly: LoadAssembly, node: Any) -> None:
    inventory = loaded(load_assembly, node)
    (found,) = key_of(inventory).policies
    assert found.label == DEFAULT_KEY_POLICY_LABEL
    (statement,) = found.document.statements
    assert (actions(statement), principals(statement)) == (
        ["kms:*"],
        ["arn:aws:iam::111122223333:root"],
    )


def text_of(statement: dict[str, Any]) -> str:
    return json.dumps(document(statement))


@pytest.mark.parametrize(
    "node",
    [
        document(allow(get("R"))),
        {"Version": "2012-10-17", "Statement": allow(get("R"))},
        {"Fn::Sub": text_of(allow("${R.Arn}"))},
        {"Fn::Join": [get("R"), text_of(allow("|")).split("|")]},
        {"Fn::ToJsonString": document(allow(get("R")))},
    ],
    ids=["object", "single statement", "Sub", "Join", "ToJsonString"],
)
def test_every_way_to_write_a_policy_names_the_role(load_assembly: LoadAssembly, node: Any) -> None:
    if "Fn::Join" in node:
        separator, pieces = node["Fn::Join"]
        node = {"Fn::Join": ["", [pieces[0], separator, pieces[1]]]}
    inventory = loaded(load_assembly, node)
    (found,) = key_of(inventory).policies
    assert (found.label, found.document.problems) == ("key policy", ())
    assert named(found.document, identity(inventory, "R"))


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ({"Ref": "Unheard"}, ReasonKind.UNKNOWN_VALUE),
        ({"Fn::Transform": {"Name": "AWS::Include", "Parameters": {}}}, ReasonKind.UNKNOWN_VALUE),
        ({"Fn::Transform": {"Name": "x"}, "Statement": []}, ReasonKind.UNKNOWN_VALUE),
        ({"Fn::Sub": '{"Version": "2012-10-17", "Statement": ${Unheard}}'}, None),
        ("no JSON", ReasonKind.UNREADABLE),
        ([document(allow(OUT))], ReasonKind.UNREADABLE),
    ],
    ids=str,
)
def test_a_policy_that_cannot_be_read_is_no_absent_policy(
    load_assembly: LoadAssembly, node: Any, kind: ReasonKind | None
) -> None:
    found = key_policy(loaded(load_assembly, node))
    assert found.unreadable is not None
    assert kind is None or found.unreadable.kind is kind


@pytest.mark.parametrize(
    "statement",
    [
        {"Ref": "Unheard"},
        {"Fn::Transform": {"Name": "AWS::Include"}},
        {**allow(OUT), "Fn::Transform": {"Name": "AWS::Include"}},
        [allow(OUT)],
    ],
    ids=str,
)
def test_a_statement_that_cannot_be_read_stays_open(
    load_assembly: LoadAssembly, statement: Any
) -> None:
    found = key_policy(loaded(load_assembly, document(allow(ROOT, "kms:*"), statement)))
    assert [s.uncertain is None for s in found.statements] == [True, False]


def test_problems_of_the_text_are_kept(load_assembly: LoadAssembly) -> None:
    statement = json.dumps(allow(OUT))
    node = f'{{"Version": "2012-10-17", "Statement": {statement}, "Statement": {statement}}}'
    found = key_policy(loaded(load_assembly, node))
    assert "K27" in {problem.rule for problem in found.problems}


def test_policy_variables_are_no_substitutions(load_assembly: LoadAssembly) -> None:
    test = {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}}
    found = key_policy(loaded(load_assembly, document(allow(OUT, Condition=test))))
    assert found.statements[0].conditions
    assert found.statements[0].uncertain is None


def test_a_cycle_of_policies_is_no_trouble(load_assembly: LoadAssembly) -> None:
    """CloudFormation refuses it, and still both sides must be readable."""
    inline = {
        "PolicyName": "p",
        "PolicyDocument": document(
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": get("K")}
        ),
    }
    inventory = load_assembly(S=template(K=key(allow(get("R"))), R=role(Policies=[inline])))
    assert named(key_policy(inventory), identity(inventory, "R"))
    (found,) = identity(inventory, "R").policies
    (statement,) = found.document.statements
    assert statement.resource is not None
    assert statement.resource.patterns[0].source == key_of(inventory).arn


def test_services_and_roles_stand_side_by_side(load_assembly: LoadAssembly) -> None:
    statement = {**allow(OUT), "Principal": {"AWS": [get("R"), OUT], **LAMBDA}}
    found = key_policy(loaded(load_assembly, document(statement)))
    assert principals(found.statements[0])[1:] == [OUT, LAMBDA["Service"]]
