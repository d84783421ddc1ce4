"""A document that is not known yet says which one, on what it depends, and what helps."""

from __future__ import annotations

import pytest

from kms_access.sources.pulumi import StackResource, read_stack

from .stack import DECRYPT, UNKNOWN, identity, only_key, resource, urn

ROLE = resource("role", "api", {"name": "api"})
AUTONAMED = resource("role", "worker", {"name": "worker-1a2b3c4"})
ELSEWHERE = resource("role", "deep", {"name": "deep"}, provider={}, provider_urn="x::y::z::other")
POLICY = resource("policy", "managed", {"name": "managed", "policy": DECRYPT})
KEY = resource("key", "ledger", {"isEnabled": True})


@pytest.mark.parametrize(
    ("depends", "text"),
    [
        (
            [ROLE.urn],
            'the policy of key "payments" depends on role "api", which is created in this '
            'deployment; build the document from "arn:aws:iam::111122223333:role/api" instead of '
            "the arn attribute",
        ),
        (
            [AUTONAMED.urn],
            'the policy of key "payments" depends on role "worker", which is created in this '
            'deployment; build the document from "arn:aws:iam::ACCOUNT:role/NAME" and give the '
            "role an explicit name",
        ),
        (
            [ELSEWHERE.urn],
            'the policy of key "payments" depends on role "deep", which is created in this '
            'deployment; build the document from "arn:aws:iam::ACCOUNT:role/NAME"',
        ),
        (
            [AUTONAMED.urn, ROLE.urn],
            'the policy of key "payments" depends on role "api", role "worker", which are created '
            'in this deployment; build the document from "arn:aws:iam::111122223333:role/api" '
            "instead of the arn attribute",
        ),
        (
            [KEY.urn],
            'the policy of key "payments" depends on key "ledger", which is created in this '
            "deployment; give the access in the policy of the key, or limit the statement by the "
            'condition key "kms:ResourceAliases" instead of the ARN of the key',
        ),
        (
            [POLICY.urn],
            'the policy of key "payments" depends on policy "managed", which is created in this '
            "deployment; build the document from literal ARNs instead of attributes of the policy",
        ),
        (
            [urn("aws:s3/bucket:Bucket", "data")],
            'the policy of key "payments" depends on "data", which is created in this deployment; '
            "build the document from values that are known before the deployment",
        ),
        (
            [],
            'the policy of key "payments" is not known before the deployment and Pulumi does not '
            "say what it depends on, as with get_policy_document_output; build the document from "
            "literal ARNs",
        ),
    ],
)
def test_the_reason_names_property_dependencies_and_remedy(depends: list[str], text: str) -> None:
    key = resource(
        *("key", "payments", {"policy": UNKNOWN}),
        {"policy": UNKNOWN, "arn": UNKNOWN},
        depends={"policy": depends},
    )
    inventory = read_stack([key, ROLE, AUTONAMED, ELSEWHERE, POLICY, KEY])
    (payments,) = [k for k in inventory.keys if k.origin.label == "payments"]
    (policy,) = payments.policies
    assert policy.document.unreadable is not None
    assert policy.document.unreadable.text == f"{text}, or write it with policypack.documents"
    assert policy.document.unreadable.rule == "K83"


def test_many_dependencies_are_counted() -> None:
    roles = [resource("role", f"r{i}", {"name": f"r{i}"}) for i in range(7)]
    key = resource(
        *("key", "payments", {"policy": UNKNOWN}), depends={"policy": [r.urn for r in roles]}
    )
    (policy,) = only_key(read_stack([key, *roles])).policies
    assert policy.document.unreadable is not None
    assert 'role "r0", role "r1", role "r2", role "r3", role "r4" and 2 more, which are' in (
        policy.document.unreadable.text
    )


@pytest.mark.parametrize(
    ("kind", "key"),
    [("role", "assumeRolePolicy"), ("role_policy", "policy"), ("policy", "policy")],
)
def test_every_document_of_a_role_can_be_unknown(kind: str, key: str) -> None:
    resources: list[StackResource] = [
        resource(kind, "x", {"name": "x", "role": "api", key: UNKNOWN}, depends={key: [KEY.urn]}),
        resource(
            "role_attachment",
            "a",
            {"role": "api", "policyArn": UNKNOWN},
            depends={"policyArn": [urn("policy", "x")]},
        ),
        ROLE,
        POLICY,
    ]
    if kind != "policy":
        del resources[1]
    inventory = read_stack(resources)
    found = identity(inventory, "x" if kind == "role" else "api")
    (policy,) = found.trust if kind == "role" else found.policies
    assert policy.document.unreadable is not None
    assert 'depends on "ledger"' in policy.document.unreadable.text
