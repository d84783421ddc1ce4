"""Questions about a caller of whom more, or something else, is known than the map says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.resolution import Resolution
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Key
from kms_access.policies.context import KeyState


def with_facts(subject: Subject, facts: Mapping[str, KeyState]) -> tuple[Caller, ...]:
    """The callers of a subject in requests with these condition keys."""
    return tuple(replace(caller, facts={**caller.facts, **facts}) for caller in subject.callers)


def with_every_identity_policy(subject: Subject) -> tuple[Caller, ...]:
    """The callers of a subject if its identity policies allowed everything."""
    return tuple(replace(caller, boundary=(), assumed_allowed=True) for caller in subject.callers)


def best_of(evaluator: Evaluator, callers: Iterable[Caller], key: Key, action: str) -> Resolution:
    """The best answer of any of the callers, of which there is at least one."""
    found = (evaluator.resolve(caller, key, action) for caller in callers)
    return min(found, key=lambda resolution: resolution.state.rank)
