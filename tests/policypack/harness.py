"""Drives the pack's policies through the SDK's own server, inside the test process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer

from policypack.policies import policies
from tests.small_engine.values import to_struct

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
ACCOUNT = "111122223333"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::default"
SETTINGS: Mapping[str, object] = {
    "region": "eu-central-1",
    "allowedAccountIds": f'["{ACCOUNT}"]',
}
KEY = "aws:kms/key:Key"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


@dataclass(frozen=True)
class Declared:
    """A resource as a program declares it and as the engine shows it."""

    type: str
    name: str
    inputs: Mapping[str, object]
    outputs: Mapping[str, object] = field(default_factory=dict)
    depends: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:dev::shop::{self.type}::{self.name}"


@dataclass(frozen=True)
class Violation:
    policy: str
    level: str
    message: str
    urn: str


class Pack:
    """One run of the pack. `levels` are those of the policies that the run configures."""

    def __init__(
        self,
        config: Mapping[str, Mapping[str, object]] | None = None,
        levels: Mapping[str, EnforcementLevel] | None = None,
    ) -> None:
        self._policies = policies()
        server: Any = _PolicyAnalyzerServicer
        self._server = server("kms-access", "0.1.0", self._policies, EnforcementLevel.MANDATORY)
        request = proto.ConfigureAnalyzerRequest()
        for policy in self._policies:
            level = (levels or {}).get(policy.name, policy.enforcement_level)
            assert level is not None
            item = request.policyConfig[policy.name]
            item.enforcementLevel = proto.EnforcementLevel.Value(level.name)
            item.properties.CopyFrom(to_struct(dict((config or {}).get(policy.name, {}))))
        self._server.Configure(request, None)

    def register(self, *resources: Declared) -> list[Violation]:
        """What is said before each resource's own step, all together."""
        return [v for resource in resources for v in self._register(resource)]

    def _register(self, resource: Declared) -> Iterable[Violation]:
        request = proto.AnalyzeRequest(
            type=resource.type,
            properties=to_struct(dict(resource.inputs)),
            urn=resource.urn,
            name=resource.name,
            provider=_provider(),
        )
        return _violations(self._server.Analyze(request, None))

    def finish(self, *resources: Declared) -> list[Violation]:
        """What is said at the end, about the whole stack."""
        request = proto.AnalyzeStackRequest()
        for resource in resources:
            request.resources.append(
                proto.AnalyzerResource(
                    type=resource.type,
                    properties=to_struct({**resource.inputs, **resource.outputs}),
                    urn=resource.urn,
                    name=resource.name,
                    provider=_provider(),
                    propertyDependencies={
                        key: proto.AnalyzerPropertyDependencies(urns=urns)
                        for key, urns in resource.depends.items()
                    },
                )
            )
        return list(_violations(self._server.AnalyzeStack(request, None)))

    def run(self, *resources: Declared) -> list[Violation]:
        """Both, as in a preview."""
        return [*self.register(*resources), *self.finish(*resources)]


def _provider() -> proto.AnalyzerProviderResource:
    return proto.AnalyzerProviderResource(
        type="pulumi:providers:aws",
        urn=PROVIDER,
        name="default",
        properties=to_struct(dict(SETTINGS)),
    )


def _violations(response: proto.AnalyzeResponse) -> Iterable[Violation]:
    for item in response.diagnostics:
        level = str(proto.EnforcementLevel.Name(item.enforcementLevel)).lower()
        yield Violation(item.policyName, level, item.message, item.urn)
