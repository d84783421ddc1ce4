"""What a program asks for, as a record of the engine."""

from __future__ import annotations

import re

from pulumi.runtime.proto import resource_pb2

from .model import Options, Resource, RunContext, make_urn
from .values import from_struct

_DURATION = re.compile(r"([\d.]+)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def record_of(context: RunContext, request: resource_pb2.RegisterResourceRequest) -> Resource:
    return Resource(
        urn=make_urn(context, request.parent, request.type, request.name),
        type=request.type,
        custom=request.custom,
        inputs=from_struct(request.object),
        parent=request.parent,
        dependencies=sorted(request.dependencies),
        property_dependencies={
            key: sorted(item.urns)
            for key, item in request.propertyDependencies.items()
            if item.urns
        },
        options=_options(request),
    )


def _options(request: resource_pb2.RegisterResourceRequest) -> Options:
    defined = request.deleteBeforeReplaceDefined or request.deleteBeforeReplace
    timeouts = request.customTimeouts
    return Options(
        protect=request.protect,
        ignore_changes=list(request.ignoreChanges),
        delete_before_replace=request.deleteBeforeReplace if defined else None,
        additional_secret_outputs=list(request.additionalSecretOutputs),
        aliases=[*request.aliasURNs, *(item.urn for item in request.aliases if item.urn)],
        timeouts={
            kind: seconds
            for kind in ("create", "update", "delete", "read")
            if (seconds := _seconds(getattr(timeouts, kind)))
        },
    )


def _seconds(duration: str) -> float:
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))
