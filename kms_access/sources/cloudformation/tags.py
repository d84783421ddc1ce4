"""Tags of resources: their own, and those that CloudFormation copies from the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_access.inventory.origin import NotCovered
from kms_access.policies.text import Text, Value
from kms_access.sources.cloudformation.deployment import Deployment, Resource
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import NO_VALUE, MaybeAbsent, as_value


def tags_of(
    deployment: Deployment, resource: Resource, not_covered: list[NotCovered]
) -> Mapping[str, Value]:
    """The tags of a resource; its own win over those of its stack (cdk-synthesis, section 9)."""
    tags, unclear = _stack_tags(deployment, resource.stack)
    own, unclear_own = _listed(deployment, resource.stack, resource.node("Tags"))
    if resource.properties is None:
        unclear_own = "the properties of the resource"
    for reason in (unclear, unclear_own):
        if reason:
            text = f"a tag with a key that is not known: {reason}"
            not_covered.append(NotCovered(resource.origin, text, may_change_key_access=True))
    return {**tags, **own}


def _stack_tags(deployment: Deployment, stack: Stack) -> tuple[dict[str, Value], str]:
    tags: dict[str, Value] = {}
    unclear = ""
    for scope in reversed(list(stack.ancestors)):
        tags.update(scope.tags)
        if scope.parent is not None:
            node = scope.parent.resource(scope.logical_id) or {}
            properties = node.get("Properties")
            listed = properties.get("Tags") if isinstance(properties, dict) else None
            own, unclear_own = _listed(deployment, scope.parent, listed)
            tags.update(own)
            unclear = unclear or unclear_own
    return tags, unclear


def _listed(deployment: Deployment, stack: Stack, node: Any) -> tuple[dict[str, Value], str]:
    """The tags of a `Tags` list, and what stands for tags whose keys are not known."""
    resolved = deployment.resolver.resolve(node, stack)
    if resolved is None or resolved is NO_VALUE:
        return {}, ""
    if not isinstance(resolved, list):
        return {}, str(as_value(resolved) or "tags that are no list")
    tags: dict[str, Value] = {}
    unclear = ""
    for item in resolved:
        if isinstance(item, (Text, MaybeAbsent)):
            unclear = str(as_value(item))
            continue
        key = as_value(item.get("Key")) if isinstance(item, dict) else None
        value = as_value(item.get("Value", "")) if isinstance(item, dict) else None
        if isinstance(key, str) and value is not None:
            tags[key] = value
        else:
            unclear = str(key or "a tag without a key")
    return tags, unclear
