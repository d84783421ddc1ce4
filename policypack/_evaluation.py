"""The only place where the pack calls the evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kms_access.inventory.model import Inventory
from kms_access.reports.text import render_finding, render_tally
from kms_access.rules import Assessment, Finding, Level, Rules, RulesError, assess, load_rules
from kms_access.sources.interface import SourceError
from kms_access.sources.pulumi import StackResource, read_stack
from policypack.messages import Refusal
from policypack.rules_file import RulesFile


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the evaluator says about a whole stack."""

    assessment: Assessment

    @property
    def errors(self) -> list[Finding]:
        """The findings that block, the undecided ones among them."""
        return _of_level(self.assessment.findings, Level.ERROR)

    @property
    def warnings(self) -> list[Finding]:
        """The findings that the rules file only warns about."""
        return _of_level(self.assessment.findings, Level.WARNING)

    @property
    def is_about_something(self) -> bool:
        """Whether there is anything to say about the stack."""
        facts = self.assessment.access_map
        return bool(facts.keys or facts.inventory.not_covered or self.assessment.silenced)

    @property
    def summary(self) -> list[str]:
        """How much was judged and what is off, in lines."""
        # The tally puts all that is off down to the rules file.
        lines = render_tally(replace(self.assessment, silenced=0)).splitlines()
        silenced = self.assessment.silenced
        if silenced:
            is_off = "finding is off" if silenced == 1 else "findings are off"
            lines.append(f"{silenced} {is_off}, because a check is off")
        return lines


def read_rules(file: RulesFile | None) -> Rules:
    """The rules of the file, or the built-in checks alone. Raises `Refusal` for a bad file."""
    if file is None:
        return Rules()
    try:
        with file.opened() as path:
            return load_rules(path)
    except RulesError as error:
        raise _refusal(error) from None


def _refusal(error: RulesError) -> Refusal:
    help_ = f"\n  {error.help}" if error.help else ""
    return Refusal(f"the rules file cannot be used, so nothing was decided\n  {error}{help_}")


def judge_stack(resources: Sequence[StackResource], rules: Rules, *, preview: bool) -> Judgement:
    """Judge a stack that is known as a whole. Raises `Refusal` for resources of no stack, and for
    rules that contradict each other."""
    return Judgement(_assessed(_read(resources, rules, preview=preview, partial=False), rules))


def registered_so_far(resources: Sequence[StackResource], rules: Rules) -> Inventory:
    """What the inputs of an update say so far. Raises `Refusal` for resources of no stack."""
    return _read(resources, rules, preview=False, partial=True)


def errors_of(inventory: Inventory, rules: Rules) -> list[Finding]:
    """The findings of an inventory that block."""
    return _of_level(_assessed(inventory, rules).findings, Level.ERROR)


def _assessed(inventory: Inventory, rules: Rules) -> Assessment:
    try:
        return assess(inventory, rules)
    except RulesError as error:
        raise _refusal(error) from None


def describe(finding: Finding) -> str:
    """One finding in full."""
    return render_finding(finding)


def urn_of(finding: Finding) -> str:
    """The resource that a finding is shown at: its key, else its principal."""
    for origin in (finding.key_origin, finding.principal_origin):
        if origin is not None and origin.identity.startswith("urn:pulumi:"):
            return origin.identity
    return ""


def _of_level(findings: Sequence[Finding], level: Level) -> list[Finding]:
    return [finding for finding in findings if finding.level is level]


def _read(
    resources: Sequence[StackResource], rules: Rules, *, preview: bool, partial: bool
) -> Inventory:
    try:
        return read_stack(resources, account=rules.only_account, preview=preview, partial=partial)
    except SourceError as error:
        raise Refusal(str(error)) from None
