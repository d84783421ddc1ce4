"""Parameters: what the manifest or a person supplies is deployed, a default may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kms_access.inventory.model import Inventory
from kms_access.rules import Rules, assess
from kms_access.sources import SourceError
from kms_access.sources.cloudformation import load
from tests.sources.cloudformation.definitions import allow, get, key, key_of, resource, template

PARAMETERS = {
    "Parameters": {
        "Who": {"Type": "String", "Default": "the-default"},
        "Stage": {"Type": "String", "AllowedValues": ["dev", "prod", 3]},
        "Stages": {"Type": "CommaDelimitedList", "AllowedValues": ["dev", "prod"]},
        "Secret": {"Type": "String", "NoEcho": True},
        "Pin": {"Type": "String", "NoEcho": "true", "AllowedValues": ["1234", "5678"]},
        "FromSsm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/name"},
    }
}


def described(name: str) -> dict[str, Any]:
    return template(PARAMETERS, K=resource("AWS::KMS::Key", Description={"Ref": name}))


def write(name: str, content: dict[str, Any]) -> Path:
    path = Path(f"{name}.json")
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def value(name: str, parameters: Mapping[str, str], known: Mapping[str, str] | None = None) -> str:
    """What a parameter is in stack S, which stands beside a stack T with the same parameters."""
    paths = [write("S", described(name)), write("T", template(PARAMETERS))]
    inventory = load(paths, parameters=parameters, known_parameters=known or {})
    return str(key_of(inventory).description)


SUPPLIED: list[tuple[str, dict[str, str], dict[str, str], str]] = [
    ("Who", {}, {}, '<parameter "Who" of S>'),
    ("Who", {"Who": "alice"}, {}, "alice"),
    ("Who", {"S.Who": "alice"}, {}, "alice"),
    ("Who", {"T.Who": "bob"}, {}, '<parameter "Who" of S>'),
    ("Who", {"S.Who": "alice", "Who": "bob"}, {}, "alice"),
    ("Who", {}, {"Who": "carol"}, "carol"),
    ("Who", {}, {"S.Who": "carol"}, "carol"),
    ("Who", {"Who": "alice"}, {"Who": "carol", "S.Who": "dave"}, "alice"),
    ("Who", {}, {"Nobody": "x", "Else.Who": "y"}, '<parameter "Who" of S>'),
    ("Who", {"Who": ""}, {}, ""),
    ("Stage", {"Stage": "prod"}, {}, "prod"),
    ("Stage", {"Stage": "3"}, {}, "3"),
    ("Secret", {"Secret": "hunter2"}, {}, '<parameter "Secret" of S>'),
    ("FromSsm", {"FromSsm": "/other/name"}, {}, '<parameter "FromSsm" of S>'),
]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("name", "parameters", "known", "expected"), SUPPLIED, ids=str)
def test_what_a_person_supplies_is_deployed(
    name: str, parameters: dict[str, str], known: dict[str, str], expected: str
) -> None:
    assert value(name, parameters, known) == expected


@pytest.mark.usefixtures("project")
def test_a_list_is_cut_at_its_commas() -> None:
    node = {"Fn::Join": ["+", {"Ref": "Stages"}]}
    stack = template(PARAMETERS, K=resource("AWS::KMS::Key", Description=node))
    inventory = load([write("S", stack)], parameters={"Stages": "prod, dev"})
    assert key_of(inventory).description == "prod+dev"


REFUSED: list[tuple[dict[str, str], dict[str, str], str, str]] = [
    ({"Whom": "a"}, {}, 'no stack has a parameter "Whom"', 'did you mean "Who"?'),
    ({"Zzz": "a"}, {}, 'no stack has a parameter "Zzz"',
     "the parameters are Who, Stage, Stages, Secret, Pin, FromSsm"),
    ({"S.Zzz": "a"}, {}, 'stack "S" has no parameter "Zzz"',
     "the parameters are Who, Stage, Stages, Secret, Pin, FromSsm"),
    ({"Else.Who": "a"}, {}, 'there is no stack "Else" for parameter "Who"', "the stacks are S, T"),
    ({"Stage": "test"}, {}, '"test" is no value for parameter "Stage" of stack "S"',
     'the template allows "dev", "prod", "3"'),
    ({"Stages": "dev,test"}, {}, '"test" is no value for parameter "Stages" of stack "S"',
     'the template allows "dev", "prod"'),
    ({"Pin": "9999"}, {}, 'what is given is no value for parameter "Pin" of stack "S"',
     'the template allows "1234", "5678"'),
    ({}, {"Stage": "test"}, '"test" is no value for parameter "Stage" of stack "S"',
     'the template allows "dev", "prod", "3"'),
]  # fmt: skip


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("parameters", "known", "message", "help"), REFUSED, ids=str)
def test_a_parameter_that_nobody_has_is_refused(
    parameters: dict[str, str], known: dict[str, str], message: str, help: str
) -> None:
    with pytest.raises(SourceError) as caught:
        value("Who", parameters, known)
    assert message in str(caught.value)
    assert caught.value.help == help


def assembly(project: Path, **artifact: Any) -> list[Path]:
    (project / "S.template.json").write_text(json.dumps(described("Who")), encoding="utf-8")
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-central-1",
        "displayName": "Prod/Ledger",
        "properties": {"templateFile": "S.template.json", **artifact},
    }
    manifest = {"version": "55.0.0", "artifacts": {"ProdLedger": stack}}
    (project / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return [Path()]


@pytest.mark.parametrize("name", ["Who", "ledger.Who", "Prod/Ledger.Who"])
def test_a_stack_of_an_assembly_is_meant_by_its_name_or_its_path(project: Path, name: str) -> None:
    paths = assembly(project, stackName="ledger", parameters={"Who": "of the manifest"})
    assert key_of(load(paths)).description == "of the manifest"
    assert key_of(load(paths, parameters={name: "alice"})).description == "alice"
    assert key_of(load(paths, known_parameters={name: "alice"})).description == "alice"


@pytest.mark.parametrize(
    ("passed", "expected"),
    [({"Who": "parent"}, "parent"), ({}, '<parameter "Who" of ProdLedger/N>')],
)
def test_a_nested_stack_takes_its_values_from_its_parent(
    project: Path, passed: dict[str, str], expected: str
) -> None:
    nested = resource("AWS::CloudFormation::Stack", TemplateURL="x", Parameters=passed)
    nested["Metadata"] = {"aws:asset:path": "N.json"}
    paths = assembly(project)
    write("N", described("Who"))
    outer = template(PARAMETERS, N=nested)
    (project / "S.template.json").write_text(json.dumps(outer), encoding="utf-8")
    found = key_of(load(paths, parameters={"Who": "alice"}))
    assert str(found.description) == expected


ROLE = "arn:aws:iam::444455556666:role/partner"
ROOT = "arn:aws:iam::111122223333:root"


def opened_to(default: str) -> dict[str, Any]:
    sections = {"Parameters": {"Who": {"Type": "String", "Default": default}}}
    return template(sections, K=key(allow(ROOT, "kms:*"), allow({"Ref": "Who"}, Sid="Reader")))


def findings(inventory: Inventory) -> set[str]:
    return {finding.check for finding in assess(inventory, Rules()).findings}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("default", "given", "expected"),
    [
        (ROLE, {}, {"external-account"}),
        (ROOT, {}, set()),
        (ROLE, {"Who": ROOT}, set()),
        (ROOT, {"Who": ROLE}, {"external-account"}),
    ],
)
def test_a_default_convicts_alone_and_never_where_a_value_is_given(
    default: str, given: dict[str, str], expected: set[str]
) -> None:
    path = write("S", opened_to(default))
    inventory = load([path], account="111122223333", parameters=given)
    assert findings(inventory) - {"undecided"} == expected
    assert (inventory.with_defaults is None) is bool(given)
    # Who is let in while nobody says: no default acquits.
    (statement,) = [
        s for k in inventory.keys for s in k.policies[0].document.statements if s.sid == "Reader"
    ]
    assert ('parameter "Who"' in str(statement.principal)) is not bool(given)


@pytest.mark.usefixtures("project")
def test_a_given_value_decides_a_condition() -> None:
    sections = {
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    }
    kept = key(condition="IsProd", Description=get("L"))
    path = write("S", template(sections, K=kept, L=key()))
    names = {
        stage: [k.origin.label for k in load([path], parameters={"Stage": stage}).keys]
        for stage in ("dev", "prod")
    }
    assert names == {"dev": ["L"], "prod": ["K", "L"]}
