"""The first preview, with unknown ids, is decided like the stack that it makes."""

from __future__ import annotations

import json
from dataclasses import replace

from kms_access.decisions.access_map import access_map
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.sources.pulumi import StackResource, read_stack

from .stack import (
    ACCOUNT,
    KEY_ARN,
    KEY_ID,
    ROOT,
    TRUST,
    UNKNOWN,
    document,
    resource,
    statement,
    urn,
)

IAM = f"arn:aws:iam::{ACCOUNT}"
BY_ALIAS = document(
    statement(
        "kms:Decrypt",
        Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/ledger"}},
    )
)


def stack(*, deployed: bool) -> list[StackResource]:
    def reference(real: str) -> str:
        return real if deployed else UNKNOWN

    def outputs(**real: str) -> dict[str, object]:
        return {name: reference(value) for name, value in real.items()}

    policy = document(
        statement(Principal={"AWS": ROOT}),
        statement("kms:Encrypt", Principal={"AWS": f"{IAM}:role/service/api"}),
    )
    return [
        resource(
            *("key", "ledger", {"policy": policy}),
            outputs(arn=KEY_ARN, keyId=KEY_ID),
        ),
        resource(
            *("alias", "ledger", {"name": "alias/ledger", "targetKeyId": reference(KEY_ID)}),
            depends={"targetKeyId": [urn("key", "ledger")]},
        ),
        resource(
            *("role", "api", {"name": "api", "path": "/service/", "assumeRolePolicy": TRUST}),
            outputs(arn=f"{IAM}:role/service/api"),
        ),
        resource(
            *("user", "alice", {"name": "alice", "path": "/"}),
            outputs(arn=f"{IAM}:user/alice"),
        ),
        resource(
            *("group", "staff", {"name": "staff", "path": "/"}),
            outputs(arn=f"{IAM}:group/staff"),
        ),
        resource(
            *("policy", "decrypting", {"name": "decrypting", "policy": BY_ALIAS}),
            outputs(arn=f"{IAM}:policy/decrypting"),
        ),
        resource(
            "group_attachment",
            "staff",
            {"group": "staff", "policyArn": reference(f"{IAM}:policy/decrypting")},
            depends={"policyArn": [urn("policy", "decrypting")]},
        ),
        resource(
            *("memberships", "alice", {"user": reference("alice"), "groups": ["staff"]}),
            depends={"user": [urn("user", "alice")]},
        ),
        resource(
            "grant",
            "verify",
            {
                "keyId": reference(KEY_ID),
                "granteePrincipal": reference(f"{IAM}:role/service/api"),
                "operations": ["GenerateDataKey"],
            },
            depends={
                "keyId": [urn("key", "ledger")],
                "granteePrincipal": [urn("role", "api")],
            },
        ),
    ]


def native_stack() -> list[StackResource]:
    """The same design with the resources that `aws-native:` has, before its first deployment."""

    def data(text: str) -> object:
        return json.loads(text)

    others = [r for r in stack(deployed=False) if r.type == "aws:kms/grant:Grant"]
    policy = document(
        statement(Principal={"AWS": ROOT}),
        statement("kms:Encrypt", Principal={"AWS": f"{IAM}:role/service/api"}),
    )
    ledger, api = urn("native_key", "ledger"), urn("native_role", "api")
    grant = replace(others[0], property_dependencies={"keyId": [ledger], "granteePrincipal": [api]})
    return [
        grant,
        resource("native_key", "ledger", {"keyPolicy": data(policy)}),
        resource(
            *("native_alias", "ledger", {"aliasName": "alias/ledger", "targetKeyId": UNKNOWN}),
            depends={"targetKeyId": [ledger]},
        ),
        resource(
            "native_role",
            "api",
            {"roleName": "api", "path": "/service/", "assumeRolePolicyDocument": data(TRUST)},
        ),
        resource("native_user", "alice", {"userName": "alice", "groups": ["staff"]}),
        resource("native_group", "staff", {"groupName": "staff"}),
        resource(
            "native_policy",
            "decrypting",
            {
                "managedPolicyName": "decrypting",
                "policyDocument": data(BY_ALIAS),
                "groups": [UNKNOWN],
            },
            depends={"groups": [urn("native_group", "staff")]},
        ),
    ]


def accesses(inventory: Inventory) -> dict[tuple[str, str, str], AccessState]:
    return {
        (access.subject.label, access.key.label, access.action): access.state
        for access in access_map(inventory)
    }


def test_both_give_the_same_access_and_nothing_is_open() -> None:
    first = accesses(read_stack(stack(deployed=False)))
    later = accesses(read_stack(stack(deployed=True)))
    assert first == later
    decided = {
        fact: state
        for fact, state in first.items()
        if state.is_access and fact[0] in ("role api", "user alice")
    }
    assert decided == {
        ("role api", "alias/ledger", "kms:Encrypt"): AccessState.ALLOWED,
        ("role api", "alias/ledger", "kms:GenerateDataKey"): AccessState.ALLOWED,
        ("user alice", "alias/ledger", "kms:Decrypt"): AccessState.ALLOWED,
    }


def test_the_other_provider_gives_the_same_access() -> None:
    inventory = read_stack(native_stack())
    assert inventory.not_covered == ()
    assert accesses(inventory) == accesses(read_stack(stack(deployed=False)))
