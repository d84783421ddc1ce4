"""Findings that a rules file accepts for a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.actions import expand_capability, find_action
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.policies.principals import ACCOUNT_ID
from kms_access.rules.findings import Finding
from kms_access.rules.matching import names_subject, places_of
from kms_access.rules.model import PrincipalPattern, Waiver
from kms_access.rules.patterns import PRINCIPAL
from kms_access.rules.situation import Situation
from kms_access.rules.waiver_days import ends_too_late, has_expired

__all__ = ["Waived", "Waiver", "Waivers"]

_PRINCIPAL = re.compile(PRINCIPAL, re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that does not count, and the waiver that accepts it."""

    finding: Finding
    waiver: Waiver


@dataclass(frozen=True)
class Waivers:
    """The waivers of a rules file that hold today, and what they accept."""

    situation: Situation

    @cached_property
    def holding(self) -> tuple[Waiver, ...]:
        """Those that have not expired and that do not end too late."""
        rules, today = self.situation.rules, self.situation.today
        return tuple(
            waiver
            for waiver in rules.waivers
            if not has_expired(waiver, today) and not ends_too_late(waiver, rules, today)
        )

    def waived(self, findings: Iterable[Finding]) -> Iterator[Waived]:
        """The findings that a waiver accepts, each with the first one that does."""
        for finding in findings:
            waiver = next((w for w in self.holding if self.accepts(w, finding)), None)
            if waiver is not None:
                yield Waived(finding, waiver)

    def accepts(self, waiver: Waiver, finding: Finding) -> bool:
        """Whether the waiver names exactly this access fact."""
        if waiver.check != finding.check or not self.names_key(waiver, finding):
            return False
        if waiver.fingerprint:
            if waiver.fingerprint != finding.fingerprint:
                return False
        elif finding.fact and not finding.principal:
            # Several findings of a check about one key differ in nothing else.
            return False
        return self._names_principal(waiver, finding) and _covers(waiver, finding)

    def names_key(self, waiver: Waiver, finding: Finding) -> bool:
        """Whether the waiver is for the key, or the definition, that a finding is about."""
        if finding.key_origin is None:
            return waiver.key == finding.key
        origin = finding.key_origin
        names: list[object] = [*places_of(origin), origin.identity.rpartition("/")[2]]
        key = self._keys.get(origin.identity)
        if key is not None:
            names += [*key.aliases, key.arn]
            if isinstance(key.arn, str):
                names.append(key.arn.rpartition("/")[2])
        return waiver.key in [name for name in names if isinstance(name, str)]

    @cached_property
    def _situations(self) -> tuple[Situation, ...]:
        by_default = self.situation.by_default
        return (self.situation,) if by_default is None else (by_default, self.situation)

    @cached_property
    def _keys(self) -> dict[str, Key]:
        return {k.origin.identity: k for s in self._situations for k in s.access_map.keys}

    @cached_property
    def _subjects(self) -> dict[str, Subject]:
        return {
            subject.identity: subject
            for situation in self._situations
            for subject in (*situation.reach.subjects, *situation.access_map.subjects)
        }

    def _names_principal(self, waiver: Waiver, finding: Finding) -> bool:
        name = waiver.principal
        if not name or not finding.principal:
            return name == finding.principal
        origin = finding.principal_origin
        if name == finding.principal or (origin is not None and name in places_of(origin)):
            return True
        subject = self._subjects.get(finding.principal_identity)
        if subject is None or not _PRINCIPAL.fullmatch(name):
            return False
        if ACCOUNT_ID.fullmatch(name):
            # The account as such: its identities have names of their own.
            return subject.kind is SubjectKind.ACCOUNT and subject.account == name
        pattern = PrincipalPattern(name, waiver.place)
        return names_subject(pattern, subject, self.situation.accounts).truth is Truth.TRUE


def _covers(waiver: Waiver, finding: Finding) -> bool:
    """Whether all that a finding is about is waived; where it is about no access, nothing is."""
    wanted = set(finding.actions) or _actions_of(finding.capability)
    return wanted <= waiver.actions and bool(wanted) == bool(waiver.actions)


def _actions_of(word: str) -> set[str]:
    if not word:
        return set()
    info = find_action(word)
    return {info.name} if info is not None else set(expand_capability(word))
