"""The engine's records as messages of the Analyzer protocol, and back."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi.runtime.proto import analyzer_pb2 as proto

from .model import Resource
from .policy_config import PolicyInfo
from .values import Properties, from_struct, shown, to_struct


def policy_info(info: proto.PolicyInfo) -> PolicyInfo:
    return PolicyInfo(
        info.name,
        level_name(info.enforcementLevel),
        severity_name(info.severity),
        from_struct(info.configSchema.properties),
        list(info.configSchema.required),
    )


def level_name(value: int) -> str:
    return str(proto.EnforcementLevel.Name(value)).lower()


def severity_name(value: int) -> str:
    name = str(proto.PolicySeverity.Name(value)).removeprefix("POLICY_SEVERITY_").lower()
    return "" if name == "unspecified" else name


def _options(resource: Resource) -> proto.AnalyzerResourceOptions:
    options = resource.options
    return proto.AnalyzerResourceOptions(
        protect=options.protect,
        ignoreChanges=options.ignore_changes,
        deleteBeforeReplace=bool(options.delete_before_replace),
        deleteBeforeReplaceDefined=options.delete_before_replace is not None,
        additionalSecretOutputs=options.additional_secret_outputs,
        aliases=options.aliases,
        customTimeouts=proto.AnalyzerResourceOptions.CustomTimeouts(**options.timeouts),
        parent=resource.parent,
    )


def _provider(resource: Resource | None) -> proto.AnalyzerProviderResource | None:
    if resource is None:
        return None
    return proto.AnalyzerProviderResource(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=to_struct(shown(resource.inputs)),
    )


def analyze_request(
    resource: Resource, provider: Resource | None, inputs: Properties
) -> proto.AnalyzeRequest:
    return proto.AnalyzeRequest(
        type=resource.type,
        properties=to_struct(inputs),
        urn=resource.urn,
        name=resource.name,
        options=_options(resource),
        provider=_provider(provider),
    )


def stack_resource(resource: Resource, provider: Resource | None) -> proto.AnalyzerResource:
    return proto.AnalyzerResource(
        type=resource.type,
        properties=to_struct(shown(resource.outputs)),
        urn=resource.urn,
        name=resource.name,
        options=_options(resource),
        provider=_provider(provider),
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies=_property_dependencies(resource.property_dependencies.items()),
    )


def _property_dependencies(
    items: Iterable[tuple[str, list[str]]],
) -> dict[str, proto.AnalyzerPropertyDependencies]:
    return {key: proto.AnalyzerPropertyDependencies(urns=urns) for key, urns in items if urns}
