"""A baseline: access that stood when it was saved, so that only new access blocks.

It holds access facts, not findings: a wider capability, a weaker condition and a new principal are
new. Nothing that is undecided stands in it, and no defect of a document does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kms_access.decisions.access_difference import aligned, is_gained, is_lost
from kms_access.decisions.access_facts import (
    IDENTITY_POLICIES,
    AccessFacts,
    Place,
)
from kms_access.decisions.resolution import AccessState
from kms_access.rules.findings import Finding

NEW_ACCESS = "new-access"
_ABOUT_LOSS = ("lockout", "required-access")
_NEVER_KNOWN = ("undecided", "invalid-policy")
_BY_IDENTITY_POLICIES = "iam-delegation"


@dataclass(frozen=True)
class Baseline:
    """The access facts of the definitions at hand beside those that were saved."""

    saved: AccessFacts
    now: AccessFacts

    @cached_property
    def _old(self) -> AccessFacts:
        return aligned(self.saved, self.now)

    @cached_property
    def gained(self) -> frozenset[Place]:
        """The facts that the baseline does not hold, or not as surely."""
        return frozenset(place for place in self.now.held if is_gained(place, self.now, self._old))

    @cached_property
    def _new(self) -> dict[tuple[str, str], frozenset[Place]]:
        """What is gained, or undecided and so in no baseline, by principal and key."""
        found: dict[tuple[str, str], set[Place]] = {}
        for place, held in self.now.held.items():
            if place in self.gained or held.state is AccessState.UNDECIDED:
                found.setdefault((place.principal, place.key), set()).add(place)
        return {pair: frozenset(places) for pair, places in found.items()}

    @cached_property
    def _lost(self) -> frozenset[tuple[str, str]]:
        """Key and action of everything that the baseline holds and that is gone."""
        old = self._old
        return frozenset(
            (place.key, place.action) for place in old.held if is_lost(place, old, self.now)
        )

    @cached_property
    def _pairs(self) -> frozenset[tuple[str, str]]:
        return frozenset((place.principal, place.key) for place in self.now.held)

    def holds(self, finding: Finding) -> bool:
        """Whether every access that a finding is about stands in the baseline.

        A finding about lost access stands there if nothing of it was lost since. Further ways to
        other actions are new access of their own.
        """
        if finding.check in _NEVER_KNOWN or finding.key_origin is None:
            return False
        key = finding.key_origin.identity
        if key not in self._old.keys:
            return False
        if finding.check in _ABOUT_LOSS:
            return not any((key, action) in self._lost for action in finding.actions)
        principal = finding.principal_identity
        if finding.check == _BY_IDENTITY_POLICIES:
            own = [p for p, k in self._pairs if k == key and p.startswith(IDENTITY_POLICIES)]
            principal = own[0] if len(own) == 1 else ""
        if (principal, key) not in self._pairs:
            return False
        new = {place.action for place in self._new.get((principal, key), ())}
        return not new.intersection(finding.actions) if finding.actions else not new
