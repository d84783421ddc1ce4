"""Short ways to write templates and to look at inventories."""

from __future__ import annotations

from typing import Any

from kms_access.inventory.model import Identity, Inventory, Key, Policy
from kms_access.policies.answers import Truth
from kms_access.policies.document import PolicyDocument, Statement
from kms_access.policies.principals import Naming

LAMBDA = {"Service": "lambda.amazonaws.com"}
ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
OPEN_CONDITION: dict[str, Any] = {
    "Parameters": {"Stage": {"Type": "String", "Default": "prod"}},
    "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
}
"""A condition that nothing decides: a default is no value."""
NO_VALUE = {"Ref": "AWS::NoValue"}


def get(logical_id: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def if_prod(first: Any, second: Any = NO_VALUE) -> dict[str, Any]:
    return {"Fn::If": ["IsProd", first, second]}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(principal: Any, action: Any = "kms:Decrypt", **more: Any) -> dict[str, Any]:
    """A statement of a key policy."""
    is_service = isinstance(principal, dict) and "Service" in principal
    who = principal if is_service else {"AWS": principal}
    return {"Effect": "Allow", "Principal": who, "Action": action, "Resource": "*", **more}


def may(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement of an identity policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def resource(kind: str, condition: str | None = None, **properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Type": kind, "Properties": properties}
    return {**found, "Condition": condition} if condition else found


def key(*statements: Any, condition: str | None = None, **properties: Any) -> dict[str, Any]:
    given = {"KeyPolicy": document(*statements)} if statements else {}
    return resource("AWS::KMS::Key", condition, **given, **properties)


def role(condition: str | None = None, **properties: Any) -> dict[str, Any]:
    trust = document({"Effect": "Allow", "Principal": LAMBDA, "Action": "sts:AssumeRole"})
    return resource(
        "AWS::IAM::Role", condition, **{"AssumeRolePolicyDocument": trust, **properties}
    )


def policy(*statements: Any, condition: str | None = None, **targets: Any) -> dict[str, Any]:
    return resource(
        "AWS::IAM::Policy",
        condition,
        PolicyName="p",
        PolicyDocument=document(*statements),
        **targets,
    )


def template(sections: dict[str, Any] | None = None, /, **resources: Any) -> dict[str, Any]:
    return {**(sections or {}), "Resources": resources}


def identity(inventory: Inventory, name: str) -> Identity:
    """The identity whose logical identity ends with `name`."""
    found = [i for i in inventory.identities if i.origin.identity.endswith(f"/{name}")]
    assert len(found) == 1, f"{name}: {[i.origin.identity for i in inventory.identities]}"
    return found[0]


def key_of(inventory: Inventory, name: str = "K") -> Key:
    found = [k for k in inventory.keys if k.origin.identity.endswith(f"/{name}")]
    assert len(found) == 1, f"{name}: {[k.origin.identity for k in inventory.keys]}"
    return found[0]


def key_policy(inventory: Inventory, name: str = "K") -> PolicyDocument:
    policies = key_of(inventory, name).policies
    assert len(policies) == 1
    return policies[0].document


def actions(statement: Statement) -> list[str]:
    return [str(p.source) for p in statement.action.patterns] if statement.action else []


def resources(statement: Statement) -> list[str]:
    return [str(p.source) for p in statement.resource.patterns] if statement.resource else []


def principals(statement: Statement) -> list[str]:
    return [str(e.source) for e in statement.principal.entries] if statement.principal else []


def named(found: PolicyDocument, caller: Identity) -> bool:
    """Whether a statement names the caller by its own ARN, for sure."""
    namings = [
        naming
        for statement in found.statements
        if statement.principal is not None and statement.uncertain is None
        for naming in statement.principal.namings(caller.principal)
    ]
    own = (Naming.ROLE, Naming.USER)
    return any(how in own and answer.truth is Truth.TRUE for how, answer in namings)


def labels(policies: tuple[Policy, ...]) -> list[str]:
    return [found.label for found in policies]


def allowed(found: tuple[Policy, ...]) -> set[tuple[str, str]]:
    """Each action and resource of the statements that are certain."""
    return {
        (action, place)
        for one in found
        for statement in one.document.statements
        if statement.uncertain is None
        for action in actions(statement)
        for place in resources(statement)
    }


def possibly_allowed(found: tuple[Policy, ...]) -> set[tuple[str, str]]:
    """Each action and resource of the statements that hang on something."""
    return {
        (action, place)
        for one in found
        for statement in one.document.statements
        if statement.uncertain is not None
        for action in actions(statement)
        for place in resources(statement)
    }


def blocking(inventory: Inventory) -> dict[str, str]:
    """The reasons of the entries that may change key access, by logical identity."""
    return _reasons(inventory, may_change_key_access=True)


def notes(inventory: Inventory) -> dict[str, str]:
    """The reasons of the other entries, by logical identity."""
    return _reasons(inventory, may_change_key_access=False)


def _reasons(inventory: Inventory, *, may_change_key_access: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in inventory.not_covered:
        if entry.may_change_key_access is may_change_key_access:
            before = found.get(entry.origin.identity)
            found[entry.origin.identity] = f"{before}; {entry.reason}" if before else entry.reason
    return found
