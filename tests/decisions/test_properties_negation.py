"""NotAction and NotResource are the complement, and a wider limit never removes access."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.access_map import access_map
from kms_access.decisions.request_json import answer, read_request
from kms_access.inventory.actions import KMS_ACTIONS
from kms_access.inventory.model import Inventory
from tests.builders import DELEGATION, allow, document, iam, key, user, user_arn
from tests.decisions import test_pseudocode as worlds
from tests.decisions.pseudocode_language import glob, wild
from tests.decisions.test_pseudocode import ACCOUNT, ALICE, ANOTHER_KEY, KEY, requests

NAMES = sorted(action.name for action in KMS_ACTIONS.values())
LISTED = st.lists(
    st.sampled_from([*worlds.PATTERNS, *NAMES, "kms:*Key*", "kms:Generate*"]), min_size=1
)
ASKED = st.sampled_from([n for n in NAMES if n != "kms:RetireGrant"])
RESOURCES = (*worlds.RESOURCES, "arn:aws:kms:eu-*", "arn:aws:kms:*:444455556666:key/*")
RANK = {"explicitly-denied": 0, "implicitly-denied": 0, "depends": 1, "allowed": 2}


def decide(**request: Any) -> str:
    stated = {"principal": ALICE, "resource": KEY, "account": ACCOUNT, **request}
    return str(answer(read_request(json.dumps(stated)))["decision"])


def on_identity_side(action: str, statement: dict[str, Any], resource: str = KEY) -> str:
    return decide(
        action=action,
        resource=resource,
        resourcePolicy=document(DELEGATION),
        identityPolicies=[document(iam("*")), document(statement)]
        if statement["Effect"] == "Deny"
        else [document(statement)],
    )


@given(ASKED, LISTED, st.sampled_from(["Allow", "Deny"]))
def test_not_action_matches_what_action_does_not(
    action: str, listed: list[str], effect: str
) -> None:
    listing = {"Effect": effect, "Action": listed, "Resource": "*"}
    sparing = {"Effect": effect, "NotAction": listed, "Resource": "*"}
    found = [on_identity_side(action, statement) for statement in (listing, sparing)]
    outcome = {"implicitly-denied" if effect == "Allow" else "explicitly-denied", "allowed"}
    assert set(found) == outcome


@given(ASKED, LISTED, st.sampled_from(["Allow", "Deny"]))
def test_not_action_of_a_key_policy_is_the_complement(
    action: str, listed: list[str], effect: str
) -> None:
    everything = [allow(ALICE, "kms:*")] if effect == "Deny" else []
    found = []
    for name in ("Action", "NotAction"):
        named = {"Effect": effect, "Principal": {"AWS": ALICE}, "Resource": "*"}
        found.append(
            decide(action=action, resourcePolicy=document(*everything, {**named, name: listed}))
        )
    without_key = not KMS_ACTIONS[action.lower()].needs_key
    outcome = {"implicitly-denied" if effect == "Allow" else "explicitly-denied", "allowed"}
    assert set(found) == ({"implicitly-denied"} if without_key else outcome)


@given(
    st.lists(st.sampled_from(RESOURCES), min_size=1),
    st.sampled_from([KEY, ANOTHER_KEY]),
    st.sampled_from(["Allow", "Deny"]),
)
def test_not_resource_matches_what_resource_does_not(
    listed: list[str], resource: str, effect: str
) -> None:
    listing = {"Effect": effect, "Action": "kms:Decrypt", "Resource": listed}
    sparing = {"Effect": effect, "Action": "kms:Decrypt", "NotResource": listed}
    found = [on_identity_side("kms:Decrypt", s, resource) for s in (listing, sparing)]
    denied = "implicitly-denied" if effect == "Allow" else "explicitly-denied"
    assert set(found) in ({denied, "allowed"}, {"depends"})  # K23 leaves both open


@given(LISTED)
def test_not_action_is_the_list_of_all_other_actions_for_the_map(listed: list[str]) -> None:
    patterns = [wild(pattern.lower()) for pattern in listed]
    others = [n for n in NAMES if not any(glob(p, n.lower()) for p in patterns)]
    states = []
    for element in ({"NotAction": listed}, {"Action": [*others, "s3:GetObject"]}):
        named = {"Effect": "Allow", "Principal": {"AWS": user_arn("bob")}, "Resource": "*"}
        own = key("own", {**named, **element})
        shared = key("shared", DELEGATION)
        statement = {"Effect": "Allow", "Resource": "*", **element}
        facts = access_map(Inventory((own, shared), (user("alice", statement), user("bob"))))
        states.append(
            {
                (subject.identity, k.label): facts.states(subject, k)
                for subject in facts.subjects
                for k in facts.keys
            }
        )
    assert states[0] == states[1]


LIMITS = ("permissionsBoundaries", "sessionPolicy", "serviceControlPolicies")


def documents_of(request: dict[str, Any], field: str) -> list[dict[str, Any]]:
    node = request.get(field, [])
    if isinstance(node, dict):
        return [node]
    return [d for item in node for d in (item if isinstance(item, list) else [item])]


@given(requests(), st.data(), st.sampled_from(LIMITS))
def test_a_wider_limit_never_removes_access(
    request: dict[str, Any], data: st.DataObject, field: str
) -> None:
    found = documents_of(request, field)
    before = RANK[decide(**request)]
    for limit in found:
        more = worlds.identity_statement(data.draw, request["action"], ("Allow",))
        limit["Statement"] = [*limit["Statement"], more]
        between = RANK[decide(**request)]
        assert before <= between
        limit["Statement"] = [s for s in limit["Statement"] if s["Effect"] == "Allow"]
        before = RANK[decide(**request)]
        assert between <= before
    request.pop(field, None)
    # Without a session policy a federated session has no permission of its identity (K51).
    if field != "sessionPolicy" or request["principal"] != worlds.FEDERATED_ALICE:
        assert before <= RANK[decide(**request)]
