"""Managed policies by their ARN: of the deployment, of AWS, and those that lie outside."""

from __future__ import annotations

from dataclasses import replace

from kms_access.inventory.managed_policies import managed_policy
from kms_access.inventory.model import ManagedPolicy, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason
from kms_access.policies.grammar import IDENTITY_POLICY, PERMISSIONS_BOUNDARY, PolicyGrammar
from kms_access.policies.text import Text, Value
from kms_access.sources.cloudformation.deployment import Deployment, Resource
from kms_access.sources.cloudformation.physical import MANAGED_POLICY, iam_arn_of, name_of
from kms_access.sources.cloudformation.policy_reading import (
    outside_policy,
    read_policy,
    unknown_policy,
)


class ManagedPolicies:
    """Looks managed policies up by ARN."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._by_arn: dict[Value, Resource] = {}
        self._read: dict[tuple[Resource, str], Policy] = {}
        for resource in deployment.of_kind(MANAGED_POLICY):
            arn = iam_arn_of(deployment.resolver, resource.stack, resource.logical_id)
            self._by_arn.setdefault(arn, resource)

    def by_arn(self, arn: Value, grammar: PolicyGrammar, mention: Origin) -> Policy:
        """The policy with that ARN, of the deployment or of AWS; any other applies, too, with
        unknown content.

        `mention` is the place that names the ARN (K65).
        """
        resource = self._by_arn.get(arn)
        if resource is not None:
            return self.of_resource(resource, grammar)
        document = managed_policy(arn, grammar)
        if document is None:
            what = f"the content of managed policy {arn}"
            is_outside = not isinstance(arn, Text) or len(arn.parts) > 1
            missing = outside_policy if is_outside else unknown_policy
            document = missing(grammar, what)
        return Policy(f"{_kind(grammar)} {arn}", document, mention)

    def of_resource(self, resource: Resource, grammar: PolicyGrammar) -> Policy:
        """The policy that a resource of the deployment defines."""
        key = (resource, grammar.title)
        if key not in self._read:
            name = name_of(self._deployment.resolver, resource.stack, resource.logical_id)
            shown = name if isinstance(name, str) else resource.origin.label
            label = f"{_kind(grammar)} {shown}"
            self._read[key] = _policy(self._deployment, resource, grammar, label)
        return self._read[key]

    def all(self) -> tuple[ManagedPolicy, ...]:
        """Every managed policy of the deployment, attached or not."""
        return tuple(
            ManagedPolicy(arn, self.of_resource(resource, IDENTITY_POLICY))
            for arn, resource in self._by_arn.items()
        )

    def boundary(self, arn: Value, mention: Origin, uncertain: Reason | None) -> Policy:
        """The boundary with that ARN. One that may not be there caps or does not cap: open."""
        policy = self.by_arn(arn, PERMISSIONS_BOUNDARY, mention)
        if uncertain is None:
            return policy
        return replace(policy, document=unknown_policy(PERMISSIONS_BOUNDARY, uncertain.text))


def _kind(grammar: PolicyGrammar) -> str:
    return "managed policy" if grammar is IDENTITY_POLICY else grammar.title


def _policy(
    deployment: Deployment, resource: Resource, grammar: PolicyGrammar, label: str
) -> Policy:
    read = None
    if resource.properties is not None:
        read = read_policy(
            deployment.resolver,
            resource.stack,
            resource.logical_id,
            resource.node("PolicyDocument"),
            grammar,
            uncertain=resource.uncertain,
        )
    if read is None:
        identity = resource.stack.identity_of(resource.logical_id)
        document = unknown_policy(grammar, f"the PolicyDocument of {identity}")
        return Policy(label, document, resource.origin)
    return Policy(label, read.document, resource.origin, read.places)
