"""What is decided with hidden values holds for every completion of them (design 4.3, K42, K83).

A concrete world is drawn, parts of it are hidden (parts of names and ARNs, whole values, elements,
statements and policies, condition keys of the request, further identity policies), and what is
decided of it is compared with the original and with other completions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from kms_access.decisions.decision import Verdict
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request import (
    ApplicablePolicies,
    Request,
    facts_of,
    request_context,
    with_multivalued,
)
from kms_access.decisions.resolution import AccessState, resolve
from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.context import (
    SESSION_NAME,
    KeyState,
    Open,
    Present,
    absent_otherwise,
    open_otherwise,
)
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    PERMISSIONS_BOUNDARY,
    RESOURCE_CONTROL_POLICY,
    SERVICE_CONTROL_POLICY,
    SESSION_POLICY,
    PolicyGrammar,
)
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import parse_principal
from kms_access.policies.text import DIGIT, NAME_CHARACTER, Text, Unknown, concat
from tests.decisions import test_pseudocode as worlds
from tests.decisions.test_pseudocode import ACCOUNT, CONTEXT, OTHER, requests

NAMES = ("app", "alice", "deploy", "s1", "team", "ledger", "payments", "newcomer")
ACCOUNTS = (ACCOUNT, OTHER, "777788889999")
KEY_ID = worlds.KEY.rpartition("/")[2]
MULTIVALUED = frozenset(key for key, values in CONTEXT.items() if isinstance(values[0], list))


@dataclass(frozen=True)
class Hole:
    """A hidden piece and what it can turn out to be, the truth first."""

    unknown: Unknown
    choices: tuple[Any, ...]


@dataclass(frozen=True)
class Pieces:
    """A string with holes."""

    parts: tuple[str | Hole, ...]


@dataclass
class World:
    """A request in which parts are holes, and keys that are left open."""

    tree: dict[str, Any]
    holes: list[Hole] = field(default_factory=list)
    open_keys: tuple[str, ...] = ()
    all_open: bool = False
    incomplete: bool = False


def built(node: Any, chosen: Mapping[Unknown, int] | None) -> Any:
    """The node with its holes unknown, or filled as `chosen`."""
    if isinstance(node, Hole):
        return Text((node.unknown,)) if chosen is None else node.choices[chosen[node.unknown]]
    if isinstance(node, Pieces):
        parts = (part if isinstance(part, str) else built(part, chosen) for part in node.parts)
        return concat(parts)
    if isinstance(node, dict):
        return {key: built(value, chosen) for key, value in node.items()}
    if isinstance(node, list):
        return [built(item, chosen) for item in node]
    return node


def with_part_hidden(draw: st.DrawFn, node: Any, text: str, hole: Hole, *, everywhere: bool) -> Any:
    """The node with `text` hidden, at every place or at some."""
    if isinstance(node, str) and text in node and (everywhere or draw(st.booleans())):
        return with_part_hidden(draw, Pieces((node,)), text, hole, everywhere=True)
    if isinstance(node, Pieces):
        parts: list[str | Hole] = []
        for part in node.parts:
            pieces = part.split(text) if isinstance(part, str) else [part]
            for index, piece in enumerate(pieces):
                parts.extend([hole, piece] if index else [piece])
        return Pieces(tuple(part for part in parts if part != ""))
    if isinstance(node, dict):
        kept = ("action", "Effect", "Version")
        return {
            key: value
            if key in kept
            else with_part_hidden(draw, value, text, hole, everywhere=everywhere)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [with_part_hidden(draw, n, text, hole, everywhere=everywhere) for n in node]
    return node


def hide_part(draw: st.DrawFn, world: World) -> None:
    """Hide a name, an account or the key id, wherever or everywhere it stands."""
    text = draw(st.sampled_from((*NAMES[:-1], KEY_ID, *ACCOUNTS[:2])))
    everywhere = draw(st.booleans())
    pool = NAMES
    if text in ACCOUNTS:
        unknown, pool = Unknown(f"account {text}", DIGIT), ACCOUNTS
    elif everywhere or text == KEY_ID:
        everywhere, pool = True, (f"new-{text}",)
        unknown = Unknown(f"the name of {text}", NAME_CHARACTER, True, matches_no_literal=True)
    else:
        unknown = Unknown(f"name {text}", NAME_CHARACTER)
    if unknown in (hole.unknown for hole in world.holes):
        return
    hole = Hole(unknown, (text, *pool))
    world.tree = with_part_hidden(draw, world.tree, text, hole, everywhere=everywhere)
    world.holes.append(hole)


def places(node: Any, name: str = "") -> Iterator[tuple[Any, Any, str]]:
    """The places of policies, elements and values: what holds them, the key there, and the kind."""
    if isinstance(node, dict):
        for key, value in node.items():
            kind = f"{name} value" if name == "Condition" else key
            if kind in ALTERNATIVES:
                yield node, key, kind
            yield from places(value, "Condition" if name == "Condition" else key)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            kind = f"{name} item"
            if kind in ALTERNATIVES:
                yield node, index, kind
            yield from places(item, name)


def another(draw: st.DrawFn, kind: str, caller: str, action: str) -> Any:
    """Something else that could stand at a place."""
    return ALTERNATIVES[kind](draw, caller, action)


def another_condition(draw: st.DrawFn, caller: str, action: str) -> Any:
    return worlds.conditions(draw).get("Condition", {})


def another_value(draw: st.DrawFn, caller: str, action: str) -> Any:
    texts = [v for _, _, v in worlds.CONDITIONS if isinstance(v, str)]
    return draw(st.sampled_from([*texts, "*", "something else"]))


def another_action(draw: st.DrawFn, caller: str, action: str) -> Any:
    return draw(st.sampled_from([action, *worlds.PATTERNS]))


def another_resource(draw: st.DrawFn, caller: str, action: str) -> Any:
    return draw(st.sampled_from(worlds.RESOURCES))


def another_principal(draw: st.DrawFn, caller: str, action: str) -> Any:
    # Only forms that KMS takes: a policy with another one never comes into force (K17).
    near = [caller, "*"] if caller.startswith("arn:") else ["*"]
    return draw(st.sampled_from([*near, *worlds.NAMEABLE]))


def another_effect(draw: st.DrawFn, caller: str, action: str) -> Any:
    return draw(st.sampled_from(["Allow", "Deny"]))


def another_policy(draw: st.DrawFn, caller: str, action: str) -> Any:
    return worlds.identity_policy(draw, action)


def another_key_policy(draw: st.DrawFn, caller: str, action: str) -> Any:
    return worlds.policy(draw, [worlds.key_statement(draw, caller, action)])


def another_grantee(draw: st.DrawFn, caller: str, action: str) -> Any:
    return draw(st.sampled_from([caller, *worlds.NAMEABLE]))


ALTERNATIVES = {
    "Condition": another_condition,
    "Condition value": another_value,
    "Action": another_action,
    "Action item": another_action,
    "Resource": another_resource,
    "Resource item": another_resource,
    "AWS": another_principal,
    "AWS item": another_principal,
    "Effect": another_effect,
    "resourcePolicy": another_key_policy,
    "identityPolicies item": another_policy,
    "permissionsBoundaries item": another_policy,
    "sessionPolicy": another_policy,
    "GranteePrincipal": another_grantee,
}


def hide_node(draw: st.DrawFn, world: World, caller: str) -> None:
    """Hide a whole element, value or policy."""
    found = list(places(world.tree))
    if not found:
        return
    holder, key, kind = draw(st.sampled_from(found))
    if isinstance(holder[key], Hole | Pieces) or any(_holes(holder[key])):
        return
    action = world.tree["action"]
    others = [another(draw, kind, caller, action) for _ in range(3)]
    hole = Hole(Unknown(f"{kind} {len(world.holes)}"), (holder[key], *others))
    holder[key] = hole
    world.holes.append(hole)


def _holes(node: Any) -> Iterator[Any]:
    if isinstance(node, Hole | Pieces):
        yield node
    elif isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from _holes(item)


@st.composite
def hidden_worlds(draw: st.DrawFn) -> World:
    tree = deepcopy(draw(requests()))
    tree["context"].pop("aws:PrincipalArn", None)
    world = World(tree)
    caller = tree["principal"]
    for _ in range(draw(st.integers(0, 2))):
        hide_node(draw, world, caller)
    for _ in range(draw(st.integers(0, 2))):
        hide_part(draw, world)
    if draw(st.booleans()):
        world.open_keys = tuple(draw(st.lists(st.sampled_from([*CONTEXT]), unique=True)))
        world.all_open = draw(st.booleans())
    world.incomplete = caller.startswith("arn:") and draw(st.sampled_from([False, False, True]))
    return world


def parts_of(node: Any) -> tuple[Any, ...]:
    return tuple(node) if isinstance(node, list) else (node,)


def question(
    tree: Mapping[str, Any], states: Mapping[str, KeyState], **more: Any
) -> tuple[Request, ApplicablePolicies]:
    """A request with its policies, from a tree whose strings may have unknown parts."""
    all_open = more.pop("all_open", False)
    principal = parse_principal(tree["principal"])
    assert principal is not None
    if "session" in tree:
        principal = replace(principal, session=tree["session"])
    resource, account = tree["resource"], tree["account"]
    given: dict[str, KeyState] = {}
    for key, value in tree["context"].items():
        texts = tuple(str(v).lower() if isinstance(v, bool) else v for v in parts_of(value))
        given[key] = with_multivalued(key, Present(texts, multivalued=isinstance(value, list)))
    facts = facts_of(principal, tree["action"], resource, account)
    otherwise = open_otherwise if all_open else absent_otherwise
    context = request_context(facts, given | dict(states), otherwise)

    def read(field: str, grammar: PolicyGrammar) -> tuple[Policy, ...]:
        nodes = tree.get(field, [])
        nodes = nodes if isinstance(nodes, list) else [nodes]
        return tuple(Policy(field, parse_policy(node, grammar), Origin(field)) for node in nodes)

    def levels(field: str, grammar: PolicyGrammar) -> tuple[tuple[Policy, ...], ...]:
        return tuple(
            tuple(Policy(field, parse_policy(node, grammar), Origin(field)) for node in level)
            for level in tree.get(field, [])
        )

    policies = ApplicablePolicies(
        resource=read("resourcePolicy", KEY_POLICY),
        identity=read("identityPolicies", IDENTITY_POLICY),
        boundary=read("permissionsBoundaries", PERMISSIONS_BOUNDARY),
        session=read("sessionPolicy", SESSION_POLICY),
        service_control=levels("serviceControlPolicies", SERVICE_CONTROL_POLICY),
        resource_control=levels("resourceControlPolicies", RESOURCE_CONTROL_POLICY),
        grants=tuple(
            read_grant(item, "grant", Origin("grant"), resource) for item in tree.get("grants", [])
        ),
        **more,
    )
    return Request(principal, tree["action"], resource, account, context), policies


def is_role(tree: Mapping[str, Any]) -> bool:
    """Whether the caller is a role as a whole, of any session."""
    principal = tree["principal"]
    return ":role/" in (principal if isinstance(principal, str) else str(built(principal, None)))


def hidden_question(world: World) -> tuple[Request, ApplicablePolicies]:
    reason = Reason("the key", ReasonKind.REQUEST)
    states = {k: Open(reason, multivalued=k in MULTIVALUED) for k in world.open_keys}
    if is_role(world.tree):
        states[SESSION_NAME] = Open(Reason("the session name", ReasonKind.REQUEST, "K49"))
    outside = Reason("identity policies elsewhere", ReasonKind.OUTSIDE, "K66")
    return question(
        built(world.tree, None),
        states,
        all_open=world.all_open,
        identity_incomplete=outside if world.incomplete else None,
    )


def completion(draw: st.DrawFn, world: World, *, truth: bool) -> Any:
    """A way in which the world may turn out to be: as it was drawn, or another one."""
    chosen = {
        hole.unknown: 0 if truth else draw(st.integers(0, len(hole.choices) - 1))
        for hole in world.holes
    }
    tree = built(world.tree, chosen)
    keys = CONTEXT if world.all_open else world.open_keys
    for key in keys:
        if key in tree["context"] and key not in world.open_keys:
            continue
        if not (truth and key in tree["context"]):
            tree["context"].pop(key, None)
            if draw(st.booleans()):
                tree["context"][key] = draw(st.sampled_from(CONTEXT[key]))
    if world.incomplete and draw(st.booleans()):
        # K66: a known Allow counts, whatever else there is; so what is not shown only allows.
        allow = worlds.identity_statement(draw, tree["action"], ("Allow",))
        further = worlds.policy(draw, [allow])
        tree["identityPolicies"] = [*tree.get("identityPolicies", []), further]
    return tree


SECURE = "aws:SecureTransport"
DENIED = (Verdict.EXPLICITLY_DENIED, Verdict.IMPLICITLY_DENIED)


@given(hidden_worlds(), st.data())
def test_what_is_decided_holds_for_every_completion(world: World, data: st.DataObject) -> None:
    verdict = authorize(*hidden_question(world)).verdict
    event(f"{verdict.value}, {len(world.holes)} holes")
    if verdict is Verdict.DEPENDS:
        return
    for truth in (True, False, False, False):
        completed = completion(data.draw, world, truth=truth)
        found = authorize(*question(completed, {})).verdict
        if verdict is Verdict.IMPLICITLY_DENIED:
            assert found in DENIED, completed
        else:
            assert found is verdict, completed


@given(hidden_worlds(), st.data())
def test_what_the_solver_decides_holds_for_every_request(world: World, data: st.DataObject) -> None:
    state = resolve(*hidden_question(world)).state
    event(state.value)
    if state is not AccessState.ALLOWED and not state.is_denied:
        return
    for truth in (True, False, False, False):
        completed = completion(data.draw, world, truth=truth)
        if world.all_open or SECURE in world.open_keys:
            completed["context"].setdefault(SECURE, True)  # every request has it
        if is_role(completed):
            completed["session"] = data.draw(st.sampled_from(["s1", "s2", "another"]))
        found = authorize(*question(completed, {})).verdict
        assert found in (DENIED if state.is_denied else [Verdict.ALLOWED]), completed
