"""The records that the parts of the engine exchange, and the results that callers see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .values import Properties

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


class EngineError(Exception):
    """Something that stops the whole operation; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    policy: str
    message: str
    level: str
    urn: str
    phase: str


@dataclass(frozen=True, slots=True)
class Step:
    """What happens, or in a preview would happen, to a resource; named as the engine names it."""

    operation: str
    urn: str


@dataclass(frozen=True, slots=True)
class Outcome:
    exit_code: int
    diagnostics: tuple[Diagnostic, ...]
    error: str
    registered: tuple[str, ...]
    created: tuple[str, ...]
    steps: tuple[Step, ...]
    state: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RunContext:
    """What is fixed for one operation (one preview or one update)."""

    project: str
    stack: str
    organization: str
    config: Mapping[str, str]
    dry_run: bool


@dataclass(slots=True)
class Options:
    protect: bool = False
    ignore_changes: list[str] = field(default_factory=list)
    delete_before_replace: bool | None = None
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    timeouts: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Resource:
    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    options: Options = field(default_factory=Options)

    @property
    def name(self) -> str:
        return urn_name(self.urn)

    @property
    def is_provider(self) -> bool:
        return self.type.startswith(PROVIDER_PREFIX)


def make_urn(context: RunContext, parent: str, type_: str, name: str) -> str:
    """The type chain holds every parent but the root stack."""
    qualified = type_
    if parent:
        parent_chain = urn_qualified_type(parent)
        if parent_chain.split("$")[-1] != STACK_TYPE:
            qualified = f"{parent_chain}${type_}"
    return f"urn:pulumi:{context.stack}::{context.project}::{qualified}::{name}"


def root_urn(context: RunContext) -> str:
    return make_urn(context, "", STACK_TYPE, f"{context.project}-{context.stack}")


def urn_qualified_type(urn: str) -> str:
    return urn.split("::", 3)[2]


def urn_type(urn: str) -> str:
    return urn_qualified_type(urn).split("$")[-1]


def urn_name(urn: str) -> str:
    # A name may itself contain "::", so never take the last piece.
    return urn.split("::", 3)[3]
