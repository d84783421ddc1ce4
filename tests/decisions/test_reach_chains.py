"""Chains of assumed roles (K160): their order, their ceilings, their proof."""

from __future__ import annotations

from typing import Any

import pytest

from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from kms_access.policies.parsing import parse_policy
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    ROOT,
    allow,
    deny,
    document,
    iam,
    key,
    role,
    role_arn,
    user,
    user_arn,
)
from tests.decisions.reaching import ANY_OTHER, detours, lets, reach, told, trust

DECRYPT = "kms:Decrypt"
CI = role_arn("ci")
ON_CI = iam("sts:AssumeRole", CI)
PLAIN = user("alice")
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
OF_GITHUB = "federated provider token.actions.githubusercontent.com"
BY_TOKEN = "sts:AssumeRoleWithWebIdentity"
EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": "x"}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
PARTNER = f"arn:aws:iam::{OTHER}:role/partner"
SURE = "ASSUMED_ROLE: ALLOWED via role ci"
CONDITIONAL = "ASSUMED_ROLE: CONDITIONAL via role ci"
DELEGATED = "ASSUMED_ROLE: DELEGATED via role ci"


def ci(*statements: Any, **fields: Any) -> Any:
    return role("ci", trust=trust(*statements), **fields)


A, B, C, D = (role_arn(name) for name in "abcd")


def assumable(name: str, *by: str, **fields: Any) -> Any:
    """A role that the roles of these ARNs may assume."""
    return role(name, trust=trust(*(lets(arn) for arn in by)), **fields)


CHAINS: dict[str, tuple[Any, str, list[str]]] = {
    "two roles": (
        (assumable("a", user_arn("alice")), assumable("b", A), PLAIN),
        "user alice",
        ["ASSUMED_ROLE, ASSUMED_ROLE: ALLOWED via role a, role b"],
    ),
    "four roles": (
        (
            *(assumable("b", D), assumable("d", C), assumable("c", A)),
            *(assumable("a", user_arn("alice")), PLAIN),
        ),
        "user alice",
        [
            "ASSUMED_ROLE, ASSUMED_ROLE, ASSUMED_ROLE, ASSUMED_ROLE: ALLOWED "
            "via role a, role c, role d, role b"
        ],
    ),
    "four roles, and a Deny on the third": (
        (
            *(assumable("b", D), assumable("d", C), assumable("a", user_arn("alice")), PLAIN),
            role("c", iam("sts:*", effect="Deny"), trust=trust(lets(A))),
        ),
        "user alice",
        [],
    ),
    "a cycle of three roles": (
        (assumable("a", C, user_arn("alice")), assumable("c", A), assumable("b", C), PLAIN),
        "user alice",
        ["ASSUMED_ROLE, ASSUMED_ROLE, ASSUMED_ROLE: ALLOWED via role a, role c, role b"],
    ),
    "the start is in the cycle": (
        (assumable("a", B), assumable("c", A), assumable("b", C)),
        "role a",
        ["ASSUMED_ROLE, ASSUMED_ROLE: ALLOWED via role c, role b"],
    ),
    "a role that assumes itself": (assumable("b", B), "role b", []),
    "the shortest of two": (
        (
            *(assumable("a", user_arn("alice")), assumable("c", A)),
            *(assumable("b", C, A), PLAIN),
        ),
        "user alice",
        ["ASSUMED_ROLE, ASSUMED_ROLE: ALLOWED via role a, role b"],
    ),
    "the surest before the shortest": (
        (
            assumable("a", user_arn("alice")),
            role("b", trust=trust(lets(A), lets(user_arn("alice"), Condition=EXTERNAL_ID))),
            PLAIN,
        ),
        "user alice",
        ["ASSUMED_ROLE, ASSUMED_ROLE: ALLOWED via role a, role b"],
    ),
    "the weakest link": (
        (
            role("a", trust=trust(lets(user_arn("alice"), Condition=EXTERNAL_ID))),
            *(assumable("b", A), PLAIN),
        ),
        "user alice",
        ["ASSUMED_ROLE, ASSUMED_ROLE: CONDITIONAL via role a, role b"],
    ),
    "an open link is weaker than one that is decided elsewhere": (
        (
            role("a", iam("sts:AssumeRole"), trust=trust(lets(PARTNER))),
            role("b", complete=False),
        ),
        "role partner",
        ["ASSUMED_ROLE, ASSUMED_ROLE: UNDECIDED via role a, role b"],
    ),
    "a provider, and then a role": (
        (
            role("a", trust=trust(lets({"Federated": GITHUB}, BY_TOKEN))),
            assumable("b", A),
        ),
        OF_GITHUB,
        ["ASSUMED_ROLE, ASSUMED_ROLE: ALLOWED via role a, role b"],
    ),
}


