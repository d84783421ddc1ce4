"""One run of the pack: what was collected, and what is said about it.

What stops a deployment, and when. A preview is judged once, at its end, on everything: this is the
place that decides, and an undecided finding stops it like any other error. In an update (`pulumi
up` after its preview, or with `--skip-preview`) the stack policy comes too late, so each resource
is judged before it is created or changed, on the inputs that have registered so far; it is stopped
if it completes a forbidden access, that is, if it brings a finding that was not there before.
Access only grows with more resources, with one exception: a Deny or a key policy of its own that
registers later takes some away. On a first deployment the access until then is real, so a Deny does
not count before it registers, not even one that an earlier update has made: let the resource that
allows depend on the one that denies. A key without a
policy counts as open until the end, because its policy may follow as a resource. Not known before
the end are also the ids of keys, because inputs do not hold them. A separate key policy is tied to
the only key that has none; a grant to the key that an alias of the stack names, so take `key_id`
from the alias; a document that names a key by its real ARN cannot be tied to it. Findings that hang
on other ids, what a team requires, who can still manage a key, and everything undecided, are left
to the stack policy. That one sees it all once more after the update and fails it, when the
resources exist already. The documents themselves are always known in an update.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from pulumi_policy import ResourceValidationArgs, StackValidationArgs

from kms_access.inventory.model import Inventory
from kms_access.rules import Finding, Rules
from kms_access.sources.pulumi import StackResource, is_relevant
from policypack import _evaluation as evaluation
from policypack._additions import errors_of_addition
from policypack.hidden_values import hidden_values, without
from policypack.messages import Refusal, Report, report_all, shortened
from policypack.peek import in_stack, properties_of, registered
from policypack.rules_file import choose_rules_file
from policypack.settings import CONFIGURED, read_settings, refuse_misplaced

STACK = "kms-access-stack"
WARNINGS = "kms-access-warnings"
_RUN_VARIABLES = ("PULUMI_PROJECT", "PULUMI_STACK", "PULUMI_DRY_RUN")
_SUMMARY_LINES = 40
_NOTE = (
    "  note   this update stops before the resource is created or changed; if a Deny takes the "
    "access away, let this resource depend on the one with the Deny"
)


class Guard:
    """State and callbacks of one pack process, which serves one operation of the engine."""

    def __init__(self) -> None:
        self._is_collecting = False
        self._collected: dict[str, StackResource] = {}
        self._configuration: Mapping[str, object] = {}
        self._rules: Rules | None = None
        self._levels_in_words: list[str] = []
        self._registered = Inventory()
        self._reported: set[str] = set()
        self._warnings: list[tuple[str, str]] | None = None

    def see_resource(self, args: ResourceValidationArgs, report: Report) -> None:
        """Collect a resource; in an update, stop it if it completes a forbidden access."""
        self._is_collecting = True
        self._configuration = args.get_config()
        if not is_relevant(args.resource_type):
            return
        resource = registered(args)
        self._collected[resource.urn] = resource
        if not is_update():
            return
        rules = self._rules_in_force()
        before = self._registered
        resources = list(self._collected.values())
        self._registered = evaluation.registered_so_far(resources, rules)
        errors = errors_of_addition(before, self._registered, rules)
        new = [finding for finding in errors if finding.fingerprint not in self._reported]
        self._reported.update(finding.fingerprint for finding in new)
        report_all(report, [(f"{text}\n{_NOTE}", "") for text, _ in _texts(new, resources)])

    def see_stack(self, args: StackValidationArgs, report: Report) -> None:
        """Report every error of the stack, and make the texts of the warnings.

        Both at this level: a failure while a warning is written must block as well.
        """
        # Until they are known there are none: a failure is told once, here.
        self._warnings = []
        refuse_misplaced(args.get_config(), STACK)
        resources, judgement = self._judge(args)
        texts = _texts([*judgement.errors, *judgement.warnings], resources)
        errors = len(judgement.errors)
        self._warnings = texts[errors:]
        report_all(report, texts[:errors])
        self._print(judgement)

    def warn(self, args: StackValidationArgs, report: Report) -> None:
        """Report every warning of the stack."""
        refuse_misplaced(args.get_config(), WARNINGS)
        if self._warnings is not None:
            report_all(report, self._warnings)
            return
        resources, judgement = self._judge(args)
        if judgement.errors:
            count = len(judgement.errors)
            are_off = (
                "error is not shown and blocks"
                if count == 1
                else ("errors are not shown and block")
            )
            report(f'{count} {are_off} nothing, because the policy "{STACK}" is disabled')
        report_all(report, _texts(judgement.warnings, resources))
        self._print(judgement)

    def begin(self) -> None:
        """Forget the warnings of an earlier round."""
        self._warnings = None

    @property
    def has_warned(self) -> bool:
        """Whether this round is known to have nothing to warn about."""
        return self._warnings == []

    def properties(
        self, args: ResourceValidationArgs | StackValidationArgs
    ) -> Iterator[Mapping[str, object]]:
        """All properties that were seen so far and are seen now."""
        yield from properties_of(args)
        for resource in self._collected.values():
            yield resource.inputs

    def _judge(self, args: StackValidationArgs) -> tuple[list[StackResource], evaluation.Judgement]:
        if not self._is_collecting:
            # Every run begins with the stack itself, which is seen like any other resource.
            raise Refusal(
                f'nothing can be decided while the policy "{CONFIGURED}" is disabled, because it '
                "collects what the resources ask for"
            )
        resources = [
            in_stack(resource, self._inputs(resource.urn))
            for resource in args.resources
            if is_relevant(resource.resource_type)
        ]
        rules = self._rules_in_force()
        return resources, evaluation.judge_stack(resources, rules, preview=is_preview())

    def _inputs(self, urn: str) -> Mapping[str, object]:
        # What `--target` keeps although the program dropped it never registers: outputs say it all.
        return self._collected[urn].inputs if urn in self._collected else {}

    def _rules_in_force(self) -> Rules:
        if self._rules is None:
            settings = read_settings(self._configuration)
            of_file = evaluation.read_rules(choose_rules_file(settings.rules))
            self._levels_in_words = settings.levels_in_words(of_file)
            self._rules = settings.over(of_file)
        return self._rules

    def _print(self, judgement: evaluation.Judgement) -> None:
        if judgement.is_about_something:
            lines = shortened([*judgement.summary, *self._levels_in_words], _SUMMARY_LINES)
            # The engine shows what a pack prints as information.
            print("\n".join(lines), flush=True)


def _texts(
    findings: Sequence[Finding], resources: Sequence[StackResource]
) -> list[tuple[str, str]]:
    """Findings in words, each with the URN that it is shown at."""
    hidden = hidden_values(resources) if findings else ()
    return [(without(hidden, evaluation.describe(f)), evaluation.urn_of(f)) for f in findings]


def is_preview() -> bool:
    """Whether the operation creates nothing."""
    return _is_run() and os.environ["PULUMI_DRY_RUN"] == "true"


def is_update() -> bool:
    """Whether resources are about to be created."""
    return _is_run() and not is_preview()


def _is_run() -> bool:
    """Whether this is a preview or an update; `pulumi policy analyze` only looks at a state.

    That command does not tell the pack of a run, so that the variables of one are missing.
    """
    return all(name in os.environ for name in _RUN_VARIABLES)
