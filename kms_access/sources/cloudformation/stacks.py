"""The stacks of a deployment, nested ones included, and their resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_access.inventory.origin import Origin
from kms_access.policies.json_text import Position
from kms_access.policies.text import Value
from kms_access.sources.cloudformation.constructs import Construct, Constructs
from kms_access.sources.cloudformation.environment import Environment
from kms_access.sources.cloudformation.template import Template

_UNKNOWN = Construct("")


@dataclass(slots=True, eq=False)
class Stack:
    """One template at one place.

    `identity` is unique in the deployment, `container` is the name that a person knows. `name` is
    `AWS::StackName`. `given` holds the parameter values that the manifest supplies; a nested
    stack's parameters come from `parameter_nodes`, which belong to the scope of `parent`.
    """

    identity: str
    container: str
    name: Value
    template: Template
    environment: Environment
    construct_path: str = ""
    constructs: Constructs = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    deployer: str = ""
    parent: Stack | None = None
    logical_id: str = ""
    parameter_nodes: Mapping[str, Any] = field(default_factory=dict)
    children: dict[str, Stack] = field(default_factory=dict)

    def identity_of(self, logical_id: str) -> str:
        """The logical identity of a resource."""
        return f"{self.identity}/{logical_id}"

    def resource(self, logical_id: str) -> Mapping[str, Any] | None:
        """The definition of a resource, None if there is none that can be read."""
        node = self.template.resources.get(logical_id)
        return node if isinstance(node, dict) else None

    def type_of(self, logical_id: str) -> str:
        """The type of a resource, empty if it has none."""
        kind = (self.resource(logical_id) or {}).get("Type")
        return kind if isinstance(kind, str) else ""

    def origin_of(self, logical_id: str) -> Origin:
        """Where a resource was written: in the program if that is known, else in the template."""
        file = self.template.file
        construct = self._construct_of(logical_id)
        metadata = (self.resource(logical_id) or {}).get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        if isinstance(path, str):
            construct = Construct(path, construct.file, construct.line)
        return Origin(
            self.identity_of(logical_id),
            construct.label(self.construct_path) or logical_id,
            self.container,
            construct.file or file.shown,
            construct.line if construct.file else self.template.lines.get(logical_id),
        )

    def position_in(self, logical_id: str, node: object) -> Position | None:
        """Where a part of a resource's definition begins; None where the program is shown."""
        if self._construct_of(logical_id).file:
            return None
        return self.template.position(logical_id, node)

    def _construct_of(self, logical_id: str) -> Construct:
        return self.constructs.get((self.template.file.path.name, logical_id), _UNKNOWN)

    @property
    def deployers(self) -> tuple[Value, ...]:
        """The ARN of the role with which CloudFormation creates the resources, if known."""
        return (self.environment.substitute(self.deployer),) if self.deployer else ()

    @property
    def origin(self) -> Origin:
        """The stack itself."""
        return Origin(self.identity, self.container, self.container, self.template.file.shown)

    @property
    def ancestors(self) -> Iterator[Stack]:
        """The stack and the stacks around it, from the inside out."""
        stack: Stack | None = self
        while stack is not None:
            yield stack
            stack = stack.parent
