"""Accesses of one subject to one key, put together by capability and by proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.evaluator import Access
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState, Resolution
from kms_access.inventory.actions import CAPABILITIES, expand_capability, find_action
from kms_access.inventory.model import Key
from kms_access.policies.answers import Reason
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.yaml_nodes import Place

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
        return when_of((self.best,))


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


def finding_of(
    check: str,
    level: Level,
    fact: AccessFact,
    claim: str,
    rule: str,
    fix: str,
    place: Place | None = None,
) -> Finding:
    """A finding about one access fact; `place` is that of the rule."""
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
        rule_place=place,
        fix=fix,
    )


def finding_about(
    check: str, level: Level, accesses: Sequence[Access], claim: str, rule: str, fix: str
) -> Finding:
    """A finding about all these accesses of one subject to one key; there is at least one."""
    subject, key = accesses[0].subject, accesses[0].key
    return Finding(
        check,
        level,
        claim,
        key.label,
        key.origin,
        subject.label,
        subject.origin,
        subject.identity,
        actions=tuple(access.action for access in accesses),
        when=when_of(accesses),
        proof=proof_of(accesses),
        rule=rule,
        fix=fix,
    )


def when_of(accesses: Iterable[Access]) -> str:
    """`always`, or what has to hold for the accesses to hold together."""
    open_ones = (access for access in accesses if access.state is not AccessState.ALLOWED)
    return "; ".join(dict.fromkeys(map(when_resolved, open_ones))) or "always"


def when_resolved(answer: Access | Resolution) -> str:
    """`always`, or what has to hold for one access."""
    if answer.state is AccessState.ALLOWED:
        return "always"
    if answer.condition:
        return f"if {answer.condition}"
    return describe_reasons(answer.decision.reasons)


def when_open(reasons: Iterable[Reason]) -> str:
    """`always` without reasons, else the condition that they are."""
    every = tuple(reasons)
    return describe_reasons(every) if every else "always"


def proof_of(accesses: Iterable[Access]) -> Proof:
    """The hops of all the accesses, each once."""
    hops = (hop for access in accesses for hop in Proof.of(access.decision).hops)
    return Proof(tuple(dict.fromkeys(hops)))


def capabilities_of(actions: Iterable[str]) -> list[str]:
    """The leaf capabilities that hold the actions, in the order of the capabilities."""
    infos = (find_action(action) for action in actions)
    found = {info.capability for info in infos if info is not None}
    return [capability for capability in CAPABILITIES if capability in found]


def obtained(actions: frozenset[str], key: Key) -> str:
    """What somebody obtains on a key, in words: `use and administer`, `decrypt`."""
    found = capabilities_of(actions)
    use = expand_capability("use").intersection(actions_of(key))
    if use <= actions:
        kinds_of_use = capabilities_of(use)
        found = ["use", *(name for name in found if name not in kinds_of_use)]
    *first, last = found
    return f"{', '.join(first)} and {last}" if first else last
