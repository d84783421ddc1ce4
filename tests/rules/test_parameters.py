"""`parameters` of a rules file: what is deployed decides what the template leaves open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_access.cli import main
from tests.builders import ACCOUNT, DELEGATION, allow, document

OF_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrgId"}}}
TEMPLATE = {
    "Parameters": {"OrgId": {"Type": "String"}},
    "Resources": {
        "K": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": document(
                    DELEGATION, allow("*", "kms:Decrypt", Condition=OF_ORGANIZATION)
                )
            },
        }
    },
}
RULES = f'version: 1\naccounts: {{main: "{ACCOUNT}"}}\norganization: o-a1b2c3d4e5\n'
FOREIGN = "external-account  organization o-zzzzzzzzzz has access to key K"


@pytest.mark.parametrize(
    ("parameters", "code", "is_foreign"),
    [
        ("{OrgId: o-a1b2c3d4e5}", 0, False),
        ("{OrgId: o-zzzzzzzzzz}", 1, True),
        ("{Shop.OrgId: o-zzzzzzzzzz}", 1, True),
        ("{Shop.OrgId: o-a1b2c3d4e5, OrgId: o-zzzzzzzzzz}", 0, False),
        ("{OrgId: o-a1b2c3d4e5, OfAnotherStack: x}", 0, False),
    ],
)
def test_the_deployed_value_decides(
    parameters: str,
    code: int,
    is_foreign: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    template, rules = tmp_path / "Shop.json", tmp_path / "rules.yaml"
    template.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    rules.write_text(f"{RULES}parameters: {parameters}\n", encoding="utf-8")
    assert main(["check", "--rules", str(rules), str(template)]) == code
    assert (FOREIGN in capsys.readouterr().out) is is_foreign


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"])
def test_without_a_value_it_is_undecided_whose_organization_it_is(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    operator, value = "StringEquals", {"Ref": "OrgId"}
    if key == "aws:PrincipalOrgPaths":
        operator, value = "ForAnyValue:StringLike", {"Fn::Sub": "${OrgId}/r-ab12/*"}
    statement = allow("*", "kms:Decrypt", Condition={operator: {key: value}})
    properties = {"KeyPolicy": document(DELEGATION, statement)}
    resources = {"K": {"Type": "AWS::KMS::Key", "Properties": properties}}
    template, rules = tmp_path / "Shop.json", tmp_path / "rules.yaml"
    template.write_text(json.dumps(TEMPLATE | {"Resources": resources}), encoding="utf-8")
    rules.write_text(RULES, encoding="utf-8")
    assert main(["check", "--rules", str(rules), str(template)]) == 3
    shown = capsys.readouterr().out
    assert 'organization <parameter "OrgId" of Shop> has access to key K and may not be' in shown
