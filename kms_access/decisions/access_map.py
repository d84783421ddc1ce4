"""Who can do what with which key, for all subjects, keys and actions of an inventory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kms_access.decisions.action_classes import ActionClasses
from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.notes import Note, notes_on
from kms_access.decisions.request import ApplicablePolicies, Request, facts_of, request_context
from kms_access.decisions.resolution import AccessState, Resolution, resolve
from kms_access.decisions.static_facts import (
    Organization,
    key_facts,
    open_request,
    session_facts,
)
from kms_access.decisions.subjects import Caller, Subject, subjects_of
from kms_access.inventory.actions import KEY_USAGES, key_actions, possible_for
from kms_access.inventory.model import Grant, Inventory, Key
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.overlap import same

_INTERNAL = "kms:SynchronizeMultiRegionKey"


@dataclass(frozen=True, slots=True)
class Access:
    """One cell of the map for one action, with the decision that it comes from."""

    subject: Subject
    key: Key
    action: str
    state: AccessState
    decision: Decision
    condition: str = ""
    witness: Request | None = None


@dataclass(frozen=True, slots=True)
class AccessMap:
    """All answers of an inventory: `cells` by subject and key identity, actions sorted."""

    inventory: Inventory
    subjects: tuple[Subject, ...]
    keys: tuple[Key, ...]
    cells: Mapping[tuple[str, str], tuple[Access, ...]]

    def cell(self, subject: Subject, key: Key) -> tuple[Access, ...]:
        """The answers for one subject and key, one for each action that the key can carry out."""
        return self.cells[subject.identity, key.origin.identity]

    def __iter__(self) -> Iterator[Access]:
        for subject in self.subjects:
            for key in self.keys:
                yield from self.cell(subject, key)

    def accesses(self) -> Iterator[Access]:
        """Every access that is not denied, by subject, key and action."""
        return (access for access in self if not access.state.is_denied)

    def states(self, subject: Subject, key: Key) -> Mapping[str, AccessState]:
        """The state of each action that is not denied by default."""
        return {
            access.action: access.state
            for access in self.cell(subject, key)
            if access.state is not AccessState.IMPLICITLY_DENIED
        }


def access_map(inventory: Inventory, organization: Organization | None = None) -> AccessMap:
    """Decide every subject, key and action; actions that a key cannot carry out are left out.

    `organization`: what is declared about the organization, for `aws:PrincipalOrgID`.
    """
    organization = organization or Organization()
    subjects = subjects_of(inventory, organization)
    keys = tuple(sorted(inventory.keys, key=lambda key: (key.label, key.origin.identity)))
    evaluator = Evaluator(inventory, organization)
    cells = {
        (subject.identity, key.origin.identity): evaluator.cell(subject, key)
        for subject in subjects
        for key in keys
    }
    return AccessMap(inventory, subjects, keys, cells)


def actions_of(key: Key) -> list[str]:
    """The actions that apply to a key and that its kind can carry out (K121), sorted."""
    names: Iterable[str] = key_actions()
    if key.usage in KEY_USAGES and isinstance(key.spec, str):
        names = possible_for(str(key.usage), asymmetric=key.spec != "SYMMETRIC_DEFAULT")
    return sorted(name for name in names if name != _INTERNAL)


class Evaluator:
    """Decides single questions over one inventory."""

    def __init__(self, inventory: Inventory, organization: Organization) -> None:
        self._inventory = inventory
        self._organization = organization
        self._facts = {key.origin.identity: key_facts(key) for key in inventory.keys}
        self._classes: dict[tuple[str, ...], ActionClasses] = {}
        self._grants = {
            key.origin.identity: tuple(_grants_on(key, inventory.grants)) for key in inventory.keys
        }

    def access(self, subject: Subject, key: Key, action: str) -> Access:
        """The best access that any caller of the subject has."""
        resolutions = [self._resolve(caller, key, action) for caller in subject.callers]
        return _best(subject, key, action, resolutions)

    def cell(self, subject: Subject, key: Key) -> tuple[Access, ...]:
        """`access` for every action that the key can carry out, sorted by action."""
        actions = actions_of(key)
        found: dict[str, list[Resolution]] = {action: [] for action in actions}
        classes = self._classes.setdefault(tuple(actions), ActionClasses(actions))
        for caller in subject.callers:
            policies = self._policies(caller, key)
            for group in classes.group(policies, key):
                resolution = self._resolve(caller, key, group[0])
                for action in group:
                    found[action].append(resolution)
        return tuple(_best(subject, key, action, found[action]) for action in actions)

    def notes(self, subject: Subject, key: Key, action: str) -> tuple[Note, ...]:
        """Remarks on the policies: statements without effect, and likely mistakes."""
        found = (notes_on(*self._question(caller, key, action)) for caller in subject.callers)
        return tuple(dict.fromkeys(note for notes in found for note in notes))

    def _resolve(self, caller: Caller, key: Key, action: str) -> Resolution:
        request, policies = self._question(caller, key, action)
        if len(key.policies) < 2:
            return resolve(request, policies)
        single = [resolve(request, replace(policies, resource=(p,))) for p in key.policies]
        return _agreed(single, key)

    def _question(
        self, caller: Caller, key: Key, action: str
    ) -> tuple[Request, ApplicablePolicies]:
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
            self._inventory.service_control if is_inside else (),
            self._inventory.resource_control,
            self._grants[key.origin.identity],
            caller.incomplete,
            caller.assumed_allowed,
        )


def _best(subject: Subject, key: Key, action: str, found: list[Resolution]) -> Access:
    best = min(found, key=lambda resolution: resolution.state.rank)
    return Access(subject, key, action, best.state, best.decision, best.condition, best.witness)


def _agreed(resolutions: list[Resolution], key: Key) -> Resolution:
    """Two definitions of one key policy: decided only where both give the same (K194)."""
    last = resolutions[-1]
    decisions = [resolution.decision for resolution in resolutions]
    if all(d.verdict is last.decision.verdict for d in decisions) and (
        last.decision.verdict is not Verdict.DEPENDS
    ):
        return last
    text = f"which of {len(decisions)} definitions of the key policy of {key.label} is in force"
    reason = Reason(text, ReasonKind.UNREADABLE, "K194")
    hits = tuple(hit for decision in decisions for hit in decision.responsible)
    reasons = tuple(dict.fromkeys((reason, *(r for d in decisions for r in d.reasons))))
    return Resolution(AccessState.UNDECIDED, Decision(Verdict.DEPENDS, hits, reasons))


def _grants_on(key: Key, grants: Iterable[Grant]) -> Iterator[Grant]:
    for grant in grants:
        if same(grant.key_arn, key.arn).truth is not Truth.FALSE:
            yield grant
