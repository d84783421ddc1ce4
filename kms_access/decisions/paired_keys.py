"""Condition keys about single pairs of a request, and the list of their names (K41, K138)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from kms_access.decisions.request import ENCRYPTION_CONTEXT
from kms_access.policies.conditions import Condition
from kms_access.policies.context import ABSENT, KeyState, Present
from kms_access.policies.formula import Question
from kms_access.policies.text import Unknown
from kms_access.policies.wildcards import fold_case

LISTS: Mapping[str, str] = {
    ENCRYPTION_CONTEXT: "kms:encryptioncontextkeys",
    "aws:requesttag/": "aws:tagkeys",
}
"""The key that lists the names, by how the keys of the pairs begin; in lower case."""

Assigned: TypeAlias = Mapping[str | Unknown, KeyState | str]


def names_of_pairs(questions: Iterable[Question]) -> dict[str, str]:
    """The keys about single pairs, with the names of the pairs as policies spell them."""
    found: dict[str, str] = {}
    for question in questions:
        if isinstance(question, Condition):
            folded = fold_case(question.key)
            for start in LISTS:
                if folded.startswith(start):
                    found[folded] = question.key[len(start) :]
    return found


def list_of(key: str) -> str:
    """The key that lists the name of the pair that `key` is about; empty if it is about none."""
    return next((listed for start, listed in LISTS.items() if key.startswith(start)), "")


def with_lists_that_fit(assigned: Assigned, names: Mapping[str, str]) -> Assigned:
    """The assignment with each list of names holding the pairs that are there, and no others.

    `names` as `names_of_pairs` gives them.
    """
    fitting: dict[str | Unknown, KeyState | str] = {}
    for key in LISTS.values():
        listed = assigned.get(key)
        if listed is None:
            continue
        pairs = {
            n: assigned[pair]
            for pair, n in names.items()
            if list_of(pair) == key and pair in assigned
        }
        if not pairs:
            continue
        absent = {fold_case(name) for name, state in pairs.items() if state == ABSENT}
        values = listed.values if isinstance(listed, Present) else ()
        kept = [value for value in values if fold_case(str(value)) not in absent]
        present = [name for name, state in pairs.items() if isinstance(state, Present)]
        kept += [name for name in present if name not in kept]
        fitting[key] = Present(tuple(kept), multivalued=True) if kept else ABSENT
    return {**assigned, **fitting} if fitting else assigned