@pytest.mark.parametrize(("identities", "subject", "expected"), CHAINS.values(), ids=CHAINS.keys())
def test_chains_of_roles(identities: Any, subject: str, expected: list[str]) -> None:
    search = reach(identities, key("k", allow(B, DECRYPT)))
    assert [told(d) for d in detours(search, subject, DECRYPT)] == expected


def test_what_a_role_on_the_way_has_as_surely_is_told_once() -> None:
    identities = (assumable("a", user_arn("alice")), assumable("b", A), PLAIN)
    search = reach(identities, key("k", allow([A, B], DECRYPT), allow(B, "kms:Encrypt")))
    (through_a,) = detours(search, "user alice", DECRYPT)
    (through_b,) = detours(search, "user alice", "kms:Encrypt")
    assert (through_a.through, through_b.through) == (("role a",), ("role a", "role b"))
    assert through_b.actions == {"kms:Encrypt"}


def test_access_that_one_surely_has_is_no_detour() -> None:
    own = allow(user_arn("alice"), DECRYPT)
    own_with_mfa = allow(user_arn("alice"), "kms:Encrypt", Condition=MFA)
    of_role = allow(CI, [DECRYPT, "kms:Encrypt"])
    search = reach((PLAIN, ci(lets(user_arn("alice")))), key("k", own, own_with_mfa, of_role))
    assert detours(search, "user alice", DECRYPT) == []
    assert [told(d) for d in detours(search, "user alice", "kms:Encrypt")] == [SURE]


def test_access_of_the_role_under_a_condition_is_a_detour_of_its_own() -> None:
    conditional = allow(CI, "kms:Encrypt", Condition=MFA)
    search = reach((PLAIN, ci(lets(user_arn("alice")))), key("k", allow(CI, DECRYPT), conditional))
    assert [told(d) for d in detours(search, "user alice", DECRYPT)] == [SURE]
    (encrypting,) = detours(search, "user alice", "kms:Encrypt")
    assert told(encrypting) == CONDITIONAL
    assert [r.text for r in encrypting.reasons] == ['the request key "aws:MultiFactorAuthPresent"']


def test_a_denied_role_gives_nothing() -> None:
    statements = (allow(CI, DECRYPT), deny(CI, DECRYPT))
    assert detours(reach((PLAIN, ci(lets(user_arn("alice")))), key("k", *statements)),
                   "user alice", DECRYPT) == []  # fmt: skip


