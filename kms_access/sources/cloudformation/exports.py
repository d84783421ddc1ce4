"""References between stacks: exports, outputs by stack name, and CDK's export over Regions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from kms_access.policies.arns import arn_segments
from kms_access.policies.text import Value, unknown_text
from kms_access.sources.cloudformation.conditions import undecided
from kms_access.sources.cloudformation.references import output
from kms_access.sources.cloudformation.resolver import Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import as_value, digest

EXPORT_WRITER = "Custom::CrossRegionExportWriter"

_Place: TypeAlias = tuple[Value, Value, Value]
"""Account, Region and name: what AWS joins on."""
_Source: TypeAlias = "Callable[[Resolver], Any]"


class Exports:
    """What the stacks of a deployment offer to each other (cdk-synthesis, section 11).

    A name that two stacks offer is offered by none: which one AWS would take is not known.
    """

    def __init__(self, stacks: Sequence[Stack]) -> None:
        self._stacks = stacks
        self._exports: dict[_Place, _Source] = {}
        self._written: dict[_Place, _Source] = {}
        self._by_name: dict[_Place, list[Stack]] = {}
        for stack in stacks:
            if stack.parent is None:
                place = (stack.environment.account, stack.environment.region, stack.name)
                self._by_name.setdefault(place, []).append(stack)

    def prepare(self, resolver: Resolver) -> None:
        """Find what the stacks export; `resolver` is thrown away, as it saw no exports yet."""
        exports = _unambiguous(self._find_exports(resolver))
        written = _unambiguous(self._find_written(resolver))
        self._exports, self._written = exports, written

    def imported(self, resolver: Resolver, stack: Stack, argument: Any) -> Any:
        """`Fn::ImportValue name`."""
        name = resolver.value(argument, stack)
        where = stack.environment
        if name is not None:
            found = self._exports.get((where.account, where.region, name))
            if found is not None:
                return found(resolver)
        return unknown_text(f'export "{name}" of {where.account} in {where.region}')

    def output_of_stack(self, resolver: Resolver, stack: Stack, argument: Any) -> Any:
        """`Fn::GetStackOutput {StackName, OutputName, Region?, RoleArn?}`."""
        if not isinstance(argument, Mapping):
            return unknown_text(f"a Fn::GetStackOutput of {stack.identity} {digest(argument)}")
        values = {key: resolver.value(node, stack) for key, node in argument.items()}
        account = stack.environment.account
        if values.get("RoleArn") is not None:
            segments = arn_segments(values["RoleArn"] or "")
            account = segments[4] if segments else unknown_text(f"account of {values['RoleArn']}")
        region = values.get("Region") or stack.environment.region
        stack_name, name = values.get("StackName"), values.get("OutputName")
        producers = self._by_name.get((account, region, stack_name or ""), [])
        offered = producers[0].template.outputs if len(producers) == 1 else {}
        if isinstance(name, str) and name in offered:
            return output(resolver, producers[0], name)
        return unknown_text(f'output "{stack_name}.{name}" of {account} in {region}')

    def across_regions(self, resolver: Resolver, stack: Stack, reader: str, path: str) -> Any:
        """What a `Custom::CrossRegionExportReader` reads from the parameter `path`."""
        where = stack.environment
        found = self._written.get((where.account, where.region, path))
        if found is None:
            return unknown_text(f"{path} of {stack.identity_of(reader)}")
        return found(resolver)

    def _find_exports(self, resolver: Resolver) -> Iterator[tuple[_Place, _Source]]:
        for stack in self._stacks:
            for name, node in stack.template.outputs.items():
                export = node.get("Export") if isinstance(node, Mapping) else None
                if not isinstance(export, Mapping) or _is_left_out(resolver, stack, node):
                    continue
                exported = resolver.value(export.get("Name"), stack)
                if exported is not None:
                    place = (stack.environment.account, stack.environment.region, exported)
                    yield place, _output_source(stack, name)

    def _find_written(self, resolver: Resolver) -> Iterator[tuple[_Place, _Source]]:
        for stack in self._stacks:
            for logical_id in stack.template.resources:
                if stack.type_of(logical_id) != EXPORT_WRITER:
                    continue
                properties = (stack.resource(logical_id) or {}).get("Properties")
                props = properties.get("WriterProps") if isinstance(properties, Mapping) else None
                exports = props.get("exports") if isinstance(props, Mapping) else None
                if isinstance(props, Mapping) and isinstance(exports, Mapping):
                    region = resolver.value(props.get("region"), stack)
                    for path, node in exports.items():
                        if region is not None:
                            place = (stack.environment.account, region, path)
                            yield place, _node_source(stack, place, node)


def _output_source(stack: Stack, name: str) -> _Source:
    return lambda resolver: output(resolver, stack, name)


def _node_source(stack: Stack, place: _Place, node: Any) -> _Source:
    unknown: Value = unknown_text(f"an export of {stack.identity} {digest(node)}")

    def resolve(resolver: Resolver) -> Any:
        return resolver.once(
            ("written", stack, place),
            lambda: as_value(resolver.resolve(node, stack)) or unknown,
            unknown,
        )

    return resolve


def _is_left_out(resolver: Resolver, stack: Stack, node: Mapping[str, Any]) -> bool:
    return "Condition" in node and undecided(resolver, stack, node["Condition"]) is False


def _unambiguous(found: Iterator[tuple[_Place, _Source]]) -> dict[_Place, _Source]:
    sources: dict[_Place, _Source] = {}
    repeated: set[_Place] = set()
    for place, source in found:
        if place in sources:
            repeated.add(place)
        sources[place] = source
    return {place: source for place, source in sources.items() if place not in repeated}
