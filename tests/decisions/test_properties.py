"""What must hold for all policies: properties of section 8 of the design."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.request_json import answer, read_request

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CALLERS = (
    f"arn:aws:iam::{ACCOUNT}:user/alice",
    f"arn:aws:iam::{ACCOUNT}:role/app",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1",
    f"arn:aws:iam::{ACCOUNT}:root",
    f"arn:aws:iam::{OTHER}:role/app",
    "cloudtrail.amazonaws.com",
)
RANK = {"explicitly-denied": 0, "implicitly-denied": 0, "depends": 1, "allowed": 2}

named = st.sampled_from(
    [
        "*",
        {"AWS": "*"},
        {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        {"AWS": OTHER},
        {"AWS": CALLERS[0]},
        {"AWS": [CALLERS[1], CALLERS[4]]},
        {"AWS": CALLERS[2]},
        {"Service": CALLERS[5]},
    ]
)
actions = st.sampled_from(["kms:*", "kms:Decrypt", ["kms:Encrypt", "kms:De*"], "*"])
resources = st.sampled_from(["*", KEY, f"arn:aws:kms:*:{ACCOUNT}:key/*", "arn:aws:s3:::x"])
conditions = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
        {"ForAnyValue:StringEquals": {"aws:CalledVia": ["s3.amazonaws.com"]}},
    ]
)
contexts = st.sampled_from(
    [{}, {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}, {"aws:SecureTransport": True}]
)


@st.composite
def key_statements(draw: st.DrawFn, effect: str | None = None) -> dict[str, Any]:
    statement = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        "Principal": draw(named),
        "Action": draw(actions),
        "Resource": "*",
    }
    condition = draw(conditions)
    return statement | ({"Condition": condition} if condition else {})


@st.composite
def identity_statements(draw: st.DrawFn, effect: str | None = None) -> dict[str, Any]:
    statement = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        "Action": draw(actions),
        "Resource": draw(resources),
    }
    condition = draw(conditions)
    return statement | ({"Condition": condition} if condition else {})


def policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    request: dict[str, Any] = {
        "principal": draw(st.sampled_from(CALLERS)),
        "action": draw(st.sampled_from(["kms:Decrypt", "kms:PutKeyPolicy"])),
        "resource": KEY,
        "account": ACCOUNT,
        "context": draw(contexts),
        "resourcePolicy": policy(draw(st.lists(key_statements(), min_size=1, max_size=3))),
        "identityPolicies": [
            policy([statement]) for statement in draw(st.lists(identity_statements(), max_size=2))
        ],
    }
    if draw(st.booleans()):
        request["permissionsBoundaries"] = [policy([draw(identity_statements())])]
    if draw(st.booleans()):
        grantee = draw(st.sampled_from(CALLERS[:5]))
        request["grants"] = [{"GranteePrincipal": grantee, "Operations": ["Decrypt"]}]
    if draw(st.booleans()):
        request["serviceControlPolicies"] = [[policy([draw(identity_statements())])]]
    return request


def decide(request: dict[str, Any]) -> str:
    return str(answer(read_request(json.dumps(request)))["decision"])


@given(requests(), key_statements("Allow"), identity_statements("Allow"))
def test_adding_an_allow_never_removes_access(
    request: dict[str, Any], for_key: dict[str, Any], for_identity: dict[str, Any]
) -> None:
    before = RANK[decide(request)]
    request["resourcePolicy"]["Statement"].append(for_key)
    between = RANK[decide(request)]
    request["identityPolicies"].append(policy([for_identity]))
    assert before <= between <= RANK[decide(request)]


@given(requests(), key_statements("Deny"), identity_statements("Deny"))
def test_adding_a_deny_never_adds_access(
    request: dict[str, Any], for_key: dict[str, Any], for_identity: dict[str, Any]
) -> None:
    before = RANK[decide(request)]
    request["resourcePolicy"]["Statement"].append(for_key)
    between = RANK[decide(request)]
    request["identityPolicies"].append(policy([for_identity]))
    assert before >= between >= RANK[decide(request)]


def rewritten(statement: dict[str, Any], upper: bool) -> dict[str, Any]:
    """The same statement in another form: lists for scalars, other case, other order."""
    result: dict[str, Any] = {}
    for name, value in reversed(statement.items()):
        if name == "Action":
            items = value if isinstance(value, list) else [value]
            value = [item.upper() if upper else item.lower() for item in reversed(items)]
        elif name == "Resource":
            value = [value]
        elif name == "Principal" and isinstance(value, dict):
            value = {kind: v if isinstance(v, list) else [v] for kind, v in value.items()}
        result[name] = value
    return result


@given(requests(), st.booleans())
def test_order_list_form_and_case_never_matter(request: dict[str, Any], upper: bool) -> None:
    before = decide(request)
    statements = request["resourcePolicy"]["Statement"]
    request["resourcePolicy"]["Statement"] = [rewritten(s, upper) for s in reversed(statements)]
    for document in request["identityPolicies"]:
        document["Statement"] = rewritten(document["Statement"][0], upper)
    request["identityPolicies"].reverse()
    assert decide(request) == before


@given(requests())
def test_the_responsible_statements_alone_reproduce_the_verdict(request: dict[str, Any]) -> None:
    result = answer(read_request(json.dumps(request)))
    if result["decision"] not in ("allowed", "explicitly-denied"):
        return
    kept = {(item["policy"], item.get("statement")) for item in result["responsible"]}

    def only(label: str, document: dict[str, Any]) -> dict[str, Any]:
        statements = document["Statement"]
        return policy([s for i, s in enumerate(statements) if (label, i) in kept])

    request["resourcePolicy"] = only("resourcePolicy", request["resourcePolicy"])
    request["identityPolicies"] = [
        only(f"identityPolicies[{i}]", p) for i, p in enumerate(request["identityPolicies"])
    ]
    if result["decision"] == "allowed":
        request["grants"] = [
            g for i, g in enumerate(request.get("grants", [])) if (f"grants[{i}]", None) in kept
        ]
    assert decide(request) == result["decision"]


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Version", "Statement", "Effect", "Action", "Condition", "x"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_policy_is_too_odd_for_an_answer(document: Any) -> None:
    request = {
        "principal": CALLERS[0],
        "action": "kms:Decrypt",
        "resource": KEY,
        "account": ACCOUNT,
        "resourcePolicy": document,
        "identityPolicies": [document],
    }
    result = answer(read_request(json.dumps(request)))
    assert result["decision"] in RANK
    if not isinstance(document, dict):
        assert result["decision"] == "depends"
