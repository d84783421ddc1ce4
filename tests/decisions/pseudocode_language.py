"""The policy language for `pseudocode`: tiny matchers, plain and slow, for JSON policies.

Nothing here is shared with `kms_access`. Truth values are numbers: AND is `min`, OR is `max`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Json = Mapping[str, Any]

F, U, T = 0, 1, 2

USER, ROLE, SESSION, FEDERATED = "USER", "ROLE", "SESSION", "FEDERATED"
USER_OF_FEDERATED, ACCOUNT, STAR, SERVICE = "USER_OF_FEDERATED", "ACCOUNT", "STAR", "SERVICE"

MULTIVALUED = frozenset(  # K129
    {
        *("kms:encryptioncontextkeys", "kms:grantoperations", "kms:resourcealiases"),
        *("aws:tagkeys", "aws:calledvia", "aws:principalorgpaths"),
        *("aws:principalservicenameslist", "aws:resourceorgpaths"),
    }
)
NEGATED = frozenset({"StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike"})


def no(truth: int) -> int:
    return T - truth


# --- Callers (section 3) ------------------------------------------------------------------------


@dataclass(frozen=True)
class Caller:
    arn: str
    kind: str
    account: str = ""
    name: str = ""
    role_arn: str = ""
    path_known: bool = True

    @property
    def is_service_linked(self) -> bool:  # K56
        return ":role/aws-service-role/" in self.role_arn


def read_caller(arn: str, role_arn: str = "") -> Caller:
    """`role_arn` is the role of a session, whose own ARN lacks the path (K48)."""
    if not arn.startswith("arn:"):
        return Caller(arn, SERVICE)
    account, rest = arn.split(":")[4:6]
    kind, *path = rest.split("/")
    if kind == "root":
        return Caller(arn, ACCOUNT, account)
    if kind == "assumed-role":
        without_path = f"arn:aws:iam::{account}:role/{path[0]}"
        return Caller(arn, SESSION, account, path[0], role_arn or without_path, bool(role_arn))
    if kind == "role":
        return Caller(arn, ROLE, account, path[-1], role_arn=arn)
    return Caller(arn, {"user": USER, "federated-user": FEDERATED}[kind], account, path[-1])


# --- Wildcards, actions, resources (section 2) --------------------------------------------------


@lru_cache(maxsize=100_000)
def glob(pattern: tuple[str, ...], text: str) -> bool:
    """A pattern is a sequence of `"*"`, `"?"` and literal characters written `"=c"`."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return glob(pattern[1:], text) or (bool(text) and glob(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", "=" + text[0]) and glob(pattern[1:], text[1:])


def wild(pattern: str) -> tuple[str, ...]:
    return tuple(c if c in "*?" else "=" + c for c in pattern)


def plain(text: str) -> tuple[str, ...]:
    return tuple("=" + c for c in text)


def as_list(value: Any) -> list[Any]:  # K26
    return value if isinstance(value, list) else [value]


def action_matches(statement: Json, action: str) -> int:  # K19, K21
    name = "Action" if "Action" in statement else "NotAction"
    if name not in statement:
        return F  # K14
    patterns = [pattern.lower() for pattern in as_list(statement[name])]
    found = T if any(glob(wild(pattern), action.lower()) for pattern in patterns) else F
    return found if name == "Action" else no(found)


def arn_pattern_matches(pattern: str, resource: str) -> int:
    if pattern == "*":
        return T
    wanted, given = pattern.split(":", 5), resource.split(":", 5)
    if len(wanted) < 6:  # K23
        return U if glob(wild(pattern), resource) and resource != "*" else F
    if len(given) < 6:
        return F
    return T if all(glob(wild(w), g) for w, g in zip(wanted, given, strict=True)) else F  # K22


def resource_matches(statement: Json, resource: str) -> int:  # K22, K25
    name = "Resource" if "Resource" in statement else "NotResource"
    if name not in statement:
        return F  # K14
    found = max((arn_pattern_matches(p, resource) for p in as_list(statement[name])), default=F)
    return found if name == "Resource" else no(found)


def key_resource_matches(statement: Json, key: str) -> int:  # K14, K15, K16
    if "Resource" not in statement:
        return F
    results = {"*": T, key: U}
    return max(results.get(pattern, F) for pattern in as_list(statement["Resource"]))


# --- Principals (section 3) ---------------------------------------------------------------------


def entries(element: Any) -> Iterator[tuple[str, str]]:
    if element == "*":
        yield "AWS", "*"
        return
    for kind, values in element.items():
        yield from ((kind, value) for value in as_list(values))


