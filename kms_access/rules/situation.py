"""What the checks look at: the access map, the rules, and who and what the rules mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial

from kms_access.decisions.access_facts import AccessFacts, access_facts, with_defaults
from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.action_masks import mask_of
from kms_access.decisions.detour import BY_ROLES, Detour
from kms_access.decisions.evaluator import Access, Evaluator
from kms_access.decisions.reach import Reach
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subject_search import Wanted
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.policies.answers import NO, Answer, Truth, all_of
from kms_access.policies.principals import PrincipalKind
from kms_access.policies.text import Value
from kms_access.rules.baseline import Baseline
from kms_access.rules.everyone import PUBLIC_ACCESS, WideAccess
from kms_access.rules.findings import Finding
from kms_access.rules.holdings import (
    CREATE_GRANT,
    LIFECYCLE,
    PUT_KEY_POLICY,
    USE,
    Holdings,
    holdings_of,
)
from kms_access.rules.limits import LimitedAccess
from kms_access.rules.matching import Accounts, belongs_to, deployers_among, key_matches
from kms_access.rules.model import KeyRule, Level, Limit, Rules
from kms_access.rules.permissions import Permissions

_SELF_ESCALATION = "self-escalation"
_POWER = mask_of(USE | LIFECYCLE | {CREATE_GRANT})
"""What detours give that begin without a role, as far as a check tells of it."""


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A key rule with whether it is for a key: true, or unknown while the key's name is open."""

    rule: KeyRule
    answer: Answer


