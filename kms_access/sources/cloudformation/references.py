"""Ref and Fn::GetAtt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_access.policies.text import NAME_CHARACTER, Text, Unknown, unknown_text
from kms_access.sources.cloudformation.parameters import parameter
from kms_access.sources.cloudformation.physical import attribute_of, reference_to
from kms_access.sources.cloudformation.resolver import Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import NO_VALUE, as_value, digest

NESTED_STACK = "AWS::CloudFormation::Stack"
EXPORT_READER = "Custom::CrossRegionExportReader"
_OUTPUTS = "Outputs."


def ref(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Ref` to a pseudo parameter, a parameter or a resource.

    A name may be built by functions (`AWS::LanguageExtensions`).
    """
    if isinstance(argument, Mapping):
        argument = as_value(resolver.resolve(argument, stack))
    if not isinstance(argument, str):
        return unknown_text(f"a Ref of {stack.identity} {digest(argument)}")
    if argument.startswith("AWS::"):
        return _pseudo_parameter(stack, argument)
    if argument in stack.template.parameters:
        return parameter(resolver, stack, argument)
    if argument in stack.template.resources:
        return reference_to(resolver, stack, argument)
    return unknown_text(f'"{argument}", which {stack.identity} does not define')


def _pseudo_parameter(stack: Stack, name: str) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    if name == "AWS::StackName":
        return stack.name
    value = stack.environment.pseudo_parameter(name)
    return unknown_text(f"{name} of {stack.identity}") if value is None else value


def get_att(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::GetAtt`, `[id, attribute]` or `"id.attribute"`."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2:
        return unknown_text(f"a Fn::GetAtt of {stack.identity} {digest(argument)}")
    logical_id = as_value(resolver.resolve(parts[0], stack))
    if not isinstance(logical_id, str):
        return unknown_text(f"a Fn::GetAtt of {stack.identity} {digest(argument)}")
    attribute = as_value(resolver.resolve(parts[1], stack))
    if not isinstance(attribute, str) or logical_id not in stack.template.resources:
        return unknown_text(f"{attribute} of {stack.identity_of(logical_id)} {digest(parts)}")
    kind = stack.type_of(logical_id)
    if kind == NESTED_STACK and attribute.startswith(_OUTPUTS):
        child = stack.children.get(logical_id)
        name = attribute.removeprefix(_OUTPUTS)
        if child is not None and name in child.template.outputs:
            return output(resolver, child, name)
    if kind == EXPORT_READER:
        return resolver.exports.across_regions(resolver, stack, logical_id, attribute)
    return attribute_of(resolver, stack, logical_id, attribute)


def output(resolver: Resolver, stack: Stack, name: str) -> Any:
    """The value of an output of a stack."""
    node = stack.template.outputs[name]
    unknown = unknown_text(f'output "{name}" of {stack.identity}')

    def compute() -> Any:
        value = resolver.resolve(node.get("Value") if isinstance(node, dict) else None, stack)
        return unknown if value is None or value is NO_VALUE else value

    return resolver.once(("output", stack, name), compute, unknown)


def unknown_stack_name(identity: str) -> Text:
    """The name of a stack that no manifest gives."""
    return Text((Unknown(f"the name of stack {identity}", NAME_CHARACTER, unique=True),))
