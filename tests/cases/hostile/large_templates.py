"""Templates whose intrinsic functions and conditions are nested or many."""

from __future__ import annotations

from typing import Any

from tests.builders import allow, document
from tests.cases.hostile.outcomes import (
    ALICE,
    DELEGATED,
    NO_VALUE,
    ROLES,
    SIBLING,
    Large,
    Outcome,
    checked,
    counted,
    nested,
    open_conditions,
    template,
)


def naming_each_other(levels: int) -> dict[str, Any]:
    """Conditions of which each names two of the level below."""
    sections = open_conditions(2)
    found = {"D0": {"Condition": "C0"}, "E0": {"Condition": "C1"}} | sections["Conditions"]
    for level in range(1, levels):
        below = [{"Condition": f"D{level - 1}"}, {"Condition": f"E{level - 1}"}]
        found |= {f"D{level}": {"Fn::Or": below}, f"E{level}": {"Fn::And": below}}
    return {**sections, "Conditions": found}


def for_principal(node: Any) -> Any:
    return document(SIBLING, allow({"AWS": node}, "kms:*"))


def branching(levels: int, principal: Any, number: int = 0) -> Any:
    """A statement for each way in which that many conditions turn out."""
    if levels == 0:
        return allow(principal, "kms:*", Sid=f"s{number}")
    inner = [branching(levels - 1, principal, 2 * number + one) for one in (0, 1)]
    return {"Fn::If": [f"C{levels - 1}", *inner]}


INTRINSICS = {
    "Fn::If in Fn::If around a statement": Large(
        "intrinsics",
        lambda: checked(
            template(
                document(
                    SIBLING, nested(40, lambda x, i: {"Fn::If": [f"C{i}", x, NO_VALUE]}, DELEGATED)
                ),
                **open_conditions(40),
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::If in both branches of Fn::If": Large(
        "intrinsics",
        lambda: checked(
            template(
                document(SIBLING, nested(8, lambda x, i: {"Fn::If": [f"C{i}", x, x]}, DELEGATED)),
                **open_conditions(8),
            )
        ),
        Outcome("exit code 0"),
    ),
    "Fn::If in both branches of Fn::If, all different": Large(
        "intrinsics",
        lambda: checked(
            template(document(SIBLING, branching(7, DELEGATED["Principal"])), **open_conditions(7))
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "200 conditions side by side": Large(
        "intrinsics",
        lambda: checked(
            template(
                document(
                    SIBLING,
                    *[
                        {"Fn::If": [f"C{i}", allow(ALICE, "kms:Encrypt"), NO_VALUE]}
                        for i in range(200)
                    ],
                ),
                **open_conditions(200),
            )
        ),
        Outcome("exit code 1", "lockout"),
    ),
    "200 conditions in one list": Large(
        "intrinsics",
        lambda: checked(
            template(
                document(
                    SIBLING,
                    allow(ALICE, [{"Fn::If": [f"C{i}", "kms:Sign", NO_VALUE]} for i in range(200)]),
                ),
                **open_conditions(200),
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "conditions that name two conditions each": Large(
        "intrinsics",
        lambda: checked(
            template(
                document(SIBLING, {"Fn::If": ["D39", DELEGATED, NO_VALUE]}), **naming_each_other(40)
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Sub that doubles": Large(
        "intrinsics",
        lambda: checked(
            template(
                for_principal(
                    nested(40, lambda x, _: {"Fn::Sub": ["${x}${x}", {"x": x}]}, {"Ref": "P0"})
                ),
                **open_conditions(1),
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Sub of 20,000 places": Large(
        "intrinsics",
        lambda: checked(
            template(for_principal({"Fn::Sub": "${P0}" * 20_000}), **open_conditions(1))
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Join of 100,000 texts": Large(
        "intrinsics",
        lambda: checked(template(for_principal({"Fn::Join": ["", ["a"] * 100_000]}))),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::Select and Fn::Split in each other": Large(
        "intrinsics",
        lambda: checked(
            template(
                for_principal(
                    nested(40, lambda x, _: {"Fn::Select": [0, {"Fn::Split": [",", x]}]}, ALICE)
                )
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "exports that double": Large(
        "intrinsics",
        lambda: checked(
            template(
                for_principal({"Fn::ImportValue": "E39"}),
                Outputs={
                    f"O{i}": {
                        "Value": {"Fn::Join": ["", [{"Fn::ImportValue": f"E{i - 1}"}] * 2]},
                        "Export": {"Name": f"E{i}"},
                    }
                    for i in range(40)
                },
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::FindInMap over 5,000 rows": Large(
        "intrinsics",
        lambda: checked(
            template(
                document(
                    SIBLING,
                    *[
                        allow(
                            {"AWS": {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "x"]}},
                            "kms:*",
                        )
                    ]
                    * 40,
                ),
                Mappings={"M": {f"r{i}": {"x": ROLES[i]} for i in range(5_000)}},
            )
        ),
        Outcome("exit code 3", "undecided"),
    ),
    "Fn::If around documents of 500 statements": Large(
        "intrinsics",
        lambda: checked(
            template(
                {
                    "Fn::If": [
                        "C0",
                        document(*[SIBLING | {"Sid": f"a{i}"} for i in range(500)]),
                        document(*[SIBLING | {"Sid": f"b{i}"} for i in range(500)]),
                    ]
                },
                **open_conditions(1),
            )
        ),
        Outcome("exit code 1", "invalid-policy"),
    ),
    "Fn::If in a list of 20,000 accounts": Large(
        "intrinsics",
        lambda: counted(
            template(
                for_principal(
                    [*(f"{i:012}" for i in range(20_000)), {"Fn::If": ["C0", ALICE, NO_VALUE]}]
                ),
                **open_conditions(1),
            ),
        ),
        Outcome("0 statements"),
    ),
    "Fn::If in a list of 1,000 accounts": Large(
        "intrinsics",
        lambda: counted(
            template(
                for_principal(
                    [*(f"{i:012}" for i in range(1_000)), {"Fn::If": ["C0", ALICE, NO_VALUE]}]
                ),
                **open_conditions(1),
            ),
        ),
        Outcome("3 statements"),
    ),
}
