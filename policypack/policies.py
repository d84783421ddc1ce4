"""The three policies of the pack, which share one `Guard`."""

from __future__ import annotations

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ResourceValidationPolicy,
    Severity,
    StackValidationPolicy,
)

from policypack.guard import COLLECTING, Guard
from policypack.messages import guarded

STACK = "kms-access-stack"
WARNINGS = "kms-access-warnings"

_RULES = {
    "type": "string",
    "description": (
        "Path of the rules file, relative to the folder of the Pulumi project. Empty: built-in "
        "checks only. Not set: KMS_ACCESS_RULES, else access-rules.yaml beside Pulumi.yaml."
    ),
}


def policies() -> list[Policy]:
    """New policies for one run of a pack; their order matters, the warnings come last.

    `kms-access` sees every resource before it is created or changed. It collects the inputs, and
    stops an update at the resource that completes a forbidden access. It holds the configuration
    for all three.
    `kms-access-stack` sees the whole stack and reports the errors: this stops a preview.
    `kms-access-warnings` reports the findings whose level is "warning" in the rules file.
    """
    guard = Guard()
    return [
        ResourceValidationPolicy(
            name=COLLECTING,
            description="No resource may complete an access to a KMS key that the rules forbid.",
            validate=guarded(guard.see_resource),
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=PolicyConfigSchema(properties={"rules": _RULES}),
            severity=Severity.HIGH,
        ),
        StackValidationPolicy(
            name=STACK,
            description="Access to KMS keys must be as the rules say.",
            validate=guarded(guard.see_stack),
            enforcement_level=EnforcementLevel.MANDATORY,
            severity=Severity.HIGH,
        ),
        StackValidationPolicy(
            name=WARNINGS,
            description="Access to KMS keys that the rules file only warns about.",
            validate=guarded(guard.warn),
            enforcement_level=EnforcementLevel.ADVISORY,
            severity=Severity.LOW,
        ),
    ]
