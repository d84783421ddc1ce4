"""Rules that allow the access that definitions give today, and not more (`kms-access init`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from kms_access.decisions.access_facts import term_of_access
from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.detour import BY_ROLES
from kms_access.decisions.evaluator import Access
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.decisions.terms import Term
from kms_access.inventory.actions import CAPABILITIES, expand_capability
from kms_access.inventory.model import Inventory, Key
from kms_access.rules.assessment import PROVEN, Assessment, assess
from kms_access.rules.chains import Chain, role_chains
from kms_access.rules.checks import CHECKS
from kms_access.rules.checks.lockout import management_of
from kms_access.rules.delegation import delegated
from kms_access.rules.findings import Finding
from kms_access.rules.holdings import PUT_KEY_POLICY, counts_as_access, grouped
from kms_access.rules.model import (
    KeyMatch,
    KeyRule,
    Level,
    Permission,
    PrincipalPattern,
    Rules,
    Team,
)
from kms_access.rules.situation import Situation
from kms_access.rules.steps import described_steps
from kms_access.rules.suggested_limits import FREE, Suggested, limits_of
from kms_access.rules.suggested_names import (
    NOWHERE,
    first_word,
    key_matches_of,
    names_of_keys,
    team_name,
    team_of,
)

_BY_GRANT_ALONE = "kms:RetireGrant"
_ROUNDS = 8
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
_DEPLOYS = re.compile(
    r"deploy|cfn-exec|cloudformation|pulumi|terraform|pipeline|provision|github-?actions|gitlab",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader has to know about the permissions of a team on a key."""

    by_roles: tuple[str, ...] = ()
    """How it comes to access that no policy gives it directly."""
    unsaid: tuple[Term, ...] = ()
    """Parts of conditions that no limit can say: the permission is wider by them."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Suggested rules, with what a reader has to know about them.

    `standing` are today's findings by check. `remarks` are by key rule and team. `unnamed` are
    principals with access that no team can name alone.
    """

    rules: Rules
    assessment: Assessment
    standing: Mapping[str, tuple[Finding, ...]]
    remarks: Mapping[tuple[str, str], Remark]
    unnamed: tuple[str, ...]


@dataclass
class _Given:
    """What one subject is given on one key, by action, and by which roles."""

    actions: dict[str, Suggested] = field(default_factory=dict)
    by_roles: dict[str, None] = field(default_factory=dict)

    def add(self, action: str, suggested: Suggested) -> bool:
        """Whether this is more than before."""
        before = self.actions.get(action)
        joined = suggested if before is None else before.joined(suggested)
        self.actions[action] = joined
        return joined != before


