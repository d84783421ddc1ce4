"""Nested stacks: the template of each, found in the assembly, as a stack of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kms_access.sources.cloudformation.files import lies_inside, source_file
from kms_access.sources.cloudformation.references import NESTED_STACK, unknown_stack_name
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.template import Template, read_template
from kms_access.sources.interface import SourceError

MAXIMUM_NESTED_STACKS = 1_000
_ASSET_PATH = "aws:asset:path"
_ASSET_HASH = re.compile(r"[0-9a-f]{64}")


class NestedStacks:
    """Finds nested stacks; one whose template is not in the assembly is left to be reported."""

    def __init__(self, root: Path, assets: Mapping[str, Path]) -> None:
        self._root = root
        self._assets = assets
        self._templates: dict[Path, Template] = {}
        self._count = 0

    def inside(self, stack: Stack) -> Iterator[Stack]:
        """`stack` and all stacks nested in it. Raises SourceError for an unreadable template."""
        yield stack
        for logical_id in stack.template.resources:
            if stack.type_of(logical_id) != NESTED_STACK:
                continue
            node = stack.resource(logical_id) or {}
            path = self._template_of(stack, node)
            around = {scope.template.file.path.resolve() for scope in stack.ancestors}
            if path is not None and path.resolve() not in around:
                child = self._child(stack, logical_id, node, path)
                stack.children[logical_id] = child
                yield from self.inside(child)

    def _child(self, parent: Stack, logical_id: str, node: Mapping[str, Any], path: Path) -> Stack:
        self._count += 1
        if self._count > MAXIMUM_NESTED_STACKS:
            message = f"more than {MAXIMUM_NESTED_STACKS} nested stacks"
            raise SourceError(message, file=str(parent.template.file.path))
        if path not in self._templates:
            file = source_file(path, self._root)
            self._templates[path] = read_template(file, may_be_empty=True)
        properties = node.get("Properties")
        parameters = properties.get("Parameters") if isinstance(properties, Mapping) else None
        identity = parent.identity_of(logical_id)
        return Stack(
            identity=identity,
            container=parent.container,
            name=unknown_stack_name(identity),
            template=self._templates[path],
            environment=parent.environment,
            construct_path=parent.construct_path,
            constructs=parent.constructs,
            deployer=parent.deployer,
            parent=parent,
            logical_id=logical_id,
            parameter_nodes=parameters if isinstance(parameters, Mapping) else {},
        )

    def _template_of(self, stack: Stack, node: Mapping[str, Any]) -> Path | None:
        """By CDK's asset path, else by the hash at the end of the URL (cdk-synthesis, 9)."""
        metadata = node.get("Metadata")
        name = metadata.get(_ASSET_PATH) if isinstance(metadata, Mapping) else None
        if isinstance(name, str) and name and "\0" not in name:
            path = stack.template.file.path.parent / name
            if lies_inside(path, self._root) and path.is_file():
                return path
        properties = node.get("Properties")
        url = properties.get("TemplateURL") if isinstance(properties, Mapping) else None
        hashes = _ASSET_HASH.findall(json.dumps(url, default=str))
        path_of_hash = self._assets.get(hashes[-1]) if hashes else None
        return path_of_hash if path_of_hash is not None and path_of_hash.is_file() else None
