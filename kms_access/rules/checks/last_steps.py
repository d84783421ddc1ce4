"""The last step of an access in words: what a fix changes."""

from __future__ import annotations

from collections.abc import Iterable

from kms_access.decisions.evaluator import Access
from kms_access.decisions.matching import Hit
from kms_access.decisions.proof import statement_name
from kms_access.inventory.model import Policy
from kms_access.policies.document import Effect
from kms_access.rules.inert_parts import listed

_OF_AWS = ":iam::aws:policy/"


def is_of_aws(policy: Policy) -> bool:
    """Whether AWS wrote the policy, so that nobody here can change it."""
    return _OF_AWS in policy.label or _OF_AWS in policy.origin.identity


def removal(what: Iterable[str], accesses: Iterable[Access]) -> str:
    """How to take away actions: `remove kms:Decrypt from statement 2 of the key policy`."""
    return change(f"remove {listed(what)} from {{place}}", accesses)


def change(words: str, accesses: Iterable[Access]) -> str:
    """A change of the statements, as `{place}` in the words, that accesses come from at last.

    A grant goes as a whole, and so does the attachment of a policy that AWS wrote.
    """
    hits = _last_hits(accesses)
    edited = dict.fromkeys(_place(hit) for hit in hits if _can_be_edited(hit))
    changes = [words.replace("{place}", joined(edited))] if edited else []
    changes += (_removed(hit) for hit in hits if not _can_be_edited(hit))
    return joined(dict.fromkeys(changes))


def _last_hits(accesses: Iterable[Access]) -> list[Hit]:
    found = []
    for access in accesses:
        allows = [hit for hit in access.decision.responsible if hit.effect is Effect.ALLOW]
        found += allows[-1:]
    return found


def _can_be_edited(hit: Hit) -> bool:
    is_of_others = isinstance(hit.source, Policy) and is_of_aws(hit.source)
    return hit.statement is not None and not is_of_others


def _removed(hit: Hit) -> str:
    is_policy = isinstance(hit.source, Policy) and is_of_aws(hit.source)
    return f"detach the {hit.source.label}" if is_policy else f"remove {hit.source.label}"


def _place(hit: Hit) -> str:
    if hit.statement is None:
        return hit.source.label
    return f"{statement_name(hit.statement)} of the {hit.source.label}"


def joined(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = list(names) or [""]
    return f"{', '.join(first)} and {last}" if first else last
