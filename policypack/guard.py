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
the end are also the ids of keys (inputs do not hold them, so a document that names a key by its
real ARN cannot be tied to the key), and with them aliases of keys, what a team requires, and who
can still manage a key: findings that hang on these, and everything undecided, are left to the
stack policy. That one sees it all once more after the update and fails it, when the resources
exist already. The documents themselves are always known in an update.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pulumi_policy import ResourceValidationArgs, StackValidationArgs

from kms_access.inventory.model import Inventory
from kms_access.rules import Rules
from kms_access.sources.pulumi import StackResource, is_relevant
from policypack import _evaluation as evaluation
from policypack._additions import errors_of_addition
from policypack.messages import Refusal, Report, report_all, safe
from policypack.peek import in_stack, registered
from policypack.rules_file import choose_rules_file

COLLECTING = "kms-access"
_RUN_VARIABLES = ("PULUMI_PROJECT", "PULUMI_STACK", "PULUMI_DRY_RUN")
_NOTE = (
    "  note   this update stops before the resource is created or changed; if a Deny takes the "
    "access away, let this resource depend on the one with the Deny"
)


class Guard:
    """State and callbacks of one pack process, which serves one operation of the engine."""

    def __init__(self) -> None:
        self._is_collecting = False
        self._collected: dict[str, StackResource] = {}
        self._configured: str | None = None
        self._rules: Rules | None = None
        self._registered = Inventory()
        self._reported: set[str] = set()
        self._judged: tuple[list[StackResource], evaluation.Judgement] | None = None
        self._errors_are_told = False

    def see_resource(self, args: ResourceValidationArgs, report: Report) -> None:
        """Collect a resource; in an update, stop it if it completes a forbidden access."""
        self._is_collecting = True
        self._configured = args.get_config().get("rules")
        if not is_relevant(args.resource_type):
            return
        resource = registered(args)
        self._collected[resource.urn] = resource
        if not is_update():
            return
        rules = self._rules_in_force()
        before = self._registered
        self._registered = evaluation.registered_so_far(list(self._collected.values()), rules)
        errors = errors_of_addition(before, self._registered, rules)
        new = [finding for finding in errors if finding.fingerprint not in self._reported]
        self._reported.update(finding.fingerprint for finding in new)
        report_all(report, [(f"{evaluation.describe(f)}\n{_NOTE}", "") for f in new])

    def see_stack(self, args: StackValidationArgs, report: Report) -> None:
        """Report every error of the stack."""
        self._errors_are_told = True
        judgement = self._judge(args)
        errors = judgement.errors
        report_all(report, [(evaluation.describe(f), evaluation.urn_of(f)) for f in errors])
        if judgement.summary:
            # The engine shows what a pack prints as information.
            print(safe(judgement.summary), flush=True)

    def warn(self, args: StackValidationArgs, report: Report) -> None:
        """Report every warning of the stack."""
        try:
            judgement = self._judge(args)
        except Exception:
            if self._errors_are_told:
                # The same failure has been reported, at the level that blocks.
                return
            raise
        warnings = judgement.warnings
        report_all(report, [(evaluation.describe(f), evaluation.urn_of(f)) for f in warnings])

    def _judge(self, args: StackValidationArgs) -> evaluation.Judgement:
        _refuse_misplaced_configuration(args)
        if not self._is_collecting:
            # Every run begins with the stack itself, which is seen like any other resource.
            raise Refusal(
                f'nothing can be decided while the policy "{COLLECTING}" is disabled, because it '
                "collects what the resources ask for"
            )
        resources = [
            in_stack(resource, self._inputs(resource.urn))
            for resource in args.resources
            if is_relevant(resource.resource_type)
        ]
        if self._judged is None or self._judged[0] != resources:
            rules = self._rules_in_force()
            judgement = evaluation.judge_stack(resources, rules, preview=is_preview())
            self._judged = (resources, judgement)
        return self._judged[1]

    def _inputs(self, urn: str) -> Mapping[str, object]:
        # What `--target` keeps although the program dropped it never registers: outputs say it all.
        return self._collected[urn].inputs if urn in self._collected else {}

    def _rules_in_force(self) -> Rules:
        if self._rules is None:
            self._rules = evaluation.read_rules(choose_rules_file(self._configured))
        return self._rules


def _refuse_misplaced_configuration(args: StackValidationArgs) -> None:
    if "rules" in args.get_config():
        raise Refusal(
            f'the property "rules" belongs to the policy "{COLLECTING}", which reads it before '
            "the stack is complete; it has no effect here"
        )


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
