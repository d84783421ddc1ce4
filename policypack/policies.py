"""The three policies of the pack, which share one `Guard`."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ResourceValidationPolicy,
    Severity,
    StackValidationPolicy,
)

from policypack.guard import STACK, WARNINGS, Guard
from policypack.messages import guarded
from policypack.settings import CONFIGURED, SCHEMA, SCHEMA_OF_OTHERS


class _PoliciesOfRound(list[Policy]):
    """The policies of a pack; without the warnings while it is known that there are none.

    The SDK gives a violation the level of its policy, so that errors and warnings need a stack
    policy each, and it decodes the whole stack anew for each one that it comes to. Most stacks
    have no warnings, and the second decoding costs as much as everything else that the SDK does.
    The SDK goes through this list once a call. Whoever copies the list (a pack of one's own) gets
    the same result, at the price of the second decoding.
    """

    def __init__(self, policies: list[Policy], guard: Guard) -> None:
        super().__init__(policies)
        self._guard = guard

    def __iter__(self) -> Iterator[Policy]:
        self._guard.begin()
        for policy in super().__iter__():
            if policy.name != WARNINGS or not self._guard.has_warned:
                yield policy


def policies() -> list[Policy]:
    """New policies for one run of a pack; their order matters, the warnings come last.

    `kms-access` sees every resource before it is created or changed. It collects the inputs, and
    stops an update at the resource that completes a forbidden access. It holds the configuration
    for all three.
    `kms-access-stack` sees the whole stack and reports the errors: this stops a preview.
    `kms-access-warnings` reports the findings whose level is "warning".

    A failure of the pack itself has the level of the policy that it happens in: it blocks, unless
    the configuration makes that policy "advisory" or "disabled".
    """
    guard = Guard()
    every: list[Policy] = [
        ResourceValidationPolicy(
            name=CONFIGURED,
            description="No resource may complete an access to a KMS key that the rules forbid.",
            validate=guarded(guard.see_resource, guard.properties),
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=SCHEMA,
            severity=Severity.HIGH,
        ),
        StackValidationPolicy(
            name=STACK,
            description="Access to KMS keys must be as the rules say.",
            validate=guarded(guard.see_stack, guard.properties),
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=SCHEMA_OF_OTHERS,
            severity=Severity.HIGH,
        ),
        StackValidationPolicy(
            name=WARNINGS,
            description="Access to KMS keys that is only warned about.",
            validate=guarded(guard.warn, guard.properties),
            enforcement_level=EnforcementLevel.ADVISORY,
            config_schema=SCHEMA_OF_OTHERS,
            severity=Severity.LOW,
        ),
    ]
    return _PoliciesOfRound(every, guard)
