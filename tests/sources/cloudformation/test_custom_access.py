"""Grants and key policies that apps make by API calls (K107, K194)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_access.inventory.model import Grant, Inventory
from kms_access.policies.text import Text
from tests.sources.cloudformation.conftest import ACCOUNT, REGION, LoadAssembly
from tests.sources.cloudformation.definitions import (
    OPEN_CONDITION,
    actions,
    allow,
    blocking,
    document,
    get,
    identity,
    key,
    key_of,
    notes,
    principals,
    resource,
    role,
    template,
)

GRANTEE = "arn:aws:iam::444455556666:role/partner"
MARK = "\ue000"


def text(node: Any) -> Any:
    """JSON text that the template builds: functions inside of it become items of a Fn::Join."""
    functions: list[Any] = []

    def marked(part: Any) -> Any:
        if isinstance(part, dict) and len(part) == 1 and next(iter(part))[:3] in ("Fn:", "Ref"):
            functions.append(part)
            return MARK
        if isinstance(part, dict):
            return {name: marked(value) for name, value in part.items()}
        return [marked(item) for item in part] if isinstance(part, list) else part

    pieces = json.dumps(marked(node), ensure_ascii=False).split(MARK)
    joined = [x for pair in zip(pieces, functions, strict=False) for x in pair]
    return {"Fn::Join": ["", [*joined, pieces[-1]]]}


def create_grant(service: str = "KMS", action: str = "createGrant", **parameters: Any) -> Any:
    given = {"KeyId": get("K"), "GranteePrincipal": get("R"), "Operations": ["Decrypt"]}
    parameters = {name: v for name, v in {**given, **parameters}.items() if v is not None}
    return {"service": service, "action": action, "parameters": parameters}


def custom(condition: str | None = None, **calls: Any) -> dict[str, Any]:
    return resource("Custom::AWS", condition, **{name: text(call) for name, call in calls.items()})


def load_call(load_assembly: LoadAssembly, custom_resource: dict[str, Any]) -> Inventory:
    parameters = {**OPEN_CONDITION["Parameters"], "Who": {"Type": "String"}}
    sections = {**OPEN_CONDITION, "Parameters": parameters}
    return load_assembly(S=template(sections, K=key(), R=role(), X=custom_resource))


def the_grant(inventory: Inventory) -> Grant:
    (found,) = inventory.grants
    assert blocking(inventory) == notes(inventory) == {}
    return found


SPELLINGS = [
    ("KMS", "createGrant"),
    ("kms", "CreateGrant"),
    ("@aws-sdk/client-kms", "CreateGrantCommand"),
]
KEY_NAMES = [
    get("K"),
    {"Ref": "K"},
    {"Fn::Sub": "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/${K}"},
]


@pytest.mark.parametrize(("service", "action"), SPELLINGS)
@pytest.mark.parametrize("name", KEY_NAMES, ids=str)
def test_a_grant_is_read_however_it_is_written(
    load_assembly: LoadAssembly, service: str, action: str, name: Any
) -> None:
    call = create_grant(service, action, KeyId=name)
    inventory = load_call(load_assembly, custom(Create=call, Update=call))
    found = the_grant(inventory)
    assert found.key_arn == key_of(inventory).arn
    assert found.grantee == identity(inventory, "R").principal.arn
    assert found.operations == ("Decrypt",)
    assert (found.issuing_account, found.uncertain, found.problems) == (ACCOUNT, None, ())
    assert (found.origin.identity, found.label) == ("S/X", "grant X")


def test_all_that_a_grant_says_is_kept(load_assembly: LoadAssembly) -> None:
    call = create_grant(
        GranteePrincipal=GRANTEE,
        RetiringPrincipal=get("R"),
        Constraints={"EncryptionContextSubset": {"tenant": {"Ref": "AWS::Region"}}},
        Name="ours",
        GrantTokens=["token"],
    )
    inventory = load_call(load_assembly, custom(Create=call))
    found = the_grant(inventory)
    assert found.grantee == GRANTEE
    assert found.retiring_principal == identity(inventory, "R").principal.arn
    assert found.constraints.encryption_context_subset == {"tenant": REGION}


UNCERTAIN: list[tuple[str, dict[str, Any], str]] = [
    ("under a condition", custom("IsProd", Create=create_grant()), 'condition "IsProd"'),
    ("made by an update alone", custom(Update=create_grant()), "whether the API call in Update"),
    ("whose errors are ignored",
     custom(Create={**create_grant(), "ignoreErrorCodesMatching": ".*"}), "errors are ignored"),
    ("with a value that may hold anything",
     custom(Create=create_grant(GranteePrincipal={"Ref": "Who"})), 'parameter "Who" of S'),
    ("with operations that do not exist", custom(Create=create_grant(Operations=[{"a": 1}])),
     "no operation"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "reason"), [row[1:] for row in UNCERTAIN], ids=[row[0] for row in UNCERTAIN]
)
def test_a_grant_that_may_be_another_or_none_is_open(
    load_assembly: LoadAssembly, call: dict[str, Any], reason: str
) -> None:
    found = the_grant(load_call(load_assembly, call))
    assert found.uncertain is not None
    assert reason in found.uncertain.text


def test_create_and_update_make_two_grants_where_they_differ(load_assembly: LoadAssembly) -> None:
    calls = custom(Create=create_grant(), Update=create_grant(GranteePrincipal=GRANTEE))
    inventory = load_call(load_assembly, calls)
    assert [(str(g.grantee), g.uncertain is None) for g in inventory.grants] == [
        (str(identity(inventory, "R").principal.arn), True),
        (GRANTEE, False),
    ]


def test_what_kms_refuses_is_a_problem(load_assembly: LoadAssembly) -> None:
    found = the_grant(load_call(load_assembly, custom(Create=create_grant(Operations=["Fly"]))))
    assert [problem.rule for problem in found.problems] == ["K93", "K93"]


def test_an_assumed_role_makes_the_call_in_its_account(load_assembly: LoadAssembly) -> None:
    call = {**create_grant(KeyId=get("K")), "assumedRoleArn": GRANTEE}
    assert the_grant(load_call(load_assembly, custom(Create=call))).issuing_account == (
        "444455556666"
    )


ELSEWHERE: list[tuple[str, dict[str, Any]]] = [
    ("another Region", {**create_grant(KeyId={"Ref": "K"}), "region": "us-east-1"}),
    ("another account",
     {**create_grant(KeyId={"Ref": "K"}), "assumedRoleArn": GRANTEE}),
    ("a key that is not known", create_grant(KeyId={"Ref": "Who"})),
    ("no key", create_grant(KeyId=None)),
]  # fmt: skip


@pytest.mark.parametrize("call", [row[1] for row in ELSEWHERE], ids=[row[0] for row in ELSEWHERE])
def test_a_call_that_may_be_for_a_key_of_ours_blocks(
    load_assembly: LoadAssembly, call: dict[str, Any]
) -> None:
    inventory = load_call(load_assembly, custom(Create=call))
    assert inventory.grants == ()
    assert "createGrant" in blocking(inventory)["S/X"]


def put_policy(policy: Any, **more: Any) -> dict[str, Any]:
    inner = {"KeyId": {"Ref": "K"}, "PolicyName": "default", "Policy": policy, **more}
    return {"service": "KMS", "action": "putKeyPolicy", "parameters": inner}


def test_a_policy_that_a_call_puts_stands_beside_that_of_the_key(
    load_assembly: LoadAssembly,
) -> None:
    policy = json.dumps(document(allow(GRANTEE)))
    call = put_policy(policy, BypassPolicyLockoutSafetyCheck=True)
    inventory = load_call(load_assembly, custom(Create=call, Update=call))
    found = key_of(inventory)
    own, put = found.policies
    assert own.label == "default key policy"
    assert (put.label, put.origin.identity) == ("key policy", "S/X")
    (statement,) = put.document.statements
    assert (principals(statement), actions(statement)) == ([GRANTEE], ["kms:Decrypt"])
    assert found.bypasses_lockout_check
    assert blocking(inventory) == {}


def test_a_policy_inside_of_a_call_refers_to_resources(load_assembly: LoadAssembly) -> None:
    """JSON text inside JSON text, as `to_json_string` writes it."""
    policy = json.dumps(document(allow(MARK)), ensure_ascii=False)
    before, after = json.dumps(policy, ensure_ascii=False).split(MARK)
    start = '{"service":"KMS","action":"putKeyPolicy","parameters":{"KeyId":"'
    pieces = [start, get("K"), '","Policy":', before, get("R"), after, "}}"]
    node = resource("Custom::AWS", Create={"Fn::Join": ["", pieces]})
    inventory = load_assembly(S=template(K=key(), R=role(), X=node))
    (statement,) = key_of(inventory).policies[1].document.statements
    arn = identity(inventory, "R").principal.arn
    assert isinstance(arn, Text)
    assert principals(statement) == [str(arn)]
    assert statement.uncertain is None


@pytest.mark.parametrize("policy", ["no JSON", 5, None, {"Ref": "Who"}], ids=str)
def test_a_policy_that_cannot_be_read_is_kept_as_such(
    load_assembly: LoadAssembly, policy: Any
) -> None:
    inventory = load_call(load_assembly, custom(Create=put_policy(policy)))
    assert key_of(inventory).policies[1].document.unreadable is not None
