"""Everything about one answer: each step, what would have to change, and the detours."""

from __future__ import annotations

from dataclasses import dataclass

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.decision_steps import Step, StepKind, steps_of
from kms_access.decisions.detour import Detour, weakness
from kms_access.decisions.evaluator import Access
from kms_access.decisions.matching import combined
from kms_access.decisions.missing_access import Change, missing_changes
from kms_access.decisions.notes import Note
from kms_access.decisions.reach import Reach
from kms_access.decisions.request import Request
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Subject
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.principals import WITHOUT_IDENTITY, Naming, Principal


@dataclass(frozen=True, slots=True)
class Explanation:
    """One access with all that leads to it, or stands against it.

    `caller` is the caller of the subject that gets furthest; `callers` how many were tried.
    `changes` are the smallest sets of changes after each of which a denied request is allowed.
    `detours` end with the action, surest first.
    """

    access: Access
    caller: Principal
    callers: int
    steps: tuple[Step, ...]
    changes: tuple[tuple[Change, ...], ...]
    detours: tuple[Detour, ...]
    notes: tuple[Note, ...]

    def step(self, kind: StepKind) -> Step:
        """What one part of the procedure says."""
        return next(step for step in self.steps if step.kind is kind)

    @property
    def is_across(self) -> bool:
        """Whether the caller is surely of another account than the key."""
        if self.caller.kind in WITHOUT_IDENTITY:
            return False
        return same(self.caller.account, self.access.key.account).truth is Truth.FALSE

    @property
    def is_named_directly(self) -> bool:
        """Whether the key policy surely allows it without an identity policy (K76)."""
        if self.is_across:
            return False
        hits = self.step(StepKind.KEY_POLICY).hits
        direct = [hit for hit in hits if hit.naming is not Naming.ACCOUNT]
        return combined(direct).truth is Truth.TRUE

    @property
    def witness(self) -> Request | None:
        """A request that succeeds, where the access hangs on a condition."""
        return self.access.witness


def explain(
    facts: AccessMap, organization: Organization, subject: Subject, key: Key, action: str
) -> Explanation:
    """Why a subject can or cannot do an action, `kms:Decrypt`, with a key.

    `organization` is the one that the access map was made with.
    """
    evaluator = facts.evaluator
    access = evaluator.access(subject, key, action)
    caller = min(
        subject.callers, key=lambda caller: evaluator.resolve(caller, key, action).state.rank
    )
    request, policies = evaluator.question(caller, key, action)
    changes: tuple[tuple[Change, ...], ...] = ()
    if access.state.is_denied:
        changes = missing_changes(subject, caller, request, policies)
    return Explanation(
        access,
        request.principal,
        len(subject.callers),
        steps_of(request, policies),
        changes,
        detours_to(Reach(facts, organization), subject, key, action),
        evaluator.notes(subject, key, action),
    )


def detours_to(reach: Reach, subject: Subject, key: Key, action: str) -> tuple[Detour, ...]:
    """The detours by which a subject obtains an action on a key, surest and shortest first."""
    found = [detour for detour in reach.of(subject, key) if action in detour.actions]
    return tuple(sorted(found, key=lambda d: (weakness(d.state), len(d.kinds))))
