"""Whether an access stays within the limits of a permission: `via` and `when` of a rules file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.resolution import BEYOND_BOUND, AccessState, Resolution
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import NO, YES, Answer, Reason, ReasonKind, Truth
from kms_access.policies.condition_parsing import read_conditions
from kms_access.policies.elements import Notes
from kms_access.policies.formula import Test, conjunction
from kms_access.policies.grammar import IDENTITY_POLICY, RESOURCE_CONTROL_POLICY
from kms_access.policies.parsing import CURRENT_VERSION, parse_policy
from kms_access.policies.principals import WITHOUT_IDENTITY
from kms_access.policies.text import Text, Value, concat
from kms_access.policies.wording import formula_text
from kms_access.rules.holdings import counts
from kms_access.rules.model import Limit
from kms_access.rules.what_if import best_of

_OPEN = (ReasonKind.UNKNOWN_VALUE, ReasonKind.UNREADABLE, ReasonKind.NOT_ESTABLISHED)
_ORIGIN = Origin("the limits of the rules file")


def words_of(limit: Limit) -> str:
    """A limit in words: `via s3 or rds`, `when aws:MultiFactorAuthPresent is true`."""
    block = _block(replace(limit, via=()), None)
    conditions, _ = read_conditions(block, IDENTITY_POLICY, Notes(), (), variables=True)
    parts = [f"via {' or '.join(limit.via)}"] if limit.via else []
    if conditions:
        formula = conjunction(Test(condition) for condition in conditions)
        parts.append(f"when {formula_text(formula)}")
    return " and ".join(parts)


class LimitedAccess:
    """What is left of an access when every request within its limits is denied.

    If any request succeeds even then, it is beyond the limits, and the answer shows it.
    """

    def __init__(self, evaluator: Evaluator, organization: Organization) -> None:
        self._evaluator = evaluator
        self._organization = organization
        self._found: dict[tuple[object, ...], Resolution] = {}
        self._denials: dict[tuple[object, ...], _Denial] = {}

    def within(self, subject: Subject, key: Key, action: str, limits: Sequence[Limit]) -> Answer:
        """Whether every request of the subject that succeeds fulfils one of the limits."""
        left = self.beyond(subject, key, action, limits)
        if counts(left.state, subject, key):
            return NO
        if left.state is AccessState.UNDECIDED:
            return Answer(Truth.UNKNOWN, _told(left.decision.reasons))
        return YES

    def beyond(
        self, subject: Subject, key: Key, action: str, limits: Sequence[Limit]
    ) -> Resolution:
        """The answer for requests that fulfil none of the limits; remembered."""
        question = (subject.identity, key.origin.identity, action, *map(id, limits))
        if question not in self._found:
            self._found[question] = self._left(subject, key, action, limits)
        return self._found[question]

    def _left(self, subject: Subject, key: Key, action: str, limits: Sequence[Limit]) -> Resolution:
        left = self._without(subject, key, action, self._denial(key, limits))
        if left.state is not AccessState.UNDECIDED or not isinstance(key.region, Text):
            return left
        # A value with the Region of the deployment meets no pattern for sure, but it equals the
        # same value. What is within this narrower limit is within the wider one.
        there = self._denial(key, limits, key.region)
        narrower = self._without(subject, key, action, there)
        return narrower if narrower.state.is_denied else left

    def _without(self, subject: Subject, key: Key, action: str, denial: _Denial) -> Resolution:
        callers = [_as_it_may_be(caller, key) for caller in subject.callers]
        if any(caller.principal.kind in WITHOUT_IDENTITY for caller in callers):
            return best_of(denial.on_the_key, callers, key, action)
        denied = [replace(c, identity=(*c.identity, denial.of_caller)) for c in callers]
        return best_of(denial.elsewhere, denied, key, action)

    def _denial(self, key: Key, limits: Sequence[Limit], region: Value | None = None) -> _Denial:
        kind = (key.origin.identity, region is None, *map(id, limits))
        if kind not in self._denials:
            blocks = [_block(limit, region) for limit in limits]
            inventory = self._evaluator.inventory
            alone = Inventory(
                (key,),
                grants=self._evaluator.grants_on(key),
                service_control=inventory.service_control,
                resource_control=inventory.resource_control,
            )
            of_key = _policy(blocks, of_resource=True)
            guarded = replace(alone, resource_control=(*alone.resource_control, (of_key,)))
            self._denials[kind] = _Denial(
                _policy(blocks, of_resource=False),
                Evaluator(alone, self._organization),
                Evaluator(guarded, self._organization),
            )
        return self._denials[kind]


@dataclass(frozen=True, slots=True)
class _Denial:
    """Denies what is within limits: to callers with identity policies by a policy more, to all
    others on the side of the key."""

    of_caller: Policy
    elsewhere: Evaluator
    on_the_key: Evaluator


def _as_it_may_be(caller: Caller, key: Key) -> Caller:
    """The caller with what its own account can give it: that of another account counts (K66)."""
    if caller.incomplete is None or caller.principal.account == key.account:
        return caller
    return replace(caller, incomplete=None, assumed_allowed=True)


def _told(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """What is not known, rather than that the search for a request ended because of it."""
    of_values = tuple(r for r in reasons if r.kind in _OPEN and r != BEYOND_BOUND)
    return of_values or tuple(reasons)


def _policy(blocks: Iterable[Mapping[str, Any]], *, of_resource: bool) -> Policy:
    element = {"Principal": "*"} if of_resource else {}
    statements = [
        {"Effect": "Deny", **element, "Action": "kms:*", "Resource": "*", "Condition": block}
        for block in blocks
    ]
    document = {"Version": CURRENT_VERSION, "Statement": statements}
    grammar = RESOURCE_CONTROL_POLICY if of_resource else IDENTITY_POLICY
    return Policy("limits", parse_policy(document, grammar), _ORIGIN)


def _block(limit: Limit, region: Value | None) -> Mapping[str, Any]:
    """The limit as the condition block of a statement; all of it must hold (K124)."""
    block: dict[str, dict[str, list[Value]]] = {
        operator: {key: list(values) for key, values in tests.items()}
        for operator, tests in limit.when.items()
    }
    if limit.via:
        operator = "StringLike" if region is None else "StringEquals"
        values = [_via_service(service, region) for service in limit.via]
        block.setdefault(operator, {})["kms:ViaService"] = values
    return block


def _via_service(service: str, region: Value | None) -> Value:
    """`kms:ViaService` is SERVICE.REGION.amazonaws.com, in China with a further .cn (K136)."""
    if "." in service:
        return service
    if region is None:
        return f"{service}.*"
    return concat((service, ".", region, ".amazonaws.com"))
