"""A principal can do something with a key that no rule allows to its team."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kms_access.decisions.evaluator import Access
from kms_access.decisions.subjects import SubjectKind
from kms_access.policies.answers import Truth
from kms_access.rules.checks.access_facts import (
    WORDS,
    AccessFact,
    facts_of,
    finding_of,
)
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import change, joined, removal
from kms_access.rules.claims import claim, name_of
from kms_access.rules.findings import Finding
from kms_access.rules.holdings import PUT_KEY_POLICY, counts_as_access, grouped
from kms_access.rules.limits import words_of
from kms_access.rules.model import KeyRule, Level
from kms_access.rules.permissions import Permissions, allows
from kms_access.rules.situation import Situation

_ID = "team-access"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    rules = {
        key.origin.identity: [
            m.rule for m in situation.rules_for(key) if m.answer.truth is Truth.TRUE
        ]
        for key in situation.access_map.keys
    }
    for subject, key, accesses in grouped(situation.access_map):
        certain = rules[key.origin.identity]
        # Everyone is the business of the check public-access.
        if certain and subject.kind is not SubjectKind.EVERYONE:
            permissions = situation.permissions(subject, key)
            forbidden = [a for a in accesses if _is_forbidden(a, permissions, situation)]
            for fact in facts_of(forbidden):
                if all(permissions.limits(action) for action in fact.actions):
                    yield _beyond_limits(situation, fact, certain, permissions, level)
                else:
                    yield _finding(fact, certain, level)


def _is_forbidden(access: Access, permissions: Permissions, situation: Situation) -> bool:
    if not counts_as_access(access) or permissions.answer(access.action).truth is not Truth.FALSE:
        return False
    if access.action == PUT_KEY_POLICY and situation.is_deployer(access.subject, access.key):
        return False
    return not situation.is_public(access)


def _finding(fact: AccessFact, rules: list[KeyRule], level: Level) -> Finding:
    subject, key = fact.best.subject, fact.best.key
    rule = rules[0]
    teams = sorted(
        {
            team
            for rule in rules
            for team, permissions in rule.allow.items()
            if any(allows(permissions, action) for action in fact.actions)
        }
    )
    only = f"lets only {joined(teams)} do this" if teams else "lets no team do this"
    names = ", ".join(f"'{rule.name}'" for rule in rules)
    return finding_of(
        _ID,
        level,
        fact,
        claim(
            _ID,
            f"{{who}} can {WORDS[fact.capability]} key {{key}}",
            who=name_of(subject, key),
            key=key.label,
        ),
        f"{rule.place} {names} {only}",
        f"{removal(fact.actions, fact.accesses)}, or allow {fact.capability} to {subject.label} "
        "there",
        rule.place,
    )


def _beyond_limits(
    situation: Situation,
    fact: AccessFact,
    rules: list[KeyRule],
    permissions: Permissions,
    level: Level,
) -> Finding:
    """An access that the rules allow for some requests, and that is there for others too."""
    subject, key, action = fact.best.subject, fact.best.key, fact.best.action
    limits = permissions.limits(action)
    left = situation.limited.beyond(subject, key, action, limits)
    words = " or ".join(dict.fromkeys(map(words_of, limits)))
    of_limits = [
        (rule, permission)
        for rule in rules
        for listed in rule.allow.values()
        for permission in listed
        if permission.limit is not None and any(permission.limit is limit for limit in limits)
    ]
    rule, permission = of_limits[0]
    found = finding_of(
        _ID,
        level,
        fact,
        claim(
            _ID,
            f"{{who}} can {WORDS[fact.capability]} key {{key}} other than {{limit}}",
            f"{{who}} can {WORDS[fact.capability]} key {{key}} beyond the limit of the rule",
            f"{{who}} can {WORDS[fact.capability]} key {{key}} beyond its limit",
            f"{{who}} exceeds its {fact.capability} limit on key {{key}}",
            who=name_of(subject, key),
            key=key.label,
            limit=words,
        ),
        f"{permission.place} '{rule.name}' lets it do this only {words}",
        f"{change(f'let {{place}} give it only {words}', fact.accesses)}, or widen the limit there",
        permission.place,
    )
    return replace(found, example=f"{action} with {left.example}" if left.example else "")


CHECK = Check(_ID, "a principal has access that its team is not allowed", Level.ERROR, _find)
