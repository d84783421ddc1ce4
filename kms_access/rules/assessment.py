"""An inventory under a rules file -> findings, and the exit code that they mean (design 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from kms_access.decisions.access_difference import Difference, difference
from kms_access.decisions.access_facts import AccessFacts
from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Truth
from kms_access.rules.checks import CHECKS, Check
from kms_access.rules.conflicts import refuse_conflicts
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level, Rules
from kms_access.rules.situation import Situation
from kms_access.rules.uncovered import leaves_open
from kms_access.rules.waivers import Waived, Waivers

_UNDECIDED = "undecided"
_WITH_DEFAULTS = "with the default values of the template's parameters"

PROVEN, VIOLATED, USAGE, UNDECIDED, INTERNAL = 0, 1, 2, 3, 4
"""The exit codes; when several apply, the first of 4, 2, 1, 3."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result of all checks: findings sorted, errors first; `silenced` were switched off.

    `keys_without_rule` are labels of keys that no rule of the file is for; `not_covered` what
    was not evaluated and leaves nothing open. `waived` are findings that a waiver accepts, `known`
    findings whose access a baseline holds.
    """

    access_map: AccessMap
    rules: Rules
    findings: tuple[Finding, ...]
    silenced: int
    keys_without_rule: tuple[str, ...]
    not_covered: tuple[NotCovered, ...]
    waived: tuple[Waived, ...] = ()
    known: tuple[Finding, ...] = ()
    difference: Difference | None = None
    """What differs from the baseline, if there is one."""

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


def assess(
    inventory: Inventory,
    rules: Rules,
    today: date | None = None,
    baseline: AccessFacts | None = None,
) -> Assessment:
    """Run every check over an inventory; the order of the inventory does not matter.

    `today` decides which waivers hold; without it, it is the day of the machine. With a `baseline`
    only access that it does not hold counts; what it holds is `known`. Raises
    `RulesError` where rules that match one key contradict each other.
    """
    organization = Organization(rules.organization, frozenset(rules.accounts.values()))
    facts = access_map(inventory, organization)
    day = today or date.today()
    by_default = None
    if inventory.with_defaults is not None:
        others = access_map(inventory.with_defaults, organization)
        by_default = Situation(others, rules, organization, day)
    situation = Situation(facts, rules, organization, day, by_default=by_default, saved=baseline)
    refuse_conflicts(situation)
    found = _findings(situation)
    if by_default is not None:
        found += _by_default(by_default, found)
    situation.judged.extend(found)
    found += _findings_about_findings(situation)
    told = list(dict.fromkeys(finding for finding in found if finding.level is not Level.OFF))
    known = [f for f in told if situation.baseline is not None and situation.baseline.holds(f)]
    told = [finding for finding in told if finding not in set(known)]
    waived = tuple(Waivers(situation).waived(told))
    excused = {item.finding for item in waived}
    findings = [finding for finding in told if finding not in excused]
    unruled = tuple(
        key.label
        for key in facts.keys
        if not any(m.answer.truth is Truth.TRUE for m in situation.rules_for(key))
    )
    notes = tuple(sorted(i for i in inventory.not_covered if not leaves_open(situation, i)))
    held = situation.baseline
    return Assessment(
        facts,
        rules,
        tuple(sorted(findings, key=lambda finding: finding.order)),
        sum(finding.level is Level.OFF for finding in found),
        unruled,
        notes,
        tuple(sorted(waived, key=lambda item: item.finding.order)),
        tuple(sorted(known, key=lambda finding: finding.order)),
        difference(held.saved, held.now) if held is not None else None,
    )


def _findings(situation: Situation) -> list[Finding]:
    return [
        finding
        for check in CHECKS.values()
        if not check.of_findings
        for finding in check.find(situation, _level(situation, check))
    ]


def _findings_about_findings(situation: Situation) -> list[Finding]:
    """Each of these checks sees what those before it have found."""
    before = len(situation.judged)
    for check in CHECKS.values():
        if check.of_findings:
            situation.judged.extend(list(check.find(situation, _level(situation, check))))
    return situation.judged[before:]


def _level(situation: Situation, check: Check) -> Level:
    return situation.rules.checks.get(check.id, check.level)


def _by_default(situation: Situation, known: list[Finding]) -> list[Finding]:
    """What is wrong if nobody supplies the parameters: a default may convict, never acquit."""
    told = {finding.fingerprint for finding in known}
    return [
        replace(finding, details=(*finding.details, _WITH_DEFAULTS))
        for finding in _findings(situation)
        if finding.check != _UNDECIDED and finding.fingerprint not in told
    ]
