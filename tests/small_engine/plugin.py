"""The AWS provider stand-in as a plugin process: what `pulumi-resource-aws` is for the real engine.

The engine starts one process for each provider instance, and reads its port from the first line
that it prints.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from . import provider
from .invokes import invoke
from .model import PROVIDER_PREFIX, EngineError, Resource, urn_name, urn_type
from .provider import Instance
from .schema import type_schema
from .values import Properties, from_struct, to_struct, without_internal

THREADS = 16
# Not below any version of the SDK: the engine warns about a plugin that is older than it asks for.
VERSION = "99.0.0"
_SCHEMA = f'{{"name": "aws", "version": "{VERSION}"}}'


class ProviderPlugin(provider_pb2_grpc.ResourceProviderServicer):
    """One instance of the provider, configured once."""

    def __init__(self) -> None:
        self._instance = _instance({})

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.GetSchemaResponse(schema=_SCHEMA)

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(
            inputs=to_struct(provider.check_config(from_struct(request.news)))
        )

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        changed, _ = provider.diff("", from_struct(request.old_inputs), from_struct(request.news))
        return _differences(changed, frozenset())

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._instance = _instance(from_struct(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        olds = from_struct(request.olds) if request.HasField("olds") else None
        news = from_struct(request.news)
        inputs, failures = provider.check(
            urn_type(request.urn), urn_name(request.urn), news, olds, self._instance
        )
        return provider_pb2.CheckResponse(
            inputs=to_struct(inputs),
            failures=[provider_pb2.CheckFailure(reason=reason) for reason in failures],
        )

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        olds, news = from_struct(request.old_inputs), from_struct(request.news)
        for key in set(request.ignoreChanges) & olds.keys():
            news[key] = olds[key]
        return _differences(*provider.diff(urn_type(request.urn), olds, news))

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        token, inputs = urn_type(request.urn), from_struct(request.properties)
        if request.preview:
            planned = provider.preview_create(token, inputs, self._instance)
            return provider_pb2.CreateResponse(properties=_outputs(planned))
        with _explained(context):
            id_, made = provider.create(token, inputs, self._instance)
        return provider_pb2.CreateResponse(id=id_, properties=_outputs(made))

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        old = Resource(
            urn=request.urn,
            type=urn_type(request.urn),
            custom=True,
            id=request.id,
            inputs=from_struct(request.old_inputs),
            outputs=from_struct(request.olds),
        )
        with _explained(context):
            updated = provider.update(
                old.type,
                old,
                from_struct(request.news),
                self._instance,
                dry_run=request.preview,
            )
        return provider_pb2.UpdateResponse(properties=_outputs(updated))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """An existing resource; one that the program manages is as its state says."""
        token = urn_type(request.urn)
        properties, inputs = from_struct(request.properties), from_struct(request.inputs)
        with _explained(context):
            id_, found = provider.create(token, inputs, self._instance, request.id)
        found = {**found, **properties}
        taken = type_schema(token).inputs
        read = inputs or {key: value for key, value in found.items() if key in taken}
        return provider_pb2.ReadResponse(id=id_, properties=_outputs(found), inputs=to_struct(read))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = provider_pb2.InvokeResponse()
        with _explained(context):
            result = invoke(request.tok, from_struct(request.args), self._instance)
            getattr(response, "return").CopyFrom(to_struct(result))
        return response

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()


def _instance(settings: Properties) -> Instance:
    return Instance(Resource(urn="", type=f"{PROVIDER_PREFIX}aws", custom=True, inputs=settings))


def _outputs(properties: Mapping[str, object]) -> struct_pb2.Struct:
    return to_struct(without_internal(properties))


def _differences(changed: frozenset[str], replacing: frozenset[str]) -> provider_pb2.DiffResponse:
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if changed else response.DIFF_NONE,
        diffs=sorted(changed),
        replaces=sorted(replacing),
    )


@contextmanager
def _explained(context: grpc.ServicerContext) -> Iterator[None]:
    """An error of the program's values reaches the user in one line."""
    try:
        yield
    except (EngineError, KeyError, TypeError, ValueError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")


def serve() -> None:
    """Serve one engine until it ends this process."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=THREADS),
        options=[("grpc.max_receive_message_length", 400 << 20)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(ProviderPlugin(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # The engine interrupts its plugins when it has done, and shows what they then print.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    server.wait_for_termination()


if __name__ == "__main__":
    serve()
