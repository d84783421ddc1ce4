"""A policy pack process, driven over the Analyzer protocol in the order of the real engine."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from .messages import (
    analyze_request,
    level_name,
    policy_info,
    severity_name,
    stack_resource,
)
from .model import EngineError, Resource, RunContext
from .policy_config import PolicySettings, parse_config, reconcile
from .processes import ManagedProcess
from .project import read_yaml
from .values import Properties, from_struct, shown, to_struct

START_SECONDS = 60.0
RPC_SECONDS = 300.0
CONNECT_SECONDS = 10.0
# Receiving keeps gRPC's default of 4 MiB: the real engine reaches a pack through a proxy with
# that limit, so a pack that answers with more must fail here too.
CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", 400 << 20),
    # Otherwise gRPC asks the proxy of the machine for the loopback address.
    ("grpc.enable_http_proxy", 0),
]
_CONTEXT_VARIABLES = ("ORGANIZATION", "PROJECT", "STACK", "DRY_RUN", "CONFIG")


@dataclass(frozen=True, slots=True)
class Violation:
    policy: str
    message: str
    level: str
    severity: str
    urn: str


class PolicyPack:
    def __init__(
        self,
        path: Path,
        program: Path,
        context: RunContext,
        config: Mapping[str, object],
        environment: Mapping[str, str],
    ) -> None:
        self.path = path.resolve()
        project = _load_policy_project(self.path)
        self._process = ManagedProcess(
            f'policy pack "{path}"',
            _command(self.path),
            self.path if self.path.is_dir() else program,
            _environment(context, self.path.is_dir(), environment),
        )
        self._channel: grpc.Channel | None = None
        try:
            port = self._process.first_line(START_SECONDS).strip()
            if not port.isdigit():
                raise EngineError(
                    f'{self._process.label} printed "{port}" where its port was expected'
                    f"{self._process.tail()}"
                )
            self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)
            self._await_connection(self._channel)
            self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)
            self._load(context, config, str(project.get("version") or ""))
        except BaseException:
            self.close()
            raise

    def _await_connection(self, channel: grpc.Channel) -> None:
        ready = grpc.channel_ready_future(channel)
        try:
            ready.result(CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            ready.cancel()
            raise EngineError(
                f"{self._process.label} does not answer on its port{self._process.tail()}"
            ) from None

    def _load(
        self, context: RunContext, config: Mapping[str, object], project_version: str
    ) -> None:
        folder = str(self.path if self.path.is_dir() else self.path.parent)
        self._call(
            "Handshake",
            proto.AnalyzerHandshakeRequest(
                engine_address="127.0.0.1:1", root_directory=folder, program_directory=folder
            ),
            optional=True,
        )
        self._call(
            "ConfigureStack",
            proto.AnalyzerStackConfigureRequest(
                stack=context.stack,
                project=context.project,
                organization=context.organization,
                dry_run=context.dry_run,
                config=dict(context.config),
            ),
            optional=True,
        )
        self._call("GetPluginInfo", empty_pb2.Empty())
        info = self._call("GetAnalyzerInfo", empty_pb2.Empty())
        self.name: str = info.name
        self.version: str = project_version or info.version
        policies = [policy_info(item) for item in info.policies]
        self._severities = {item.name: item.severity for item in policies}
        given = parse_config(config)
        if given and not info.supportsConfig:
            raise EngineError(f'policy pack "{self.name}" does not support configuration')
        initial = {
            name: PolicySettings(level_name(item.enforcementLevel), from_struct(item.properties))
            for name, item in info.initialConfig.items()
        }
        settings = reconcile(policies, (initial, given))
        request = proto.ConfigureAnalyzerRequest()
        for name, item in settings.items():
            request.policyConfig[name].enforcementLevel = proto.EnforcementLevel.Value(
                item.level.upper()
            )
            request.policyConfig[name].properties.CopyFrom(to_struct(item.properties))
        if settings:
            self._call("Configure", request)

    def remediate(
        self, resource: Resource, provider: Resource | None
    ) -> tuple[Properties, list[Violation]]:
        """The inputs after all remediations, and a warning for each that could not run."""
        request = analyze_request(resource, provider, resource.inputs)
        response = self._call("Remediate", request, optional=True)
        inputs, warnings = resource.inputs, []
        for item in response.remediations if response is not None else ():
            if item.diagnostic:
                warnings.append(
                    Violation(item.policyName, item.diagnostic, "advisory", "", resource.urn)
                )
            else:
                inputs = from_struct(item.properties)
        return inputs, warnings

    def analyze(self, resource: Resource, provider: Resource | None) -> list[Violation]:
        request = analyze_request(resource, provider, shown(resource.inputs))
        # The engine always names the resource it asked about, whatever the pack answered.
        return [
            self._violation(item, resource.urn)
            for item in self._call("Analyze", request).diagnostics
        ]

    def analyze_stack(
        self, resources: Sequence[tuple[Resource, Resource | None]], fallback_urn: str
    ) -> list[Violation]:
        request = proto.AnalyzeStackRequest()
        request.resources.extend(stack_resource(*pair) for pair in resources)
        known = {resource.urn for resource, _ in resources}
        response = self._call("AnalyzeStack", request, optional=True)
        return [
            self._violation(item, item.urn if item.urn in known else fallback_urn)
            for item in (response.diagnostics if response is not None else ())
        ]

    def _violation(self, item: proto.AnalyzeDiagnostic, urn: str) -> Violation:
        level = level_name(item.enforcementLevel)
        if level == "disabled":
            # The real CLI panics on this.
            raise EngineError(f'policy "{item.policyName}" reported with level disabled')
        return Violation(
            item.policyName,
            item.message,
            "mandatory" if level == "remediate" else level,
            severity_name(item.severity) or self._severities.get(item.policyName, ""),
            urn,
        )

    def _call(self, method: str, request: Any, *, optional: bool = False) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=RPC_SECONDS)
        except grpc.RpcError as error:
            if optional and error.code() == grpc.StatusCode.UNIMPLEMENTED:
                return None
            ended = ""
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                code = self._process.wait(1.0)
                ended = "" if code is None else f"\n  (the pack ended with exit code {code})"
            # The real engine says nothing more for a stack policy.
            what = {"Analyze": "failed to run policy: ", "AnalyzeStack": ""}
            raise EngineError(
                f"{what.get(method, f'failed to call {method}: ')}{error.details()} "
                f"({error.code().name}){ended}{self._process.tail()}"
            ) from error

    def messages(self) -> list[str]:
        """What the pack has printed, its port apart."""
        return list(self._process.lines)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._process.close()


def _load_policy_project(path: Path) -> Mapping[str, Any]:
    file = (path if path.is_dir() else path.parent) / "PulumiPolicy.yaml"
    if not path.exists():
        raise EngineError(f'policy pack "{path}" does not exist')
    if not file.is_file():
        if path.is_dir():
            raise EngineError(f'failed to load Pulumi policy project located at "{path}"')
        return {}
    return read_yaml(file)


def _command(path: Path) -> list[str]:
    # The address is where the real engine listens; no Python pack ever dials it.
    address = "127.0.0.1:1"
    if path.is_file():
        return [str(path), address]
    if (path / "__main__.py").is_file():
        return [sys.executable, "-u", "-m", "pulumi.policy", address, str(path)]
    pyproject = path / "pyproject.toml"
    if not pyproject.is_file():
        raise EngineError(
            f'policy pack "{path}" is not runnable, it provides neither __main__.py '
            "nor a buildable pyproject.toml"
        )
    try:
        name = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["name"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise EngineError(f'cannot read the project name in "{pyproject}": {error}') from error
    return [sys.executable, "-m", "pulumi.run.plugin", name, address]


def _environment(context: RunContext, is_folder: bool, extra: Mapping[str, str]) -> dict[str, str]:
    """The language host's variables first and the caller's last, so that the caller's win.

    The real host appends the whole ambient environment last. Here only `extra` plays that part,
    so that variables of the machine that runs the tests cannot mislead a pack.
    """
    result = dict(os.environ)
    for name in _CONTEXT_VARIABLES:
        result.pop(f"PULUMI_{name}", None)
    if is_folder:
        result |= {
            "PULUMI_ORGANIZATION": context.organization,
            "PULUMI_PROJECT": context.project,
            "PULUMI_STACK": context.stack,
            "PULUMI_DRY_RUN": "true" if context.dry_run else "false",
            "PULUMI_CONFIG": json.dumps(dict(context.config)),
        }
    return result | dict(extra)
