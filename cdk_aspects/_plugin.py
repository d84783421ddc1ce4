"""The validation plugin: judges what the app wrote, and makes sure that a no is heard."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import aws_cdk as cdk
import jsii

from cdk_aspects import _assembly, _exit
from cdk_aspects._verdict import Verdict, own_failure, summarized, with_notes

NAME = "kms-access"
LOOKUPS_TO_COME = "kms-access: context lookups are missing, access is decided once they are known"
LOOKUP_FAILED = "kms-access: a context lookup failed: {}"


@jsii.implements(cdk.IPolicyValidationPlugin)
class KmsAccessPlugin:
    """A validation plugin for `cdk.Validations.of(app).add_plugins(...)`.

    `rules` is the path of the rules file, resolved against the working directory at this moment;
    without it the built-in checks run alone. `exit_process=False` leaves the exit code to the
    framework, for a program that synthesizes apps on the side; the command line then passes
    findings with `--ignore-errors`, and `cdk ls` never fails.
    """

    def __init__(
        self, rules: str | os.PathLike[str] | None = None, *, exit_process: bool = True
    ) -> None:
        self._rules = None if rules is None else Path(rules)
        self._rules_directory = Path.cwd()
        self._exit_process = exit_process
        self._synthesis: tuple[object, Path, int] | None = None
        self._environments: set[tuple[object, ...]] = set()
        if exit_process:
            _exit.watch()

    # jsii sees properties of the class only, neither class nor instance attributes.
    @property
    def name(self) -> str:
        """The plugin's name in reports."""
        return NAME

    @property
    def version(self) -> str | None:
        """The version of the distribution, where it is installed as one."""
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(NAME)
        return None

    @property
    def rule_ids(self) -> list[str] | None:
        """Not given: the checks are those of the evaluator."""
        return None

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Called by the library when the whole assembly is written.

        Never raises: the command line would end with exit code 0 (reference cdk-synthesis, 5).
        """
        _exit.note_evaluation()
        try:
            verdict = self._judge(context)
        except BaseException as error:
            verdict = own_failure(error)
        return self.report(verdict)

    def report(self, verdict: Verdict) -> cdk.PolicyValidationPluginReport:
        """Print a verdict, have the process end with its code, and hand it to the library."""
        printed = self._speak(verdict)
        # Without the command line the library prints each violation as well.
        once = printed and not _exit.run_by_cdk()
        violations = summarized(verdict) if once else verdict.violations
        return cdk.PolicyValidationPluginReport(
            success=verdict.exit_code == 0,
            # Fatal cannot be acknowledged by the app, and a violation of the construct path ""
            # belongs to every selection of stacks.
            violations=[
                cdk.PolicyViolation(
                    rule_name=violation.check,
                    description=violation.text,
                    severity="fatal",
                    rule_metadata={"report": verdict.text} if once else None,
                    violating_resources=[
                        cdk.PolicyViolatingResource(construct_path="", locations=[])
                    ],
                )
                for violation in violations
            ],
        )

    def _judge(self, context: cdk.IPolicyValidationContext) -> Verdict:
        assembly = _assembly.locate(context)
        if self._judged_already(context, assembly):
            return Verdict()
        # In the first of its passes the command line must be able to go on to the lookups.
        lookups = _assembly.lookups(context, assembly)
        if _exit.run_by_cdk() and lookups.to_come:
            verdict = Verdict(text=LOOKUPS_TO_COME)
        else:
            # Not imported above: it is the most of our start, see `_early_import`.
            from cdk_aspects import _evaluation

            verdict = _evaluation.evaluate(assembly, self._rules_file())
            verdict = with_notes(verdict, map(LOOKUP_FAILED.format, lookups.failures))
        if verdict.exit_code and not verdict.violations:
            raise AssertionError(f"exit code {verdict.exit_code} without a violation")
        if self._exit_process and not verdict.exit_code:
            _exit.note_judged(assembly)
        return verdict

    def _rules_file(self) -> Path | None:
        """The rules file as the user named it, which is how messages show it, where that holds."""
        if self._rules is None or self._rules_directory == Path.cwd():
            return self._rules
        return self._rules_directory / self._rules

    def _judged_already(self, context: cdk.IPolicyValidationContext, assembly: Path) -> bool:
        """Whether this is a further call for the same synthesis.

        Library versions up to 2.268 call once per environment, while every call judges all files.
        """
        written = (assembly / _assembly.MANIFEST).stat().st_mtime_ns
        synthesis = (context.app_construct, assembly, written)
        environment = (context.account_id, context.region, *context.template_paths)
        if synthesis == self._synthesis and environment not in self._environments:
            self._environments.add(environment)
            return True
        self._synthesis, self._environments = synthesis, {environment}
        return False

    def _speak(self, verdict: Verdict) -> bool:
        """Print the report and have the process end with its code, unless others see to both.

        Whether the report was printed.
        """
        leave_to_framework = _exit.run_by_pytest() or not self._exit_process
        if verdict.exit_code and leave_to_framework:
            return False
        if verdict.exit_code:
            _exit.end_with(verdict.exit_code)
        if not verdict.text:
            return False
        # A closed stream must not turn a finding into a failure of the plugin.
        try:
            print(verdict.text, file=sys.stderr, flush=True)
        except Exception:
            return False
        return True
