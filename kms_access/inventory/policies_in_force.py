"""Managed policies by their ARN after a deployment (K65)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kms_access.inventory.model import Identity, ManagedPolicy, Policy


@dataclass(frozen=True, slots=True)
class PoliciesInForce:
    """Managed policies by ARN: those of the plan before those that are deployed."""

    planned: tuple[ManagedPolicy, ...]
    deployed: tuple[ManagedPolicy, ...]

    def all(self) -> tuple[ManagedPolicy, ...]:
        """Each ARN once, sorted."""
        by_arn = {managed.arn: managed for managed in (*self.deployed, *self.planned)}
        return tuple(sorted(by_arn.values(), key=lambda managed: str(managed.arn)))

    def applied_to(self, identity: Identity) -> Identity:
        """The identity with what its managed policies will say."""
        policies = tuple(map(self._current, identity.policies))
        boundary = tuple(map(self._current, identity.boundary))
        if policies == identity.policies and boundary == identity.boundary:
            return identity
        return replace(identity, policies=policies, boundary=boundary)

    def _current(self, policy: Policy) -> Policy:
        arn = _arn_in(policy)
        if arn is None:
            return policy
        is_open = policy.document.unreadable is not None
        for managed in (*self.planned, *(self.deployed if is_open else ())):
            if managed.arn == arn:
                document = replace(managed.policy.document, grammar=policy.document.grammar)
                return replace(managed.policy, label=policy.label, document=document)
        return policy


def _arn_in(policy: Policy) -> str | None:
    """The ARN of a managed policy that lies outside of the definitions, or of a deployed one."""
    for text in (policy.origin.identity, policy.label.rpartition(" ")[2]):
        if text.startswith("arn:") and ":policy/" in text:
            return text
    return None