NO_STS = iam("sts:*", effect="Deny")
CEILINGS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "a service control policy that denies it (K70)": (
        {"service_control": (("scp", NO_STS, iam("*")),)},
        "user alice",
        [],
    ),
    "a service control policy without it": (
        {"service_control": (("scp", iam("kms:*")),)},
        "user alice",
        [],
    ),
    "a service control policy with it": (
        {"service_control": (("scp", iam("*")),)},
        "user alice",
        [SURE],
    ),
    "a service control policy binds nobody outside": (
        {"service_control": (("scp", NO_STS, iam("*")),)},
        "role partner",
        [DELEGATED],
    ),
    "a resource control policy that denies it (K71)": (
        {"resource_control": (("rcp", {**NO_STS, "Principal": "*"}),)},
        "role partner",
        [],
    ),
    "a resource control policy on people outside": (
        {
            "resource_control": (
                ("rcp", {**NO_STS, "Principal": "*", "Condition": {
                    "StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}}),
            )
        },
        "user alice",
        [SURE],
    ),
}  # fmt: skip


def ceilings(fields: dict[str, Any]) -> dict[str, Any]:
    grammars = {"scp": SERVICE_CONTROL_POLICY, "rcp": RESOURCE_CONTROL_POLICY}
    return {
        name: tuple(
            (Policy(kind, parse_policy(document(*statements), grammars[kind]), Origin("App/Org")),)
            for kind, *statements in levels
        )
        for name, levels in fields.items()
    }


@pytest.mark.parametrize(("fields", "subject", "expected"), CEILINGS.values(), ids=CEILINGS.keys())
def test_ceilings_of_the_organization(
    fields: dict[str, Any], subject: str, expected: list[str]
) -> None:
    identities = (PLAIN, ci(lets([user_arn("alice"), PARTNER])))
    search = reach(identities, key("k", allow(CI, DECRYPT)), **ceilings(fields))
    assert [told(d) for d in detours(search, subject, DECRYPT)] == expected


def test_the_proof_tells_each_step() -> None:
    identities = (
        user("alice", ON_CI),
        ci(lets(ROOT), tags={}),
        role("db", iam(DECRYPT), trust=trust(lets(CI, Sid="FromPipeline"))),
    )
    search = reach(identities, key("k", DELEGATION))
    (detour,) = detours(search, "user alice", DECRYPT)
    assert [(hop.text, hop.origin.identity) for hop in detour.proof.hops] == [
        (f"trust policy of role ci, statement 1, lets account {ACCOUNT} assume it", "App/Trust"),
        ("inline policy Access, statement 1, allows sts:AssumeRole on role/ci", "App/alice"),
        ('trust policy of role db, statement "FromPipeline", lets role ci assume it', "App/Trust"),
        ("role db holds kms:Decrypt", "App/db"),
        (f"key policy, statement 1, lets account {ACCOUNT} delegate kms:*", "App/k"),
        ("inline policy Access, statement 1, allows kms:Decrypt on *", "App/db"),
    ]


@pytest.mark.parametrize(
    ("who", "action", "subject", "words"),
    [
        ({"Federated": GITHUB}, BY_TOKEN, OF_GITHUB, OF_GITHUB),
        ("*", "sts:AssumeRole", "everyone", "everyone"),
        (PARTNER, "sts:AssumeRole", "role partner", "role partner"),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/s1",
            "sts:AssumeRole",
            "role dev",
            "a session of role dev",
        ),
    ],
)
def test_the_proof_tells_whom_a_trust_policy_lets_in(
    who: Any, action: str, subject: str, words: str
) -> None:
    search = reach((role("dev"), ci(lets(who, action))), key("k", allow(CI, DECRYPT)))
    (detour,) = detours(search, subject, DECRYPT)
    expected = f"trust policy of role ci, statement 1, lets {words} assume it"
    assert detour.proof.hops[0].text == expected


def test_root_users_and_federated_sessions_cannot_assume_roles() -> None:
    """API: AssumeRole, GetFederationToken."""
    session = f"arn:aws:sts::{ACCOUNT}:federated-user/alice"
    statements = (allow(CI, DECRYPT), allow(session, "kms:Encrypt"))
    search = reach(ci(lets([f"arn:aws:iam::{OTHER}:root", session])), key("k", *statements))
    assert [told(d) for d in detours(search, f"account {OTHER}", DECRYPT)] == [DELEGATED]
    assert detours(search, "federated user alice", DECRYPT) == []


def test_services_make_no_detours() -> None:
    statements = (allow(CI, DECRYPT), allow({"Service": "lambda.amazonaws.com"}, "kms:Encrypt"))
    search = reach(ci(lets({"Service": "lambda.amazonaws.com"})), key("k", *statements))
    (service,) = (s for s in search.access_map.subjects if s.label.startswith("service"))
    assert search.of(service, search.access_map.keys[0]) == ()
    assert list(search) == []


def test_all_detours_come_sorted() -> None:
    identities = (
        *(user("bob", ON_CI), user("alice", ON_CI), ci(lets(ROOT))),
        role("admin", trust=trust(lets(CI))),
    )
    keys = [
        key("z", allow(CI, DECRYPT)),
        key("k", allow(CI, DECRYPT), allow(role_arn("admin"), "kms:PutKeyPolicy")),
    ]
    found = list(reach(identities, *keys))
    order = [(d.subject.label, d.key.label, [k.name for k in d.kinds]) for d in found]
    people = ["role admin", "role ci", "user alice", "user bob", ANY_OTHER]
    assert list(dict.fromkeys(subject for subject, _, _ in order)) == people
    assert [entry[1:] for entry in order if entry[0] == "user bob"] == [
        ("alias/k", ["ASSUMED_ROLE"]),
        ("alias/k", ["ASSUMED_ROLE", "ASSUMED_ROLE"]),
        ("alias/k", ["ASSUMED_ROLE", "ASSUMED_ROLE", "KEY_POLICY"]),
        ("alias/z", ["ASSUMED_ROLE"]),
    ]


def test_an_inventory_without_roles_has_no_detours() -> None:
    assert list(reach((), key("k", allow(user_arn("alice"), DECRYPT)))) == []
    assert list(reach(PLAIN)) == []
