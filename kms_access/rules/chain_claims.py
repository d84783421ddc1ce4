"""What findings claim about access by way of roles."""

from __future__ import annotations

from typing import NamedTuple

from kms_access.decisions.detour import Detour
from kms_access.rules.claims import claim, name_of
from kms_access.rules.steps import described_steps


class ChainClaim(NamedTuple):
    """A claim, and in `details` the steps that it leaves out."""

    claim: str
    details: tuple[str, ...]


def chain_claim(check: str, words: str, barest: str, detour: Detour) -> ChainClaim:
    """The claim that a detour gives what the words say about `{who}`, of `{account}`, and `{key}`.

    It tells all steps if there is room, else the first role, else that there is one, else what the
    `barest` words say.
    """
    steps = described_steps(detour)
    said = claim(
        check,
        f"{words} by {{steps}}",
        f"{words} via {{role}}",
        f"{words} via a role",
        barest,
        who=name_of(detour.subject, detour.key),
        key=detour.key.label,
        steps=steps,
        role=detour.through[0],
        account=str(detour.subject.account),
    )
    return ChainClaim(said, () if said.endswith(f" by {steps}") else (f"by {steps}",))