def how_named(kind: str, value: str, caller: Caller) -> tuple[str, int]:
    """How one entry of a principal element names the caller, and whether it does."""
    if kind == "Service":  # K54, K55
        return SERVICE, T if caller.kind == SERVICE and caller.arn == value else F
    if value == "*":  # K57, K81
        return STAR, T
    if caller.kind == SERVICE:
        return SERVICE, F
    if re.fullmatch(r"[0-9]{12}", value) or value.endswith(":root"):  # K43, K44, K46
        account = value if len(value) == 12 else value.split(":")[4]
        return ACCOUNT, T if account == caller.account else F
    if not value.startswith("arn:aws:") or "*" in value:  # K35, K60, K61
        return ACCOUNT, F
    named = read_caller(value)
    if named.kind == USER and caller.kind == FEDERATED:  # K51
        same = (named.account, named.name) == (caller.account, caller.name)
        return USER_OF_FEDERATED, T if same else F
    if named.kind == ROLE and caller.kind == SESSION:  # K48
        same = (named.account, named.name) == (caller.account, caller.name)
        same = named.arn == caller.role_arn if caller.path_known else same
        return ROLE, T if same else F
    if named.kind == SESSION and caller.kind == ROLE:  # K49
        same = (named.account, named.name) == (caller.account, caller.name)
        return SESSION, U if same else F
    return named.kind, T if named.arn == caller.arn else F  # K47, K48, K49, K51


def listed(element: Any, caller: Caller, way: str) -> int:
    named = [how_named(kind, value, caller) for kind, value in entries(element)]
    return max((truth for how, truth in named if how == way), default=F)


def not_principal_denies(element: Any, caller: Caller, has_boundary: bool) -> int:  # K37, K38
    if caller.kind in (USER, ROLE, SESSION) and has_boundary:
        return T
    if caller.kind == SERVICE:
        return no(listed(element, caller, SERVICE))
    account = listed(element, caller, ACCOUNT)
    if caller.kind == ACCOUNT:
        return no(account)
    chain = (USER,) if caller.kind == USER else (ROLE, SESSION)
    inner = [listed(element, caller, how) for how in chain]
    if max(inner) == F:
        return T
    return F if min(account, *inner) == T else U


def not_principal_allows(element: Any, caller: Caller) -> int:  # K36
    return no(max(how_named(kind, value, caller)[1] for kind, value in entries(element)))


# --- Conditions (section 8) ---------------------------------------------------------------------


class NoValue(Exception):
    """A policy variable without a value (K33)."""


def substituted(value: str, version: str, context: Json, wildcards: bool) -> tuple[str, ...]:
    """A policy value as a pattern, with its variables filled in (K31, K32)."""
    literal = wild if wildcards else plain
    if version != "2012-10-17":
        return literal(value)
    pattern: tuple[str, ...] = ()
    for piece in re.split(r"(\$\{[^}]*\})", value):
        if not piece.startswith("${"):
            pattern += literal(piece)
            continue
        key, _, default = (part.strip() for part in piece[2:-1].partition(","))
        if key in ("*", "?", "$"):
            pattern += plain(key)
        elif key.lower() in context:
            pattern += plain(str(context[key.lower()]))
        elif default:
            pattern += plain(default.strip("'"))
        else:
            raise NoValue
    return pattern


def value_matches(operator: str, wanted: str, given: str, version: str, context: Json) -> bool:
    like = operator.endswith("Like") or operator.startswith("Arn")
    try:
        pattern = substituted(wanted, version, context, wildcards=like)
    except NoValue:
        return False
    if operator == "Bool":
        return wanted.lower() == given.lower()
    if operator == "StringEqualsIgnoreCase":
        return glob(tuple(token.lower() for token in pattern), given.lower())
    if operator.startswith("Arn"):
        wanted_parts, given_parts = wanted.split(":", 5), given.split(":", 5)
        if len(wanted_parts) < 6 or len(given_parts) < 6:
            return False
    return glob(pattern, given)


def test_holds(
    operator: str, key: str, wanted: Any, version: str, context: Json, in_iam_policy: bool
) -> int:
    """One operator on one key: the table of K126, the set operators of K127 and K128."""
    key = key.lower()
    if not in_iam_policy and (key.startswith("aws:resourcetag/") or key == "kms:resourcealiases"):
        return U  # K140
    wants = ["true" if w is True else "false" if w is False else str(w) for w in as_list(wanted)]
    if operator == "Null":
        return T if any((w == "true") == (context.get(key, []) == []) for w in wants) else F
    set_operator, _, operator = operator.rpartition(":")
    if_exists, operator = operator.endswith("IfExists"), operator.removesuffix("IfExists")
    positive = operator.replace("Not", "")

    def one(given: str) -> int:
        found = any(value_matches(positive, w, given, version, context) for w in wants)
        return T if found != (operator in NEGATED) else F

    state = context.get(key, [])
    if state == []:  # absent, or empty, which is the same to K127 and K128
        if set_operator == "ForAnyValue":
            return U if if_exists else F  # K126 says T, K128 says F
        return T if set_operator or if_exists or operator in NEGATED else F
    given = [str(item) for item in state] if isinstance(state, list) else [str(state)]
    if set_operator == "ForAllValues":
        return min((one(item) for item in given), default=T)
    if set_operator == "ForAnyValue":
        return max((one(item) for item in given), default=F)
    return U if key in MULTIVALUED else one(given[0])


test_holds.__test__ = False  # type: ignore[attr-defined]


def condition_holds(statement: Json, version: str, context: Json, in_iam_policy: bool) -> int:
    tests = [
        test_holds(operator, key, wanted, version, context, in_iam_policy)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    ]
    return min(tests, default=T)  # K124
