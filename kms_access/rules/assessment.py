"""An inventory under a rules file -> findings, and the exit code that they mean (design 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Truth
from kms_access.rules.checks import CHECKS
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level, Rules
from kms_access.rules.situation import Situation

_UNDECIDED = "undecided"
_WITH_DEFAULTS = "with the default values of the template's parameters"

PROVEN, VIOLATED, USAGE, UNDECIDED, INTERNAL = 0, 1, 2, 3, 4
"""The exit codes; when several apply, the first of 4, 2, 1, 3."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result of all checks: findings sorted, errors first; `silenced` were switched off.

    `keys_without_rule` are labels of keys that no rule of the file is for; `not_covered` what
    was not evaluated and cannot touch a key.
    """

    access_map: AccessMap
    rules: Rules
    findings: tuple[Finding, ...]
    silenced: int
    keys_without_rule: tuple[str, ...]
    not_covered: tuple[NotCovered, ...]

    @property
    def exit_code(self) -> int:
        """0 proven, 1 violated, 3 undecided; warnings do not count."""
        errors = {finding.check for finding in self.findings if finding.level is Level.ERROR}
        if errors - {_UNDECIDED}:
            return VIOLATED
        return UNDECIDED if errors else PROVEN

    @property
    def blocks(self) -> bool:
        """Whether the deployment must not go on."""
        return self.exit_code != PROVEN


def assess(inventory: Inventory, rules: Rules) -> Assessment:
    """Run every check over an inventory. Pure; the order of the inventory does not matter."""
    organization = Organization(rules.organization, frozenset(rules.accounts.values()))
    facts = access_map(inventory, organization)
    situation = Situation(facts, rules, organization)
    found = _findings(situation)
    if inventory.with_defaults is not None:
        found += _by_default(inventory.with_defaults, situation, found)
    findings = dict.fromkeys(finding for finding in found if finding.level is not Level.OFF)
    unruled = tuple(
        key.label
        for key in facts.keys
        if not any(m.answer.truth is Truth.TRUE for m in situation.rules_for(key))
    )
    notes = tuple(sorted(i for i in inventory.not_covered if not i.may_change_key_access))
    return Assessment(
        facts,
        rules,
        tuple(sorted(findings, key=lambda finding: finding.order)),
        sum(finding.level is Level.OFF for finding in found),
        unruled,
        notes,
    )


def _findings(situation: Situation) -> list[Finding]:
    rules = situation.rules
    return [
        finding
        for check in CHECKS.values()
        for finding in check.find(situation, rules.checks.get(check.id, check.level))
    ]


def _by_default(inventory: Inventory, situation: Situation, known: list[Finding]) -> list[Finding]:
    """What is wrong if nobody supplies the parameters: a default may convict, never acquit."""
    organization = situation.organization
    facts = access_map(inventory, organization)
    told = {finding.fingerprint for finding in known}
    return [
        replace(finding, details=(*finding.details, _WITH_DEFAULTS))
        for finding in _findings(Situation(facts, situation.rules, organization))
        if finding.check != _UNDECIDED and finding.fingerprint not in told
    ]
