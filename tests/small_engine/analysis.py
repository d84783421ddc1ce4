"""When a policy pack is asked, and what its answers mean for the operation."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping

from .model import Diagnostic, Resource, RunContext, root_urn
from .pack import PolicyPack, Violation


class Analysis:
    def __init__(self, context: RunContext, pack: PolicyPack | None, shuffle_seed: int) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.severities: dict[Diagnostic, str] = {}
        self._context = context
        self._pack = pack
        self._seed = shuffle_seed

    @property
    def has_mandatory(self) -> bool:
        return any(item.level == "mandatory" for item in self.diagnostics)

    def resource(self, record: Resource, provider: Resource | None) -> bool:
        """Remediate and analyse; true when the resource must not be touched."""
        if self._pack is None:
            return False
        record.inputs, warnings = self._pack.remediate(record, provider)
        self._report("resource", warnings)
        violations = self._pack.analyze(record, provider)
        self._report("resource", violations)
        mandatory = any(item.level == "mandatory" for item in violations)
        return mandatory and not self._context.dry_run

    def stack(self, records: Mapping[str, Resource]) -> None:
        """Analyse all resources but the ones that were only read."""
        if self._pack is not None:
            violations = self._pack.analyze_stack(self._shuffled(records), root_urn(self._context))
            self._report("stack", violations)

    def _shuffled(self, records: Mapping[str, Resource]) -> list[tuple[Resource, Resource | None]]:
        # Sorted first: the order of registration is not repeatable, but a seed must be.
        urns = sorted(urn for urn, record in records.items() if not record.external)
        order = random.Random(self._seed)
        order.shuffle(urns)
        result: list[tuple[Resource, Resource | None]] = []
        for record in (records[urn] for urn in urns):
            mixed = dataclasses.replace(
                record,
                dependencies=order.sample(record.dependencies, len(record.dependencies)),
                property_dependencies={
                    key: order.sample(urns, len(urns))
                    for key, urns in record.property_dependencies.items()
                },
            )
            result.append((mixed, records.get(record.provider.rpartition("::")[0])))
        return result

    def _report(self, phase: str, violations: list[Violation]) -> None:
        for item in violations:
            diagnostic = Diagnostic(item.policy, item.message, item.level, item.urn, phase)
            self.diagnostics.append(diagnostic)
            self.severities[diagnostic] = item.severity