class _Maker:
    """Collects what is given and makes rules of it."""

    def __init__(self, inventory: Inventory, parameters: Mapping[str, str]) -> None:
        self.parameters = parameters
        accounts = {key.account for key in inventory.keys if isinstance(key.account, str)}
        names = sorted(accounts)
        self.accounts = (
            {"main": names[0]} if len(names) == 1 else {f"account-{n}": n for n in names}
        )
        self.organization = Organization("", frozenset(accounts))
        self.facts = access_map(inventory, self.organization)
        self.subjects: dict[str, Subject] = {}
        self.given: dict[tuple[str, str], _Given] = {}
        self.unnamed: tuple[str, ...] = ()
        self._keys = {key.origin.identity: key for key in self.facts.keys}
        self._collect(self.facts)
        if inventory.with_defaults is not None:
            self._collect(access_map(inventory.with_defaults, self.organization))

    def situation(self, rules: Rules) -> Situation:
        return Situation(self.facts, rules, self.organization)

    def _collect(self, facts: AccessMap) -> None:
        for subject, key, accesses in grouped(facts):
            # No rule can let everyone in: that is the business of public-access.
            if subject.kind is not SubjectKind.EVERYONE:
                for access in accesses:
                    if counts_as_access(access):
                        self._add(subject, key, access.action, _suggested(access))

    def _add(self, subject: Subject, key: Key, action: str, suggested: Suggested) -> bool:
        self.subjects.setdefault(subject.identity, subject)
        return self._of(subject, key).add(action, suggested)

    def _of(self, subject: Subject, key: Key) -> _Given:
        return self.given.setdefault((subject.identity, key.origin.identity), _Given())

    def add_chains(self, rules: Rules) -> bool:
        """Give what comes by way of roles, which is there today; whether that is more."""
        situation = self.situation(rules)
        more = False
        for chain in role_chains(situation):
            subject, key = chain.detour.subject, chain.detour.key
            for action, suggested in self._by_chain(situation, chain):
                more |= self._add(subject, key, action, suggested)
            self._of(subject, key).by_roles[described_steps(chain.detour)] = None
        return more

    def _by_chain(self, situation: Situation, chain: Chain) -> Iterator[tuple[str, Suggested]]:
        detour = chain.detour
        ends = situation.labelled(detour.through[-1]) if detour.through else []
        is_of_end = ends and all(kind in BY_ROLES for kind in detour.kinds)
        for action in sorted(chain.forbidden):
            held = [
                given.actions[action]
                for end in (ends if is_of_end else ())
                if (given := self.given.get((end.identity, detour.key.origin.identity)))
                and action in given.actions
            ]
            suggested = FREE
            if held and len(held) == len(ends):
                suggested = held[0]
                for other in held[1:]:
                    suggested = suggested.joined(other)
            yield action, suggested

    def rules(self, checks: Mapping[str, Level]) -> tuple[Rules, Mapping[tuple[str, str], Remark]]:
        """The rules for all that was collected."""
        situation = self.situation(Rules(accounts=self.accounts))
        everybody = {s.identity: s for s in (*situation.reach.subjects, *self.facts.subjects)}
        teams: dict[str, Team] = {}
        allow: dict[str, dict[str, tuple[Permission, ...]]] = {key: {} for key in self._keys}
        remarks: dict[tuple[str, str], Remark] = {}
        names = names_of_keys(self.facts.keys)
        unnamed: list[str] = []
        for members in self._profiles():
            name = team_name(members, teams)
            team = team_of(name, members, everybody.values(), situation.accounts)
            if team is None:
                unnamed += [member.label for member in members]
                continue
            teams[name] = team
            for key in self._keys:
                given = self.given.get((members[0].identity, key))
                if given is not None and given.actions:
                    allow[key][name] = tuple(_permissions(given.actions, self._keys[key]))
                    remarks[names[key], name] = _remark(given)
        self.unnamed = tuple(unnamed)
        matches = key_matches_of(self.facts.keys)
        key_rules = tuple(
            _key_rule(names[k], matches[k], allow[k], bool(delegated(situation, key)))
            for k, key in self._keys.items()
        )
        deployers = self._deployers(situation)
        rules = Rules(
            accounts=self.accounts,
            deployers=deployers,
            teams=teams,
            keys=key_rules,
            checks=dict(checks),
            parameters=self.parameters,
        )
        return rules, remarks

    def _deployers(self, situation: Situation) -> tuple[PrincipalPattern, ...]:
        """Roles named like what deploys that can manage every key of which it is not known."""
        undecided = AccessState.UNDECIDED
        open_ones = [k for k in self.facts.keys if management_of(situation, k) is undecided]
        found: list[PrincipalPattern] = []
        for subject in self.facts.subjects:
            is_like_one = _DEPLOYS.search(subject.label) and not subject.session
            if is_like_one and open_ones and self._manages(subject, open_ones):
                team = team_of("", [subject], self.facts.subjects, situation.accounts)
                found += team.principals if team is not None else ()
        return tuple(found)

    def _manages(self, subject: Subject, keys: Sequence[Key]) -> bool:
        states = (self.facts.states(subject, key).get(PUT_KEY_POLICY) for key in keys)
        sure = [state for state in states if state is AccessState.ALLOWED]
        return len(sure) == len(keys)

    def _profiles(self) -> list[list[Subject]]:
        """The subjects, those of one kind that are given the same together."""
        profiles: dict[tuple[object, ...], list[Subject]] = {}
        for identity, subject in sorted(self.subjects.items(), key=lambda item: item[1].label):
            is_single = subject.kind in (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)
            profile = tuple(
                (key, sorted((action, repr(s)) for action, s in given.actions.items()))
                for key in self._keys
                if (given := self.given.get((identity, key)))
            )
            principal = subject.callers[0].principal
            alike: tuple[object, ...] = (identity,)
            if is_single:
                alike = (principal.kind, principal.account, first_word(subject))
            profiles.setdefault((*alike, repr(profile)), []).append(subject)
        return list(profiles.values())


