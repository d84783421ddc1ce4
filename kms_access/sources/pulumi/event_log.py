"""What `pulumi preview --event-log FILE` writes -> the resources of the stack.

The log tells the inputs and outputs of every step, and of providers, with the engine's marks for
what is not known. It does not tell which resource a value comes from: what is not known yet stays
undecided, also where the policy pack, to which the engine tells the dependencies, decides it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.json_text import JsonError, read_json
from kms_access.sources.interface import SourceError
from kms_access.sources.pulumi.reader import read_stack
from kms_access.sources.pulumi.resource import StackResource

_MAXIMUM_CHARACTERS = 256 << 20
_FIRST_CHARACTERS = 1 << 20
_STEPS = ("resourcePreEvent", "resOutputsEvent")
_WITHOUT_RESULT = ("delete", "discard", "read", "remove")
"""Beginnings of operations after which the resource is none of the stack's own."""

_HELP = 'write the file with "PULUMI_DEBUG_COMMANDS=true pulumi preview --event-log FILE"'


def is_event_log(path: Path) -> bool:
    """Whether a file looks like an event log: a JSON object a line, the first one numbered."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            first = read_json(lines.readline(_FIRST_CHARACTERS))
    except (OSError, UnicodeDecodeError, JsonError):
        return False
    return isinstance(first, Mapping) and {"sequence", "timestamp"} <= first.keys()


def load_event_log(path: Path, *, account: str = "") -> Inventory:
    """The inventory of a preview or an update; `account` is used where the log tells none.

    An operation that did not succeed is listed as not covered, because resources may be missing.
    Raises `SourceError` for a file that is no event log.
    """
    log = _Log(str(path))
    for number, event in _events(path):
        log.read(event, number)
    if not log.phases:
        raise SourceError("the event log tells of no resource", str(path), help=_HELP)
    # `pulumi up` writes its preview and its update into one log.
    is_preview = False not in log.phases
    entries = log.phases[is_preview]
    inventory = read_stack(_resources(entries), account=account, preview=is_preview)
    gap = log.gap()
    if gap is None:
        return inventory
    return replace(inventory, not_covered=(*inventory.not_covered, gap))


@dataclass(slots=True)
class _Log:
    file: str
    phases: dict[bool, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    """The last known state of each resource by URN, of the preview (True) and of the update."""

    results: list[str] = field(default_factory=list)

    def read(self, event: Mapping[str, Any], number: int) -> None:
        if "summaryEvent" in event:
            self.results.append(str(event["summaryEvent"].get("result") or "succeeded"))
        for kind in _STEPS:
            if kind in event:
                self._read_step(event[kind], kind, number)

    def gap(self) -> NotCovered | None:
        """That the operation did not end well, if so."""
        if not self.results:
            reason = "the event log ends before the operation has ended"
        elif self.results[-1] == "succeeded":
            return None
        else:
            reason = f'the operation of the event log ended with "{self.results[-1]}"'
        return NotCovered(Origin(self.file), f"{reason}, so resources may be missing", True)

    def _read_step(self, step: Any, kind: str, number: int) -> None:
        metadata = step.get("metadata") if isinstance(step, Mapping) else None
        if not isinstance(metadata, Mapping) or not isinstance(metadata.get("urn"), str):
            raise SourceError(f'"{kind}" has no "metadata" with an "urn"', self.file, number)
        entries = self.phases.setdefault(bool(step.get("planning")), {})
        urn, new = metadata["urn"], metadata.get("new")
        if str(metadata.get("op")).startswith(_WITHOUT_RESULT):
            return
        if not isinstance(new, Mapping) or not isinstance(new.get("type"), str):
            raise SourceError(f'the step of "{urn}" has no "new" state', self.file, number)
        for name in ("inputs", "outputs"):
            if not isinstance(new.get(name) or {}, Mapping):
                raise SourceError(f'"{name}" of "{urn}" is no object', self.file, number)
        entries[urn] = new


def _events(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _event(line, str(path), number)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceError(f"the file cannot be read: {reason}", str(path)) from None
    except UnicodeDecodeError as error:
        raise SourceError(f"byte {error.start} is not UTF-8", str(path)) from None


def _event(line: str, file: str, number: int) -> Mapping[str, Any]:
    try:
        event = read_json(line, maximum_characters=_MAXIMUM_CHARACTERS)
    except JsonError as error:
        raise SourceError(
            f"no JSON: {error.message}", file, number, error.position.column
        ) from None
    if not isinstance(event, Mapping):
        raise SourceError("an event is no object", file, number, help=_HELP)
    return event


def _resources(entries: Mapping[str, Mapping[str, Any]]) -> Sequence[StackResource]:
    resources = []
    for urn, new in entries.items():
        if new.get("external") or new.get("delete"):
            continue
        # A reference to a provider is its URN and its id.
        provider = str(new.get("provider") or "").rpartition("::")[0]
        outputs = new.get("outputs") or {}
        resources.append(
            StackResource(
                urn,
                new["type"],
                inputs=new.get("inputs") or {},
                outputs={**outputs, **({"id": new["id"]} if new.get("id") else {})},
                provider=entries.get(provider, {}).get("inputs") or {},
                provider_urn=provider,
            )
        )
    return resources
