"""A resource of a Pulumi stack, as the engine tells a policy pack about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kms_access.sources.interface import SourceError


@dataclass(frozen=True, slots=True)
class StackResource:
    """One resource, as plain data with the engine's markers for unknown and secret values.

    `inputs` are what the program asks for, after the provider's check; `outputs` what the engine
    expects or knows after the step, as far as it has happened. `property_dependencies` names for
    each input the URNs that its value comes from. `provider` holds the inputs of the provider
    that `provider_urn` names; both are empty for components. `file` and `line` are where the
    program makes it, as far as the source tells.
    """

    urn: str
    type: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    provider: Mapping[str, object] = field(default_factory=dict)
    provider_urn: str = ""
    file: str = ""
    line: int | None = None

    @property
    def name(self) -> str:
        """The name that the program gave to the resource."""
        return self._urn_parts()[3]

    @property
    def stack(self) -> str:
        """The stack that holds the resource."""
        return self._urn_parts()[0].rpartition(":")[2]

    @property
    def qualified_name(self) -> str:
        """What follows stack and project in the URN; no other resource of the stack has it."""
        return "::".join(self._urn_parts()[2:])

    def _urn_parts(self) -> list[str]:
        # A name may hold "::" itself, so only the first three separators count.
        parts = self.urn.split("::", 3)
        if len(parts) != 4 or not self.urn.startswith("urn:pulumi:"):
            raise SourceError(
                f'"{self.urn}" is no URN of a Pulumi resource, '
                'expected is "urn:pulumi:STACK::PROJECT::TYPE::NAME"'
            )
        return parts
