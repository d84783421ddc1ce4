"""The pseudocode of K78 to K81 and the evaluator give one verdict on every concrete request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_access.decisions.request_json import answer, read_request
from tests.decisions.pseudocode import decide

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ANOTHER_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-12ab-34cd-56ef-1234567890ab"
S3 = "s3.eu-west-1.amazonaws.com"
TRAIL = f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t"


def iam(account: str, rest: str) -> str:
    return f"arn:aws:iam::{account}:{rest}"


def sts(account: str, rest: str) -> str:
    return f"arn:aws:sts::{account}:{rest}"


ROOT, ALICE, BOB = iam(ACCOUNT, "root"), iam(ACCOUNT, "user/alice"), iam(ACCOUNT, "user/eng/bob")
APP, DEPLOY = iam(ACCOUNT, "role/app"), iam(ACCOUNT, "role/team/deploy")
APP_1, APP_2 = sts(ACCOUNT, "assumed-role/app/s1"), sts(ACCOUNT, "assumed-role/app/s2")
DEPLOY_1 = sts(ACCOUNT, "assumed-role/deploy/s1")
FEDERATED_ALICE = sts(ACCOUNT, "federated-user/alice")
LINKED = iam(ACCOUNT, "role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS")
OTHER_ROOT, OTHER_ROLE = iam(OTHER, "root"), iam(OTHER, "role/app")
OTHER_USER, OTHER_SESSION = iam(OTHER, "user/alice"), sts(OTHER, "assumed-role/app/s1")
CLOUDTRAIL, BACKUP = "cloudtrail.amazonaws.com", "backup.amazonaws.com"
INSIDE = (ALICE, BOB, APP, DEPLOY, APP_1, APP_2, DEPLOY_1, FEDERATED_ALICE, ROOT, LINKED)
OUTSIDE = (OTHER_ROLE, OTHER_USER, OTHER_SESSION, OTHER_ROOT)
SERVICES = (CLOUDTRAIL, BACKUP)
STRANGE = ("AROAEXAMPLEEXAMPLE123", iam(ACCOUNT, "role/deploy"), iam(ACCOUNT, "user/bob"))
NAMEABLE = (*INSIDE, *OUTSIDE, ACCOUNT, OTHER, *STRANGE)
CHAINS = (  # what NotPrincipal has to list, in parts (K37)
    [ROOT, ALICE],
    [ROOT, APP, APP_1],
    [ROOT, APP],
    [APP, APP_1],
    [APP_1],
    [ALICE],
    [ROOT],
    [OTHER_ROOT, OTHER_ROLE],
)

CONDITIONS: tuple[tuple[str, str, Any], ...] = (
    ("StringEquals", "aws:PrincipalArn", APP),
    ("StringEquals", "aws:principalarn", [ROOT, ALICE]),
    ("ArnLike", "aws:PrincipalArn", iam(ACCOUNT, "role/*")),
    ("ArnNotLike", "aws:PrincipalArn", [iam("*", "user/*"), iam("*", "role/team/*")]),
    ("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/a?p"),
    ("StringEquals", "aws:PrincipalAccount", ACCOUNT),
    ("StringNotEquals", "aws:PrincipalAccount", [ACCOUNT, OTHER]),
    ("StringEquals", "kms:CallerAccount", OTHER),
    ("StringEquals", "kms:CallerAccount", "*"),
    ("StringLike", "kms:CallerAccount", "*"),
    ("StringNotEqualsIfExists", "kms:CallerAccount", ACCOUNT),
    ("StringEquals", "aws:PrincipalType", ["User", "Account"]),
    ("StringEquals", "aws:username", ["alice", "bob"]),
    ("StringNotLike", "aws:username", "a*"),
    ("StringEquals", "aws:PrincipalTag/owner", "${aws:username}"),
    ("StringNotEquals", "aws:PrincipalTag/owner", "${aws:username}"),
    ("StringLike", "aws:PrincipalTag/owner", "${aws:username, 'nobody'}*"),
    ("StringLike", "aws:PrincipalTag/owner", "${*}l*"),
    ("StringEqualsIgnoreCase", "aws:PrincipalTag/owner", "Alice"),
    ("StringEquals", "kms:ViaService", S3),
    ("StringNotEquals", "kms:ViaService", [S3, "rds.eu-west-1.amazonaws.com"]),
    ("StringEqualsIfExists", "kms:ViaService", S3),
    ("Bool", "aws:SecureTransport", "true"),
    ("Bool", "aws:SecureTransport", False),
    ("BoolIfExists", "aws:SecureTransport", "false"),
    ("Bool", "kms:GrantIsForAWSResource", True),
    ("BoolIfExists", "kms:GrantIsForAWSResource", True),
    ("Bool", "aws:PrincipalIsAWSService", "true"),
    ("Null", "kms:ViaService", "true"),
    ("Null", "kms:ViaService", False),
    ("Null", "aws:PrincipalTag/owner", ["true", "false"]),
    ("Null", "aws:username", True),
    ("ForAnyValue:StringEquals", "aws:CalledVia", ["s3.amazonaws.com", "athena.amazonaws.com"]),
    ("ForAnyValue:StringNotEquals", "aws:CalledVia", "s3.amazonaws.com"),
    ("ForAnyValue:StringEqualsIfExists", "aws:CalledVia", "athena.amazonaws.com"),
    ("Null", "aws:CalledVia", "true"),
    ("ForAllValues:StringLike", "aws:CalledVia", ["s3.*"]),
    ("ForAllValues:StringNotEquals", "aws:CalledVia", "athena.amazonaws.com"),
    ("StringEquals", "aws:CalledVia", "s3.amazonaws.com"),
    ("ForAllValues:StringEquals", "aws:PrincipalAccount", ACCOUNT),
    ("ForAnyValue:StringLike", "aws:username", "*ob"),
    ("StringEquals", "kms:EncryptionContext:App", "ledger"),
    ("StringNotEqualsIfExists", "kms:EncryptionContext:app", "ledger"),
    ("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ["app"]),
    ("StringEquals", "aws:ResourceTag/team", "payments"),
    ("StringNotEquals", "aws:ResourceTag/Team", "payments"),
    ("ForAnyValue:StringLike", "kms:ResourceAliases", "alias/pay*"),
    ("ArnLike", "aws:SourceArn", f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"),
    ("StringEquals", "aws:SourceAccount", ACCOUNT),
    ("StringEquals", "kms:NewKey", "x"),
)
CONTEXT: dict[str, list[Any]] = {
    "kms:ViaService": [S3, "rds.eu-west-1.amazonaws.com"],
    "aws:SecureTransport": [True, False, "true"],
    "aws:CalledVia": [["s3.amazonaws.com"], ["athena.amazonaws.com", "s3.amazonaws.com"], []],
    "aws:PrincipalTag/owner": ["alice", "ALICE", "nobody", "*l"],
    "kms:EncryptionContext:app": ["ledger", "archive"],
    "kms:EncryptionContext:Zone": ["a"],
    "kms:EncryptionContextKeys": [["app"], ["zone"]],
    "aws:ResourceTag/team": ["payments", "Payments"],
    "kms:ResourceAliases": [["alias/payments"], ["alias/x", "alias/y"]],
    "aws:SourceArn": [TRAIL],
    "aws:SourceAccount": [ACCOUNT, OTHER],
    "kms:GrantIsForAWSResource": [True, False],
    "kms:NewKey": ["x", "y"],
}
ACTIONS = (
    *("kms:Decrypt", "kms:Encrypt", "kms:PutKeyPolicy", "kms:DescribeKey", "kms:CreateGrant"),
    *("kms:RetireGrant", "kms:ListKeys", "kms:NotYetKnown"),
)
EFFECTS = ("Allow", "Allow", "Allow", "Deny")
PATTERNS = (
    *("*", "kms:*", "KMS:decrypt", "kms:De*", "kms:?ncrypt", "kms:ENCRYPT", "kms:*Key*"),
    *("kms:DescribeKey", "kms:*Grant", "kms:List*", "s3:*", "kms:notyet*", "k*:*"),
)
RESOURCES = (
    *("*", KEY, ANOTHER_KEY, f"arn:aws:kms:*:{ACCOUNT}:key/*", "arn:aws:kms:*:*:key/1234*"),
    *("arn:aws:kms:*", "arn:*:key/*", "arn:aws:s3:::x", "alias/payments"),
    *("1234abcd-12ab-34cd-56ef-1234567890ab", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/payments"),
)


def one_or_list(draw: st.DrawFn, values: tuple[str, ...], at_most: int = 2) -> Any:
    drawn = draw(st.lists(st.sampled_from(values), min_size=1, max_size=at_most))
    return drawn[0] if len(drawn) == 1 and draw(st.booleans()) else drawn


def conditions(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, dict[str, Any]] = {}
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        operator, key, values = draw(st.sampled_from(CONDITIONS))
        if key.lower() not in (name.lower() for name in block.get(operator, {})):
            block.setdefault(operator, {})[key] = values
    return {"Condition": block} if block else {}


def principals(draw: st.DrawFn, caller: str) -> dict[str, Any]:
    """Half of the elements name the caller in some way."""
    form = draw(st.sampled_from(["*", "AWS *", "AWS", "AWS", "AWS", "Service", "both", "not"]))
    if form == "*":
        return {"Principal": "*"}
    if form == "AWS *":
        return {"Principal": {"AWS": "*"}}
    if form == "Service":
        return {"Principal": {"Service": one_or_list(draw, SERVICES)}}
    if form == "not" and caller != FEDERATED_ALICE:
        chain = draw(st.sampled_from(CHAINS))
        services = draw(st.sampled_from([{}, {"Service": CLOUDTRAIL}]))
        return {"NotPrincipal": {"AWS": chain, **services}}
    near = (caller, ROOT, OTHER_ROOT, APP, ALICE) if caller.startswith("arn:") else NAMEABLE
    named = one_or_list(draw, near if draw(st.booleans()) else NAMEABLE, 3)
    if form == "both":
        return {"Principal": {"AWS": named, "Service": draw(st.sampled_from(SERVICES))}}
    return {"Principal": {"AWS": named}}


def actions(draw: st.DrawFn, action: str) -> dict[str, Any]:
    """Most elements cover the action of the request."""
    covering = draw(st.sampled_from([True, True, False]))
    if draw(st.sampled_from([True, False, False, False])):
        return {"NotAction": one_or_list(draw, ("s3:*", "kms:Sign") if covering else PATTERNS)}
    return {"Action": one_or_list(draw, (action, "kms:*", "*") if covering else PATTERNS)}


def key_statement(draw: st.DrawFn, caller: str, action: str) -> dict[str, Any]:
    effect = draw(st.sampled_from(EFFECTS))
    named = principals(draw, caller)
    resource = draw(st.sampled_from(["*", "*", "*", ["*", KEY], KEY, ANOTHER_KEY]))
    statement = {"Effect": effect, **named, **actions(draw, action), "Resource": resource}
    missing = draw(st.sampled_from([*[""] * 12, "Action", "Resource", "Principal"]))
    return {k: v for k, v in statement.items() if k != missing} | conditions(draw)


def welcoming_statement(draw: st.DrawFn, caller: str, action: str) -> dict[str, Any]:
    """An Allow that fits the request but for its condition."""
    if not caller.startswith("arn:"):
        named: Any = {"Service": caller}
    else:
        root = iam(caller.split(":")[4], "root")
        behind = {FEDERATED_ALICE: ALICE, APP_1: APP, APP_2: APP, DEPLOY_1: DEPLOY}
        named = {"AWS": draw(st.sampled_from([caller, root, "*", behind.get(caller, root)]))}
    granted = draw(st.sampled_from([action, "kms:*"]))
    statement = {"Effect": "Allow", "Principal": named, "Action": granted, "Resource": "*"}
    return statement | conditions(draw)


def identity_statement(draw: st.DrawFn, action: str, effects: tuple[str, ...]) -> dict[str, Any]:
    resource = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
    return {
        "Effect": draw(st.sampled_from(effects)),
        **actions(draw, action),
        resource: "*" if draw(st.booleans()) else one_or_list(draw, RESOURCES),
        **conditions(draw),
    }


def policy(draw: st.DrawFn, statements: list[dict[str, Any]]) -> dict[str, Any]:
    version = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"]))
    return {"Version": version, "Statement": statements}


def identity_policy(draw: st.DrawFn, action: str) -> dict[str, Any]:
    count = draw(st.integers(1, 2))
    return policy(draw, [identity_statement(draw, action, EFFECTS) for _ in range(count)])


def resource_control_policy(draw: st.DrawFn, action: str) -> dict[str, Any]:
    return policy(draw, [{**identity_statement(draw, action, ("Deny",)), "Principal": "*"}])


def grant(draw: st.DrawFn, caller: str) -> dict[str, Any]:
    near = caller if caller.startswith("arn:") else APP
    people = st.sampled_from([near, near, ALICE, APP, ROOT, OTHER_ROOT, OTHER_ROLE, APP_1])
    operations = st.sampled_from(["Decrypt", "Encrypt", "DescribeKey", "RetireGrant"])
    result: dict[str, Any] = {"Operations": draw(st.lists(operations, min_size=1, unique=True))}
    if draw(st.sampled_from([True, False, False])):
        result["GranteeServicePrincipal"] = draw(st.sampled_from(SERVICES))
        result["Constraints"] = {"SourceArn": TRAIL}
        result["RetiringPrincipal"] = draw(people)
        return result
    result["GranteePrincipal"] = draw(people)
    constraint = draw(st.sampled_from(["", "", "EncryptionContextEquals", "SourceArn"]))
    if constraint == "SourceArn":
        result["Constraints"] = {constraint: TRAIL}
    elif constraint:
        name = draw(st.sampled_from([constraint, "EncryptionContextSubset"]))
        result["Constraints"] = {name: {draw(st.sampled_from(["app", "App"])): "ledger"}}
    if draw(st.booleans()):
        result["RetiringPrincipal"] = draw(people)
    if draw(st.booleans()):
        result["IssuingAccount"] = draw(st.sampled_from([ROOT, OTHER_ROOT]))
    return result


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    caller = draw(st.sampled_from((*INSIDE, *OUTSIDE, *SERVICES, APP_1, *[FEDERATED_ALICE] * 2)))
    action = draw(st.sampled_from(ACTIONS))
    without_key = action == "kms:ListKeys"
    account = OTHER if without_key and caller in OUTSIDE else ACCOUNT
    context = {
        key: draw(st.sampled_from(values))
        for key, values in CONTEXT.items()
        if draw(st.integers(0, 2)) == 0
    }
    if caller == DEPLOY_1 and draw(st.booleans()):
        context["aws:PrincipalArn"] = DEPLOY
    request: dict[str, Any] = {
        "principal": caller,
        "action": action,
        "resource": "*" if without_key else KEY,
        "account": account,
        "context": context,
    }
    count = draw(st.sampled_from([0, 1, 2, 2, 3]))
    statements = [key_statement(draw, caller, action) for _ in range(count)]
    if draw(st.booleans()):
        statements.append(welcoming_statement(draw, caller, action))
    if statements and not without_key:
        request["resourcePolicy"] = policy(draw, statements)
    if not without_key and draw(st.booleans()):
        request["grants"] = [grant(draw, caller) for _ in range(draw(st.integers(1, 2)))]
    if not without_key and draw(st.integers(0, 3)) == 0:
        request["resourceControlPolicies"] = [[resource_control_policy(draw, action)]]
    if caller in SERVICES:
        return request
    count = draw(st.sampled_from([0, 1, 1, 2]))
    request["identityPolicies"] = [identity_policy(draw, action) for _ in range(count)]
    if draw(st.integers(0, 2)) == 0:
        welcome = {"Effect": "Allow", "Action": action, "Resource": "*"}
        request["identityPolicies"].append(policy(draw, [welcome]))
    if caller not in (ROOT, OTHER_ROOT) and draw(st.integers(0, 2)) == 0:
        request["permissionsBoundaries"] = [identity_policy(draw, action)]
    if "sts" in caller and draw(st.integers(0, 1)) == 0:
        request["sessionPolicy"] = identity_policy(draw, action)
    if draw(st.integers(0, 2)) == 0:
        levels = draw(st.integers(1, 2))
        request["serviceControlPolicies"] = [[identity_policy(draw, action)] for _ in range(levels)]
    return request


@given(requests())
def test_the_evaluator_decides_as_the_pseudocode(request: dict[str, Any]) -> None:
    assert answer(read_request(json.dumps(request)))["decision"] == decide(request)


def asked(principal: str, action: str = "kms:Decrypt", **more: Any) -> dict[str, Any]:
    """A request with the policies `more`; a list of statements stands for a policy of them."""
    fields = {"principal": principal, "action": action, "resource": KEY, "account": ACCOUNT}
    return fields | {"context": {}} | more


def statements(*items: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(items)}


ALLOW_ALL = statements({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
ALLOW_S3 = statements({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
FOR_EVERYONE = statements({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"})
NOBODY_RETIRES = statements(
    {"Effect": "Deny", "Principal": "*", "Action": "kms:RetireGrant", "Resource": "*"}
)
UNLESS_TAGGED = statements(
    {
        **{"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"},
        "Condition": {"StringNotEquals": {"aws:ResourceTag/team": "payments"}},
    }
)
ISSUED_HERE = {"GranteePrincipal": APP, "Operations": ["Decrypt"], "IssuingAccount": ROOT}

FOUND: dict[str, tuple[str, dict[str, Any]]] = {
    "K51, K90: a federated session without session policy has no identity permission": (
        "depends",
        asked(
            FEDERATED_ALICE,
            identityPolicies=[ALLOW_ALL],
            grants=[{"GranteePrincipal": ROOT, "Operations": ["Decrypt"]}],
        ),
    ),
    "K51, K102: nor may it retire a grant for the account": (
        "implicitly-denied",
        asked(
            FEDERATED_ALICE,
            "kms:RetireGrant",
            identityPolicies=[ALLOW_ALL],
            grants=[ISSUED_HERE],
        ),
    ),
    "K67, K102: a boundary caps the permission to retire that IAM passes on": (
        "implicitly-denied",
        asked(
            ALICE,
            "kms:RetireGrant",
            identityPolicies=[ALLOW_ALL],
            permissionsBoundaries=[ALLOW_S3],
            grants=[ISSUED_HERE],
        ),
    ),
    "K20, K120: nobody knows what a new action does across accounts": (
        "depends",
        asked(
            OTHER_ROLE,
            "kms:NotYetKnown",
            identityPolicies=[ALLOW_ALL],
            resourcePolicy=FOR_EVERYONE,
        ),
    ),
    "K102: RetireGrant does nothing in a key policy, not as a Deny either": (
        "allowed",
        asked(
            ALICE,
            "kms:RetireGrant",
            resourcePolicy=NOBODY_RETIRES,
            grants=[{**ISSUED_HERE, "RetiringPrincipal": ALICE}],
        ),
    ),
    "K140: what the key's tags do in a resource control policy is not documented": (
        "depends",
        asked(
            ALICE,
            resourcePolicy=FOR_EVERYONE,
            resourceControlPolicies=[[UNLESS_TAGGED]],
        ),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_the_comparison_found(name: str) -> None:
    verdict, request = FOUND[name]
    assert decide(request) == verdict
    assert answer(read_request(json.dumps(request)))["decision"] == verdict
