"""What must hold for all inventories: properties of reach (design, section 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_access.decisions.detour import DetourKind, weakness
from kms_access.decisions.reach import Reach
from kms_access.decisions.request import ApplicablePolicies, Request, facts_of, request_context
from kms_access.decisions.resolution import AccessState, resolve
from kms_access.decisions.subjects import Caller, Subject, SubjectKind
from kms_access.inventory.model import Identity
from kms_access.policies.context import open_otherwise
from kms_access.policies.principals import PrincipalKind
from kms_access.policies.text import Text, Unknown, Value, concat
from tests.builders import ACCOUNT, OTHER, ROOT, allow, iam, key, role, role_arn, user, user_arn
from tests.decisions.reaching import ORGANIZATION, lets, reach, trust

GENERATED = Text((Unknown("the name of role Made", "[A-Za-z0-9-]", unique=True),))
OPEN_NAME = Text(("app-", Unknown("the stage", "[a-z]")))
NAMES: tuple[Value, ...] = ("a", "b", "app-prod", "x-Made-1A2B3C4D5E6F", GENERATED, OPEN_NAME)
USERS = ("alice", "bob")
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


def arn_of(name: Value) -> Value:
    return concat((f"arn:aws:iam::{ACCOUNT}:role/", name))


PEOPLE = [
    ROOT,
    {"AWS": OTHER},
    {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/a/s1"},
    *({"AWS": arn_of(name)} for name in NAMES),
    *({"AWS": user_arn(name)} for name in USERS),
    {"Service": "lambda.amazonaws.com"},
    "*",
]
PARTNER = {"AWS": f"arn:aws:iam::{OTHER}:role/partner"}
conditions = st.sampled_from(
    [
        {},
        {},
        {"StringEquals": {"sts:ExternalId": "x"}},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/a*"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ]
)


@st.composite
def trust_statements(draw: st.DrawFn, effect: str | None = None, *, partner: bool = True) -> Any:
    effect = effect or draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"]))
    if draw(st.integers(0, 5)) == 0:
        statement = lets({"Federated": GITHUB}, "sts:AssumeRoleWithWebIdentity", effect)
    else:
        people = [*PEOPLE, PARTNER] if partner else PEOPLE
        statement = lets(draw(st.sampled_from(people)), effect=effect)
    condition = draw(conditions)
    return statement | ({"Condition": condition} if condition else {})


@st.composite
def own_statements(draw: st.DrawFn) -> Any:
    return iam(
        draw(st.sampled_from(["sts:AssumeRole", "sts:*", "kms:Decrypt"])),
        draw(st.sampled_from(["*", role_arn("a"), role_arn("app-*"), role_arn("b")])),
        draw(st.sampled_from(["Allow", "Allow", "Deny"])),
    )


@st.composite
def identities(draw: st.DrawFn, *, partner: bool = True) -> tuple[Identity, ...]:
    statements = st.lists(trust_statements(partner=partner), min_size=1, max_size=2)
    boundaries = st.sampled_from([None, None, [iam("kms:*")], [iam("*")]])
    roles = [
        role(
            name,
            *draw(st.lists(own_statements(), max_size=2)),
            boundary=draw(boundaries),
            trust=trust(*draw(statements)),
        )
        for name in NAMES
    ]
    users = [user(name, *draw(st.lists(own_statements(), max_size=2))) for name in USERS]
    for index, one in enumerate(roles):
        origin = replace(one.origin, identity=f"App/Role{index}", label=f"Role{index}")
        roles[index] = replace(one, origin=origin)
    return (*roles, *users)


def search(found: tuple[Identity, ...]) -> Reach:
    """Each role is named by the policy of a key of its own."""
    arns = [one.principal.arn for one in found if one.trust]
    keys = (key(f"k{n}", allow({"AWS": arn}, "kms:Decrypt")) for n, arn in enumerate(arns))
    return reach(found, *keys)


def best(found: Reach) -> dict[tuple[str, str, str], int]:
    """The weakness of the best detour for each subject, key and action."""
    result: dict[tuple[str, str, str], int] = {}
    for detour in found:
        for action in detour.actions:
            place = (detour.subject.identity, detour.key.origin.identity, action)
            result[place] = min(result.get(place, 9), weakness(detour.state))
    return result


@settings(max_examples=50)
@given(identities(), st.integers(0, len(NAMES) - 1), trust_statements("Allow"))
def test_adding_a_trust_allow_never_removes_detours(
    found: tuple[Identity, ...], index: int, statement: Any
) -> None:
    before = best(search(found))
    opened = replace(found[index], trust=(*found[index].trust, *trust(statement)))
    after = best(search((*found[:index], opened, *found[index + 1 :])))
    for place, weak in before.items():
        assert after.get(place, 9) <= weak, place


def may_assume(caller: Caller, action: str, target: Identity) -> bool:
    """The plain question for one pair, put together without the code of reach."""
    principal, arn = caller.principal, target.principal.arn
    facts = facts_of(principal, action, arn, target.principal.account)
    facts |= ORGANIZATION.facts(principal)
    context = request_context(facts, caller.facts, open_otherwise)
    request = Request(principal, action, arn, target.principal.account, context)
    policies = ApplicablePolicies(
        target.trust,
        caller.identity,
        caller.boundary,
        identity_incomplete=caller.incomplete,
        identity_assumed=caller.assumed_allowed,
    )
    return not resolve(request, policies).state.is_denied


def may_take(subject: Subject, target: Identity) -> bool:
    kinds = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.PROVIDER)
    action = "sts:AssumeRole"
    if subject.kind is SubjectKind.PROVIDER:
        action = "sts:AssumeRoleWithWebIdentity"
    return any(
        may_assume(caller, action, target)
        for caller in subject.callers
        if caller.principal.kind in kinds
    )


@settings(max_examples=50)
@given(identities())
def test_every_chain_of_roles_can_be_walked_link_by_link(found: tuple[Identity, ...]) -> None:
    """K160. Into a role elsewhere, whose trust policy nobody knows, no step is certain."""
    searched = search(found)
    roles = {one.label: one for one in found}
    subjects = {one.label: one for one in searched.subjects}
    for detour in searched:
        assert set(detour.kinds) == {DetourKind.ASSUMED_ROLE}
        assert len(detour.kinds) == len(set(detour.through))
        starts = [detour.subject, *(subjects[label] for label in detour.through[:-1])]
        for start, label in zip(starts, detour.through, strict=True):
            if label in roles:
                assert may_take(start, roles[label]), (detour.through, label)
            else:
                assert detour.state is AccessState.UNDECIDED


@settings(max_examples=50)
@given(identities(partner=False))
def test_trying_all_pairs_finds_no_other_key(found: tuple[Identity, ...]) -> None:
    """The index by whom a trust policy names leaves no candidate out."""
    searched = search(found)
    roles = [one for one in found if one.trust]
    facts = searched.access_map
    rows = {one.origin.identity: one for one in facts.subjects if one.origin and not one.session}
    holds = {
        name: {on.origin.identity: [*facts.states(row, on).values()] for on in facts.keys}
        for name, row in rows.items()
    }
    direct = {
        one.identity: {target.origin.identity for target in roles if may_take(one, target)}
        for one in searched.subjects
    }
    for subject in searched.subjects:
        itself = subject.origin.identity if subject.origin else ""
        reached: set[str] = set()
        pending = [*direct[subject.identity] - {itself}]
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending += direct[name] - {itself}
        for on in facts.keys:
            place = on.origin.identity
            is_reached = any(
                not state.is_denied for name in reached for state in holds[name][place]
            )
            own = holds[itself][place] if itself else []
            is_sure = AccessState.ALLOWED in own
            assert bool(searched.of(subject, on)) is (is_reached and not is_sure), (
                subject.label,
                on.label,
            )