def suggested_rules(
    inventory: Inventory, parameters: Mapping[str, str] = _NO_PARAMETERS
) -> Suggestion:
    """Rules under which the definitions pass; `parameters` are those that they were read with.

    They allow what is given today and set each check that has findings to `warning`; the others,
    where they are warnings by themselves, to `error`. What is undecided stays undecided and is
    told in `standing`.
    """
    maker = _Maker(inventory, parameters)
    checks: dict[str, Level] = {}
    for _ in range(_ROUNDS):
        rules, remarks = maker.rules(checks)
        if maker.add_chains(rules):
            continue
        assessment = assess(inventory, rules)
        if assessment.exit_code == PROVEN:
            break
        errors = [f.check for f in assessment.findings if f.level is Level.ERROR]
        checks |= dict.fromkeys(errors, Level.WARNING)
    quiet = {check.id for check in CHECKS.values()} - {f.check for f in assessment.findings}
    for check in CHECKS.values():
        if check.id in quiet and check.level is Level.WARNING and not check.of_findings:
            checks[check.id] = Level.ERROR
    rules, remarks = maker.rules(checks)
    assessment = assess(inventory, rules)
    return Suggestion(rules, assessment, _standing(assessment), remarks, maker.unnamed)


def _key_rule(
    name: str,
    match: KeyMatch,
    allow: Mapping[str, tuple[Permission, ...]],
    is_delegating: bool,
) -> KeyRule:
    forbidden, allowed = (None, NOWHERE) if is_delegating else (NOWHERE, None)
    return KeyRule(name, match, allow, {}, NOWHERE, forbidden, allowed)


def _standing(assessment: Assessment) -> Mapping[str, tuple[Finding, ...]]:
    found: dict[str, tuple[Finding, ...]] = {}
    for finding in assessment.findings:
        found[finding.check] = (*found.get(finding.check, ()), finding)
    return found


def _suggested(access: Access) -> Suggested:
    return limits_of(term_of_access(access))


def _remark(given: _Given) -> Remark:
    unsaid = dict.fromkeys(term for one in given.actions.values() for term in one.left_out)
    return Remark(tuple(given.by_roles), tuple(unsaid))


def _permissions(given: Mapping[str, Suggested], key: Key) -> Iterator[Permission]:
    groups: dict[str, list[str]] = {}
    for action in sorted(given):
        groups.setdefault(repr(given[action].limits), []).append(action)
    for actions in sorted(groups.values()):
        limits = given[actions[0]].limits
        for word, meant in _words(actions, given, key):
            for limit in limits or (None,):
                yield Permission(word, meant, NOWHERE, limit)


def _words(
    actions: Sequence[str], given: Mapping[str, Suggested], key: Key
) -> Iterator[tuple[str, frozenset[str]]]:
    """Capabilities where they are whole, `use` where all kinds of use are, and single actions."""
    # No policy gives RetireGrant: it is part of a capability only where a grant gives it.
    possible = {*actions_of(key)} - ({_BY_GRANT_ALONE} - {*given})
    left = set(actions)
    for word in ("use", *CAPABILITIES):
        meant = expand_capability(word)
        members = meant & possible
        if members and members <= left:
            yield word, meant
            left -= members
    for action in sorted(left):
        yield action, frozenset({action})
