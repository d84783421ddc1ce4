"""What the checks look at: the access map, the rules, and who and what the rules mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kms_access.decisions.access_map import Access, AccessMap, Evaluator
from kms_access.decisions.static_facts import Organization
from kms_access.decisions.subjects import Subject
from kms_access.inventory.model import Key
from kms_access.policies.answers import NO, Answer, Truth
from kms_access.rules.matching import Accounts, belongs_to, deployers_among, key_matches
from kms_access.rules.model import KeyRule, Permission, Rules


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A key rule with whether it is for a key: true, or unknown while the key's name is open."""

    rule: KeyRule
    answer: Answer


@dataclass(frozen=True)
class Situation:
    """One inventory under one rules file."""

    access_map: AccessMap
    rules: Rules
    organization: Organization

    @cached_property
    def evaluator(self) -> Evaluator:
        """For questions beyond the map."""
        return Evaluator(self.access_map.inventory, self.organization)

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
    def _accounts(self) -> Accounts:
        return Accounts(
            frozenset(self.rules.accounts.values()),
            frozenset(key.account for key in self.access_map.keys),
        )

    @cached_property
    def _members(self) -> dict[tuple[str, str], Answer]:
        return {
            (subject.identity, team.name): belongs_to(subject, team, self._accounts)
            for subject in self.access_map.subjects
            for team in self.rules.teams.values()
        }

    def member(self, subject: Subject, team: str) -> Answer:
        """Whether the subject belongs to the team."""
        return self._members.get((subject.identity, team), NO)

    def is_deployer(self, subject: Subject, key: Key) -> bool:
        """Whether the subject is who creates the key: configured, or named by the definitions."""
        configured = deployers_among(self.rules.deployers, subject, self._accounts)
        return configured.truth is Truth.TRUE or subject.arn in key.deployers

    def may_deploy(self, subject: Subject) -> bool:
        """Whether it is open if the subject is one of the configured deployers."""
        configured = deployers_among(self.rules.deployers, subject, self._accounts)
        return configured.truth is Truth.UNKNOWN

    def permission_for(self, access: Access) -> Answer:
        """Whether a rule for the key allows this access to a team of the subject."""
        answer = NO
        for matched in self.rules_for(access.key):
            for team, permissions in matched.rule.allow.items():
                if allows(permissions, access.action):
                    answer = answer | (matched.answer & self.member(access.subject, team))
        return answer


def allows(permissions: tuple[Permission, ...], action: str) -> bool:
    """Whether a list of permissions holds an action."""
    return any(action in permission.actions for permission in permissions)
