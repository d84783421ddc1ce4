"""Accesses of one subject to one key, put together by capability and by proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kms_access.decisions.access_map import Access
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.actions import CAPABILITIES, find_action
from kms_access.policies.answers import Reason
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level

WORDS = {
    "view": "view",
    "encrypt": "encrypt with",
    "decrypt": "decrypt with",
    "sign": "sign with",
    "verify": "verify with",
    "mac": "make or check macs with",
    "derive": "derive secrets with",
    "grant": "give or revoke grants on",
    "administer": "administer",
    "delete": "delete",
}
"""How a claim says a capability: `billing-api can decrypt with key alias/payments`."""


@dataclass(frozen=True, slots=True)
class AccessFact:
    """What one subject can do to one key within one capability."""

    capability: str
    accesses: tuple[Access, ...]

    @property
    def best(self) -> Access:
        """The access that needs the least."""
        order = list(AccessState)
        return min(self.accesses, key=lambda access: order.index(access.state))

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions, sorted."""
        return tuple(access.action for access in self.accesses)

    @property
    def when(self) -> str:
        """`always`, or what has to hold."""
        best = self.best
        if best.state is AccessState.ALLOWED:
            return "always"
        return describe_reasons(best.decision.reasons)


def describe_reasons(reasons: Iterable[Reason]) -> str:
    """Open reasons as the condition that they are."""
    return "depending on " + ", ".join(dict.fromkeys(reason.text for reason in reasons))


def facts_of(accesses: Iterable[Access]) -> Iterator[AccessFact]:
    """The accesses by leaf capability, in the order of the capabilities."""
    by_capability: dict[str, list[Access]] = {}
    for access in accesses:
        info = find_action(access.action)
        if info is not None:
            by_capability.setdefault(info.capability, []).append(access)
    for capability in CAPABILITIES:
        if capability in by_capability:
            yield AccessFact(capability, tuple(by_capability[capability]))


def counts_as_access(access: Access) -> bool:
    """Whether a rule that forbids access must react: also to another account's own decisions."""
    if access.state.is_access:
        return True
    foreign = access.subject.account != access.key.account
    return foreign and access.state is AccessState.DELEGATED


def finding_of(
    check: str, level: Level, fact: AccessFact, claim: str, rule: str, fix: str
) -> Finding:
    """A finding about one access fact."""
    best = fact.best
    subject, key = best.subject, best.key
    return Finding(
        check,
        level,
        claim,
        key.label,
        key.origin,
        subject.label,
        subject.origin,
        subject.identity,
        fact.capability,
        fact.actions,
        fact.when,
        Proof.of(best.decision),
        rule=rule,
        fix=fix,
    )
