"""Key policies within the limits of AWS that make the access map work hard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kms_access.decisions.access_map import access_map
from kms_access.inventory.model import Inventory
from kms_access.policies.text import NAME_CHARACTER, Text, Unknown
from tests.builders import ACCOUNT, allow, deny, key, role, user
from tests.cases.hostile.outcomes import ROLES, STARS, Large, Outcome, condition

PARAMETER = Unknown("a parameter")


def mapped(*statements: Any) -> Callable[[Path], Outcome]:
    """What user alice can do at best."""
    inventory = Inventory((key("k", *statements),), (user("alice"), role("app")))

    def run(_: Path) -> Outcome:
        facts = access_map(inventory)
        (alice,) = (subject for subject in facts.subjects if subject.label == "user alice")
        state = facts.states(alice, facts.keys[0]).get("kms:Decrypt")
        return Outcome("denied by default" if state is None else state.value)

    return run


def denied(operator: str, name: str, values: Any) -> dict[str, Any]:
    return deny("*", "kms:*", Condition={operator: {name: values}})


def role_named(*parts: str | Unknown) -> Text:
    return Text((f"arn:aws:iam::{ACCOUNT}:role/", *parts))


CONDITIONAL = Outcome("allowed under a condition")
VIA = "kms:ViaService"
CHAIN = "aws:CalledVia"
MAPS = {
    "stars in a condition": Large(
        "patterns", lambda: mapped(condition("StringLike", VIA, STARS)), CONDITIONAL
    ),
    "stars in two conditions on one key": Large(
        "patterns",
        lambda: mapped(
            condition("StringLike", VIA, STARS), denied("StringLike", VIA, "*b" * 1_500 + "a")
        ),
        CONDITIONAL,
    ),
    "200 patterns for one key": Large(
        "patterns",
        lambda: mapped(
            *[condition("StringLike", VIA, f"*{i}*") for i in range(100)],
            *[denied("StringLike", VIA, f"*{i}?*") for i in range(100)],
        ),
        CONDITIONAL,
    ),
    "120 condition keys": Large(
        "many",
        lambda: mapped(
            *[condition("StringEquals", f"aws:RequestTag/{i}", "x") for i in range(60)],
            *[denied("StringEquals", f"aws:RequestTag/{i}", "y") for i in range(60, 120)],
        ),
        CONDITIONAL,
    ),
    "a list that 30 questions are about": Large(
        "many",
        lambda: mapped(
            *[condition("ForAnyValue:StringEquals", CHAIN, f"s{i}") for i in range(15)],
            *[denied("ForAnyValue:StringEquals", CHAIN, f"s{i}") for i in range(15, 30)],
        ),
        CONDITIONAL,
    ),
    "a list of 300 roles": Large(
        "many",
        lambda: mapped(condition("Null", VIA, "true"), allow(ROLES[:300], "kms:*")),
        CONDITIONAL,
    ),
    "200 statements for a role each": Large(
        "many",
        lambda: mapped(
            condition("Null", VIA, "true"), *[allow(name, "kms:*") for name in ROLES[:200]]
        ),
        CONDITIONAL,
    ),
    "names that an unknown part may make equal": Large(
        "patterns",
        lambda: mapped(
            condition("Null", VIA, "true"),
            allow(
                [
                    role_named(Unknown("a prefix", NAME_CHARACTER), "a" * 500),
                    role_named("a" * 500, Unknown("a suffix", NAME_CHARACTER)),
                ],
                "kms:*",
            ),
        ),
        CONDITIONAL,
    ),
}
