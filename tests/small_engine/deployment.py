"""One preview or update: what happens to each registration, and what is analysed when."""

from __future__ import annotations

import re
import threading
import traceback
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager

from pulumi.runtime.proto import resource_pb2

from . import invokes, provider
from .analysis import Analysis
from .model import PROVIDER_PREFIX, EngineError, Resource, RunContext, Step, make_urn
from .provider import Instance
from .registration import record_of
from .values import Properties, from_struct, is_unknown, secret


class Refused(Exception):
    """The operation has been stopped; nothing is accepted from the program any more."""


class Deployment:
    def __init__(
        self,
        context: RunContext,
        analysis: Analysis,
        olds: Mapping[str, Resource],
    ) -> None:
        self.context = context
        self.analysis = analysis
        self.registered: list[str] = []
        self.created: list[str] = []
        self.steps: list[Step] = []
        self.stopped: Future[str] = Future()
        self._olds = olds
        self._news: dict[str, Resource] = {}
        self._finished = False
        # Serving an invoke or a registration may first have to register a default provider.
        self._lock = threading.RLock()

    @property
    def error(self) -> str:
        return self.stopped.result() if self.stopped.done() else ""

    def _step(self, operation: str, record: Resource) -> None:
        self.steps.append(Step(operation, record.urn))

    @contextmanager
    def _serving(self) -> Iterator[None]:
        """One request at a time, as in the engine's main loop; the first error stops everything."""
        with self._lock:
            if self.stopped.done():
                raise Refused
            try:
                yield
            except EngineError as error:
                self._stop(str(error))
                raise Refused from error
            except Exception as error:
                self._stop(f"the engine failed:\n{traceback.format_exc()}")
                raise Refused from error

    def _stop(self, error: str) -> None:
        if not self.stopped.done():
            self.stopped.set_result(error)

    def register(self, request: resource_pb2.RegisterResourceRequest) -> Resource:
        with self._serving():
            if request.remote:
                raise EngineError(f'remote component "{request.type}" is not supported')
            record = record_of(self.context, request)
            instance = self._instance(record, request.provider, request.version)
            return self._process(record, instance, request)

    def _process(
        self,
        record: Resource,
        instance: Instance | None,
        request: resource_pb2.RegisterResourceRequest,
    ) -> Resource:
        if record.urn in self._news:
            raise EngineError(f'duplicate resource URN "{record.urn}"; give it a unique name')
        old = self._olds.get(record.urn)
        if old is not None and (old.external or old.custom != record.custom):
            old = None
        for key in record.options.ignore_changes:
            if old is not None and key in old.inputs:
                record.inputs[key] = old.inputs[key]
        goal, failures = record.inputs, list[str]()
        if record.is_provider:
            record.inputs = _provider_inputs(record.type, goal, request.version)
        elif instance is not None:
            olds = old.inputs if old else None
            record.inputs, failures = provider.check(record.type, record.name, goal, olds, instance)
        self.registered.append(record.urn)
        refused = self.analysis.resource(record, instance.resource if instance else None)
        if failures:
            problem = f"{record.type} resource '{record.name}' has a problem"
            raise EngineError("\n".join(f"{problem}: {failure}" for failure in failures))
        if refused:
            # The command shows nothing but the violation itself.
            raise EngineError("")
        self._apply(record, old, instance, goal, request)
        for key in record.options.additional_secret_outputs:
            if key in record.outputs:
                record.outputs[key] = secret(record.outputs[key])
        self._news[record.urn] = record
        return record

    def _apply(
        self,
        record: Resource,
        old: Resource | None,
        instance: Instance | None,
        goal: Properties,
        request: resource_pb2.RegisterResourceRequest,
    ) -> None:
        if not record.custom:
            record.outputs = dict(old.outputs) if old else {}
            self._step("same" if old else "create", record)
            return
        if instance is None:
            self._step("same" if old else "create", record)
            new_id = "" if self.context.dry_run else str(uuid.uuid4())
            record.id, record.outputs = (old.id if old else new_id), dict(record.inputs)
            return
        if old is None:
            self._step("import" if request.importId else "create", record)
            self._create(record, instance, request.importId)
            return
        replace_on = frozenset(request.replaceOnChanges)
        changed, replaced = provider.diff(record.type, old.inputs, record.inputs, replace_on)
        if replaced:
            # A replacement is checked again without the old state, so it gets a new autoname.
            # The analysis has seen the first result, as with the real engine.
            record.inputs, _ = provider.check(record.type, record.name, goal, None, instance)
            self._step("replace", record)
            self._create(record, instance, "")
        elif changed:
            self._step("update", record)
            record.id = old.id
            record.outputs = provider.update(
                record.type, old, record.inputs, instance, dry_run=self.context.dry_run
            )
        else:
            self._step("same", record)
            record.id, record.outputs = old.id, dict(old.outputs)

    def _create(self, record: Resource, instance: Instance, imported: str) -> None:
        if self.context.dry_run and not imported:
            record.outputs = provider.preview_create(record.type, record.inputs, instance)
            return
        record.id, record.outputs = provider.create(record.type, record.inputs, instance, imported)
        if not imported:
            self.created.append(record.urn)

    def read(self, request: resource_pb2.ReadResourceRequest) -> Resource:
        """Look up an existing resource; it enters the state but is never analysed."""
        with self._serving():
            record = Resource(
                urn=make_urn(self.context, request.parent, request.type, request.name),
                type=request.type,
                custom=True,
                external=True,
                id="" if is_unknown(request.id) else request.id,
                inputs=from_struct(request.properties),
                parent=request.parent,
                dependencies=sorted(request.dependencies),
            )
            if record.urn in self._news:
                raise EngineError(f'duplicate resource URN "{record.urn}"; give it a unique name')
            instance = self._instance(record, request.provider, request.version)
            if record.id and instance is not None:
                record.outputs = self._existing(record, instance)
            self._step("read", record)
            self._news[record.urn] = record
            return record

    def _existing(self, record: Resource, instance: Instance) -> Properties:
        for known in (*self._news.values(), *self._olds.values()):
            if known.type == record.type and known.id == record.id:
                return dict(known.outputs)
        return provider.create(record.type, record.inputs, instance, record.id)[1]

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        with self._serving():
            record = self._news.get(urn)
            if record is None:
                raise EngineError(f'outputs for the unknown resource "{urn}"')
            record.outputs = outputs

    def invoke(self, request: resource_pb2.ResourceInvokeRequest) -> Properties:
        with self._serving():
            package = request.tok.split(":")[0]
            instance = Instance(self._provider(package, request.provider, request.version))
        if not instance.configured:
            return {}
        # An error here belongs to the program, which may handle it.
        return invokes.invoke(request.tok, from_struct(request.args), instance)

    def _instance(self, record: Resource, reference: str, version: str) -> Instance | None:
        if not record.custom or record.is_provider:
            return None
        settings = self._provider(record.type.split(":")[0], reference, version)
        record.provider = f"{settings.urn}::{settings.id}"
        return Instance(settings)

    def _provider(self, package: str, reference: str, version: str) -> Resource:
        if reference:
            urn = reference.rpartition("::")[0]
            if urn not in self._news:
                raise EngineError(f'unknown provider "{reference}"')
            return self._news[urn]
        name = "default" + (f"_{re.sub(r'[^0-9A-Za-z]', '_', version)}" if version else "")
        type_ = f"{PROVIDER_PREFIX}{package}"
        urn = make_urn(self.context, "", type_, name)
        if urn in self._news:
            return self._news[urn]
        prefix = f"{package}:"
        inputs: Properties = {
            key.removeprefix(prefix): value
            for key, value in self.context.config.items()
            if key.startswith(prefix)
        }
        record = Resource(urn=urn, type=type_, custom=True, inputs=inputs)
        request = resource_pb2.RegisterResourceRequest(type=type_, name=name, version=version)
        return self._process(record, None, request)

    def finish(self) -> None:
        """The program has ended well: analyse the stack, then let go of what it dropped."""
        with self._lock:
            if self.stopped.done():
                return
            self._finished = True
            for old in reversed([o for urn, o in self._olds.items() if urn not in self._news]):
                self._step("discard" if old.external else "delete", old)
            try:
                self.analysis.stack(self._news)
            except EngineError as error:
                self._stop(str(error))

    def resulting_state(self) -> list[Resource]:
        """What is in the state afterwards; a preview changes nothing."""
        if self.context.dry_run:
            return list(self._olds.values())
        kept = [] if self._finished else [r for u, r in self._olds.items() if u not in self._news]
        return [*self._news.values(), *kept]


def _provider_inputs(type_: str, settings: Properties, version: str) -> Properties:
    checked = provider.check_config(settings) if type_ == f"{PROVIDER_PREFIX}aws" else settings
    return {"version": version, **checked} if version else checked
