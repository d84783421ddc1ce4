"""The SDK's arguments -> plain resources. Values are never read through the SDK's proxies.

A proxy raises for an unknown value, and the SDK turns that into an advice that lets the deployment
pass. `serialize_properties` unwraps a proxy as a whole, with the engine's markers in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import PolicyResource, ResourceValidationArgs, StackValidationArgs
from pulumi_policy.deserialize import serialize_properties

from kms_access.sources.pulumi import StackResource


def registered(args: ResourceValidationArgs) -> StackResource:
    """A resource that registers: its inputs, and no outputs or dependencies yet."""
    return StackResource(
        args.urn,
        args.resource_type,
        inputs=serialize_properties(args.props),
        provider=_provider(args.provider),
        provider_urn=args.provider.urn if args.provider else "",
    )


def in_stack(resource: PolicyResource, inputs: Mapping[str, object]) -> StackResource:
    """A resource of the stack: outputs and dependencies, with the inputs that were collected."""
    return StackResource(
        resource.urn,
        resource.resource_type,
        inputs=inputs,
        outputs=serialize_properties(resource.props),
        property_dependencies={
            key: [dependency.urn for dependency in dependencies]
            for key, dependencies in resource.property_dependencies.items()
        },
        provider=_provider(resource.provider),
        provider_urn=resource.provider.urn if resource.provider else "",
    )


def properties_of(
    args: ResourceValidationArgs | StackValidationArgs,
) -> Iterator[Mapping[str, object]]:
    """The properties of all the resources that the SDK hands over."""
    for resource in args.resources if isinstance(args, StackValidationArgs) else [args]:
        yield serialize_properties(resource.props)


def _provider(provider: Any) -> Mapping[str, object]:
    return serialize_properties(provider.props) if provider else {}
