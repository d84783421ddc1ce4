"""Plays the engine for the program: takes its registrations down and answers its calls."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2

from policypack.mocked_program.attributes import Attributes
from policypack.mocked_program.invokes import ANSWERS
from policypack.mocked_program.places import NoRegion, Places
from policypack.mocked_program.policy_document import DocumentError

STACK = "pulumi:pulumi:Stack"
PROVIDER = "pulumi:providers:"
T = TypeVar("T")


class Failure(Exception):
    """Why the program cannot go on; `is_ours` says whose mistake it is."""

    def __init__(self, message: str, *, is_ours: bool = False, help: str = "") -> None:
        super().__init__(message)
        self.is_ours = is_ours
        self.help = help


class _NoMocks(Mocks):
    """The monitor answers everything itself."""

    def call(self, args: Any) -> NoReturn:
        raise Failure(f"unexpected call of {args.token}", is_ours=True)

    def new_resource(self, args: MockResourceArgs) -> NoReturn:
        raise Failure(f"unexpected resource {args.typ}", is_ours=True)


class Monitor(MockMonitor):
    """Takes down every registration, in the wire form of the engine."""

    def __init__(
        self,
        project: str,
        stack: str,
        places: Places,
        attributes: Attributes,
        stop: Callable[[Failure], NoReturn],
    ) -> None:
        """`stop` ends the process: an answer that fails would leave others waiting for ever."""
        super().__init__(_NoMocks())
        self.registered: list[dict[str, Any]] = []
        self._stop = stop
        self._project = project
        self._stack = stack
        self._places = places
        self._attributes = attributes
        self._urns: set[str] = set()
        self._lock = threading.RLock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The type chain holds every parent but the stack."""
        chain = parent.split("::", 3)[2] if parent else ""
        qualified = f"{chain}${type_}" if chain and not chain.endswith(STACK) else type_
        return f"urn:pulumi:{self._stack}::{self._project}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:
        return self._serve(lambda: self._register(request))

    def ReadResource(self, request: Any) -> Any:
        return self._serve(lambda: self._read(request))

    def Invoke(self, request: Any) -> Any:
        return self._serve(lambda: self._invoke(request))

    def _serve(self, answer: Callable[[], T]) -> T:
        """Answer one request at a time; what goes wrong here is no error of the program."""
        with self._lock:
            try:
                return answer()
            except Failure as failure:
                self._stop(failure)
            except NoRegion as error:
                help_ = 'set "aws:region" in the configuration of the stack, or AWS_REGION'
                self._stop(Failure(str(error), help=help_))
            except Exception as error:
                self._stop(Failure(f"{error}\n{traceback.format_exc()}", is_ours=True))

    def _register(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if urn in self._urns:
            raise Failure(f'two resources have the URN "{urn}"', help="give them different names")
        self._urns.add(urn)
        inputs = json_format.MessageToDict(request.object)
        id_, outputs, provider = "", dict(inputs), ""
        if request.type.startswith(PROVIDER):
            self._places.settings[urn] = inputs
            id_ = self._attributes.made_up.attribute(urn, "id")
        elif request.custom:
            package = request.type.partition(":")[0]
            provider = self._provider(request.provider, package)
            if package in ("aws", "aws-native"):
                place = self._places.of(provider, inputs)
                made = self._attributes.make(urn, request.type, inputs, place)
                inputs, id_, outputs = made.inputs, made.id, made.outputs
            else:
                id_ = self._attributes.made_up.attribute(urn, "id")
        self._record("remote" if request.remote else "registered", request, urn, inputs, provider)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=_struct(outputs))

    def _read(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        given = json_format.MessageToDict(request.properties)
        self._record("read", request, urn, {**given, "id": request.id}, "")
        return resource_pb2.ReadResourceResponse(urn=urn, properties=_struct(given))

    def _invoke(self, request: Any) -> Any:
        response = resource_pb2.ResourceInvokeResponse()
        answer = ANSWERS.get(request.tok)
        if answer is None:
            if "unknown" not in response.DESCRIPTOR.fields_by_name:
                raise Failure(
                    f'the answer of the function "{request.tok}" is not known without a '
                    "deployment, and this version of the pulumi package cannot be told so",
                    help="install a newer pulumi package",
                )
            response.unknown = True
            return response
        provider = self._provider(request.provider, request.tok.partition(":")[0])
        arguments = json_format.MessageToDict(request.args)
        place = self._places.of(provider, {})
        try:
            result = answer(arguments, place, provider, self._attributes.made_up)
        except DocumentError as error:
            # The program may handle it, as it may with the real provider.
            response.failures.add(reason=str(error))
            return response
        getattr(response, "return").CopyFrom(_struct(result))
        return response

    def _provider(self, reference: str, package: str) -> str:
        default = f"urn:pulumi:{self._stack}::{self._project}::{PROVIDER}{package}::default"
        return self._places.provider(reference, package, default)

    def _record(
        self, kind: str, request: Any, urn: str, inputs: dict[str, Any], provider: str
    ) -> None:
        dependencies = getattr(request, "propertyDependencies", {})
        # Older packages tell no position.
        position = getattr(request, "sourcePosition", None)
        self.registered.append(
            {
                "kind": kind,
                "urn": urn,
                "type": request.type,
                "custom": bool(getattr(request, "custom", True)),
                "inputs": inputs,
                "provider": provider,
                "position": [position.uri, position.line] if position is not None else ["", 0],
                "propertyDependencies": {
                    key: sorted(item.urns) for key, item in dependencies.items() if item.urns
                },
            }
        )


def _struct(properties: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(properties, struct_pb2.Struct())
