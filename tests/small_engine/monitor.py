"""The two gRPC services that a Pulumi program talks to."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from .deployment import Deployment, Refused
from .model import EngineError
from .values import from_struct, to_struct

MESSAGE_LIMIT = 400 << 20
# The SDK keeps many requests open at once and a registration holds its thread until it is served.
THREADS = 64
PARALLEL = 16
# Everything not named here (transforms, hooks, resource references, output values) is refused by
# the SDK itself with a clear message, or sent in the older, flattened form.
FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
)

# The same list for SDKs that ask for one feature at a time.
FEATURE_NAMES = frozenset(
    {"secrets", "aliasSpecs", "deletedWith", "replaceWith", "parameterization"}
)


class MonitorService(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def GetDeploymentInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        run = self._deployment.context
        return resource_pb2.DeploymentInfo(
            project=run.project,
            stack=run.stack,
            organization=run.organization,
            config=dict(run.config),
            dryRun=run.dry_run,
            parallel=PARALLEL,
            supportedFeatures=FEATURES,
        )

    def SupportsFeature(self, request: Any, context: grpc.ServicerContext) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURE_NAMES)

    def RegisterResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            record = self._deployment.register(request)
        except Refused:
            _abort(context)
        return resource_pb2.RegisterResourceResponse(
            urn=record.urn, id=record.id, object=to_struct(record.outputs)
        )

    def RegisterResourceOutputs(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            self._deployment.register_outputs(request.urn, from_struct(request.outputs))
        except Refused:
            _abort(context)
        return empty_pb2.Empty()

    def ReadResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            record = self._deployment.read(request)
        except Refused:
            _abort(context)
        return resource_pb2.ReadResourceResponse(
            urn=record.urn, id=record.id, properties=to_struct(record.outputs)
        )

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = resource_pb2.ResourceInvokeResponse()
        try:
            result = self._deployment.invoke(request)
        except Refused:
            _abort(context)
        except (EngineError, KeyError, TypeError, ValueError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"{request.tok}: {error}")
        getattr(response, "return").CopyFrom(to_struct(result))
        return response

    def RegisterPackage(self, request: Any, context: grpc.ServicerContext) -> Any:
        return resource_pb2.RegisterPackageResponse(ref=str(uuid.uuid4()))

    def SignalAndWaitForShutdown(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()


class EngineService(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root = ""
        self.errors: list[str] = []
        self.messages: list[str] = []

    def Log(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._lock:
            if request.severity == engine_pb2.ERROR:
                self.errors.append(request.message)
            elif request.severity != engine_pb2.DEBUG:
                self.messages.append(request.message)
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any, context: grpc.ServicerContext) -> Any:
        return engine_pb2.RequirePulumiVersionResponse()


class MonitorServer:
    """Both services on one port of the loopback interface."""

    def __init__(self, deployment: Deployment) -> None:
        self.engine = EngineService()
        self._executor = ThreadPoolExecutor(max_workers=THREADS)
        self._server = grpc.server(
            self._executor,
            options=[
                ("grpc.max_receive_message_length", MESSAGE_LIMIT),
                ("grpc.max_send_message_length", MESSAGE_LIMIT),
            ],
        )
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(
            MonitorService(deployment), self._server
        )
        engine_pb2_grpc.add_EngineServicer_to_server(self.engine, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait(10)
        self._executor.shutdown(wait=False)


def _abort(context: grpc.ServicerContext) -> NoReturn:
    # The SDK takes this code to mean that the engine has shut down, and ends the program.
    context.abort(grpc.StatusCode.UNAVAILABLE, "the deployment has been stopped")
    raise AssertionError("abort always raises")
