"""What is in the templates and is not evaluated: nothing is passed over silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kms_access.inventory.origin import NotCovered
from kms_access.sources.cloudformation.custom_calls import CUSTOM_CALL
from kms_access.sources.cloudformation.deployment import Deployment, Resource
from kms_access.sources.cloudformation.exports import EXPORT_WRITER
from kms_access.sources.cloudformation.loops import LANGUAGE_EXTENSIONS, LOOP
from kms_access.sources.cloudformation.organization_policies import ORGANIZATION_POLICY
from kms_access.sources.cloudformation.physical import (
    ALIAS,
    GROUP,
    INSTANCE_PROFILE,
    KEYS,
    MANAGED_POLICY,
    OIDC_PROVIDERS,
    ROLE,
    SAML_PROVIDER,
    USER,
)
from kms_access.sources.cloudformation.references import EXPORT_READER, NESTED_STACK
from kms_access.sources.cloudformation.stacks import Stack

_READ = frozenset(
    (
        *KEYS,
        *(ALIAS, ROLE, USER, GROUP, MANAGED_POLICY, INSTANCE_PROFILE, CUSTOM_CALL),
        ORGANIZATION_POLICY,
        *("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy"),
        *("AWS::IAM::GroupPolicy", "AWS::IAM::UserToGroupAddition"),
    )
)
_NO_ACCESS = frozenset(
    (
        *("AWS::CDK::Metadata", "Custom::AWSCDKCfnJson", EXPORT_READER, EXPORT_WRITER),
        *OIDC_PROVIDERS,
        *("AWS::KMS::CustomKeyStore", "AWS::IAM::AccessKey"),
        *(SAML_PROVIDER, "AWS::IAM::ServerCertificate", "AWS::IAM::VirtualMFADevice"),
    )
)
_MAY_REACH_KEYS = {
    "AWS::SSO::PermissionSet": "permission sets become roles that are not evaluated",
    "AWS::CloudFormation::StackSet": "the templates of stack sets are not evaluated",
}
_PRODUCT = "AWS::ServiceCatalog::CloudFormationProvisionedProduct"
_SERVICE_LINKED_ROLE = "AWS::IAM::ServiceLinkedRole"
_CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"
_TYPES_OF_ACCESS = ("AWS::KMS::", "AWS::IAM::")


def find_not_covered(deployment: Deployment, *, has_keys: bool) -> Iterator[NotCovered]:
    """Everything that is left out, each with its place.

    An entry may change key access if what it leaves out can reach a key of the deployment.
    """
    for stack in deployment.stacks:
        yield from _of_template(stack)
    for resource in deployment.resources:
        yield from _of_resource(resource, has_keys)


def _of_template(stack: Stack) -> Iterator[NotCovered]:
    for transform in stack.template.transforms:
        if transform != LANGUAGE_EXTENSIONS:
            name = transform.get("Name") if isinstance(transform, dict) else transform
            reason = f'the macro "{name}" may rewrite the template'
            yield NotCovered(stack.origin, reason, may_change_key_access=True)
    for function in stack.template.root_functions:
        reason = f"{function} may rewrite the template"
        yield NotCovered(stack.origin, reason, may_change_key_access=True)
    for logical_id, node in stack.template.resources.items():
        if logical_id.startswith(LOOP):
            reason = "the resources of a Fn::ForEach are not evaluated, what it makes is not known"
        elif logical_id.startswith("Fn::"):
            reason = f"{logical_id} may add resources"
        elif not isinstance(node, dict) or not isinstance(node.get("Type"), str):
            reason = "a resource without a type that can be read"
        else:
            continue
        yield NotCovered(stack.origin_of(logical_id), reason, may_change_key_access=True)


def _of_resource(resource: Resource, has_keys: bool) -> Iterator[NotCovered]:
    kind = resource.kind
    if kind in _NO_ACCESS or kind == "":
        return
    if kind in _READ:
        may_hold = resource.stack.template.may_hold_transforms
        if resource.properties is None or (may_hold and _holds_transform(resource.properties)):
            reason = "a macro or an include fills in a part of this resource"
            yield NotCovered(resource.origin, reason, may_change_key_access=True)
        return
    found = _left_out(resource, has_keys)
    if found is not None:
        reason, may_change = found
        yield NotCovered(resource.origin, reason, may_change_key_access=may_change)


def _left_out(resource: Resource, has_keys: bool) -> tuple[str, bool] | None:
    kind = resource.kind
    if kind == NESTED_STACK:
        if resource.logical_id in resource.stack.children:
            return None
        return "the template of the nested stack is not part of the definitions", True
    if kind in _MAY_REACH_KEYS:
        return f"{kind}: {_MAY_REACH_KEYS[kind]}", has_keys
    if kind.endswith("::MODULE"):
        return f"the resources of module {kind} are not evaluated", True
    if kind.startswith("AWS::Serverless::"):
        return f"{kind} is expanded by a macro", True
    if kind == _PRODUCT:
        return "the template of the product is not evaluated", False
    if kind == _SERVICE_LINKED_ROLE:
        return "a service-linked role, whose policy AWS writes", False
    if kind.startswith(_TYPES_OF_ACCESS):
        return f"resources of type {kind} are not evaluated", True
    if kind.startswith("Custom::") or kind == _CUSTOM_RESOURCE:
        return f"what the custom resource {kind} does is not known", False
    if not kind.startswith("AWS::"):
        return f"what a resource of type {kind} does is not known", False
    return None


def _is_transform(key: str) -> bool:
    return key == "Fn::Transform" or key.startswith(LOOP)


def _holds_transform(node: Any) -> bool:
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            for key in current:
                if key[:4] == "Fn::" and _is_transform(key):
                    return True
            pending += [value for value in current.values() if type(value) is not str]
        elif isinstance(current, list):
            pending += [item for item in current if type(item) is not str]
    return False
