"""Single questions over one inventory: who can do one thing with one key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.alike import alike
from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.grant_index import GrantIndex
from kms_access.decisions.notes import Note, notes_on
from kms_access.decisions.request import ApplicablePolicies, Request, facts_of, request_context
from kms_access.decisions.resolution import AccessState, Resolution, resolve
from kms_access.decisions.static_facts import (
    Organization,
    key_facts,
    open_request,
    session_facts,
)
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Grant, Inventory, Key
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.overlap import same


@dataclass(frozen=True, slots=True)
class Access:
    """One cell of the map for one action.

    The `decision` that the state comes from, the `condition` in words and the `witness` request
    are worked out when they are asked for.
    """

    subject: Subject
    key: Key
    action: str
    state: AccessState
    evaluator: Evaluator = field(compare=False, repr=False)

    @property
    def decision(self) -> Decision:
        """The decision with the statements that it rests on."""
        return self._resolution.decision

    @property
    def condition(self) -> str:
        """What a request has to fulfil, in words; empty unless the state is `CONDITIONAL`."""
        return self._resolution.condition

    @property
    def witness(self) -> Request | None:
        """A request that succeeds; None unless the state is `CONDITIONAL`."""
        return self._resolution.witness

    @property
    def example(self) -> str:
        """The keys of the witness in words."""
        return self._resolution.example

    @property
    def _resolution(self) -> Resolution:
        return self.evaluator.resolution(self.subject, self.key, self.action)


class Evaluator:
    """Decides single questions over one inventory."""

    def __init__(self, inventory: Inventory, organization: Organization) -> None:
        self.inventory = inventory
        self._organization = organization
        self._facts = {key.origin.identity: key_facts(key) for key in inventory.keys}
        self._grants = {
            key.origin.identity: GrantIndex(
                grant
                for grant in inventory.grants
                if same(grant.key_arn, key.arn).truth is not Truth.FALSE
            )
            for key in inventory.keys
        }
        self._resolutions: dict[tuple[str, str, str], Resolution] = {}

    def access(self, subject: Subject, key: Key, action: str) -> Access:
        """The best access that any caller of the subject has."""
        state = self.resolution(subject, key, action).state
        return Access(subject, key, action, state, self)

    def resolution(self, subject: Subject, key: Key, action: str) -> Resolution:
        """The answer of `access` with all that it rests on; remembered."""
        question = (subject.identity, key.origin.identity, action)
        found = self._resolutions.get(question)
        if found is None:
            found = min(
                (self.resolve(caller, key, action) for caller in subject.callers),
                key=lambda resolution: resolution.state.rank,
            )
            self._resolutions[question] = found
        return found

    def cell(self, subject: Subject, key: Key) -> tuple[Access, ...]:
        """`access` for every action that the key can carry out, sorted by action."""
        found: dict[str, list[Resolution]] = {action: [] for action in actions_of(key)}
        for caller in subject.callers:
            for group in alike(found, self._policies(caller, key), caller.principal, key):
                resolution = self.resolve(caller, key, group[0])
                for action in group:
                    found[action].append(resolution)
        for action, resolutions in found.items():
            best = min(resolutions, key=lambda resolution: resolution.state.rank)
            self._resolutions[subject.identity, key.origin.identity, action] = best
        return tuple(self.access(subject, key, action) for action in found)

    def grants_on(self, key: Key) -> tuple[Grant, ...]:
        """The grants that are on a key, or may be."""
        return self._grants[key.origin.identity].grants

    def grants_tell_apart(self, key: Key) -> bool:
        """Whether grants on a key may give more to one identity that none of them names."""
        return not self._grants[key.origin.identity].is_impersonal

    def notes(self, subject: Subject, key: Key, action: str) -> tuple[Note, ...]:
        """Remarks on the policies: statements without effect, and likely mistakes."""
        found = (notes_on(*self.question(caller, key, action)) for caller in subject.callers)
        return tuple(dict.fromkeys(note for notes in found for note in notes))

    def resolve(self, caller: Caller, key: Key, action: str) -> Resolution:
        """The answer for one caller."""
        request, policies = self.question(caller, key, action)
        if len(key.policies) < 2:
            return resolve(request, policies)
        single = [resolve(request, replace(policies, resource=(p,))) for p in key.policies]
        return _agreed(single, key)

    def question(self, caller: Caller, key: Key, action: str) -> tuple[Request, ApplicablePolicies]:
        """The open request of one caller, and the policies that apply to it."""
        facts = facts_of(caller.principal, action, key.arn, key.account)
        facts |= self._facts[key.origin.identity]
        facts |= self._organization.facts(caller.principal)
        facts |= session_facts(caller.principal)
        tags_known = caller.incomplete is None
        otherwise = open_request(caller.principal, key, action, tags_known=tags_known)
        context = request_context(facts, caller.facts, otherwise)
        request = Request(caller.principal, action, key.arn, key.account, context)
        return request, self._policies(caller, key)

    def _policies(self, caller: Caller, key: Key) -> ApplicablePolicies:
        # Service control policies bind the accounts of the definitions, not outside callers (K70).
        is_inside = same(caller.principal.account, key.account).truth is Truth.TRUE
        return ApplicablePolicies(
            key.policies,
            caller.identity,
            caller.boundary,
            (),
            self.inventory.service_control if is_inside else (),
            self.inventory.resource_control,
            self._grants[key.origin.identity].for_caller(caller.principal),
            caller.incomplete,
            caller.assumed_allowed,
        )


def _agreed(resolutions: list[Resolution], key: Key) -> Resolution:
    """Two definitions of one key policy: decided only where both give the same (K194)."""
    last = resolutions[-1]
    decisions = [resolution.decision for resolution in resolutions]
    if all(d.verdict is last.decision.verdict for d in decisions) and (
        last.decision.verdict is not Verdict.DEPENDS
    ):
        return last
    if all(resolution.state.is_denied for resolution in resolutions):
        return Resolution(AccessState.IMPLICITLY_DENIED, Decision(Verdict.IMPLICITLY_DENIED))
    text = f"which of {len(decisions)} definitions of the key policy of {key.label} is in force"
    reason = Reason(text, ReasonKind.UNREADABLE, "K194")
    hits = tuple(hit for decision in decisions for hit in decision.responsible)
    reasons = tuple(dict.fromkeys((reason, *(r for d in decisions for r in d.reasons))))
    return Resolution(AccessState.UNDECIDED, Decision(Verdict.DEPENDS, hits, reasons))