@dataclass(frozen=True)
class Situation:
    """One inventory under one rules file, on one day.

    `judged` is what the checks have found so far, for those that look at findings. `saved` is the
    access of a baseline, if there is one. `by_default` is the same with the default values
    of template parameters.
    """

    access_map: AccessMap
    rules: Rules
    organization: Organization
    today: date = field(default_factory=date.today)
    judged: list[Finding] = field(default_factory=list)
    saved: AccessFacts | None = None
    by_default: Situation | None = None

    @cached_property
    def baseline(self) -> Baseline | None:
        """The access of the definitions beside that of the baseline."""
        if self.saved is None:
            return None
        found = access_facts(self.access_map, self.detours, self.organization)
        now = with_defaults(found, self.access_map.inventory, self.organization)
        return Baseline(self.saved, now)

    @cached_property
    def evaluator(self) -> Evaluator:
        """For questions beyond the map."""
        return Evaluator(self.access_map.inventory, self.organization)

    @cached_property
    def without_grants(self) -> Evaluator:
        """For questions about policies alone."""
        return Evaluator(replace(self.access_map.inventory, grants=()), self.organization)

    @cached_property
    def key_side(self) -> Evaluator:
        """For questions about what key policies let in, whatever else there is."""
        inventory = replace(
            self.access_map.inventory, grants=(), service_control=(), resource_control=()
        )
        return Evaluator(inventory, self.organization)

    @cached_property
    def holdings(self) -> Holdings:
        """Who holds which power over a key."""
        return holdings_of(self.access_map)

    @cached_property
    def reach(self) -> Reach:
        """Who can obtain what by a detour."""
        return Reach(self.access_map, self.organization)

    @cached_property
    def detours(self) -> tuple[Detour, ...]:
        """The detours of which a check can tell, by subject, key and kinds.

        With a baseline these are all: any of them may be new.
        """
        if self.saved is not None:
            return tuple(self.reach)
        ruled = 0
        for place, key in enumerate(self.access_map.keys):
            if self.rules_for(key):
                ruled |= 1 << place
        asks_for_all = self.rules.checks.get(_SELF_ESCALATION) is Level.ERROR
        actions = -1 if asks_for_all else _POWER

        def wanted(subject: Subject) -> Wanted:
            # Roles that outsiders may take are told of on keys without a rule as well. A session
            # is told with its role.
            by_roles = ruled if subject.kind is SubjectKind.IDENTITY else -1
            return Wanted(keys_by_roles=0 if subject.session else by_roles, actions=actions)

        return tuple(self.reach.wanted(wanted))

    @cached_property
    def _mapped(self) -> frozenset[str]:
        return frozenset(subject.identity for subject in self.access_map.subjects)

    def gained(self, detour: Detour) -> frozenset[str]:
        """The actions of a detour that its subject does not have as surely without it."""
        if detour.subject.identity not in self._mapped:
            return detour.actions
        states = self.access_map.states(detour.subject, detour.key)
        return frozenset(
            action
            for action in detour.actions
            if action not in states or not _is_as_sure(states[action], detour.state)
        )

    @cached_property
    def _by_label(self) -> dict[str, list[Subject]]:
        result: dict[str, list[Subject]] = {}
        for subject in self.reach.subjects:
            result.setdefault(subject.label, []).append(subject)
        return result

    def labelled(self, label: str) -> list[Subject]:
        """The subjects that a step of a detour can mean."""
        return self._by_label.get(label, [])

    @cached_property
    def wide(self) -> WideAccess:
        """The access of everyone, and of any identity of an account."""
        return WideAccess(self.access_map)

    @cached_property
    def _rules_by_key(self) -> dict[str, tuple[MatchedRule, ...]]:
        result = {}
        for key in self.access_map.keys:
            matched = (MatchedRule(rule, key_matches(rule.match, key)) for rule in self.rules.keys)
            result[key.origin.identity] = tuple(
                m for m in matched if m.answer.truth is not Truth.FALSE
            )
        return result

    def rules_for(self, key: Key) -> tuple[MatchedRule, ...]:
        """The key rules that are for this key or may be."""
        return self._rules_by_key[key.origin.identity]

    @cached_property
    def accounts(self) -> Accounts:
        """Where `role/NAME` means somebody."""
        return Accounts(
            frozenset(self.rules.accounts.values()),
            frozenset(key.account for key in self.access_map.keys),
        )

    @cached_property
    def _members(self) -> dict[tuple[str, str], Answer]:
        return {}

    def member(self, subject: Subject, team: str) -> Answer:
        """Whether the subject belongs to the team."""
        pair = (subject.identity, team)
        if pair not in self._members:
            self._members[pair] = belongs_to(subject, self.rules.teams[team], self.accounts)
        return self._members[pair]

    @cached_property
    def _certain_members(self) -> dict[str, tuple[Subject, ...]]:
        return {}

    def members(self, team: str) -> tuple[Subject, ...]:
        """The subjects of the map that surely belong to the team."""
        if team not in self._certain_members:
            self._certain_members[team] = tuple(
                subject
                for subject in self.access_map.subjects
                if self.member(subject, team).truth is Truth.TRUE
            )
        return self._certain_members[team]

    @cached_property
    def _deployers(self) -> dict[str, Truth]:
        return {}

    def _deploys(self, subject: Subject) -> Truth:
        if subject.identity not in self._deployers:
            answer = deployers_among(self.rules.deployers, subject, self.accounts)
            self._deployers[subject.identity] = answer.truth
        return self._deployers[subject.identity]

    def is_deployer(self, subject: Subject, key: Key) -> bool:
        """Whether the subject is who creates the key: configured, or named by the definitions."""
        return self._deploys(subject) is Truth.TRUE or subject.arn in key.deployers

    @cached_property
    def _configured_deployers(self) -> tuple[Subject, ...]:
        return tuple(s for s in self.access_map.subjects if self._deploys(s) is Truth.TRUE)

    def deployers(self, key: Key) -> list[Subject]:
        """The subjects of the map that create the key."""
        named = (self._by_arn.get(arn) for arn in key.deployers)
        found = [*self._configured_deployers, *(subject for subject in named if subject)]
        return list({subject.identity: subject for subject in found}.values())

    @cached_property
    def _by_arn(self) -> dict[Value, Subject]:
        return {subject.arn: subject for subject in reversed(self.access_map.subjects)}

    @cached_property
    def _accounts_of_map(self) -> dict[Value, Subject]:
        kind = SubjectKind.ACCOUNT
        return {s.account: s for s in reversed(self.access_map.subjects) if s.kind is kind}

    def others_of(self, account: Value) -> Subject | None:
        """The row for any identity of an account of which no policy speaks."""
        return self._accounts_of_map.get(account)

    def may_deploy(self, subject: Subject) -> bool:
        """Whether it is open if the subject is one of the configured deployers."""
        return self._deploys(subject) is Truth.UNKNOWN

    def permissions(self, subject: Subject, key: Key) -> Permissions:
        """What the rules for the key allow to the teams of the subject."""
        lists = (
            (matched.answer & self.member(subject, team), permissions)
            for matched in self.rules_for(key)
            for team, permissions in matched.rule.allow.items()
        )
        return Permissions(
            tuple(pair for pair in lists if pair[0].truth is not Truth.FALSE),
            partial(self._within, (subject,), key),
        )

    def permissions_by(self, detour: Detour) -> Permissions:
        """What the rules allow to the subject of a detour, asked for what the detour gives.

        A limit covers a chain of roles if it covers all that its last role can do. What other
        detours give has no limits of its own.
        """
        own = self.permissions(detour.subject, detour.key)
        ends = tuple(self.labelled(detour.through[-1])) if detour.through else ()
        if not ends or any(kind not in BY_ROLES for kind in detour.kinds):
            return replace(own, within=_beyond)
        return replace(own, within=partial(self._within, ends, detour.key))

    def _within(
        self, subjects: Sequence[Subject], key: Key, action: str, limits: Sequence[Limit]
    ) -> Answer:
        return all_of(self.limited.within(s, key, action, limits) for s in subjects)

    @cached_property
    def limited(self) -> LimitedAccess:
        """What is beyond the limits of permissions."""
        return LimitedAccess(self.evaluator, self.organization)

    def permission(self, subject: Subject, key: Key, action: str) -> Answer:
        """Whether a rule for the key allows this action to a team of the subject."""
        return self.permissions(subject, key).answer(action)

    def permission_for(self, access: Access) -> Answer:
        """Whether a rule for the key allows this access to a team of the subject."""
        return self.permission(access.subject, access.key, access.action)

    def governs(self, subject: Subject, key: Key) -> bool:
        """Whether it is known that a subject has power over a key: root user and deployers.

        Both can change the key policy (K44, K152): no other power adds anything to that.
        """
        is_root = subject.callers[0].principal.kind is PrincipalKind.ROOT
        own = subject.kind is SubjectKind.ELSEWHERE and subject.account == key.account
        return (is_root and own) or self.is_deployer(subject, key)

    def may_rewrite(self, subject: Subject, key: Key) -> bool:
        """Whether a rule lets the subject change the key policy: then it may obtain everything."""
        return self.permissions(subject, key).free(PUT_KEY_POLICY).truth is not Truth.FALSE

    def is_beyond_rules(self, subject: Subject, key: Key) -> bool:
        """Whether what a subject can obtain on a key is known as it is, or may be."""
        return self.governs(subject, key) or self.may_rewrite(subject, key)

    def is_known(self, access: Access) -> bool:
        """Whether a power is known, allowed by a rule, or only perhaps not allowed.

        Where it is open whether a rule allows it, the check `undecided` speaks.
        """
        if self.governs(access.subject, access.key):
            return True
        return self.permission_for(access).truth is not Truth.FALSE

    @property
    def _reports_public(self) -> bool:
        return self.rules.checks.get(PUBLIC_ACCESS, Level.ERROR) is Level.ERROR

    def is_public(self, access: Access) -> bool:
        """Whether the access is that of everyone, which `public-access` reports as an error."""
        return self._reports_public and self.wide.is_public(access)

    def is_told_elsewhere(self, access: Access) -> bool:
        """Whether a finding about everyone, or about any identity of the account, tells it."""
        if self._reports_public and self.wide.follows_from_public(access):
            return access.subject.kind is not SubjectKind.EVERYONE
        return self.wide.is_shared(access)


def _beyond(action: str, limits: Sequence[Limit]) -> Answer:
    return NO


def _is_as_sure(held: AccessState, obtained: AccessState) -> bool:
    """Whether what is held covers what is obtained: two conditions need not be the same."""
    if held is AccessState.CONDITIONAL and obtained is AccessState.CONDITIONAL:
        return False
    return held.rank <= obtained.rank
