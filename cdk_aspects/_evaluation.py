"""The only place where the CDK side calls the evaluator."""

from __future__ import annotations

from pathlib import Path

from cdk_aspects._verdict import Verdict, Violation, blocked
from kms_access.reports.text import render, render_finding
from kms_access.rules import Level, Rules, RulesError, assess, load_rules
from kms_access.rules.assessment import USAGE
from kms_access.sources import cloudformation
from kms_access.sources.interface import SourceError


def evaluate(assembly: Path, rules: Path | None) -> Verdict:
    """Judge the templates of the assembly whose root directory is given by the rules file.

    Without rules only the built-in checks speak. A rules file or an assembly that cannot be read is
    a verdict that blocks; other errors are raised.
    """
    try:
        access_rules = Rules() if rules is None else load_rules(rules)
    except RulesError as error:
        return blocked("access-rules", USAGE, str(error), help=error.help)
    try:
        inventory = cloudformation.load(
            [assembly],
            account=access_rules.only_account,
            known_parameters=access_rules.parameters,
        )
    except SourceError as error:
        return blocked("assembly", USAGE, str(error), help=error.help)
    try:
        assessment = assess(inventory, access_rules)
    except RulesError as error:
        return blocked("access-rules", USAGE, str(error), help=error.help)
    text = render(assessment).rstrip() if assessment.findings else ""
    if not assessment.blocks:
        return Verdict(text=text)
    violations = tuple(
        Violation(finding.check, render_finding(finding))
        for finding in assessment.findings
        if finding.level is Level.ERROR
    )
    return Verdict(assessment.exit_code, text, violations)
