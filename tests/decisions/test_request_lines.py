"""Request lines that cannot be read: what is wrong is said with the field that holds it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_access.decisions.request_json import RequestError, answer, read_request
from tests.builders import ACCOUNT, DELEGATION, document, iam, role_arn

REQUEST = {
    "principal": role_arn("app"),
    "action": "kms:Decrypt",
    "resource": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1",
    "account": ACCOUNT,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"principal": ""}, '"principal": a non-empty string is expected'),
        ({"principal": "nobody"}, '"principal": "nobody" is no principal'),
        (
            {"account": "１１１１２２２２３３３３"},
            '"account": "１１１１２２２２３３３３" is no account',
        ),
        ({"context": []}, '"context": an object of condition keys is expected'),
        ({"identityPolicies": {}}, '"identityPolicies": a list is expected'),
        ({"permissionsBoundaries": None}, '"permissionsBoundaries": a list is expected'),
        ({"serviceControlPolicies": [{}]}, '"serviceControlPolicies[0]": a list of policies is'),
        ({"resourceControlPolicies": [[], 1]}, '"resourceControlPolicies[1]": a list of policies'),
        ({"grants": ["g"]}, '"grants[0]": a grant is an object'),
        ({"policy": {}}, '"policy": unknown field, accepted are principal'),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_request(json.dumps(REQUEST | change))
    assert str(caught.value).startswith(message)


def test_a_field_that_stands_there_twice_is_refused() -> None:
    with pytest.raises(RequestError, match='"action": stands here more than once'):
        read_request('{"action": "kms:Decrypt", ' + json.dumps(REQUEST)[1:])


def test_policies_are_labelled_by_their_place() -> None:
    policy = document(iam("kms:Decrypt"))
    stated = read_request(
        json.dumps(
            REQUEST
            | {
                "resourcePolicy": document(DELEGATION),
                "identityPolicies": [policy, json.dumps(policy)],
                "sessionPolicy": policy,
                "serviceControlPolicies": [[policy], [policy, policy]],
            }
        )
    )
    policies = stated.policies
    groups = (policies.resource, policies.identity, policies.session, *policies.service_control)
    assert [[policy.label for policy in group] for group in groups] == [
        ["resourcePolicy"],
        ["identityPolicies[0]", "identityPolicies[1]"],
        ["sessionPolicy"],
        ["serviceControlPolicies[0][0]"],
        ["serviceControlPolicies[1][0]", "serviceControlPolicies[1][1]"],
    ]
    assert all(p.origin.identity == p.label for group in groups for p in group)
    assert answer(stated)["decision"] == "allowed"


def test_a_refused_character_is_found_in_the_policy_that_holds_it() -> None:
    odd, even = document(iam("kms:\u20ac")), document(iam("kms:Decrypt"))
    for escaped in (True, False):
        line = json.dumps(REQUEST | {"identityPolicies": [even, odd]}, ensure_ascii=escaped)
        first, second = read_request(line).policies.identity
        assert first.document.problems == ()
        assert [problem.rule for problem in second.document.problems] == ["K29"]
